package issue

import (
	"context"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// ResponseNotStored looks at the header of an answer that carries a token.
//
// RFC 6749 §5.1: it MUST say Cache-Control: no-store, and Pragma: no-cache. The second is for caches of HTTP/1.0 and is
// noted only.
var ResponseNotStored = &check.Check{
	ID:       "issue.response-not-stored",
	Title:    "the answer that carries a token may not be stored",
	Broken:   "the answer that carries a token may be stored",
	Why:      "a proxy or a cache on the way keeps the token, and gives it to whoever asks next",
	Fix:      "send Cache-Control: no-store with every answer of the token endpoint",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "5.1"), frameworks.NHI(2), frameworks.ASVS("10.1.1")},
	Rows:     []string{"L-TK-02", "A-RG-11"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Twin:     defect.Set{ResponseStorable: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		_, got, err := p.JustIssued(ctx)
		if err != nil {
			return err
		}
		header := got.Exchange.Header
		control := strings.Join(header.Values("Cache-Control"), ", ")
		stored := true
		for word := range strings.SplitSeq(control, ",") {
			if strings.EqualFold(strings.TrimSpace(word), "no-store") {
				stored = false
			}
		}
		observed := "Cache-Control: " + control
		if control == "" {
			observed = "no Cache-Control"
		}
		p.Holds("Cache-Control: no-store", !stored, observed)
		if !strings.Contains(strings.ToLower(header.Get("Pragma")), "no-cache") {
			p.Note("Pragma: no-cache is missing, which RFC 6749 §5.1 asks for too")
		}
		return nil
	},
}
