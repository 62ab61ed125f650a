package check

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/audit"
	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// KeepsIdentity asserts that no change moves the identity that the API sees: each altered call is refused, or accepted
// as the very identity of its control. Acceptance as somebody else is the finding.
func (p *Pass) KeepsIdentity(ctx context.Context, control Call, changes ...wire.Change) error {
	err := p.guarded(ctx, control)
	if err != nil {
		return err
	}
	for _, node := range p.nodes(control.Point) {
		at := control
		if node != "" {
			at = control.With(func(r *wire.Request) { r.Over.Address, r.Over.Fresh = node, false })
		}
		_, before, err := p.Do(ctx, wire.Control, at)
		if err != nil {
			return err
		}
		if before.Decision != wire.Accepted {
			return CannotTell("the control %s was not accepted: %s", control.Name, before.Why)
		}
		if before.Identity == "" {
			return CannotTell("the answer does not tell who was seen; name the place under operations.identity_at")
		}
		for _, change := range changes {
			err = p.keepsIdentity(ctx, at, change, node, before.Identity)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Pass) keepsIdentity(ctx context.Context, control Call, change wire.Change, node, identity string) error {
	for attempt := 1; ; attempt++ {
		var found tasted
		_, altered, err := p.alter(control, change, &found)
		if err != nil {
			return err
		}
		if found.differs == "" {
			return Broken("the change %q changed nothing: the altered request is the control", change.Name)
		}
		_, answer, err := p.send(ctx, wire.Altered, control, altered)
		if err != nil {
			return err
		}
		_, after, err := p.Do(ctx, wire.Control, control)
		if err != nil {
			return err
		}
		controlled := after.Decision == wire.Accepted && after.Identity == identity
		undecided := answer.Thrice || answer.Decision == wire.Unknown && !answer.Foreign && !answer.Cached
		if attempt == 3 || p.Stack.Rules.NoRepeat || controlled && !undecided || answer.Decision == wire.Accepted {
			p.tellIdentity(nodeName(change.Name, node), identity, found.differs, answer, after)
			return nil
		}
		control = control.Fresh()
		err = p.Wait(ctx, time.Duration(attempt)*300*time.Millisecond)
		if err != nil {
			return err
		}
	}
}

func (p *Pass) tellIdentity(name, identity, differs string, answer, after Answer) {
	expected := "refused, or seen as " + identity
	switch {
	case answer.Decision == wire.Accepted && answer.Strong && answer.Identity != identity: // whatever became of the control
		p.Case(name, logbook.Fail, expected, "accepted as "+answer.Identity, differs, "")
	case after.Decision != wire.Accepted || after.Identity != identity:
		p.Case(name, logbook.Inconclusive, expected, "", differs, "the control after it was not accepted as before: "+after.Why)
	case (answer.Decision == wire.Denied || answer.Decision == wire.Odd) && !answer.Thrice:
		p.Case(name, logbook.Pass, expected, answer.Why, differs, "")
	case answer.Decision != wire.Accepted:
		p.Case(name, logbook.Inconclusive, expected, "", differs, answer.Why)
	case answer.Identity == identity:
		p.Case(name, logbook.Pass, expected, "accepted as "+answer.Identity, differs, "")
	default:
		p.Case(name, logbook.Fail, expected, "accepted as "+answer.Identity, differs, "")
	}
}

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

// AtToken is a token request of a member as a call: what it brings is kept, so that it is tried at the end.
func (p *Pass) AtToken(member *cast.Member, wish cast.TokenWish) Call {
	return Call{
		Name: "token request of " + member.Role, Member: member, Expect: member.ID(),
		Make: func() (wire.Request, error) { return member.TokenRequest(wish), nil },
		Send: p.Cast.Ask,
		Decide: func(_ context.Context, x wire.Exchange) Answer {
			decision, why := oauth.TokenDecision(x)
			if decision == wire.Accepted {
				_, err := p.Cast.Keep(x, member, wish)
				if err != nil {
					return Answer{Why: err.Error()}
				}
			}
			return Answer{Decision: decision, Strong: true, Why: why, Thrice: x.Failure == wire.Reset}
		},
	}
}

// AtConfiguration is a read of a member's registration (RFC 7592 §2.1) as a call. An answer to the member's own token
// may carry another one, which is used from then on.
func (p *Pass) AtConfiguration(member *cast.Member) Call {
	call := p.asked("client configuration of "+member.Role, member, oauth.ConfigurationDecision, func() wire.Request { return member.Client().ReadRequest(*member.Server) })
	call.Turn = member.ReadAlone
	inner := call.Decide
	call.Decide = func(ctx context.Context, x wire.Exchange) Answer {
		answer := inner(ctx, x)
		if answer.Decision != wire.Accepted || x.Request.Purpose != wire.Control {
			return answer
		}
		err := p.Cast.Learn(member, x)
		if err != nil {
			return Answer{Why: err.Error()}
		}
		return answer
	}
	return call
}

// AtIntrospection is the introspection of a token by a member as a call. Accepted means that it said active.
func (p *Pass) AtIntrospection(by *cast.Member, token secret.Text) Call {
	return p.asked("introspection by "+by.Role, by, oauth.IntrospectionDecision, func() wire.Request { return by.Server.IntrospectRequest(by.Client(), token) })
}

// AtRevocation is the revocation of a token by a member as a call.
func (p *Pass) AtRevocation(by *cast.Member, token secret.Text) Call {
	return p.asked("revocation by "+by.Role, by, oauth.RevocationDecision, func() wire.Request { return by.Server.RevokeRequest(by.Client(), token, "access_token") })
}

func (p *Pass) asked(name string, member *cast.Member, decide func(wire.Exchange) (wire.Decision, string), make func() wire.Request) Call {
	return Call{
		Name: name, Member: member,
		Make: func() (wire.Request, error) {
			request := make()
			request.Who = member.Role
			if request.Point == "" {
				request.Point = member.Server.Name
			}
			return request, nil
		},
		Decide: func(_ context.Context, x wire.Exchange) Answer {
			decision, why := decide(x)
			return Answer{Decision: decision, Strong: true, Why: why, Thrice: x.Failure == wire.Reset}
		},
	}
}

// Exists proves that a denied route is there: somebody who may reaches it, or its refusal is unlike that of a random
// path. A typo in the plan would be green otherwise (rule 7). It says how it was proven.
func (p *Pass) Exists(ctx context.Context, operation plan.Operation, denied Call) (string, error) {
	if p.Stack.Rules.NoRouteProof {
		return "not asked", nil
	}
	return p.Stack.routes.Get(ctx, p.Point.Name+"|"+operation.Name, func(ctx context.Context) (string, error) {
		p.rooted = true // with the seats all taken by passes that wait for this, its own would never come back
		defer func() { p.rooted = false }()
		return p.exists(ctx, operation, denied)
	})
}

func (p *Pass) exists(ctx context.Context, operation plan.Operation, denied Call) (string, error) {
	if operation.RouteProof != "" {
		member, err := p.Cast.Member(ctx, operation.RouteProof)
		if err != nil {
			return "", err
		}
		token, err := member.Token(ctx, p.Point)
		if err != nil {
			return "", err
		}
		err = p.Opens(ctx, p.CallAt(p.Point, operation, member, token))
		if err != nil {
			return "", CannotTell("existence not proven: %s, who may, does not reach %s: %v", operation.RouteProof, operation.Name, err)
		}
		return "reached by " + operation.RouteProof, nil
	}
	there, answer, err := p.Do(ctx, wire.Baseline, denied)
	if err != nil {
		return "", err
	}
	random := denied.With(func(r *wire.Request) { r.Target = "/checkride-" + strings.ToLower(p.Stack.nonce()) })
	nowhere, _, err := p.Do(ctx, wire.Baseline, random)
	if err != nil {
		return "", err
	}
	if there.Status == nowhere.Status && look(there) == look(nowhere) {
		return "", CannotTell("existence not proven: %s answers as a random path does (%s); name somebody who may under operations.route_proof", operation.Name, answer.Why)
	}
	return fmt.Sprintf("answers %d, a random path %d", there.Status, nowhere.Status), nil
}

func (s *Stack) nonce() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn++
	return fmt.Sprintf("%x-%d", s.Since.UnixNano(), s.turn)
}

// Logged waits for the records of an exchange in the logs that cover a place, and keeps them as evidence. None within
// the agreed delay gives an empty list and no error; a log that cannot be read is an error.
func (p *Pass) Logged(ctx context.Context, place string, x wire.Exchange) ([]audit.Match, error) {
	logs := p.Stack.Logs[place]
	if len(logs) == 0 {
		return nil, NotApplicable("no audit log covers %s", place)
	}
	var all []audit.Match
	p.stand()
	for _, log := range logs {
		matches, err := log.Wait(ctx, x.Trace, p.Limits.LogDelay.D()+log.Delay())
		if err != nil {
			return nil, CannotTell("audit log %s: %v", log.Name(), err)
		}
		all = append(all, matches...)
	}
	err := p.sit(ctx)
	if err != nil {
		return nil, err
	}
	for _, match := range all {
		p.keep(x, match)
		for range match.Copies - 1 {
			if p.Stack.Rules.NoDedupe {
				all = append(all, match)
			}
		}
	}
	return all, nil
}

func (p *Pass) keep(x wire.Exchange, match audit.Match) {
	s := p.Stack
	s.mu.Lock()
	s.records++
	serial := s.records
	s.mu.Unlock()
	fields := map[string]string{}
	for name, value := range match.Fields {
		fields[name] = s.Keeper.Mask(value)
	}
	entry := match.Entry(x.Serial, x.Sent)
	entry.Serial, entry.Fields = serial, fields
	s.Record(logbook.Entry{At: match.Observed.Sub(s.Since), Record: &entry})
	p.observation.Records = append(p.observation.Records, serial)
}
