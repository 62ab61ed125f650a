package check

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

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
	return p.learning(call, func(x wire.Exchange) bool { return x.Request.Purpose == wire.Control })
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

// AtUpdate is an update of a member to what it is registered with (RFC 7592 §2.2) as a call, with a fresh software
// statement where it has one. What an accepted one changes is used from then on.
func (p *Pass) AtUpdate(member *cast.Member) Call {
	call := p.asked("update of "+member.Role, member, oauth.ConfigurationDecision, nil)
	call.Make = func() (wire.Request, error) { return p.Cast.UpdateRequest(member, member.Client().Metadata()) }
	return p.learning(call, func(wire.Exchange) bool { return true })
}

// learning has an accepted answer change what the member's client is from then on, where the answer is its own. No two
// of them run side by side: each may carry another registration token.
func (p *Pass) learning(call Call, own func(x wire.Exchange) bool) Call {
	member, inner := call.Member, call.Decide
	call.Turn = member.ReadAlone
	call.Decide = func(ctx context.Context, x wire.Exchange) Answer {
		answer := inner(ctx, x)
		if answer.Decision != wire.Accepted || !own(x) {
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
