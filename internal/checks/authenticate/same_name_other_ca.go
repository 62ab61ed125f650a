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

// SameNameOtherCA plays a stranger who makes a CA with the very name and key identifier of the trusted one, and with it a
// certificate with the very subject of the partner.
//
// RFC 8705 §2.1 wants a validated chain and the one expected subject: both. §7.4 warns of other CAs that certify the same
// subject. A refusal in TLS counts.
var SameNameOtherCA = &check.Check{
	ID:       "authenticate.same-name-other-ca",
	Title:    "a certificate with the partner's subject by a CA that is not trusted is refused",
	Broken:   "a certificate with the partner's subject by an untrusted CA is accepted",
	Why:      "anybody can write the partner's name into a certificate: only the chain says who vouches for it",
	Fix:      "verify the chain to the CAs of partners before the subject is looked at, also behind a proxy that only asks for a certificate",
	Refs:     []frameworks.Ref{frameworks.RFC(8705, "2.1"), frameworks.RFC(8705, "7.4"), frameworks.NHI(4), frameworks.ASVS("12.1.3"), frameworks.SP80053("SC-23(5)")},
	Rows:     []string{"L-CA-53", "A-MT-03", "A-SC-06"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.CertificateLogin, check.TestCA},
	Takes:    check.FailAuth,
	Twin:     defect.Set{ChainNotVerified: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.TLSClientAuth)
		if err != nil {
			return err
		}
		subject := partner.Client().Certificate.Leaf.Subject.CommonName
		stranger, err := p.Cast.Issue(cast.Partner, subject, cast.Fault{ForeignCA: true})
		if err != nil {
			return err
		}
		return p.Refuses(ctx, p.Login(partner), forge.WithCertificate(stranger, "the same subject by another CA of the same name"))
	},
}
