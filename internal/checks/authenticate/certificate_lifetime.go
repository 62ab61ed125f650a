package authenticate

import (
	"context"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// CertificateLifetime reads the client certificates that the plan gives, as they were issued to the partner and to others
// of the cast, and asks how long each lives. What the ride issues itself by a test CA tells nothing of that.
//
// The limit is the agreement's (limits.certificate_lifetime). No standard bounds a client certificate of a private CA.
var CertificateLifetime = &check.Check{
	ID:       "authenticate.certificate-lifetime",
	Title:    "client certificates live no longer than agreed",
	Broken:   "a client certificate lives longer than agreed",
	Why:      "a key that leaks is good until its certificate ends, and what lives for ten years is renewed by nobody who still knows how",
	Fix:      "issue shorter certificates, and renew them by a process that runs often enough to work",
	Refs:     []frameworks.Ref{frameworks.NHI(7), frameworks.House(), frameworks.ASVS("13.3.4"), frameworks.SP80053("SC-17"), frameworks.SP80053("IA-5(2)")},
	Severity: logbook.Medium,
	At:       check.WholeStack,
	Needs:    []check.Need{givenCertificate},
	Promise:  func(*plan.Point) string { return "limits.certificate_lifetime" },
	Twin:     defect.Set{LongLivedCertificate: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		limit := p.Limits.CertificateLifetime.D()
		judge := func(member *cast.Member) {
			certificate := member.Client().Certificate
			if certificate == nil || certificate.Leaf == nil {
				return
			}
			leaf := certificate.Leaf
			life, left := leaf.NotAfter.Sub(leaf.NotBefore), time.Until(leaf.NotAfter)
			outcome := logbook.Pass
			if life > limit {
				outcome = logbook.Fail
			}
			const day = 24 * time.Hour
			p.Case("certificate of "+member.Role, outcome, fmt.Sprintf("it lives at most %d days", limit/day),
				fmt.Sprintf("it lives %d days, from %s until %s", life/day, leaf.NotBefore.Format(time.DateOnly), leaf.NotAfter.Format(time.DateOnly)), "", "")
			if left < 14*day {
				p.Note("the certificate of %s ends on %s", member.Role, leaf.NotAfter.Format(time.DateOnly))
			}
		}
		for _, client := range p.Stack.Plan.Clients {
			if client.Certificate == nil || client.Certificate.OfTestCA() {
				continue
			}
			member, err := p.Cast.Member(ctx, client.Name)
			if err != nil {
				return err
			}
			judge(member)
		}
		if other := p.Stack.Plan.OtherEnvironment; other != nil && other.Certificate != nil {
			member, err := p.Cast.PartnerElsewhere(ctx)
			if err != nil {
				return err
			}
			judge(member)
		}
		return nil
	},
}

var givenCertificate = check.Need{Name: "a given certificate", Has: func(p *plan.Plan, _ *plan.Point) (check.Missing, string, string) {
	given := func(c *plan.Certificate) bool { return c != nil && !c.OfTestCA() }
	for _, client := range p.Clients {
		if given(client.Certificate) {
			return check.Present, "", ""
		}
	}
	if p.OtherEnvironment != nil && given(p.OtherEnvironment.Certificate) {
		return check.Present, "", ""
	}
	return check.Absent, "the plan gives no certificate; those of a test CA are the ride's own", ""
}}
