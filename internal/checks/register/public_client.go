package register

import (
	"context"
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

// PublicClient registers a partner that wants to authenticate by nothing, and asks for a token with its client_id alone.
//
// RFC 7591 §2 and §5 let public clients register where policy allows it; for a partner it is our policy that does not.
// RFC 6749 §4.4: the client credentials grant is for confidential clients only.
var PublicClient = &check.Check{
	ID:       "register.public-client",
	Title:    "no partner is registered without client authentication",
	Broken:   "a partner that is registered without client authentication gets tokens by its client_id alone",
	Why:      "whoever reads a client_id in a log or an address is that partner",
	Fix:      "refuse token_endpoint_auth_method none for partners, or replace it and tell so",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(7591, "2"), frameworks.RFC(7591, "5"), frameworks.RFC(6749, "4.4"), frameworks.NHI(4), frameworks.ASVS("10.4.10"), frameworks.ASVS("10.4.16")},
	Rows:     []string{"L-RG-10", "A-RG-03"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Besides:  []*logbook.Breach{publicOnPaper},
	Waits:    func(l plan.Limits) time.Duration { return l.Settle.D() },
	Twin:     defect.Set{PublicClients: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		const expected = "refused, or registered with another method"
		got, err := p.Register(ctx, wire.Altered, cast.Partner, cast.Wish{Auth: oauth.None, Unbound: true})
		switch {
		case err != nil:
			return err
		case got.Decision == wire.Unknown:
			return check.CannotTell("the registration could not be decided: %s", got.Why)
		case got.Decision != wire.Accepted:
			err = p.RegistrationOpens(ctx, cast.Partner)
			if err != nil {
				return err
			}
			p.Holds(expected, true, got.Why)
			return nil
		}
		method, told := got.Told("token_endpoint_auth_method")
		if told && method != string(oauth.None) {
			p.Holds(expected, true, "registered with "+method)
			return nil
		}
		wrong, err := logsIn("registered, and gets tokens by its client_id alone")(ctx, p, got)
		switch {
		case err != nil:
			return err
		case wrong != "":
			p.Holds(expected, false, wrong)
		case !told: // RFC 7591 §2: "If unspecified or omitted, the default is "client_secret_basic""
			return check.CannotTell("the answer does not tell the client's method, and its client_id alone gets no token")
		default:
			defer p.Besides(publicOnPaper)()
			p.Holds(expected, false, "registered without authentication, and gets no token")
		}
		return nil
	},
}

// publicOnPaper is a public client that the token endpoint does not serve: not yet, or not by this grant.
var publicOnPaper = &logbook.Breach{
	Broken:   "a partner is registered without client authentication, and gets no tokens",
	Why:      "we ask for no public clients among partners: the next grant that is opened serves whoever reads a client_id",
	Fix:      "refuse token_endpoint_auth_method none for partners, or replace it and tell so",
	Severity: logbook.Medium,
}
