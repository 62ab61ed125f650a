package check

import (
	"context"
	"encoding/json"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// Newcomer registers a client of a role for the check alone, whoever else is given, and waits until it is known
// everywhere. A registration that is refused is no finding of whoever needs one.
func (p *Pass) Newcomer(ctx context.Context, role string, wish cast.Wish) (*cast.Member, error) {
	got, err := p.Register(ctx, wire.Control, role, wish)
	if err != nil {
		return nil, err
	}
	if got.Decision != wire.Accepted {
		return nil, CannotTell("a registration of a %s for this check was not accepted: %s", role, got.Why)
	}
	return got.Member, p.Cast.Settle(ctx, got.Member)
}

// Manageable says, as an error that ends the story, that a member has no client configuration endpoint.
func (p *Pass) Manageable(member *cast.Member) error {
	if !member.Manageable() {
		return NotApplicable("%s gives its clients no configuration endpoint (RFC 7592)", p.Name)
	}
	return nil
}

// Updated is what came of an update that was tried. Told is all that the answer tells of the client, if it was accepted.
type Updated struct {
	Exchange wire.Exchange
	Decision wire.Decision
	Why      string
	Told     map[string]any
}

// TryUpdate sends an RFC 7592 update of a member once, which may be refused: its metadata as they were last told, with
// these members put in, or taken out where the value is nil. They may be such as a client must not send. What an accepted
// one changes is taken over.
func (p *Pass) TryUpdate(ctx context.Context, member *cast.Member, members map[string]any) (Updated, error) {
	client := member.Client()
	request, err := p.Cast.UpdateRequest(member, client.Metadata())
	if err != nil {
		return Updated{}, err
	}
	request.Body, err = WithMembers(request.Body, members)
	if err != nil {
		return Updated{}, Broken("an update could not be altered: %v", err)
	}
	request.Point, request.Who, request.Unrecorded = member.Server.Name, member.Role, true
	x, err := p.through(ctx, wire.Altered, request, p.Stack.Do.Do)
	if err != nil {
		return Updated{}, err
	}
	decision, why := oauth.ConfigurationDecision(x)
	p.Stack.Keep(x, decision.String())
	if x.Failure == wire.Reset { // once, it says no more than the network might
		decision = wire.Unknown
	}
	updated := Updated{Exchange: x, Decision: decision, Why: why}
	if decision != wire.Accepted {
		return updated, nil
	}
	err = p.Cast.Learn(member, x)
	if err != nil {
		return updated, CannotTell("the answer to an update could not be read: %v", err)
	}
	updated.Told = member.Client().Registered
	return updated, nil
}

// WithMembers gives a JSON object with members put in, or taken out where the value is nil.
func WithMembers(object []byte, members map[string]any) ([]byte, error) {
	var all map[string]any
	err := json.Unmarshal(object, &all)
	if err != nil {
		return nil, err
	}
	for name, value := range members {
		if value == nil {
			delete(all, name)
			continue
		}
		all[name] = value
	}
	return json.Marshal(all)
}

// Read reads a member's registration (RFC 7592 §2.1), as a control: what the answer tells, and the exchange.
func (p *Pass) Read(ctx context.Context, member *cast.Member) (map[string]any, wire.Exchange, error) {
	x, answer, err := p.Do(ctx, wire.Control, p.AtConfiguration(member))
	if err != nil {
		return nil, x, err
	}
	if answer.Decision != wire.Accepted {
		return nil, x, CannotTell("the registration could not be read: %s", answer.Why)
	}
	return member.Client().Registered, x, nil
}

// Member gives a text of a JSON object, empty where it has none.
func Member(object []byte, name string) (string, error) {
	var all map[string]any
	err := json.Unmarshal(object, &all)
	if err != nil {
		return "", err
	}
	text, _ := all[name].(string)
	return text, nil
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
	if !member.Manageable() {
		return p.Hook(ctx, "delete_client", member, nil)
	}
	x, err := p.Cast.Delete(ctx, member)
	p.witness(x)
	return x, err
}
