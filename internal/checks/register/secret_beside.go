package register

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// SecretBeside registers clients that prove themselves by a key or a certificate, and looks whether the answer gives them
// a secret all the same, and whether that secret opens the token endpoint.
//
// RFC 7591 §2: token_endpoint_auth_method is the method that the client uses. A secret that opens nothing is remarked and
// no finding: client_secret is OPTIONAL in the answer (§3.2.1) and bound to no method.
var SecretBeside = &check.Check{
	ID:       "register.secret-beside",
	Title:    "a client that registers for a key or a certificate gets no secret that works",
	Broken:   "a client that registers for a key or a certificate gets a secret that works too",
	Why:      "the agreement wants a key that never leaves its owner, and beside it lies a password that was sent in clear, is in nobody's rotation and is good in any hand",
	Fix:      "make no secret for other methods than client_secret_basic and client_secret_post, and refuse one from a client that is registered for another method",
	Refs:     []frameworks.Ref{frameworks.RFC(7591, "2"), frameworks.RFC(7591, "3.2.1"), frameworks.House(), frameworks.ASVS("10.4.16"), frameworks.NHI(4), frameworks.SP80053("IA-5")},
	Rows:     []string{"L-RG-01", "A-RG-07"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Twin:     defect.Set{SecretForEveryMethod: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		methods, asked := []oauth.Method{oauth.PrivateKeyJWT, oauth.TLSClientAuth, oauth.SelfSignedTLSClientAuth}, 0
		for _, method := range methods {
			member, err := p.By(ctx, cast.Partner, method)
			if check.IsAbsent(err) {
				continue
			}
			if err != nil {
				return err
			}
			asked++
			text, told := member.Client().Registered["client_secret"].(secret.Text)
			if !told || text.Empty() {
				p.Case(string(method), logbook.Pass, "no secret, or none that works", "no secret", "", "")
				continue
			}
			p.Note("a client of %s is given a secret, which it has no use for", method)
			err = p.Refuses(ctx, p.Login(member), bySecret(method, member, wire.InHeader, text), bySecret(method, member, wire.InForm, text))
			if err != nil {
				return err
			}
		}
		if asked == 0 {
			return check.NotApplicable("no partner registers for a key or a certificate at %s", p.Cast.HomeServer())
		}
		return nil
	},
}

// bySecret turns a login into one by a secret alone. It goes where clients with secrets go: the host of an alias for mutual
// TLS (RFC 8705 §5) may speak to nobody without a certificate, which says nothing about the secret.
func bySecret(method oauth.Method, member *cast.Member, in wire.Place, text secret.Text) wire.Change {
	return wire.Change{Name: string(method) + ": the secret in the " + string(in), Apply: func(r wire.Request) (wire.Request, error) {
		r = r.WithoutForm("client_id").WithoutForm("client_assertion_type")
		r.Over.Certificate = nil
		id := member.ID()
		if address := member.Server.Endpoints.Token; address != "" && method != oauth.PrivateKeyJWT {
			there := oauth.Knock(r.Point, address)
			r.Origin, r.Target = there.Origin, there.Target
		}
		if in == wire.InForm {
			return r.SetForm("client_id", id).AuthenticatedBy(wire.Credential{In: wire.InForm, Name: "client_secret", Text: text}), nil
		}
		return r.AuthenticatedBy(wire.Credential{In: wire.InHeader, Name: "Authorization", Prefix: "Basic ", Basic: id, Text: text}), nil
	}}
}
