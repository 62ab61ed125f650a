package check

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// TokenExchange needs a plan that names token exchange (RFC 8693).
var TokenExchange = Need{Name: "token exchange", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	if p.Grants.Exchange != nil {
		return Present, "", ""
	}
	return Absent, "the plan names no token exchange (grants.token_exchange)", ""
}}

// JWTBearer needs a plan that names the JWT bearer grant (RFC 7523 §2.1).
var JWTBearer = Need{Name: "the JWT bearer grant", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	if p.Grants.Bearer != nil {
		return Present, "", ""
	}
	return Absent, "the plan names no JWT bearer grant (grants.jwt_bearer)", ""
}}

// JWTBearerOnce needs a plan that promises that an assertion is good once.
var JWTBearerOnce = Need{Name: "assertions that are good once", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	missing, reason, gap := JWTBearer.Has(p, at)
	if missing != Present || p.Grants.Bearer.Once {
		return missing, reason, gap
	}
	return Absent, "the plan does not promise that an assertion is good once (grants.jwt_bearer.once)", ""
}}

// AtExchange is the exchange of a member's token, as the plan describes it, as a call. Where the plan has an actor the
// member shows another token of its own for it.
func (p *Pass) AtExchange(ctx context.Context, member *cast.Member, subject oauth.Token) (Call, error) {
	var actor secret.Text
	if exchange := p.Stack.Plan.Grants.Exchange; exchange != nil && exchange.Actor != "none" {
		token, err := member.Token(ctx, p.HomePoint())
		if err != nil {
			return Call{}, err
		}
		actor = token.Text
	}
	return p.granting("token exchange of "+member.Role, member, member.ExchangeWish(), func() (wire.Request, error) { return member.ExchangeRequest(subject.Text, actor) }), nil
}

// AtAssertion is a token request of a member by an assertion of the issuer that vouches for it, as a call.
func (p *Pass) AtAssertion(member *cast.Member) Call {
	return p.granting("token request by an assertion for "+member.Role, member, member.AssertionWish(), member.AssertionRequest)
}

func (p *Pass) granting(name string, member *cast.Member, wish cast.TokenWish, make func() (wire.Request, error)) Call {
	call := p.AtToken(member, wish)
	call.Name, call.Make = name, make
	return call
}
