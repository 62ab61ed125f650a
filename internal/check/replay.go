package check

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// replays is how often what was used is used again, since nobody knows which of several nodes answers: each may remember
// for itself alone (rule 12).
const replays = 3

// RefusesReplay asserts that what is good once is refused ever after: C(j1) accepted, the same bytes again, three times,
// C(j2) accepted (rule 1). Once makes a request whose one-time part is fixed; the call makes fresh ones.
func (p *Pass) RefusesReplay(ctx context.Context, call Call, once func() (wire.Request, error)) error {
	request, err := once()
	if err != nil {
		return err
	}
	_, first, err := p.sendOnce(ctx, wire.Control, call, request)
	if err != nil {
		return err
	}
	if first.Decision != wire.Accepted {
		return CannotTell("the first use was not accepted: %s", first.Why)
	}
	var second Answer
	for range replays {
		_, second, err = p.sendOnce(ctx, wire.Altered, call, request)
		if err != nil {
			return err
		}
		if second.Decision == wire.Accepted || second.Decision == wire.Unknown || second.Thrice {
			break
		}
	}
	err = p.Opens(ctx, call)
	if err != nil {
		return err
	}
	if second.Decision == wire.Unknown || second.Thrice {
		return CannotTell("another use could not be decided: %s", second.Why)
	}
	p.Holds("another use of the same bytes is refused", second.Decision != wire.Accepted, second.Why)
	return nil
}

// RefusesProofAgain asserts that the proof of an accepted call is refused the second time, at the same node and at each
// other one that is known: C(j1) accepted, N(j1), C(j2) accepted.
func (p *Pass) RefusesProofAgain(ctx context.Context, call Call) error {
	nodes := p.nodes(call.Point)
	for i, node := range nodes {
		err := p.refusesProofAgain(ctx, call, nodes[0], node, i > 0)
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *Pass) refusesProofAgain(ctx context.Context, call Call, first, second string, elsewhere bool) error {
	name := "at once"
	if elsewhere {
		name = "at another node"
	}
	name = nodeName(name, second)
	resets := 0
	for attempt := 1; ; attempt++ {
		again, err := p.twice(ctx, call, first, second, attempt > 1)
		if err != nil {
			return err
		}
		if again.Thrice {
			resets++
		}
		closed := again.Thrice && resets == 3 // over a fresh connection, each between accepted calls (rule 5)
		undecided := !closed && (again.Decision == wire.Unknown && !again.Foreign && !again.Cached || again.Thrice)
		if undecided && attempt <= 3 { // the first of them may have been over a connection that was used before
			err = p.Wait(ctx, time.Duration(attempt)*300*time.Millisecond)
			if err != nil {
				return err
			}
			continue
		}
		const expected, differs = "refused", "nothing: the same proof, the second time"
		switch {
		case undecided || again.Decision == wire.Unknown:
			p.Case(name, logbook.Inconclusive, expected, again.Why, differs, again.Why)
		case again.Decision == wire.Accepted:
			p.Case(name, logbook.Fail, expected, again.Why+", accepted", differs, "")
		default:
			p.Case(name, logbook.Pass, expected, again.Why, differs, "")
		}
		return nil
	}
}

// twice makes a call with a fixed proof at one node and then at another, and after that with a fresh one, which must be
// accepted there. It gives the second answer; alone asks for it over a connection of its own.
func (p *Pass) twice(ctx context.Context, call Call, first, second string, alone bool) (Answer, error) {
	request, err := call.Make()
	if err != nil {
		return Answer{}, err
	}
	request = request.Clone()
	proof := oauth.ProofIn(&request)
	if proof == nil {
		return Answer{}, Broken("the call %s shows no proof", call.Name)
	}
	claims := map[string]any{"jti": strings.ToLower(rand.Text()), "iat": time.Now().Add(proof.JWT.Clock).Unix()}
	for name, value := range proof.JWT.Claims {
		claims[name] = value
	}
	proof.JWT.Claims = claims
	at := func(r wire.Request, node string) wire.Request {
		if node != "" {
			r.Over.Address, r.Over.Fresh = node, false
		}
		return r
	}
	_, one, err := p.send(ctx, wire.Control, call, at(request.Clone(), first))
	if err != nil {
		return Answer{}, err
	}
	if one.Decision != wire.Accepted {
		return Answer{}, CannotTell("the first use of a proof was not accepted: %s", one.Why)
	}
	replay := at(request.Clone(), second)
	replay.Over.Fresh = replay.Over.Fresh || alone
	_, again, err := p.sendOnce(ctx, wire.Altered, call, replay)
	if err != nil {
		return Answer{}, err
	}
	return again, p.Opens(ctx, call.With(func(r *wire.Request) { *r = at(*r, second) }))
}
