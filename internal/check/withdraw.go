package check

import (
	"context"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// Deletion needs a way to delete a client: registration by RFC 7592, or the operator's hook.
var Deletion = Need{Name: "a way to delete a client", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	if _, ok := p.Hooks["delete_client"]; ok || p.Registration.Mode == "dcr" {
		return Present, "", ""
	}
	return Gap, "needs a way to delete a client: add hook `delete_client`", "deletion"
}}

// Hook plays one of the operator's hooks for a member and keeps it as evidence.
func (p *Pass) Hook(ctx context.Context, name string, member *cast.Member, values map[string]string) (wire.Exchange, error) {
	x, err := p.Cast.Hook(ctx, name, member, values)
	p.witness(x)
	p.owe(name, member, values, err)
	return x, err
}

// debt is what a given client must be given back: the ride may borrow it and not break it.
type debt struct {
	hook   string
	member *cast.Member
	values map[string]string
}

func givesBack(hook string) string {
	return map[string]string{plan.Suspend: plan.Resume, plan.CloseWindow: plan.OpenWindow, plan.ReduceEntitlement: plan.RestoreEntitlement}[hook]
}

func (p *Pass) owe(hook string, member *cast.Member, values map[string]string, err error) {
	switch back := givesBack(hook); {
	case member == nil || member.Own:
	case back != "": // even if the hook failed: nobody knows how far it came
		p.owed = append(p.owed, debt{back, member, values})
	case err == nil:
		p.owed = slices.DeleteFunc(p.owed, func(d debt) bool { return d.hook == hook && d.member.ID() == member.ID() })
	}
}

// repay gives back to given clients what a story took and did not give back itself: it may have ended early. What cannot
// be given back is said, and nothing that comes after it is judged by that client.
func (p *Pass) repay(ctx context.Context) {
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	for _, d := range slices.Backward(p.owed) {
		x, err := p.Cast.Hook(within, d.hook, d.member, d.values)
		p.witness(x)
		d.member.ForgetTokens()
		if err != nil {
			p.Note("the given client %s was not given back as it was: %v", d.member.ID(), err)
			p.Cast.Spend(d.member, "was not given back as it was by "+p.Check.ID+" ("+d.hook+")")
		}
	}
	p.owed = nil
}

// Update sends an RFC 7592 update of a member and keeps it as evidence.
func (p *Pass) Update(ctx context.Context, member *cast.Member, change func(metadata map[string]any)) (wire.Exchange, error) {
	x, err := p.Cast.Update(ctx, member, change)
	p.witness(x)
	return x, err
}

// Delete ends a member: by RFC 7592 §2.3 where it has a client configuration endpoint, else by the hook delete_client.
func (p *Pass) Delete(ctx context.Context, member *cast.Member) (wire.Exchange, error) {
	p.Cast.Spend(member, "was deleted by "+p.Check.ID)
	client := member.Client()
	if client.RegistrationURI == "" || client.RegistrationToken.Empty() {
		return p.Hook(ctx, "delete_client", member, nil)
	}
	x, err := p.Cast.Delete(ctx, member)
	p.witness(x)
	return x, err
}

// witness keeps an exchange that the cast sent as evidence. What a command did has no serial.
func (p *Pass) witness(x wire.Exchange) {
	if x.Serial > 0 {
		p.mu.Lock()
		p.observation.Exchanges = append(p.observation.Exchanges, x.Serial)
		p.mu.Unlock()
	}
}

// HomePoint is a point that takes tokens of the server where partners are registered; one that learns of revocations
// comes first. It is nil where there is none.
func (p *Pass) HomePoint() *plan.Point {
	var found *plan.Point
	for i := range p.Stack.Plan.Points {
		point := &p.Stack.Plan.Points[i]
		if p.Cast.TokenServer(point) != p.Cast.HomeServer() {
			continue
		}
		if point.Revocation != "expiry" {
			return point
		}
		if found == nil {
			found = point
		}
	}
	return found
}

// Unharmed gives somebody whom the check does not harm: the shared partner, or the neighbour where the partner is the one
// that is harmed. It is nil where there is nobody else.
func (p *Pass) Unharmed(ctx context.Context, harmed *cast.Member) (*cast.Member, error) {
	for _, role := range []string{cast.Partner, cast.Neighbour} {
		if !p.Cast.Has(role) {
			continue
		}
		member, err := p.Cast.Member(ctx, role)
		if err != nil {
			return nil, err
		}
		if member.ID() != harmed.ID() {
			return member, nil
		}
	}
	return nil, nil
}

// Bystander is a good call at a point of somebody whom the check does not harm ([Pass.Unharmed]). It is nil where there
// is nobody else. Its token is renewed in time.
func (p *Pass) Bystander(ctx context.Context, point *plan.Point, harmed *cast.Member) (*Call, error) {
	member, err := p.Unharmed(ctx, harmed)
	if err != nil || member == nil {
		return nil, err
	}
	token, err := member.Token(ctx, point)
	if err != nil {
		return nil, err
	}
	call := p.CallAt(point, p.Allowed(point), member, token)
	call.Name = "a call of the " + member.Role + ", who is not harmed"
	call.Make = func() (wire.Request, error) {
		token, err := member.Token(ctx, point) // this call must not die of age
		if err != nil {
			return wire.Request{}, err
		}
		return p.request(point, p.Allowed(point), member, token)
	}
	return &call, nil
}

