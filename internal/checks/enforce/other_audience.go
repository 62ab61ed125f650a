package enforce

import (
	"context"
	"slices"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
)

// OtherAudience brings the partner's own real tokens that are for other points. Each is shown to open its own point.
//
// RFC 9700 §2.3: a resource server MUST refuse a token that was not meant for it. RFC 9068 §4 has aud contain the
// resource server's identifier.
var OtherAudience = &check.Check{
	ID:       "enforce.other-audience",
	Title:    "a token for another point is refused",
	Broken:   "a token for another point is accepted",
	Why:      "a point that is broken into, or a curious one, can use the tokens that it sees at all others",
	Fix:      "compare aud with the point's own identifier at every request, also when the token is introspected",
	Refs:     []frameworks.Ref{frameworks.RFC(9068, "4"), frameworks.RFC(9700, "2.3"), frameworks.RFC(8725, "3.9"), frameworks.ASVS("10.3.1"), frameworks.ASVS("9.2.3"), frameworks.Tenet(3), frameworks.SP80053("IA-13(3)")},
	Rows:     []string{"L-GW-05", "A-CC-03"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Needs:    []check.Need{check.OtherAudience},
	Twin:     defect.Set{AudienceIgnored: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		tried := 0
		for i := range p.Stack.Plan.Points {
			other := &p.Stack.Plan.Points[i]
			if other.Resource == "" || other.Resource == p.Point.Resource || other.Credential != p.Point.Credential {
				continue
			}
			token, err := call.Member.Token(ctx, other)
			if err != nil {
				return err
			}
			also, err := isFor(ctx, p, token, p.Point)
			if err != nil {
				return err
			}
			if token.Text == call.Token.Text || also {
				p.Note("the server gives a token for %s that names this point too", other.Name)
				continue
			}
			tried++
			good := p.CallAt(other, p.Allowed(other), call.Member, token)
			err = p.RefusesGoodElsewhere(ctx, call, good, forge.Showing(token, "the partner's token for "+other.Name))
			if err != nil {
				return err
			}
		}
		if tried == 0 {
			return check.NotApplicable("the server gives no token that is for another point alone")
		}
		return nil
	},
}

// isFor says whether a token names the point as an audience: by itself, or by introspection where it is opaque. Where
// neither tells, nothing is known.
func isFor(ctx context.Context, p *check.Pass, token oauth.Token, point *plan.Point) (bool, error) {
	names := func(aud any) bool { return slices.Contains(oauth.Strings(aud), point.Resource) }
	if token.JWT != nil {
		return names(token.JWT.Claims["aud"]), nil
	}
	told, err := p.Introspected(ctx, token)
	return names(told["aud"]), err
}
