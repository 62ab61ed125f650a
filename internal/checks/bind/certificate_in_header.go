package bind

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// CertificateInHeader plays the thief who holds the token and the certificate without its key: a certificate is public.
// It shows none in TLS and claims it in the header fields by which proxies tell their upstreams of it. That the token
// alone is refused is seen first.
//
// RFC 9440 §2.4 has the proxy remove or overwrite Client-Cert from outside, also where no certificate was shown; §4 has
// the upstream take it only from a trusted proxy. RFC 9700 §4.13 asks the same for every field that security rests on.
var CertificateInHeader = &check.Check{
	ID:       "bind.certificate-in-header",
	Title:    "a certificate that is claimed in a header field does not stand for one shown in TLS",
	Broken:   "a certificate that is claimed in a header field stands for one shown in TLS",
	Why:      "a certificate is public: with a copied token and a header field the binding is gone",
	Fix:      "drop Client-Cert, X-Forwarded-Client-Cert and the like from every request at the first hop, and set them from TLS alone",
	Refs:     []frameworks.Ref{frameworks.RFC(9440, "2.4"), frameworks.RFC(9440, "4"), frameworks.RFC(9700, "4.13"), frameworks.RFC(8705, "6.5"), frameworks.ASVS("4.1.3"), frameworks.NHI(4), frameworks.ASVS("10.3.5"), frameworks.API(2)},
	Rows:     []string{"A-SC-07", "A-MT-20", "A-GW-01"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Needs:    []check.Need{check.Binding, check.ClientCertificate},
	Twin:     defect.Set{PointTrustsCertificateHeader: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		if call.Token.Certificate == nil || call.Token.Certificate.Leaf == nil {
			return check.CannotTell("the partner's token was not got with a certificate")
		}
		bare := call.With(func(r *wire.Request) { r.Over.Certificate = nil })
		bare.Name = "the token alone"
		_, answer, err := p.Do(ctx, wire.Baseline, bare)
		if err != nil {
			return err
		}
		if answer.Decision == wire.Accepted {
			return check.BecauseOf("bind.without-its-certificate", "the point takes the token without any certificate (bind.warm-cache says whether only from its cache)")
		}
		var changes []wire.Change
		for _, header := range forge.CertificateHeaders(call.Token.Certificate.Leaf) {
			changes = append(changes, insteadOfTLS(header))
		}
		return p.Refuses(ctx, call, changes...)
	},
}

// insteadOfTLS moves the certificate from the handshake into the header.
func insteadOfTLS(header wire.Change) wire.Change {
	return wire.Change{Name: "certificate in " + header.Name, Apply: func(r wire.Request) (wire.Request, error) {
		r.Over.Certificate = nil
		return header.Apply(r)
	}}
}
