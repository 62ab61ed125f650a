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

// LookAlikeCertificate plays a stranger who read the certificate of a partner, which is no secret, and makes one that says
// the same about itself: the same subject, serial number and dates, with a key of the stranger's.
//
// RFC 8705 §2.2: there is no chain that vouches for the subject; the client is authenticated if the certificate of the
// connection is one of those that are registered.
var LookAlikeCertificate = &check.Check{
	ID:       "authenticate.look-alike-certificate",
	Title:    "a self-signed certificate that only looks like the registered one authenticates nobody",
	Broken:   "a self-signed certificate that only looks like the registered one authenticates its client",
	Why:      "what a self-signed certificate says about itself anybody can write: whoever has seen it once is that partner",
	Fix:      "compare the whole certificate or its public key with those in the client's jwks, never its subject or serial number",
	Refs:     []frameworks.Ref{frameworks.RFC(8705, "2.2"), frameworks.RFC(8705, "2.2.2"), frameworks.NHI(4), frameworks.ASVS("12.1.3"), frameworks.SP80053("IA-9")},
	Rows:     []string{"L-CA-58", "A-MT-03"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Method(string(oauth.SelfSignedTLSClientAuth))},
	Takes:    check.FailAuth,
	Twin:     defect.Set{SelfSignedBySerial: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.SelfSignedTLSClientAuth)
		if err != nil {
			return err
		}
		alike, err := cast.LookAlike(partner.Client().Certificate)
		if err != nil {
			return err
		}
		return p.Refuses(ctx, p.Login(partner), forge.WithCertificate(alike, "a certificate that says the same, with another key"))
	},
}
