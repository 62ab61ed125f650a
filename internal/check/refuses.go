package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// Refuses asserts that each change turns an accepted call into a refused one. Every altered request stands between two
// controls over the same kind of connection, and neighbours share theirs: C N C N C (rule 1). The altered request
// differs from its control in exactly one thing, which is printed; where nothing differs the tool is at fault.
func (p *Pass) Refuses(ctx context.Context, control Call, changes ...wire.Change) error {
	return p.sandwiches(ctx, control, nil, changes)
}

// RefusesGoodElsewhere asserts the same of a change that is right somewhere else, and proves that it is right there:
// the neighbour's token is good for the neighbour, else "refused" may only mean broken (rule 2).
func (p *Pass) RefusesGoodElsewhere(ctx context.Context, control, elsewhere Call, change wire.Change) error {
	return p.sandwiches(ctx, control, &elsewhere, []wire.Change{change})
}

func (p *Pass) sandwiches(ctx context.Context, control Call, elsewhere *Call, changes []wire.Change) error {
	if control.Point != nil {
		err := p.guarded(ctx, control)
		if err != nil {
			return err
		}
	}
	for _, node := range p.nodes(control.Point) {
		at := control.pinned(node)
		open := false // whether the last exchange was an accepted control
		for _, change := range changes {
			var err error
			open, err = p.sandwich(ctx, at, elsewhere, change, node, open)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// nodes gives the known addresses of a point's replicas, or one empty address (rule 12). A line to a known address pins
// that node on purpose, so it may be kept; only where nodes are unknown must each connection be a fresh one.
func (p *Pass) nodes(point *plan.Point) []string {
	if point == nil || len(point.Addresses) < 2 || p.Stack.Rules.KeptLines {
		return []string{""}
	}
	return point.Addresses
}

// nodeName is a case's name at one of several nodes, told by the whole address: replicas often share a port.
func nodeName(name, node string) string {
	if node == "" {
		return name
	}
	return name + " at node " + node
}

// sandwich is one altered request between two controls. It gives whether the last control was accepted, which then
// serves the neighbour.
func (p *Pass) sandwich(ctx context.Context, control Call, elsewhere *Call, change wire.Change, node string, open bool) (bool, error) {
	name := nodeName(change.Name, node)
	before := len(p.observation.Exchanges)
	cases := len(p.observation.Cases)
	defer func() {
		if control.Point != nil && control.Point != p.Point && len(p.observation.Cases) > cases {
			p.Where(control.Point.Name) // a check of the whole stack goes from point to point
		}
	}()
	for attempt := range 3 {
		if attempt > 0 {
			if p.Stack.Rules.NoRepeat {
				break
			}
			open, control = false, control.Fresh() // a reset on a kept line says nothing
			err := p.Wait(ctx, time.Duration(attempt)*300*time.Millisecond)
			if err != nil {
				return false, err
			}
		}
		verdict, err := p.try(ctx, control, elsewhere, change, open)
		if err != nil {
			return false, err
		}
		undecided := verdict.answer.Decision == wire.Unknown && !verdict.answer.Foreign && !verdict.answer.Cached // 429, a timeout
		if verdict.controlled && (!undecided || attempt == 2 || p.Stack.Rules.NoRepeat) {
			p.record(name, verdict, before)
			return true, nil
		}
		if verdict.answer.Decision == wire.Accepted { // attempts never turn an acceptance into a pass
			p.record(name, verdict, before)
			return false, nil
		}
		if attempt == 2 || p.Stack.Rules.NoRepeat {
			p.Case(name, logbook.Inconclusive, "", "", verdict.differs, "the control failed three times: "+verdict.control.Why)
		}
	}
	return false, nil
}

// tasted is what one sandwich gave.
type tasted struct {
	controlled bool
	control    Answer // the control that failed, if one did
	answer     Answer
	differs    string
	times      int
	accepted   int
	unseen     string // why a refusal says nothing
}

func (p *Pass) try(ctx context.Context, control Call, elsewhere *Call, change wire.Change, open bool) (tasted, error) {
	var found tasted
	err := p.goodElsewhere(ctx, elsewhere)
	if err != nil {
		return found, err
	}
	altered, err := p.proven(control, elsewhere, change, &found)
	if err != nil {
		return found, err
	}
	before := &control
	if open {
		before = nil
	}
	err = p.between(ctx, before, control, change, altered, &found)
	return found, err
}

// between sends the altered request of a control after a call that must be accepted, if one is given, and before the
// control, which must be accepted as well.
func (p *Pass) between(ctx context.Context, before *Call, control Call, change wire.Change, altered wire.Request, found *tasted) error {
	if p.Stack.Rules.NoControls {
		found.controlled = true
		return p.bite(ctx, control, change, altered, found)
	}
	if before != nil {
		_, answer, err := p.Do(ctx, wire.Control, *before)
		if err != nil {
			return err
		}
		if answer.Decision != wire.Accepted {
			found.control = answer
			return nil
		}
	}
	err := p.bite(ctx, control, change, altered, found)
	if err != nil {
		return err
	}
	_, answer, err := p.Do(ctx, wire.Control, control)
	if err != nil {
		return err
	}
	found.controlled, found.control = answer.Decision == wire.Accepted, answer
	return nil
}

// bite sends the altered request: once where the answer is clear, three times where acceptance or refusal is only
// weakly proven.
func (p *Pass) bite(ctx context.Context, control Call, change wire.Change, altered wire.Request, found *tasted) error {
	for {
		_, answer, err := p.send(ctx, wire.Altered, control, altered)
		if err != nil {
			return err
		}
		if p.Stack.Rules.OddIsUnknown && answer.Decision == wire.Denied && !strings.HasPrefix(answer.Why, "401") && !strings.HasPrefix(answer.Why, "403") {
			answer.Decision = wire.Unknown
		}
		found.times++
		if answer.Decision == wire.Accepted {
			found.accepted++
			found.answer = answer
		}
		if found.accepted == 0 {
			found.answer = answer
		}
		again := answer.Decision == wire.Accepted && !answer.Strong || answer.Thrice || found.accepted > 0 && !found.answer.Strong
		if !again || found.times == 3 {
			return nil
		}
		altered, err = p.remake(control, change)
		if err != nil {
			return err
		}
	}
}

func (p *Pass) remake(control Call, change wire.Change) (wire.Request, error) {
	request, err := control.Make()
	if err != nil {
		return request, err
	}
	return change.Apply(request.Clone())
}

func (p *Pass) alter(control Call, change wire.Change, found *tasted) (wire.Request, wire.Request, error) {
	good, err := control.Make()
	if err != nil {
		return good, good, err
	}
	altered, err := change.Apply(good.Clone())
	if err != nil {
		return good, altered, Broken("the change %q could not be made: %v", change.Name, err)
	}
	differences := wire.Diff(p.Stack.Keeper, good, altered)
	words := make([]string, len(differences))
	for i, difference := range differences {
		words[i] = difference.String()
	}
	found.differs = strings.Join(words, "; ")
	if found.differs == "" && p.Stack.Rules.NoDifference {
		found.differs = "(not compared)"
	}
	return good, altered, nil
}

// goodElsewhere holds rule 2: a real token or certificate in the wrong place must be good in its own. It comes before the
// change is made, since being good may renew it: some servers rotate a registration token that is read with.
func (p *Pass) goodElsewhere(ctx context.Context, elsewhere *Call) error {
	if elsewhere == nil || p.Stack.Rules.NoElsewhere {
		return nil
	}
	err := p.Opens(ctx, *elsewhere)
	if err != nil {
		return fmt.Errorf("what must be refused here is not proven good elsewhere: %w", err)
	}
	return nil
}

// proven makes the altered request, which must differ from its control, and must not carry a real token that is nowhere
// proven good.
func (p *Pass) proven(control Call, elsewhere *Call, change wire.Change, found *tasted) (wire.Request, error) {
	good, altered, err := p.alter(control, change, found)
	if err != nil {
		return altered, err
	}
	if found.differs == "" {
		return altered, Broken("the change %q changed nothing: the altered request is the control", change.Name)
	}
	if elsewhere == nil && !p.Stack.Rules.NoElsewhere {
		if what := p.borrowed(good, altered); what != "" {
			return altered, Broken("the change %q uses %s and does not prove it good elsewhere", change.Name, what)
		}
	}
	return altered, nil
}

// borrowed names what an altered request shows that is somebody's real token or certificate, and that its control does
// not show.
func (p *Pass) borrowed(good, altered wire.Request) string {
	for _, credential := range altered.Credentials {
		shown := slices.ContainsFunc(good.Credentials, func(c wire.Credential) bool { return c.Text == credential.Text })
		if _, real := p.Cast.Issued(credential.Text); real && !shown && credential.In != wire.InForm { // there it is what is talked about
			return "a real token"
		}
	}
	thumbprint := cast.Thumbprint(altered.Over.Certificate)
	if role := p.Cast.Shows(thumbprint); role != "" && thumbprint != cast.Thumbprint(good.Over.Certificate) {
		return "the real certificate of the " + role
	}
	return ""
}

// record turns a sandwich into a case.
func (p *Pass) record(name string, found tasted, before int) {
	expected := "refused"
	if found.accepted > 0 && found.accepted < found.times && !found.answer.Strong { // weak proof is repeated, and did not repeat itself
		found.answer.Decision = wire.Unknown
		found.answer.Why = fmt.Sprintf("%s looks accepted, %d of %d, and nothing in the answer proves it; name operations.nonce_at", found.answer.Why, found.accepted, found.times)
	}
	refused := found.answer.Decision == wire.Denied || found.answer.Decision == wire.Odd
	if found.answer.Besides != nil {
		defer p.Besides(found.answer.Besides)()
	}
	switch {
	case refused && found.unseen != "":
		p.Case(name, logbook.Inconclusive, expected, found.answer.Why, found.differs, "a refusal says nothing: "+found.unseen)
	case found.answer.Decision == wire.Accepted:
		observed := found.answer.Why + ", accepted"
		if found.answer.Identity != "" {
			observed += " as " + found.answer.Identity
		}
		if !found.answer.Strong {
			p.observation.Weak = true
		}
		if found.times > 1 {
			observed += fmt.Sprintf(", %d of %d", found.accepted, found.times)
		}
		p.Case(name, logbook.Fail, expected, observed, found.differs, "")
	case found.answer.Decision == wire.Denied:
		p.Case(name, logbook.Pass, expected, found.answer.Why, found.differs, "")
	case refused:
		p.Case(name, logbook.Pass, expected, found.answer.Why+" (odd)", found.differs, "")
		p.Note("an odd refusal: %s", found.answer.Why)
	default:
		p.Case(name, logbook.Inconclusive, expected, found.answer.Why, found.differs, found.answer.Why)
	}
	last := &p.observation.Cases[len(p.observation.Cases)-1]
	last.Exchanges = append([]uint64(nil), p.observation.Exchanges[min(before, len(p.observation.Exchanges)):]...)
}
