package bind

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// WithAnothersCertificate plays another partner who got hold of the token: its own certificate is good, of the same CA,
// and not the one to which the token is bound. That it is good is shown by its owner's own call at the same point.
//
// RFC 8705 §3 has the protected resource compare the certificate of the TLS layer with that of the token, and reject
// the access with 401 and invalid_token if they do not match.
var WithAnothersCertificate = &check.Check{
	ID:       "bind.with-anothers-certificate",
	Title:    "a certificate-bound token is refused with another partner's good certificate",
	Broken:   "a certificate-bound token is accepted with another partner's certificate",
	Why:      "every partner, and whoever steals one certificate, can use every token that leaks",
	Fix:      "compare the SHA-256 of the TLS client certificate with cnf.x5t#S256; that the chain is good is not enough",
	Refs:     []frameworks.Ref{frameworks.RFC(8705, "3"), frameworks.RFC(9700, "4.10.1"), frameworks.NHI(4), frameworks.ASVS("10.3.5"), frameworks.API(2)},
	Rows:     []string{"L-SC-04", "A-SC-02", "A-SC-04", "A-MG-08"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Needs:    []check.Need{check.Binding, check.ClientCertificate},
	Twin:     defect.Set{BindingAnyCertificate: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		another, err := p.Another(ctx, call)
		if err != nil {
			return err
		}
		change := forge.WithCertificate(another.Token.Certificate, "the certificate of the "+another.Member.Role)
		return p.RefusesUnseen(ctx, call, &another, change)
	},
}
