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

// CertificatePurpose shows a certificate with the partner's subject, by the right CA, that is for TLS servers alone.
//
// RFC 5280 §4.2.1.12: where the extended key usage is present, the certificate MUST only be used for one of the purposes
// that it names. A refusal in TLS counts.
var CertificatePurpose = &check.Check{
	ID:       "authenticate.certificate-purpose",
	Title:    "a certificate that is not for client authentication is refused",
	Broken:   "a certificate that is not for client authentication is accepted",
	Why:      "whoever runs a server under the partner's name, or gets a certificate for one, is the partner",
	Fix:      "ask for the extended key usage clientAuth when the chain is verified",
	Refs:     []frameworks.Ref{frameworks.RFC(5280, "4.2.1.12"), frameworks.RFC(8705, "2.1"), frameworks.NHI(4), frameworks.ASVS("12.1.3"), frameworks.SP80053("SC-17")},
	Rows:     []string{"L-CA-56", "A-MT-06"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.CertificateLogin, check.TestCA},
	Takes:    check.FailAuth,
	Twin:     defect.Set{CertificateUsageIgnored: true},
	Also:     []defect.Set{{ChainNotVerified: true}},
	Follows:  []string{"authenticate.same-name-other-ca"},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.TLSClientAuth)
		if err != nil {
			return err
		}
		subject := partner.Client().Certificate.Leaf.Subject.CommonName
		server, err := p.Cast.Issue(cast.Partner, subject, cast.Fault{ServerOnly: true})
		if err != nil {
			return err
		}
		return p.Refuses(ctx, p.Login(partner), forge.WithCertificate(server, "a certificate for servers alone"))
	},
}
