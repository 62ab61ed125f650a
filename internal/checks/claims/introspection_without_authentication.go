package claims

import (
	"context"
	"slices"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// IntrospectionWithoutAuthentication plays the stranger who found a string and asks whether it is a token, showing
// nothing, and then the credentials of a client that nobody registered: wrong secrets of the resource server itself might
// lock it out, and everybody with it. The token is active for the resource server before and after.
//
// RFC 7662 §2.1: the endpoint MUST ask for some authorization, against scanning for tokens. §2.3: bad credentials get
// 401. An answer of active false tells the stranger nothing either, and counts as a refusal.
var IntrospectionWithoutAuthentication = &check.Check{
	ID:       "claims.introspection-without-authentication",
	Title:    "introspection tells nothing to whoever does not authenticate",
	Broken:   "introspection answers whoever does not authenticate",
	Why:      "anybody tries strings until one is a token, and learns whose it is, what it may and how long",
	Fix:      "authenticate callers of the introspection endpoint before the token is looked at",
	Refs:     []frameworks.Ref{frameworks.RFC(7662, "2.1"), frameworks.RFC(7662, "2.3"), frameworks.RFC(7662, "4"), frameworks.ASVS("10.4.10"), frameworks.API(2), frameworks.SP80053("AC-14")},
	Rows:     []string{"L-IN-02", "L-CA-61", "A-CC-18"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Introspection},
	Twin:     defect.Set{IntrospectionOpen: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		asker, err := p.Introspects(ctx)
		if err != nil {
			return err
		}
		partner, token, err := p.HomeToken(ctx)
		if err != nil {
			return err
		}
		call, err := introspected(ctx, p, asker, token)
		if err != nil {
			return err
		}
		wrong := p.Stack.Keeper.Keep("garbage", "checkride-"+partner.ID()+"-nobody")
		changes := []wire.Change{{Name: "no client authentication", Apply: func(r wire.Request) (wire.Request, error) {
			r.Credentials = slices.DeleteFunc(r.Credentials, func(c wire.Credential) bool { return c.Name != "token" })
			r.Over.Certificate = nil
			return r.WithoutForm("client_id").WithoutForm("client_assertion_type"), nil
		}}}
		changes = append(changes, wire.Change{Name: "a client that nobody registered", Apply: func(r wire.Request) (wire.Request, error) {
			r, err := changes[0].Apply(r)
			return r.WithCredential(wire.Credential{In: wire.InHeader, Name: "Authorization", Prefix: "Basic ", Basic: "checkride-nobody", Text: wrong}), err
		}})
		return p.Refuses(ctx, call, changes...)
	},
}
