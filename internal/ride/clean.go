package ride

import (
	"unicode/utf8"

	"github.com/checkride/checkride/internal/logbook"
)

// textKept is how many bytes of one text of an observation are kept: strangers may write any number.
const textKept = 2 << 10

// clean masks and cuts every text of an observation. What a server said stands in many of them, and it may say our own
// token back to us.
func (r *run) clean(o *logbook.Observation) {
	for _, text := range []*string{&o.Expected, &o.Observed, &o.Differs, &o.Because, &o.Relevance} {
		*text = r.text(*text)
	}
	for i := range o.Notes {
		o.Notes[i] = r.text(o.Notes[i])
	}
	for i := range o.Cases {
		c := &o.Cases[i]
		for _, text := range []*string{&c.Name, &c.Observed, &c.Differs, &c.Because} {
			*text = r.text(*text)
		}
	}
	for i := range o.Bounds {
		o.Bounds[i].Control = r.text(o.Bounds[i].Control)
	}
}

func (r *run) text(text string) string {
	text = r.keeper.Mask(text)
	if len(text) <= textKept {
		return text
	}
	end := textKept
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}
