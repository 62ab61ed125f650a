package register

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

// WithoutCertificate calls the registration endpoint and each method of the client configuration endpoint without a
// client certificate, and with one that a CA of our own issued under the name of the real one. The tokens and the
// statement are good. DELETE comes last: where it is taken, the client is gone.
//
// That these endpoints demand a certificate is the profile's word, and the plan's (registration.client_certificate). RFC
// 8705 §2 is about client authentication and not about registration.
var WithoutCertificate = &check.Check{
	ID:       "register.without-certificate",
	Title:    "nobody registers or manages a client without a trusted client certificate",
	Broken:   "clients are registered or managed without a trusted client certificate",
	Why:      "the trust framework's certificate is what proves an organisation here; without it a stolen token or statement is enough",
	Fix:      "demand and verify the client certificate at the registration and client configuration endpoints, for every method",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(7591, "5"), frameworks.CSF("PR.AA-03"), frameworks.SP80053("IA-3(1)"), frameworks.SP80053("SC-23(5)")},
	Rows:     []string{"L-SS-11"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.RegistrationCertificate},
	Takes:    check.Delete,
	Twin:     defect.Set{RegistrationCertificateOptional: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		changes := []wire.Change{forge.WithoutCertificate()}
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		if real := partner.Client().RegistrationCertificate; real != nil && p.Cast.Faults(cast.Partner) {
			foreign, err := p.Cast.Issue(cast.Partner, real.Leaf.Subject.CommonName, cast.Fault{ForeignCA: true})
			if err != nil {
				return err
			}
			changes = append(changes, forge.WithCertificate(foreign, "a certificate of a CA that nobody trusts"))
		}
		err = p.RefusesRegistrations(ctx, p.AtRegistration(ctx, cast.Partner, cast.Wish{}), nil, changes...)
		if err != nil {
			return err
		}
		if !partner.Manageable() {
			p.Note("%s gives its clients no configuration endpoint (RFC 7592)", p.Name)
			return nil
		}
		for _, method := range []struct {
			name string
			call check.Call
		}{{"GET", p.AtConfiguration(partner)}, {"PUT", p.AtUpdate(partner)}} {
			named := make([]wire.Change, len(changes))
			for i, change := range changes {
				named[i] = wire.Change{Name: method.name + ": " + change.Name, Apply: change.Apply}
			}
			err = p.Refuses(ctx, method.call, named...)
			if err != nil {
				return err
			}
		}
		return deletedWithout(ctx, p, partner, changes[0])
	},
}

// deletedWithout tries to delete the client without a certificate, between two readings with one.
func deletedWithout(ctx context.Context, p *check.Pass, partner *cast.Member, change wire.Change) error {
	read := p.AtConfiguration(partner)
	err := p.Opens(ctx, read)
	if err != nil {
		return err
	}
	request, err := change.Apply(partner.Client().DeleteRequest(*partner.Server))
	if err != nil {
		return err
	}
	request.Who = partner.Role
	x, err := p.Send(ctx, wire.Altered, request)
	if err != nil {
		return err
	}
	decision, why := oauth.ConfigurationDecision(x)
	if decision != wire.Accepted {
		err = p.Opens(ctx, read)
		if err != nil {
			return err
		}
	}
	p.Decides("DELETE: "+change.Name, "refused", "client certificate", decision, why)
	return nil
}
