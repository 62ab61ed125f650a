package authenticate

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// RequestForm sends token requests that are right but for their form: with two ways to authenticate at once, with a
// parameter twice, by GET, and with an assertion under another type or under none.
//
// RFC 6749 §2.3: a client MUST NOT use more than one method in a request, and §5.2 has an error for it; §3.2: parameters
// MUST NOT be included more than once, and requests are POST. RFC 7521 §4.2: client_assertion_type says what the assertion
// is.
var RequestForm = &check.Check{
	ID:       "authenticate.request-form",
	Title:    "a token request that is ambiguous gets no token",
	Broken:   "a token request that is ambiguous gets a token",
	Why:      "two components read such a request in two ways: one judges the first secret or scope, and the next uses the second",
	Fix:      "refuse more than one authentication method and repeated parameters before anything is looked at",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "2.3"), frameworks.RFC(6749, "3.2"), frameworks.RFC(6749, "5.2"), frameworks.RFC(7521, "4.2"), frameworks.ASVS("4.1.4"), frameworks.SP80053("IA-9")},
	Rows:     []string{"L-CA-04", "L-CA-07", "L-CA-35", "A-RG-08"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Takes:    check.FailAuth,
	Besides:  []*logbook.Breach{notByPost, typeIgnored},
	Twin:     defect.Set{TwoMethodsAccepted: true},
	Also:     []defect.Set{{ParameterRepeated: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		usual, err := p.By(ctx, cast.Partner, oauth.ClientSecretBasic, oauth.ClientSecretPost, oauth.PrivateKeyJWT, oauth.TLSClientAuth, oauth.SelfSignedTLSClientAuth)
		if err != nil {
			return err
		}
		changed := func(name string, apply func(wire.Request) wire.Request) wire.Change {
			return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) { return apply(r), nil }}
		}
		twice := func(name string, another func(string) string) wire.Change {
			return changed(name+" twice", func(r wire.Request) wire.Request {
				for _, field := range r.Form {
					if field.Name == name {
						return r.AddForm(name, another(field.Value))
					}
				}
				return r
			})
		}
		same := func(value string) string { return value }
		changes := []wire.Change{twice("grant_type", same)}
		if len(usual.Plan.Scopes) > 0 {
			changes = append(changes, twice("scope", same))
		}
		if usual.Client().Auth == oauth.ClientSecretBasic {
			changes = append(changes, changed("the secret in the header and in the form", func(r wire.Request) wire.Request {
				secret := r.Credentials[0].Text
				return r.SetForm("client_id", usual.ID()).WithCredential(wire.Credential{In: wire.InForm, Name: "client_secret", Text: secret})
			}))
		}
		err = p.Refuses(ctx, p.Login(usual), changes...)
		if err != nil {
			return err
		}
		titled := p.Besides(notByPost)
		err = p.Refuses(ctx, p.Login(usual), forge.AllInQuery("GET"))
		if err != nil {
			return err
		}
		titled()
		signing, err := p.By(ctx, cast.Partner, oauth.PrivateKeyJWT)
		if check.IsAbsent(err) {
			return nil
		}
		if err != nil {
			return err
		}
		defer p.Besides(typeIgnored)()
		return p.Refuses(ctx, p.Login(signing),
			changed("an assertion that is called one of SAML", func(r wire.Request) wire.Request {
				return r.SetForm("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")
			}),
			changed("an assertion without its type", func(r wire.Request) wire.Request { return r.WithoutForm("client_assertion_type") }))
	},
}

var notByPost = &logbook.Breach{
	Broken:   "a token request by GET gets a token",
	Why:      "its parameters lie in every access log on the way, and caches may keep the token",
	Fix:      "take token requests by POST alone",
	Severity: logbook.Medium,
}

var typeIgnored = &logbook.Breach{
	Broken:   "a client assertion under another type, or under none, gets a token",
	Why:      "what is not read as what it is called may be read as something else by the next component; nobody gets in by it alone",
	Fix:      "demand client_assertion_type, and refuse types that are unknown",
	Severity: logbook.Low,
}
