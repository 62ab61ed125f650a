package enforce

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// ForeignIssuer brings tokens that another issuer signed: one of our own that uses the very kid and claims, and real ones
// of every other authorization server of the plan where a client may be registered. A real one is asked for this point
// and bound to the partner's certificate, so that it is wrong in nothing but its issuer.
//
// RFC 9068 §4: the issuer must be exactly the one that the resource server trusts, and the signature made with its keys.
// RFC 8725 §3.8 has the keys belong to the issuer.
var ForeignIssuer = &check.Check{
	ID:       "enforce.foreign-issuer",
	Title:    "a token of an issuer that the point must not trust is refused",
	Broken:   "a token of an issuer that the point must not trust is accepted",
	Why:      "whoever gets tokens from the other issuer, or runs one, enters as a partner of this one",
	Fix:      "look up keys by issuer and kid together, compare iss exactly, and trust at each point only its own issuer",
	Refs:     []frameworks.Ref{frameworks.RFC(9068, "4"), frameworks.RFC(8725, "3.8"), frameworks.ASVS("9.1.3"), frameworks.CVE("CVE-2021-21378"), frameworks.API(2), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-GW-04", "A-TF-26", "A-MG-10", "L-GW-03"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Twin:     defect.Set{IssuerUnion: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		own := call.Token.JWT != nil
		if own {
			_, forger, err := p.Forged(ctx)
			if err != nil {
				return err
			}
			err = p.Refuses(ctx, call, forger.OtherKey()...)
			if err != nil {
				return err
			}
		}
		joined := 0
		for _, server := range p.Stack.Plan.Servers() {
			if server == call.Member.Server.Name || server == p.Cast.TokenServer(p.Point) {
				continue
			}
			if !p.Cast.CanJoin(server) {
				p.Note("no real token of %s was tried: nothing permits a client there (authorization_servers.%s.initial_access_token)", server, server)
				continue
			}
			joined++
			err = refusesRealToken(ctx, p, call, server)
			if err != nil {
				return err
			}
		}
		if !own && joined == 0 {
			return check.NotApplicable("the tokens are no JWTs, and there is no other authorization server that gives the ride one")
		}
		return nil
	},
}

func refusesRealToken(ctx context.Context, p *check.Pass, call check.Call, server string) error {
	member, err := p.Cast.At(ctx, server, call.Member)
	if err != nil {
		return err
	}
	wish := cast.TokenWish{Resource: call.Token.Resource}
	token, err := member.TokenWith(ctx, wish)
	if err != nil {
		return err
	}
	good, err := p.GoodSomewhere(ctx, member, token, wish)
	if err != nil {
		return err
	}
	return p.RefusesGoodElsewhere(ctx, call, good, forge.Showing(token, "a real token of "+server))
}
