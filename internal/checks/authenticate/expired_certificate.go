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

// ExpiredCertificate shows the partner's certificate past its end, and one before its beginning, both by the right CA.
//
// RFC 5280 §6.1.3(a)(2): the validity period includes the current time, else the path is not valid. A refusal in TLS
// counts.
var ExpiredCertificate = &check.Check{
	ID:       "authenticate.expired-certificate",
	Title:    "a client certificate outside its validity is refused",
	Broken:   "a client certificate outside its validity is accepted",
	Why:      "a certificate that was given up, sold with a server or left in a backup opens the door for ever",
	Fix:      "verify the chain at the current time; do so as well behind a proxy that lets all certificates through",
	Refs:     []frameworks.Ref{frameworks.RFC(5280, "6.1.3(a)(2)"), frameworks.RFC(8705, "2.1"), frameworks.NHI(7), frameworks.ASVS("12.1.3"), frameworks.SP80053("IA-5(2)")},
	Rows:     []string{"L-CA-54", "A-MT-05"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.CertificateLogin, check.TestCA},
	Takes:    check.FailAuth,
	Twin:     defect.Set{CertificateExpiryIgnored: true},
	Also:     []defect.Set{{ChainNotVerified: true}},
	Follows:  []string{"authenticate.same-name-other-ca"},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.TLSClientAuth)
		if err != nil {
			return err
		}
		subject := partner.Client().Certificate.Leaf.Subject.CommonName
		expired, err := p.Cast.Issue(cast.Partner, subject, cast.Fault{Expired: true})
		if err != nil {
			return err
		}
		early, err := p.Cast.Issue(cast.Partner, subject, cast.Fault{Early: true})
		if err != nil {
			return err
		}
		return p.Refuses(ctx, p.Login(partner),
			forge.WithCertificate(expired, "a certificate that ended a day ago"), forge.WithCertificate(early, "a certificate that begins in a day"))
	},
}
