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
)

// CredentialsInURI sends a token request whose credentials stand in the query, where servers, proxies and browsers write
// them into logs and histories.
//
// RFC 6749 §2.3.1: client id and secret in parameters can only be transmitted in the request body and MUST NOT be included
// in the request URI. (Seen: servers that read parameters by a servlet's getParameter, which mixes query and body.)
var CredentialsInURI = &check.Check{
	ID:       "authenticate.credentials-in-uri",
	Title:    "credentials in the request URI get no token",
	Broken:   "credentials in the request URI get a token",
	Why:      "a partner whose program works that way is never told, and its secret lies in every access log on the way",
	Fix:      "read the parameters of token requests from the body alone, and refuse those that stand in the query",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "2.3.1"), frameworks.NHI(2), frameworks.ASVS("14.2.1"), frameworks.SP80053("IA-5(7)")},
	Rows:     []string{"L-CA-06"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Takes:    check.FailAuth,
	Twin:     defect.Set{CredentialsInURI: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		played := 0
		for _, method := range []oauth.Method{oauth.ClientSecretPost, oauth.PrivateKeyJWT} {
			partner, err := p.By(ctx, cast.Partner, method)
			if check.IsAbsent(err) {
				continue
			}
			if err != nil {
				return err
			}
			err = p.Refuses(ctx, p.Login(partner), forge.CredentialsInQuery(), forge.AllInQuery("GET"))
			if err != nil {
				return err
			}
			played++
		}
		if played == 0 {
			return check.NotApplicable("no partner of this stack shows its credential in the form")
		}
		return nil
	},
}
