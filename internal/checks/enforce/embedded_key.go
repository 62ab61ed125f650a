package enforce

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// EmbeddedKey signs the partner's token with a key of our own and puts that key into its header.
//
// RFC 8725 §3.8: the keys used to verify must belong to the issuer, and if they do not, the application MUST reject the
// JWT.
var EmbeddedKey = &check.Check{
	ID:       "enforce.embedded-key",
	Title:    "a token that brings its own key is refused",
	Broken:   "a token that brings its own key is accepted",
	Why:      "whoever makes a key makes tokens, for any partner and any scope",
	Fix:      "take keys only from the issuer's published set; ignore jwk, jku, x5c and x5u in the token's header",
	Refs:     []frameworks.Ref{frameworks.RFC(8725, "3.8"), frameworks.RFC(9068, "4"), frameworks.ASVS("9.1.3"), frameworks.CVE("CVE-2018-0114"), frameworks.API(2), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-GW-03", "A-TF-08"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Twin:     defect.Set{EmbeddedKey: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, forger, err := p.Forged(ctx)
		if err != nil {
			return err
		}
		return p.Refuses(ctx, call, forger.EmbeddedKey()...)
	},
}
