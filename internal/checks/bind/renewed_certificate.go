package bind

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// RenewedCertificate gives the partner a new certificate of the same CA, for the same subject, as its renewal would. A
// token that was bound to the old one is refused with the new one, and a new token is accepted with it. A point that
// compares subjects instead of certificates takes the first too, and then takes every certificate that bears the name.
//
// RFC 8705 §3: the certificate must be the one that the token is bound to. §6.3: after a change of certificate a client
// needs new tokens.
var RenewedCertificate = &check.Check{
	ID:       "bind.renewed-certificate",
	Title:    "after a renewal of the certificate old tokens are refused with it, and new ones accepted",
	Broken:   "a token that is bound to one certificate is accepted with another of the same name",
	Why:      "the binding is to a name and not to a key: whoever gets a certificate for that name, or keeps a retired one, can use the partner's tokens",
	Fix:      "compare the SHA-256 of the certificate with cnf.x5t#S256, never its subject; tell partners to get new tokens after a renewal",
	Refs:     []frameworks.Ref{frameworks.RFC(8705, "3"), frameworks.RFC(8705, "6.3"), frameworks.NHI(4), frameworks.ASVS("10.3.5")},
	Rows:     []string{"L-SC-09", "L-SC-02"},
	Severity: logbook.Medium,
	At:       check.EveryPoint,
	Needs:    []check.Need{check.Binding, check.ClientCertificate, check.Renewal},
	Besides:  []*logbook.Breach{check.Outage},
	Twin:     defect.Set{BindingBySubject: true},
	Also:     []defect.Set{{BindingAnyCertificate: true}, {FirstCertificateKept: true}},
	Follows:  []string{"bind.with-anothers-certificate", "rotate.renewed-certificate"},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		begun := time.Now()
		renewed, err := p.Renewed(ctx, call)
		if err != nil {
			return err
		}
		titled := p.Besides(check.Outage)
		good, err := p.Accepts(ctx, renewed, "a new token with the new certificate is accepted")
		titled()
		if err != nil || !good {
			return err
		}
		p.Note("the renewed certificate got a token and opened %s within %v", p.Point.Name, time.Since(begun).Round(time.Millisecond))
		return p.RefusesUnseen(ctx, call, &renewed, forge.WithCertificate(renewed.Token.Certificate, "the renewed certificate"))
	},
}
