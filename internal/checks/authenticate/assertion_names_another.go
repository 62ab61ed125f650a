package authenticate

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

// AssertionNamesAnother signs with the good key of the partner and names somebody else, or nobody. Whose token comes of it
// is read from the token, or asked of introspection: one of the partner's own is a muddle, and no way to be somebody else.
//
// RFC 7523 §3 asks for iss (1) and for sub (2), which for client authentication is the client_id. RFC 7521 §4.2: a
// client_id beside the assertion names the same client; §5.2: the issuer of an assertion that a client makes itself is
// the client.
var AssertionNamesAnother = &check.Check{
	ID:       "authenticate.assertion-names-another",
	Title:    "a client assertion proves the client that signed it and no other",
	Broken:   "a client assertion proves another client than the one that signed it",
	Why:      "a partner that signs with its own key and names another gets tokens as the other",
	Fix:      "find the key by sub, and refuse where iss, sub and client_id are not all the same client",
	Refs:     []frameworks.Ref{frameworks.RFC(7523, "3(1)"), frameworks.RFC(7521, "4.2"), frameworks.RFC(7521, "5.2"), frameworks.OIDC("9"), frameworks.NHI(4), frameworks.ASVS("10.4.10"), frameworks.CSF("PR.AA-04"), frameworks.SP80053("IA-13(2)"), frameworks.RFC(7523, "3(2)")},
	Rows:     []string{"L-CA-26", "L-CA-27", "L-CA-28", "A-CC-17", "A-RG-08"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Method("private_key_jwt"), check.Neighbour},
	Takes:    check.FailAuth,
	Besides:  []*logbook.Breach{namesTwo, namesNobody},
	Twin:     defect.Set{AssertionKeyByIssuer: true},
	Also:     []defect.Set{{AssertionSubjectIgnored: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.PrivateKeyJWT)
		if err != nil {
			return err
		}
		neighbour, err := p.Neighbour(ctx)
		if err != nil {
			return err
		}
		login := p.WhoseToken(p.Login(partner))
		decide := login.Decide
		login.Decide = func(ctx context.Context, x wire.Exchange) check.Answer {
			answer := decide(ctx, x)
			if answer.Identity != neighbour.ID() {
				answer.Besides = namesTwo
			}
			return answer
		}
		err = p.Refuses(ctx, login, forge.AssertionClaim("iss", neighbour.ID()), forge.AssertionClaim("sub", neighbour.ID()), forge.FormField("client_id", neighbour.ID()))
		if err != nil {
			return err
		}
		defer p.Besides(namesNobody)()
		return p.Refuses(ctx, p.Login(partner), forge.AssertionWithout("iss"), forge.AssertionWithout("sub"))
	},
}

// namesTwo is what was seen where the token that came is not the other's, or does not say whose it is.
var namesTwo = &logbook.Breach{
	Broken:   "a client assertion that names two clients gets a token",
	Why:      "who the client is depends on which of the names is read: the server takes one, and the next component, or the log, the other",
	Fix:      "find the key by sub, and refuse where iss, sub and client_id are not all the same client",
	Severity: logbook.High,
}

var namesNobody = &logbook.Breach{
	Broken:   "a client assertion that does not say whose it is gets a token",
	Why:      "who the client is rests on a parameter beside the assertion, which nobody signed",
	Fix:      "demand iss and sub, and that both are the client",
	Severity: logbook.Medium,
}
