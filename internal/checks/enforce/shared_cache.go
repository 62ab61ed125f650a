package enforce

import (
	"context"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// SharedCache reads as the partner, and at once asks for the same without a token and as the neighbour. Tokens are new,
// so that a cache that keeps answers apart by Authorization has nothing of theirs: what comes with the nonce of another
// exchange, or with an age, was somebody else's answer.
//
// RFC 9111 §3.5: a shared cache MUST NOT use a stored answer to a request with Authorization for another request, unless
// that answer says that it may.
var SharedCache = &check.Check{
	ID:       "enforce.shared-cache",
	Title:    "an answer to one partner is served to nobody else",
	Broken:   "an answer to one partner is served to somebody else",
	Why:      "for as long as the cache keeps it, a partner's data is public, and calls reach no token check and no log",
	Fix:      "let no cache before the point store answers to authorised requests; answer them with Cache-Control: no-store",
	Refs:     []frameworks.Ref{frameworks.RFC(9111, "3.5"), frameworks.API(8), frameworks.SP80053("SC-4")},
	Rows:     []string{"L-GW-15", "A-GW-27"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Twin:     defect.Set{SharedCache: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		operation, ok := reading(p.Point)
		if !ok {
			return check.NotApplicable("no allowed operation here is a GET, which alone is cached")
		}
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		own, err := newCall(ctx, p, operation, partner)
		if err != nil {
			return err
		}
		_, first, err := p.Do(ctx, wire.Control, own)
		if err != nil {
			return err
		}
		if first.Decision != wire.Accepted && !first.Cached {
			return check.CannotTell("the control %s was not accepted: %s", own.Name, first.Why)
		}
		err = served(ctx, p, "the same without a token", first, bare(own))
		if err != nil {
			return err
		}
		if !p.Cast.Has(cast.Neighbour) {
			return nil
		}
		neighbour, err := p.Neighbour(ctx)
		if err != nil {
			return err
		}
		theirs, err := newCall(ctx, p, operation, neighbour)
		if err != nil {
			return err
		}
		return served(ctx, p, "the same as the neighbour", first, theirs)
	},
}

// reading is an allowed GET whose target is the same for all clients.
func reading(point *plan.Point) (plan.Operation, bool) {
	for _, operation := range point.Operations {
		if !operation.Deny && !check.OfOneClient(operation) && strings.HasPrefix(operation.Request, "GET ") {
			return operation, true
		}
	}
	return plan.Operation{}, false
}

// newCall is a call with a token that nobody has used.
func newCall(ctx context.Context, p *check.Pass, operation plan.Operation, member *cast.Member) (check.Call, error) {
	token, err := member.NewToken(ctx, p.Point)
	if err != nil {
		return check.Call{}, err
	}
	return p.CallAt(p.Point, operation, member, token), nil
}

func bare(call check.Call) check.Call {
	inner := call.Make
	call.Name, call.Expect = "no token", ""
	call.Make = func() (wire.Request, error) {
		request, err := inner()
		if err != nil {
			return request, err
		}
		return forge.WithoutToken().Apply(request)
	}
	return call
}

// served judges one request after the partner's: refused, or answered anew for whoever asked.
func served(ctx context.Context, p *check.Pass, name string, first check.Answer, call check.Call) error {
	const expected = "not served with somebody else's answer"
	_, answer, err := p.Do(ctx, wire.Altered, call)
	if err != nil {
		return err
	}
	switch {
	case answer.Cached:
		p.Case(name, logbook.Fail, expected, answer.Why+seenAs(answer), "", "")
	case answer.Decision == wire.Accepted && call.Expect == "":
		return check.BecauseOf("enforce.without-token", "%s at %s opens without a token", call.Name, p.Name)
	case answer.Decision == wire.Accepted && answer.Identity != "" && answer.Identity == first.Identity && answer.Identity != call.Expect && !answer.Strong:
		p.Case(name, logbook.Fail, expected, "answered"+seenAs(answer), "", "")
	case answer.Decision == wire.Unknown:
		p.Case(name, logbook.Inconclusive, expected, "", "", answer.Why)
	default:
		p.Case(name, logbook.Pass, expected, answer.Why, "", "")
	}
	return nil
}

func seenAs(answer check.Answer) string {
	if answer.Identity == "" {
		return ""
	}
	return ", seen as " + answer.Identity
}
