package report

import (
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// unaskedNote says how much the profile leaves out.
func unaskedNote(h *logbook.Head) string {
	if len(h.Unasked) == 0 {
		return ""
	}
	return verdict.Count(len(h.Unasked), "check") + " not asked for"
}

// pinnedNote says that the plan is judged by an older catalogue.
func pinnedNote(h *logbook.Head) string {
	if h.Pinned == "" || h.Pinned == h.Catalogue {
		return ""
	}
	return "the plan pins " + h.Pinned + ": what came since is not scored"
}
