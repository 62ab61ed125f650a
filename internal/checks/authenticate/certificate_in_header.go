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

// CertificateInHeader plays a stranger who has read the certificate of the partner, which is no secret, and claims in the
// header fields of proxies that it was shown in TLS. What differs from the control is where the certificate stands.
//
// RFC 9700 §4.13: a proxy MUST sanitize every header that security depends on; RFC 9440 §2.4 and §4 say so of its two
// fields. 400 is as good an answer as 401.
var CertificateInHeader = &check.Check{
	ID:       "authenticate.certificate-in-header",
	Title:    "a certificate that stands in a header field and not in TLS authenticates nobody",
	Broken:   "a certificate in a header field, which anybody can write, authenticates its client",
	Why:      "certificates are public: whoever can write a header field is every partner",
	Fix:      "let the TLS terminating proxy remove or overwrite the field, and let the server take it from that proxy alone",
	Refs:     []frameworks.Ref{frameworks.RFC(9700, "4.13"), frameworks.RFC(9440, "2.4"), frameworks.RFC(9440, "4"), frameworks.RFC(8705, "6.5"), frameworks.NHI(4), frameworks.ASVS("4.1.3"), frameworks.SP80053("SC-7")},
	Rows:     []string{"L-CA-59", "A-MT-20"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.CertificateLogin},
	Takes:    check.FailAuth,
	Twin:     defect.Set{ASTrustsCertificateHeader: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.TLSClientAuth)
		if err != nil {
			return err
		}
		var changes []wire.Change
		for _, header := range forge.CertificateHeaders(partner.Client().Certificate.Leaf) {
			changes = append(changes, wire.Change{Name: header.Name + " instead of TLS", Apply: func(r wire.Request) (wire.Request, error) {
				r.Over.Certificate = nil
				return header.Apply(r)
			}})
		}
		return p.Refuses(ctx, p.Login(partner), changes...)
	},
}
