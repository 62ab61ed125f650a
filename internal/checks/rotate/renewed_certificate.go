package rotate

import (
	"context"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// RenewedCertificate renews the certificate of a client that is known by its subject, as its CA does before the old one
// ends: another key, the same names, and nobody tells the authorization server or a gateway. From then on the client shows
// the new one alone. A stack in which somebody keeps the certificate itself on file, instead of its subject, shuts the
// partner out on that day, often at one gateway of several.
//
// RFC 8705 §2.1: clients can rotate their certificates without the need to modify anything at the authorization server,
// by a new certificate with the same subject. The old one works until it ends or is revoked: that it does is no finding.
// That a renewal is seen at every point within limits.settle is our demand.
var RenewedCertificate = &check.Check{
	ID:       "rotate.renewed-certificate",
	Title:    "a certificate that was renewed for the same subject gets tokens and opens every point",
	Broken:   "a certificate that was renewed for the same subject is refused",
	Why:      "the partner is cut off on the day of a renewal, so renewals are put off and certificates live for years",
	Fix:      "register the subject of the certificate (tls_client_auth_subject_dn and its kin) and compare that; keep copies of certificates nowhere, or let the renewal replace them",
	Refs:     []frameworks.Ref{frameworks.RFC(8705, "2.1"), frameworks.RFC(8705, "6.3"), frameworks.NHI(7), frameworks.SP80053("IA-5(2)"), frameworks.House()},
	Rows:     []string{"L-JW-09"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Needs:    []check.Need{check.CertificateLogin, check.Renewal},
	Takes:    check.Rotate,
	Waits:    func(l plan.Limits) time.Duration { return l.Settle.D() },
	Promise:  func(*plan.Point) string { return "limits.settle" },
	Twin:     defect.Set{RenewedCertificateUnknown: true},
	Also:     []defect.Set{{FirstCertificateKept: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.OwnBy(ctx, oauth.TLSClientAuth)
		if err != nil {
			return err
		}
		before := partner.Client().Certificate
		restored, err := p.Service(ctx, partner)
		if err != nil {
			return err
		}
		after, renewal, err := p.Reissue(ctx, partner)
		if err != nil {
			return err
		}
		partner.Change(func(client *oauth.Client) { client.Certificate = after })
		if !partner.Own {
			defer partner.Change(func(client *oauth.Client) { client.Certificate = before })
		}
		limit := p.Limits.Settle.D()
		const what = "the renewed certificate"
		_, answer, err := p.Becomes(ctx, p.Login(partner), wire.Accepted, limit)
		if err != nil {
			return err
		}
		name := what + " gets a token within " + limit.String()
		switch answer.Decision {
		case wire.Accepted:
			p.Case(name, logbook.Pass, "accepted", fmt.Sprintf("accepted %v after the renewal", time.Since(renewal.Received).Round(time.Millisecond)), "", "")
			p.Opening(what, p.Cast.HomeServer(), time.Since(renewal.Received), answer.Decision, limit)
		case wire.Unknown:
			return check.CannotTell("whether the renewed certificate gets a token could not be decided: %s", answer.Why)
		default:
			p.Case(name, logbook.Fail, "accepted", answer.Why, "", "")
			p.Opening(what, p.Cast.HomeServer(), time.Since(renewal.Received), answer.Decision, limit)
			return nil
		}
		return restored(ctx, renewal, what)
	},
}
