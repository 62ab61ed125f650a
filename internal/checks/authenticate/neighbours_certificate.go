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

// NeighboursCertificate plays a partner that turns on another: it shows its own certificate, which is good, and the id of
// the other.
//
// RFC 8705 §2: "The authorization server MUST enforce the binding between client and certificate, as described in either
// Section 2.1 or 2.2 below." Where the certificate does not match what is expected for the client_id, the answer is
// invalid_client.
var NeighboursCertificate = &check.Check{
	ID:       "authenticate.neighbours-certificate",
	Title:    "the certificate of one partner does not authenticate another",
	Broken:   "the certificate of one partner authenticates another",
	Why:      "every partner with a certificate of the trusted CA can be every other partner",
	Fix:      "compare the subject of the verified certificate with the one that is registered for the client_id",
	Refs:     []frameworks.Ref{frameworks.RFC(8705, "2"), frameworks.RFC(8705, "2.1"), frameworks.NHI(4), frameworks.ASVS("12.1.3"), frameworks.CSF("PR.AA-03"), frameworks.SP80053("IA-9")},
	Rows:     []string{"L-CA-52", "A-SC-06"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.CertificateLogin, check.Neighbour},
	Takes:    check.FailAuth,
	Besides:  []*logbook.Breach{namedBeside},
	Twin:     defect.Set{AnyTrustedCertificate: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.TLSClientAuth)
		if err != nil {
			return err
		}
		neighbour, err := p.By(ctx, cast.Neighbour, oauth.TLSClientAuth)
		if err != nil {
			return err
		}
		change := forge.WithCertificate(neighbour.Client().Certificate, "the certificate of the neighbour")
		login := p.WhoseToken(p.Login(partner))
		decide := login.Decide
		login.Decide = func(ctx context.Context, x wire.Exchange) check.Answer {
			answer := decide(ctx, x)
			if answer.Identity != partner.ID() {
				answer.Besides = namedBeside
			}
			return answer
		}
		return p.RefusesGoodElsewhere(ctx, login, p.Login(neighbour), change)
	},
}

// namedBeside is what was seen where the token is that of the certificate's owner, or does not say whose it is.
var namedBeside = &logbook.Breach{
	Broken:   "a token request with one partner's certificate and the client_id of another gets a token",
	Why:      "who the client is depends on which of the two is read: the server takes one, and the next component, or the log, the other",
	Fix:      "compare the subject of the verified certificate with the one that is registered for the client_id",
	Severity: logbook.High,
}
