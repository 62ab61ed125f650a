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

// NoCredentials plays the stranger who knows the id of a partner and nothing else, by every method that the ride can have.
//
// RFC 6749 §3.2.1: confidential clients MUST authenticate at the token endpoint. RFC 8705 §2: if no certificate is
// presented, the answer is invalid_client; a refusal in TLS is as good.
var NoCredentials = &check.Check{
	ID:       "authenticate.no-credentials",
	Title:    "a client_id without its credential gets no token",
	Broken:   "a client_id gets a token without its credential",
	Why:      "client ids are no secrets: they stand in logs, tokens and mails",
	Fix:      "let no registered client fall back to the rules for public clients when its credential is missing",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "3.2.1"), frameworks.RFC(6749, "5.2"), frameworks.RFC(8705, "2"), frameworks.NHI(4), frameworks.ASVS("10.4.10"), frameworks.SP80053("AC-14")},
	Rows:     []string{"L-CA-03", "L-CA-51", "A-RG-07", "A-SC-06"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Takes:    check.FailAuth,
	Twin:     defect.Set{ClientIDAlone: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		methods, err := p.Methods(ctx)
		if err != nil {
			return err
		}
		without := map[oauth.Method]wire.Change{
			oauth.ClientSecretBasic: {Name: "client_id alone, for client_secret_basic", Apply: func(r wire.Request) (wire.Request, error) {
				id := r.Credentials[0].Basic
				return r.AuthenticatedBy().SetForm("client_id", id), nil
			}},
			oauth.PrivateKeyJWT: {Name: "client_id alone, for private_key_jwt", Apply: func(r wire.Request) (wire.Request, error) {
				return r.AuthenticatedBy().WithoutForm("client_assertion_type"), nil
			}},
			oauth.TLSClientAuth: {Name: "client_id alone, for tls_client_auth", Apply: forge.WithoutCertificate().Apply},
		}
		played := 0
		for _, method := range methods {
			change, known := without[method]
			if !known {
				continue
			}
			partner, err := p.By(ctx, cast.Partner, method)
			if check.IsAbsent(err) {
				continue
			}
			if err != nil {
				return err
			}
			err = p.Refuses(ctx, p.Login(partner), change)
			if err != nil {
				return err
			}
			played++
		}
		if played == 0 {
			return check.NotApplicable("no partner of this stack has a credential that could be left out")
		}
		return nil
	},
}
