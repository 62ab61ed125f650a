package bind

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// WithoutItsCertificate plays the thief who copied the token and not the key.
//
// RFC 8705 §3: "The protected resource MUST obtain, from its TLS implementation layer, the client certificate used for
// mutual TLS and MUST verify that the certificate matches the certificate associated with the access token. If they do
// not match, the resource access attempt MUST be rejected with an error, per RFC 6750, using an HTTP 401 status code and
// the invalid_token error code."
//
// The token is one that the point has never seen: what it answers from memory is bind.warm-cache's business.
var WithoutItsCertificate = &check.Check{
	ID:       "bind.without-its-certificate",
	Title:    "a certificate-bound token is refused without its certificate",
	Broken:   "a certificate-bound token is accepted without its certificate",
	Why:      "a token that is copied from a log or a proxy opens the API to whoever holds it",
	Fix:      "compare the SHA-256 of the TLS client certificate with cnf.x5t#S256 on every request, and refuse where there is none",
	Refs:     []frameworks.Ref{frameworks.RFC(8705, "3"), frameworks.RFC(9700, "4.10.1"), frameworks.NHI(4), frameworks.ASVS("10.3.5"), frameworks.API(2)},
	Rows:     []string{"L-SC-03", "A-SC-01", "A-SC-04", "A-MG-08"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Needs:    []check.Need{check.Binding, check.ClientCertificate},
	Twin:     defect.Set{BindingOptional: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Opened(ctx)
		if err != nil {
			return err // cannot tell: never a pass, never a finding
		}
		return p.RefusesUnseen(ctx, call, nil, forge.WithoutCertificate())
	},
}