// WithdrawnWithin asserts that tokens of a member are refused at the pass's point within the withdrawal's limit when
// what they rest on is withdrawn at once: the client is deleted or suspended, a right taken, a window closed. The
// withdrawal gives What, Limit, Promise and All, and Mint where another operation than the usual one is to be refused. A point that is declared `revocation: expiry` learns nothing of it: it
// passes when the token's remaining life is within its own limit.
func (p *Pass) WithdrawnWithin(ctx context.Context, member *cast.Member, w Withdrawal) error {
	if p.Point.Revocation == "expiry" {
		limit, promise := p.Limits.Revocation.For(p.Point.Revocation)
		p.Note("the point is declared revocation: expiry, so the token's own life is what counts")
		return p.diesByExpiry(ctx, member, limit, promise)
	}
	alive, err := p.Bystander(ctx, p.Point, member)
	if err != nil {
		return err
	}
	if w.Mint == nil {
		w.Mint = p.Mint(member)
	}
	w.Alive, w.Expires = alive, TokenExpires
	return p.RefusedWithin(ctx, w)
}

// Dead asserts that credentials whose trust has ended are refused now, a case for each: at every node, between two
// accepted calls of alive, which differs in that its trust stands (rule 3). A nil alive has no such controls.
func (p *Pass) Dead(ctx context.Context, alive *Call, gone ...Call) error {
	if alive != nil && len(gone) > 0 {
		err := p.Opens(ctx, *alive)
		if err != nil {
			return err
		}
	}
	for _, call := range gone {
		err := p.dead(ctx, call)
		if err != nil {
			return err
		}
	}
	if alive != nil && len(gone) > 0 {
		return p.Opens(ctx, *alive)
	}
	return nil
}

func (p *Pass) dead(ctx context.Context, call Call) error {
	unchanged := wire.Change{Name: call.Name, Apply: func(r wire.Request) (wire.Request, error) { return r, nil }}
	before := len(p.observation.Exchanges)
	var worst tasted
	for i, node := range p.nodes(call.Point) {
		at := call
		if node != "" {
			at = call.With(func(r *wire.Request) { r.Over.Address, r.Over.Fresh = node, false })
		}
		request, err := at.Make()
		if err != nil {
			return err
		}
		var found tasted
		err = p.bite(ctx, at, unchanged, request, &found)
		if err != nil {
			return err
		}
		if i == 0 || found.accepted > 0 || worst.accepted == 0 && found.answer.Decision == wire.Unknown {
			worst = found
		}
	}
	p.record(call.Name, worst, before)
	switch {
	case call.Point != nil:
		p.Where(call.Point.Name)
	case call.Member != nil:
		p.Where(call.Member.Server.Name)
	}
	return nil
}

// Pulse tells whether a token lives, and how that was seen.
type Pulse func(ctx context.Context) (bool, string, error)

// IntrospectedPulse is the pulse of a live token by the server's introspection; nil where the ride may not use it, or
// where it does not call the token active.
func (p *Pass) IntrospectedPulse(ctx context.Context, token oauth.Token) (Pulse, error) {
	if !p.Cast.Has(cast.ResourceServer) {
		return nil, nil
	}
	by, err := p.ResourceServer(ctx)
	if err != nil || by.Server.Endpoints.Introspection == "" {
		return nil, err
	}
	call := p.AtIntrospection(by, token.Text)
	_, answer, err := p.Do(ctx, wire.Control, call)
	if err != nil || answer.Decision != wire.Accepted {
		return nil, err
	}
	return p.pulse(call), nil
}

func (p *Pass) pulse(call Call) Pulse {
	return func(ctx context.Context) (bool, string, error) {
		_, answer, err := p.Do(ctx, wire.Probe, call)
		if err != nil {
			return false, "", err
		}
		if answer.Decision == wire.Unknown {
			return false, "", CannotTell("whether the token lives could not be decided: %s: %s", call.Name, answer.Why)
		}
		return answer.Decision == wire.Accepted, call.Name + ": " + answer.Why, nil
	}
}

// Dies tells whether a token is seen to die within the plan's time for settling (rule 13), and how that was seen.
func (p *Pass) Dies(ctx context.Context, pulse Pulse) (bool, string, error) {
	until := time.Now().Add(p.Limits.Settle.D())
	for {
		lives, seen, err := pulse(ctx)
		if err != nil || !lives || time.Now().After(until) {
			return !lives, seen, err
		}
		err = p.Wait(ctx, 200*time.Millisecond)
		if err != nil {
			return false, "", err
		}
	}
}

// Exposed asserts that a token which cannot be withdrawn dies by itself within a limit: its remaining life is the
// exposure. Why says why it cannot be withdrawn.
func (p *Pass) Exposed(token oauth.Token, why string, limit time.Duration, promise string) error {
	if token.Expires.IsZero() {
		return CannotTell("%s, and the server does not say how long it lives", why)
	}
	life := time.Until(token.Expires)
	outcome := logbook.Pass
	if life > limit {
		outcome = logbook.Fail
	}
	p.observation.Bounds = append(p.observation.Bounds, logbook.Bound{
		Name: "until expiry", Low: life, High: life, Limit: limit, Limited: promise, Expired: true, Outcome: outcome,
	})
	p.Holds("it can be revoked, or dies by itself within "+limit.String(), life <= limit, why+": it lives "+life.Round(100*time.Millisecond).String()+" more")
	return nil
}
