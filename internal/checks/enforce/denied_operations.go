package enforce

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// DeniedOperations tries every operation that the agreement denies, with the partner's good token, between accepted calls
// of one that it allows. That each exists is proven first. Unsafe ones carry the plan's invalid body, and the
// application's refusal of that body means that the call got in.
//
// RFC 6750 §3.1: a request that needs higher privileges than the token gives is refused, and SHOULD get 403.
var DeniedOperations = &check.Check{
	ID:       "enforce.denied-operations",
	Title:    "what the agreement denies is refused to the partner's good token",
	Broken:   "what the agreement denies is open to the partner's good token",
	Why:      "every partner can do what only some may: pay, delete, administer",
	Fix:      "demand the scope of each route and method at the point; a valid token alone is no permission",
	Refs:     []frameworks.Ref{frameworks.API(5), frameworks.RFC(6750, "3.1"), frameworks.ASVS("8.2.1"), frameworks.ASVS("10.3.2"), frameworks.SP80053("AC-6"), frameworks.NHI(5)},
	Rows:     []string{"L-GW-07", "A-CC-08"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,

	AnyCredential: true,

	Needs: []check.Need{check.DeniedOperation},
	Twin:  defect.Set{ScopeIgnored: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		for _, operation := range p.Point.Operations {
			if !operation.Deny {
				continue
			}
			denied := p.CallAt(p.Point, operation, call.Member, call.Token)
			proof, err := p.Exists(ctx, operation, denied)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil { // the other operations can be told all the same
				p.Case(operation.Name, logbook.Inconclusive, "refused", "", "", p.Stack.Keeper.Mask(err.Error()))
				continue
			}
			p.Note("%s is there: %s", operation.Name, proof)
			err = p.Refuses(ctx, understanding(call, denied), instead(operation.Name, denied))
			if err != nil {
				return err
			}
		}
		return nil
	},
}

// understanding gives the allowed call with the oracle of the denied one for the denied one's answers.
func understanding(allowed, denied check.Call) check.Call {
	decide := allowed.Decide
	allowed.Decide = func(ctx context.Context, x wire.Exchange) check.Answer {
		request, err := denied.Make()
		if err == nil && x.Request.Method == request.Method && x.Request.Target == request.Target {
			return denied.Decide(ctx, x)
		}
		return decide(ctx, x)
	}
	return allowed
}

// instead asks for the denied operation where the allowed one was asked for: over the same connection, with the same
// credential.
func instead(name string, denied check.Call) wire.Change {
	return wire.Change{Name: "operation " + name, Apply: func(r wire.Request) (wire.Request, error) {
		request, err := denied.Make()
		if err != nil {
			return r, err
		}
		r.Method, r.Target, r.Header, r.Body = request.Method, request.Target, request.Header, request.Body
		return r, nil
	}}
}
