package enforce

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// NeighboursObject asks with the partner's good token for what belongs to the neighbour. The partner reads its own and
// the neighbour reads its own, so that it is the owner alone who is wrong.
//
// OWASP API1:2023 has every function that reaches an object by an id from the request check that the caller may.
var NeighboursObject = &check.Check{
	ID:       "enforce.neighbours-object",
	Title:    "a partner cannot read what belongs to another partner",
	Broken:   "a partner reads what belongs to another partner",
	Why:      "each partner sees the data of all others by changing an id",
	Fix:      "compare the owner of the object with the client of the token in the application, at every access; an id that is hard to guess is no check",
	Refs:     []frameworks.Ref{frameworks.API(1), frameworks.ASVS("8.2.2"), frameworks.ASVS("8.4.1"), frameworks.SP80053("AC-3")},
	Rows:     []string{"L-GW-14", "A-CC-07"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,

	AnyCredential: true,

	Needs: []check.Need{check.OwnObject, check.Neighbour},
	Twin:  defect.Set{ObjectOwnerIgnored: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		neighbour, err := p.Neighbour(ctx)
		if err != nil {
			return err
		}
		token, err := neighbour.Token(ctx, p.Point)
		if err != nil {
			return err
		}
		tried := 0
		for _, operation := range p.Point.Operations {
			if operation.Deny || !owned(operation, call.Member.Plan, neighbour.Plan) {
				continue
			}
			tried++
			own := p.CallAt(p.Point, operation, call.Member, call.Token)
			theirs := p.CallAt(p.Point, operation, neighbour, token)
			theirs.Name += " as neighbour"
			err = p.RefusesGoodElsewhere(ctx, own, theirs, askingFor(theirs))
			if err != nil {
				return err
			}
		}
		if tried == 0 {
			return check.NotApplicable("no allowed operation here is about an object of both the partner and the neighbour")
		}
		return nil
	},
}

// owned says whether the operation is about one object for the one and another for the other.
func owned(operation plan.Operation, one, other plan.Client) bool {
	return check.OfOneClient(operation) || one.Owns[operation.Name] != "" && other.Owns[operation.Name] != ""
}

func askingFor(theirs check.Call) wire.Change {
	return wire.Change{Name: "the neighbour's object", Apply: func(r wire.Request) (wire.Request, error) {
		request, err := theirs.Make()
		if err != nil {
			return r, err
		}
		r.Target = request.Target
		return r, nil
	}}
}
