package enforce

import (
	"context"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// AllowedOperations makes every call that was agreed, at every point. A point whose routes or scopes lag behind the
// agreement is found by the partner on the first day otherwise, and then somebody widens its rights in a hurry.
//
// An operation on an object of one partner is made on its own object: by {client_id} in the request, or by what the plan
// says that it owns.
var AllowedOperations = &check.Check{
	ID:       "enforce.allowed-operations",
	Title:    "every operation that the agreement allows is open to the partner",
	Broken:   "an operation that the agreement allows is closed to the partner",
	Why:      "the partner cannot do what was agreed; whoever must make it work by tomorrow gives it more than it needs",
	Fix:      "bring routes and scopes of the point in line with the agreement, or take the operation out of it",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.CSF("PR.AA-05"), frameworks.ASVS("8.2.1"), frameworks.SP80053("AC-3")},
	Rows:     []string{"L-SC-02"},
	Severity: logbook.High,
	At:       check.EveryPoint,

	AnyCredential: true,

	Twin: defect.Set{RouteForgotten: true},
	Also: []defect.Set{{PartnerRenamed: true}, {TokenTypeMissing: true}}, // they close a point, too
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		token, err := partner.Token(ctx, p.Point)
		if err != nil {
			return err
		}
		const expected = "accepted"
		var open *check.Call // one that was accepted: a point that shuts after it shuts us out, and not this operation
		for _, operation := range p.Point.Operations {
			if operation.Deny || operation.ObjectOf != "" && operation.ObjectOf != partner.Role {
				continue
			}
			if !safe(operation) {
				p.Note("%s was not made: it would be carried out; give an invalid body, and say under reached_when how the application answers to it", operation.Name)
				continue
			}
			call := p.CallAt(p.Point, operation, partner, token)
			var answer check.Answer
			var x wire.Exchange
			for attempt := range 3 { // what could not be decided, or was refused while something settled, is asked again
				err = p.Wait(ctx, time.Duration(attempt)*200*time.Millisecond)
				if err != nil {
					return err
				}
				x, answer, err = p.Do(ctx, wire.Control, call)
				if err != nil {
					return err
				}
				if answer.Decision == wire.Accepted {
					break
				}
			}
			shutOut := false
			if answer.Decision == wire.Denied && open != nil {
				_, again, err := p.Do(ctx, wire.Control, *open)
				if err != nil {
					return err
				}
				shutOut = again.Decision != wire.Accepted
			}
			moved := x.Status >= 300 && x.Status < 400 // to where, nobody follows: it may be open there
			switch {
			case answer.Decision == wire.Accepted:
				p.Case(operation.Name, logbook.Pass, expected, answer.Why, "", "")
				open = &call
			case shutOut:
				p.Case(operation.Name, logbook.Inconclusive, expected, "", "", operation.Name+" is refused, and so is now what was accepted before: the point lets nothing in any more")
			case answer.Decision == wire.Denied && !moved:
				p.Case(operation.Name, logbook.Fail, expected, answer.Why, "", "")
			default:
				p.Case(operation.Name, logbook.Inconclusive, expected, "", "", operation.Name+" could not be decided: "+answer.Why)
			}
		}
		return nil
	},
}

// safe says whether an allowed operation may be made at all: it changes nothing, or the application says no to its body.
func safe(operation plan.Operation) bool {
	method, _, _ := strings.Cut(operation.Request, " ")
	reads := method == "GET" || method == "HEAD" || method == "OPTIONS"
	return reads || len(operation.ReachedWhen.Status) > 0 || operation.ReachedWhen.JSON != ""
}
