package offboard

import (
	"context"
	"encoding/base64"
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

// WithdrawnCertificate ends nothing but the partner's certificate: its CA trusts it no more, the client and its tokens
// stay as they are. Tokens that are bound to it must die at the point, and it must bring no new ones. A point that looks
// at revocation at start, or at the first handshake only, never learns of it.
//
// RFC 8705 §2.1 leaves it to the authorization server whether and how it looks at revocation, and §6.2 lets a resource
// server leave chains alone; so the plan asks for it, by offering the hook, and sets the limit
// (limits.certificate_withdrawal). RFC 5280 §6.1.3(a)(3): whoever does validate the path finds that it is not valid.
var WithdrawnCertificate = &check.Check{
	ID:       "offboard.withdrawn-certificate",
	Title:    "a certificate that its CA has withdrawn opens nothing after the agreed time, though client and tokens stand",
	Broken:   "a certificate that its CA has withdrawn is accepted beyond the agreed time",
	Why:      "whoever stole the key of the certificate goes on with it, and the one step that the CA's people can take does nothing",
	Fix:      "look at the CA's list of withdrawn certificates, or at OCSP, on every connection, and refuse what is on it",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(5280, "6.1.3(a)(3)"), frameworks.NHI(1), frameworks.SP80053("IA-5(2)"), frameworks.SP80053("SC-17"), frameworks.CSF("RS.MI-01"), frameworks.RFC(8705, "2.1"), frameworks.RFC(8705, "6.2")},
	Rows:     []string{"L-OF-05", "L-OF-09", "L-CA-55"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Needs:    []check.Need{certificateHere, check.Hook(plan.WithdrawCert)},
	Takes:    check.Delete,
	Waits:    func(l plan.Limits) time.Duration { return (l.CertificateWithdrawal + l.Patience).D() },
	Promise:  func(*plan.Point) string { return "limits.certificate_withdrawal" },
	Twin:     defect.Set{WithdrawnCertificateOpens: true},
	Also:     []defect.Set{{WithdrawnCertificateWorks: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		client := partner.Client()
		if client.Certificate == nil {
			return check.NotApplicable("the partner shows no certificate")
		}
		if !p.Cast.Issues(cast.Partner) {
			p.Cast.Spend(partner, "lost its certificate to "+p.Check.ID)
		}
		login := p.Login(partner).Fresh()
		err = p.Opens(ctx, login)
		if err != nil {
			return err
		}
		alive, err := p.Bystander(ctx, p.Point, partner)
		if err != nil {
			return err
		}
		values := map[string]string{
			"thumbprint": cast.Thumbprint(client.Certificate), "serial": client.Certificate.Leaf.SerialNumber.Text(16),
			"certificate": base64.StdEncoding.EncodeToString(client.Certificate.Certificate[0]),
		}
		limit := p.Limits.CertificateWithdrawal.D()
		err = p.RefusedWithin(ctx, check.Withdrawal{
			What: "token bound to a withdrawn certificate", Limit: limit, Promise: "limits.certificate_withdrawal", Alive: alive, Expires: check.TokenExpires,
			Mint: func(ctx context.Context) (check.Call, error) {
				call, err := p.Mint(partner)(ctx)
				return call.Fresh(), err // the certificate is shown when a connection begins
			},
			All: func(ctx context.Context) (wire.Exchange, error) {
				return p.Hook(ctx, plan.WithdrawCert, partner, values)
			},
		})
		if err != nil || client.Auth != oauth.TLSClientAuth {
			return err
		}
		_, answer, err := p.Do(ctx, wire.Altered, login) // the watch has lasted longer than the limit
		if err != nil {
			return err
		}
		if answer.Decision == wire.Unknown {
			return check.CannotTell("the token request with the withdrawn certificate could not be decided: %s", answer.Why)
		}
		p.Holds("the withdrawn certificate brings no new token after "+limit.String(), answer.Decision != wire.Accepted, answer.Why)
		return nil
	},
}

var certificateHere = check.Need{Name: "client certificates here", Has: func(p *plan.Plan, at *plan.Point) (check.Missing, string, string) {
	partner, _ := p.Client("partner")
	switch {
	case partner.Certificate == nil:
		return check.Absent, "the partner has no certificate of a CA", ""
	case at == nil || at.TLSClient == "none" || at.TLSClient == "":
		return check.Absent, "the point asks for no client certificate (points.client_certificate)", ""
	}
	return check.Present, "", ""
}}
