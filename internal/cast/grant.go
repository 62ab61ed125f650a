package cast

import (
	"errors"
	"fmt"
	"strings"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// grantKey reads the key with which the ride signs assertions that are authorization grants; none where the plan has none.
func grantKey(resolver plan.Resolver, described *plan.JWTBearer) (oauth.Key, error) {
	if described == nil {
		return oauth.Key{}, nil
	}
	return signingKey(resolver, described.Key, described.Alg, described.KeyID)
}

// GrantKey is the key of the issuer that vouches for partners by assertions; without a signer where there is none.
func (c *Cast) GrantKey() oauth.Key { return c.vouching }

// ExchangeWish is what the member's exchanges of tokens ask for by the plan.
func (m *Member) ExchangeWish() TokenWish {
	exchange := m.cast.plan.Grants.Exchange
	if exchange == nil {
		return TokenWish{}
	}
	return TokenWish{Scopes: exchange.Scopes, Resource: exchange.Resource, NoScope: len(exchange.Scopes) == 0}
}

// ExchangeRequest asks for a token in exchange for another one of the member, as the plan describes it (RFC 8693 §2.1).
// The actor's token goes along only if it is given.
func (m *Member) ExchangeRequest(subject, actor secret.Text) (wire.Request, error) {
	exchange := m.cast.plan.Grants.Exchange
	if exchange == nil {
		return wire.Request{}, errors.New("the plan names no token exchange; add grants.token_exchange")
	}
	request := m.Server.ExchangeRequest(m.Client(), oauth.Exchange{
		Subject: subject, Actor: actor, Audience: exchange.Audience, Resource: exchange.Resource, Scopes: exchange.Scopes, Who: m.Role,
	})
	request.Purpose = wire.Setup
	return request, nil
}

// AssertionWish is what the member asks for by assertions that are grants.
func (m *Member) AssertionWish() TokenWish {
	bearer := m.cast.plan.Grants.Bearer
	if bearer == nil {
		return TokenWish{}
	}
	return TokenWish{Scopes: bearer.Scopes, Resource: bearer.Resource}
}

// AssertionRequest asks for a token by an assertion of the issuer that vouches for the member (RFC 7523 §2.1). It is made
// anew at each sending.
func (m *Member) AssertionRequest() (wire.Request, error) {
	bearer := m.cast.plan.Grants.Bearer
	if bearer == nil {
		return wire.Request{}, errors.New("the plan names no JWT bearer grant; add grants.jwt_bearer")
	}
	audience := bearer.Audience
	if audience == "" {
		audience = m.Server.AssertionAudience()
	}
	if audience == "" {
		return wire.Request{}, fmt.Errorf("nothing says who %s is to assertions; add grants.jwt_bearer.audience", m.Server.Name)
	}
	subject := m.ID()
	if bearer.Subject != "" {
		subject = strings.NewReplacer("{client_id}", m.ID(), "{organization}", m.Plan.Organization).Replace(bearer.Subject)
	}
	request := m.Server.AssertionRequest(m.Client(), oauth.Assertion{
		Key: m.cast.vouching, Issuer: bearer.Issuer, Subject: subject, Audience: audience, Claims: bearer.Claims,
		Life: bearer.Lifetime.D(), Resource: bearer.Resource, Scopes: m.options(m.AssertionWish()).Scopes, Who: m.Role,
	})
	request.Purpose = wire.Setup
	return request, nil
}
