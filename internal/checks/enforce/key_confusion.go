package enforce

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// KeyConfusion signs the partner's token with HS256 and with what everybody knows as the key: the server's public key in
// the textual forms in which libraries were seen to take it, nothing, the kid, the client id, the issuer.
//
// RFC 8725 §2.1 describes the attack; §3.1 has each key used with exactly one algorithm, and this checked when the
// operation is done.
var KeyConfusion = &check.Check{
	ID:       "enforce.key-confusion",
	Title:    "a token with a MAC keyed with public knowledge is refused",
	Broken:   "a token with a MAC keyed with public knowledge is accepted",
	Why:      "the public key is public: everybody can write tokens for any partner and any scope",
	Fix:      "tie each key to its algorithm in the verifier, and take the algorithm from there and never from the token",
	Refs:     []frameworks.Ref{frameworks.RFC(8725, "2.1"), frameworks.RFC(8725, "3.1"), frameworks.ASVS("9.1.2"), frameworks.CVE("CVE-2016-10555"), frameworks.API(2), frameworks.SP80053("IA-13(2)"), frameworks.CVE("CVE-2015-9235")},
	Rows:     []string{"L-GW-03", "A-TF-05", "A-TF-06"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Twin:     defect.Set{KeyConfusion: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, forger, err := p.Forged(ctx)
		if err != nil {
			return err
		}
		kid, _ := call.Token.JWT.Header["kid"].(string)
		if kid == "" {
			return p.Refuses(ctx, call, forger.KeyConfusion()...)
		}
		return p.Refuses(ctx, call, forger.KeyConfusion(kid)...)
	},
}
