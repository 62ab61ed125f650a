package authenticate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// ErrorForm looks at how the server says no, at the token, introspection, revocation and registration endpoints: to
// somebody whom nobody knows, and to an honest client that asks for what there is not.
//
// RFC 6749 §5.2: an error is a JSON object as application/json with one of the codes that the RFCs register, its texts are
// of a small set of characters, and a client that failed by the Authorization header MUST be answered 401 with a
// WWW-Authenticate of the scheme that it used. RFC 7009 §2.2.1 and RFC 7662 §2.3 take that over; RFC 7591 §3.2.2 has codes
// of its own. (Seen: filters of web frameworks that answer before the server does.)
var ErrorForm = &check.Check{
	ID:       "authenticate.error-form",
	Title:    "the server says no in the form that the standards give it",
	Broken:   "the server says no in a form that no standard gives it",
	Why:      "a partner's program cannot tell a wrong secret from an outage: it retries what is hopeless, and gives up what would heal",
	Fix:      "let the server itself answer, not the web framework in front of it: JSON, a registered code, WWW-Authenticate where it is due",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "5.2"), frameworks.RFC(7009, "2.2.1"), frameworks.RFC(7662, "2.3"), frameworks.RFC(7591, "3.2.2"), frameworks.RFC(9110, "11.6.1"), frameworks.ASVS("16.5.1")},
	Rows:     []string{"L-ER-01", "L-ER-02"},
	Severity: logbook.Low,
	At:       check.HomeServer,
	Twin:     defect.Set{FrameworkErrors: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Cast.Member(ctx, cast.Partner)
		if err != nil {
			return err
		}
		by := func(r wire.Request) wire.Request { return asNobody(p, r) }
		with := func(name, value string) wire.Request {
			return partner.TokenRequest(partner.Usual()).SetForm(name, value)
		}
		nothing := p.Stack.Keeper.Keep("token", "checkride-no-token")
		usual := partner.TokenRequest(partner.Usual())
		requests := []refusedRequest{
			{"a client that nobody knows, by Basic", by(usual), true},
			{"a client_id that nobody knows", unknownID(usual), false},
			{"a grant type that nobody knows", with("grant_type", "urn:checkride:no-such-grant"), false},
			{"no grant type", usual.WithoutForm("grant_type"), false},
			{"a scope that nobody knows", with("scope", "checkride-no-such-scope"), false},
		}
		endpoints := partner.Server.Endpoints
		if endpoints.Introspection != "" {
			requests = append(requests, refusedRequest{"introspection by a client that nobody knows", by(partner.Server.IntrospectRequest(partner.Client(), nothing)), true})
		}
		if endpoints.Revocation != "" {
			requests = append(requests, refusedRequest{"revocation by a client that nobody knows", by(partner.Server.RevokeRequest(partner.Client(), nothing, "")), true})
		}
		judged := false
		for _, each := range requests {
			x, err := p.Send(ctx, wire.Probe, each.request)
			if err != nil {
				return err
			}
			judged = tellForm(p, each.name, x, each.basic) || judged
		}
		if p.Cast.Registers() && endpoints.Registration != "" {
			registered, err := p.Register(ctx, wire.Probe, cast.Partner, cast.Wish{Metadata: map[string]any{"client_name": 17}})
			if err != nil {
				return err
			}
			judged = tellForm(p, "a registration whose client_name is a number", registered.Exchange, false) || judged
		}
		if !judged {
			return check.CannotTell("no answer was a refusal whose form could be judged")
		}
		return nil
	},
}

type refusedRequest struct {
	name    string
	request wire.Request
	basic   bool // it authenticates by Basic
}

// tellForm judges the form of one answer. What is no refusal, or one by somebody who speaks no OAuth (404, 405, 415, 429),
// has no form to keep. It tells whether the answer was judged.
func tellForm(p *check.Pass, name string, x wire.Exchange, basic bool) bool {
	const expected = "application/json with a registered error; after Basic 401 with WWW-Authenticate: Basic"
	if x.Failure != wire.None || x.Status != 400 && x.Status != 401 && x.Status != 403 {
		p.Note("%s: answered %d %s, whose form is not judged", name, x.Status, x.Failure)
		return false
	}
	flaws := oauth.ErrorFlaws(x)
	if len(x.Body) == 0 && x.Status != 400 && x.Header.Get("WWW-Authenticate") != "" {
		flaws = nil // RFC 6750 §3: a bearer scheme may say all in the header field
	}
	if basic && x.Status != 401 {
		flaws = append(flaws, "is not 401")
	}
	if basic && x.Status == 401 && !oauth.Challenged(x, "Basic") {
		flaws = append(flaws, "has no WWW-Authenticate: Basic")
	}
	if len(flaws) == 0 {
		p.Case(name, logbook.Pass, expected, fmt.Sprintf("%d %s", x.Status, x.Text("/error")), "", "")
		return true
	}
	p.Case(name, logbook.Fail, expected, fmt.Sprintf("%d that %s", x.Status, strings.Join(flaws, ", ")), "", "")
	return true
}

// nobody is a client_id that no server gives.
const nobody = "checkride-nobody"

// asNobody gives a request as it would come from a client that nobody knows, by Basic.
func asNobody(p *check.Pass, r wire.Request) wire.Request {
	r = strange(r)
	r.Credentials = append(r.Credentials, wire.Credential{In: wire.InHeader, Name: "Authorization", Prefix: "Basic ", Basic: nobody, Text: p.Stack.Keeper.Keep("secret", shownSecret)})
	return r
}

// shownSecret is the secret of nobody: it must not come back.
const shownSecret = "checkride-secret-of-nobody-5f1c"

// unknownID gives a request with a client_id that nobody knows and no credential.
func unknownID(r wire.Request) wire.Request { return strange(r).SetForm("client_id", nobody) }

// strange takes away by what a request says whose it is. The certificate stays: an endpoint may speak to nobody without
// one (RFC 8705 §5).
func strange(r wire.Request) wire.Request {
	r = r.Clone()
	r.Credentials = slices.DeleteFunc(r.Credentials, func(c wire.Credential) bool { return c.Name != "token" })
	return r.WithoutForm("client_id").WithoutForm("client_assertion_type")
}
