package rotate

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// RetiredCertificate renews a self-signed certificate: first the new one is registered beside the old, and both work;
// then the new one alone. It measures how long the old one still gets tokens.
//
// RFC 8705 §2.2: the certificate must match one that is registered for the client. With tls_client_auth (§2.1) it is the
// subject that is registered, and an old certificate lawfully lives until it expires or is revoked: this is not asked
// there.
var RetiredCertificate = &check.Check{
	ID:       "rotate.retired-certificate",
	Title:    "a self-signed certificate that was taken out of the client's set gets no token within the agreed time",
	Broken:   "a self-signed certificate that was taken out of the client's set gets a token after the agreed time",
	Why:      "beyond the time that the plan allows, a certificate that was replaced because its key leaked is still good for whoever found it",
	Fix:      "compare the certificate of the connection with those that are registered now, on every request",
	Refs:     []frameworks.Ref{frameworks.RFC(8705, "2.2"), frameworks.RFC(7592, "2.2"), frameworks.House(), frameworks.NHI(7), frameworks.ASVS("13.3.4"), frameworks.SP80053("IA-5(2)")},
	Rows:     []string{"L-JW-09", "L-OF-09"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Rotation(plan.RotateCertificate)},
	Takes:    check.Rotate,
	Waits:    func(l plan.Limits) time.Duration { return (l.KeyWithdrawal + l.Patience).D() },
	Promise:  func(*plan.Point) string { return "limits.key_withdrawal" },
	Besides:  []*logbook.Breach{check.Outage},
	Twin:     defect.Set{OldCertificateWorks: true},
	Also:     []defect.Set{{FirstCertificateKept: true}},
	Follows:  []string{"rotate.renewed-certificate"},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.OwnBy(ctx, oauth.SelfSignedTLSClientAuth)
		if err != nil {
			return err
		}
		before := partner.Client().Certificate
		after, err := cast.SelfSigned(partner.Name())
		if err != nil {
			return err
		}
		register := func(ctx context.Context, certificates ...*tls.Certificate) (wire.Exchange, error) {
			return p.SetKeys(ctx, plan.RotateCertificate, partner, certificateSet(certificates...))
		}
		defer p.Lends(ctx, plan.RotateCertificate, partner, certificateSet(before))()
		login := p.Login(partner)
		copied, err := login.Make()
		if err != nil {
			return err
		}
		old, renewed := login, login
		old.Name, renewed.Name = "the old certificate", "the new certificate"
		old.Make = func() (wire.Request, error) { return copied.Clone(), nil }

		restored, err := p.Service(ctx, partner)
		if err != nil {
			return err
		}
		both, err := register(ctx, before, after)
		if err != nil {
			return err
		}
		partner.Change(func(client *oauth.Client) { client.Certificate = after })
		err = p.Opens(ctx, renewed)
		if err != nil {
			return err
		}
		err = restored(ctx, both, "the new certificate")
		if err != nil {
			return err
		}
		return p.RefusedWithin(ctx, check.Withdrawal{
			What: "retired certificate", Limit: p.Limits.KeyWithdrawal.D(), Promise: "limits.key_withdrawal", Sibling: &renewed,
			Watched: func(context.Context) ([]check.Watched, error) { return []check.Watched{{Call: old}}, nil },
			All:     func(ctx context.Context) (wire.Exchange, error) { return register(ctx, after) },
		})
	},
}

// certificateSet is a key set that holds certificates (RFC 7517 §4.7).
func certificateSet(certificates ...*tls.Certificate) map[string]any {
	keys := []any{}
	for _, one := range certificates {
		keys = append(keys, cast.CertificateJWK(one))
	}
	return map[string]any{"keys": keys}
}
