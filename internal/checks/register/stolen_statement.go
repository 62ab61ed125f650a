package register

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// StolenStatement plays an honest partner of the trust framework who got hold of another one's software statement: it
// registers with that statement over its own good certificate, and with its own statement over the other's certificate.
// Statement and certificate are each good, and prove two organisations. Where the statement names the subject of the
// certificate, one that the same organisation has for other software must not do either.
//
// RFC 7591 §5: the server MUST weigh the whole registration request and mitigate impersonation. That statement and certificate
// are compared is our demand, and that of federations (UDAP Dynamic Client Registration, section 4: iss stands in the
// certificate's SAN).
var StolenStatement = &check.Check{
	ID:       "register.stolen-statement",
	Title:    "a software statement registers its own organisation alone",
	Broken:   "a software statement registers another organisation",
	Why:      "statements are sent to many servers and lie in many logs: whoever has one becomes that organisation, with a certificate of its own",
	Fix:      "compare the organisation, and the subject if it is named, of the software statement with the client certificate of the connection",
	Refs:     []frameworks.Ref{frameworks.RFC(7591, "5"), frameworks.House(), frameworks.CSF("PR.AA-02"), frameworks.SP80053("IA-5"), frameworks.NHI(4)},
	Rows:     []string{"L-SS-08", "L-SS-09", "L-ID-01"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.Statements, check.RegistrationCertificate, check.Neighbour},
	Besides:  []*logbook.Breach{ofOther},
	Twin:     defect.Set{StatementOfAnyone: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		neighbour, err := p.Neighbour(ctx)
		if err != nil {
			return err
		}
		if !p.Cast.Makes(cast.Neighbour) || neighbour.Statement() == nil {
			return check.CannotTell("the neighbour is given and has no software statement of which the ride knows; let the ride register it")
		}
		mine, _ := p.Cast.Client(cast.Partner)
		theirs, _ := p.Cast.Client(cast.Neighbour)
		if mine.Organization == "" || mine.Organization == theirs.Organization {
			return check.CannotTell("partner and neighbour are not known to be of two organisations; name them under clients.*.organization")
		}
		statement := neighbour.Statement()
		if p.Stack.Plan.Registration.Statement.Once { // one that was used would be refused for that
			unused, err := p.Cast.Draft(ctx, cast.Neighbour, cast.Wish{})
			if err != nil {
				return err
			}
			statement = unused.Statement()
		}
		changes := []wire.Change{
			forge.WithStatement(*statement, "the neighbour's statement over the partner's certificate"),
			forge.WithCertificate(neighbour.Client().RegistrationCertificate, "the partner's statement over the neighbour's certificate"),
		}
		owner := p.Login(neighbour) // as the client that its statement made
		if neighbour.Manageable() {
			owner = p.AtConfiguration(neighbour) // over its certificate, too
		}
		err = p.RefusesRegistrations(ctx, p.AtRegistration(ctx, cast.Partner, cast.Wish{}), &owner, changes...)
		if err != nil {
			return err
		}
		return ofOtherSoftware(ctx, p)
	},
}

// ofOther stays within one organisation.
var ofOther = &logbook.Breach{
	Broken:   "a software statement registers over the certificate of other software",
	Why:      "the statement names the certificate that it is for: whoever runs one product of an organisation registers as any other of it",
	Fix:      "compare the subject that the software statement names with the client certificate of the connection",
	Severity: logbook.Medium,
}

// ofOtherSoftware shows a certificate that the partner's organisation has for other software, where the statement names
// the subject of the certificate and the ride can issue one.
func ofOtherSoftware(ctx context.Context, p *check.Pass) error {
	draft, err := p.Cast.Draft(ctx, cast.Partner, cast.Wish{})
	if err != nil {
		return err
	}
	if !check.NamesSubject(draft) || !p.Cast.Issues(cast.Partner) {
		p.Note("the statement does not name the subject of the certificate, or the ride cannot issue another one, so other software of the same organisation is not played")
		return nil
	}
	defer p.Besides(ofOther)()
	certificate := draft.Client().RegistrationCertificate
	return p.RefusesRegistrations(ctx, p.AtRegistration(ctx, cast.Partner, cast.Wish{}), nil, forge.WithCertificate(certificate, "the certificate of other software of the same organisation"))
}
