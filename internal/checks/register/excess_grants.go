package register

import (
	"context"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// ExcessGrants registers a partner that asks for grants which the plan does not name: password, implicit and token exchange,
// or the device grant where tokens are exchanged. They must not be in the answer, and must not work.
//
// RFC 7591 §2 and §3.2.1: the server MAY reject or replace what was asked, and tells what is registered. That it does so
// here is our demand: a partner gets client_credentials, what the plan names beside it (grants), and nothing else. Where the three together are refused, each is
// asked for alone: one unknown word may hide that another is granted.
var ExcessGrants = &check.Check{
	ID:       "register.excess-grants",
	Title:    "a registration gets no grant that the plan does not name by asking for it",
	Broken:   "a registration gets grants that the plan does not name by asking for them",
	Why:      "with token exchange or password a partner turns what it finds into tokens of others, and nobody watches grants that nobody needs",
	Fix:      "allow partners client_credentials and what was agreed beside it, refuse or replace the rest, and check the grant at the token endpoint too",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(7591, "2"), frameworks.RFC(7591, "3.2.1"), frameworks.ASVS("10.4.4"), frameworks.NHI(5), frameworks.SP80053("CM-7")},
	Rows:     []string{"L-RG-08", "A-RG-03"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Twin:     defect.Set{GrantsUnfiltered: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		planned := p.Stack.Plan.GrantTypes()
		third, exchanges := plan.GrantTokenExchange, p.Stack.Plan.Grants.Exchange != nil
		if exchanges {
			third = "urn:ietf:params:oauth:grant-type:device_code" // RFC 8628 §3.4
		}
		expected, opened := "refused, or registered without it", false
		for _, asked := range [][]string{{"password", "implicit", third}, {"password"}, {"implicit"}, {third}} {
			name := "asks for " + strings.Join(asked, ", ")
			grants := slices.Clone(planned)
			for _, one := range asked {
				grants = append(grants, one)
			}
			metadata := map[string]any{"grant_types": grants}
			if slices.Contains(asked, "implicit") { // RFC 7591 §2.1: implicit without its response type is inconsistent
				metadata["response_types"], metadata["redirect_uris"] = []string{"token"}, []string{"https://checkride.invalid/callback"}
			}
			got, err := p.Register(ctx, wire.Altered, cast.Partner, cast.Wish{Metadata: metadata})
			switch {
			case err != nil:
				return err
			case got.Decision == wire.Unknown:
				return check.CannotTell("%s: %s", name, got.Why)
			case got.Decision != wire.Accepted:
				p.Case(name, logbook.Pass, expected, got.Why, "grant_types", "")
				continue
			}
			opened = true
			answer, told := got.Member.Client().Registered["grant_types"]
			granted := oauth.Strings(answer)
			if !told {
				p.Note("the answer does not tell which grants are registered, though RFC 7591 §3.2.1 wants all metadata told")
			}
			excess := slices.DeleteFunc(slices.Clone(granted), func(grant string) bool { return !slices.Contains(asked, grant) })
			if len(excess) > 0 {
				p.Case(name, logbook.Fail, expected, "registered with "+strings.Join(excess, ", "), "grant_types", "")
			} else {
				p.Case(name, logbook.Pass, expected, "registered with "+strings.Join(granted, ", "), "grant_types", "")
			}
			err = p.Cast.Settle(ctx, got.Member)
			if err != nil {
				return err
			}
			own, err := got.Member.TokenWith(ctx, got.Member.Usual())
			if err != nil {
				return err
			}
			garbage := p.Stack.Keeper.Keep("garbage", "checkride-"+got.Member.ID())
			changes := []wire.Change{{Name: "token request with the grant password", Apply: func(r wire.Request) (wire.Request, error) {
				r = r.SetForm("grant_type", "password").SetForm("username", "checkride")
				return r.WithCredential(wire.Credential{In: wire.InForm, Name: "password", Text: garbage}), nil
			}}}
			if !exchanges {
				changes = append(changes, wire.Change{Name: "token request with the grant token exchange", Apply: func(r wire.Request) (wire.Request, error) {
					r = r.SetForm("grant_type", plan.GrantTokenExchange).SetForm("subject_token_type", oauth.AccessTokenType)
					return r.WithCredential(wire.Credential{In: wire.InForm, Name: oauth.SubjectMember, Text: own.Text}), nil
				}})
			}
			err = p.Refuses(ctx, p.AtToken(got.Member, got.Member.Usual()), changes...)
			if err != nil || len(asked) > 1 {
				return err
			}
		}
		if opened {
			return nil
		}
		return p.RegistrationOpens(ctx, cast.Partner)
	},
}
