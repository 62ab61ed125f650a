package bind

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// WarmCache uses a token as it should be used and at once, on purpose right after it, with another certificate and with
// none. A point that remembers its decision by the token alone lets both in. To tell this from a point that never
// compares, each token is first shown in the same wrong way while nobody has used it yet.
//
// RFC 8705 §3 asks for the comparison at each access. RFC 7662 §2.2 lets answers of introspection be cached; a decision
// that also rests on the connection is more than such an answer.
var WarmCache = &check.Check{
	ID:       "bind.warm-cache",
	Title:    "a token that was just used with its certificate is still refused without it",
	Broken:   "a token that was just used with its certificate is accepted without it",
	Why:      "while the partner is active, a copy of its token opens the API to whoever holds it",
	Fix:      "cache what introspection says about the token, never the decision; compare cnf.x5t#S256 with the connection's certificate on every request",
	Refs:     []frameworks.Ref{frameworks.RFC(8705, "3"), frameworks.RFC(7662, "2.2"), frameworks.RFC(9700, "4.10.1"), frameworks.NHI(4), frameworks.ASVS("10.3.5"), frameworks.API(2)},
	Rows:     []string{"L-SC-06"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Needs:    []check.Need{check.Binding, check.ClientCertificate},
	Twin:     defect.Set{CacheSkipsBinding: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		shared, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		another, err := p.Another(ctx, shared)
		if err != nil {
			return err
		}
		wrong := forge.WithCertificate(another.Token.Certificate, "at once with the certificate of the "+another.Member.Role)
		call, err := coldRefused(ctx, p, shared, wrong, "bind.with-anothers-certificate")
		if err != nil {
			return err
		}
		err = p.RefusesGoodElsewhere(ctx, call, another, wrong)
		if err != nil {
			return err
		}
		none := forge.WithoutCertificate()
		none.Name = "at once without a certificate"
		call, err = coldRefused(ctx, p, shared, none, "bind.without-its-certificate")
		if err != nil {
			return err
		}
		return p.Refuses(ctx, call, none)
	},
}

// coldRefused gives a call with a new token that was refused when it was first shown, in this wrong way.
func coldRefused(ctx context.Context, p *check.Pass, shared check.Call, wrong wire.Change, otherwise string) (check.Call, error) {
	call, err := p.Unseen(ctx, shared)
	if err != nil {
		return call, err
	}
	cold := call
	cold.Name = "a token that nobody has used, shown wrongly"
	cold.Make = func() (wire.Request, error) {
		request, err := call.Make()
		if err != nil {
			return request, err
		}
		return wrong.Apply(request)
	}
	_, answer, err := p.Do(ctx, wire.Baseline, cold)
	if err != nil {
		return call, err
	}
	if answer.Decision == wire.Accepted && call.Token.Text != shared.Token.Text {
		return call, check.BecauseOf(otherwise, "the point lets it in even with a token that it has never seen, so this is no matter of its cache")
	}
	return call, nil
}
