package cast

import (
	"context"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// TokenWish asks for a token.
type TokenWish struct {
	Scopes   []string // nil: the client's
	Resource string
	NoScope  bool
	Fresh    bool // over a connection of its own
}

// slot is a shared token: read by many, renewed by one.
type slot struct {
	turn  chan struct{} // one place: whoever holds it may renew
	token oauth.Token
}

func (m *Member) resource(point *plan.Point) string {
	if point != nil && point.Resource != "" {
		return point.Resource
	}
	return m.Plan.Resource
}

func (m *Member) optionsFor(point *plan.Point) TokenWish {
	return TokenWish{Resource: m.resource(point)}
}

// Token gives the member's shared token for a point, renewed when less than a third of its life is left. Many use it,
// so nobody may revoke it: who spends a token asks [Member.NewToken].
func (m *Member) Token(ctx context.Context, point *plan.Point) (oauth.Token, error) {
	key := m.ID() + "|" + m.resource(point)
	m.cast.mu.Lock()
	s := m.cast.shared[key]
	if s == nil {
		s = &slot{turn: make(chan struct{}, 1)}
		m.cast.shared[key] = s
	}
	m.cast.mu.Unlock()
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return oauth.Token{}, ctx.Err()
	}
	defer func() { <-s.turn }()
	if !s.token.Text.Empty() && time.Until(s.token.Expires) > max(s.token.Lifetime/3, time.Second) {
		return s.token, nil
	}
	token, err := m.cast.mint(ctx, m, m.optionsFor(point))
	if err != nil {
		return oauth.Token{}, &FactError{Fact: fmt.Sprintf("a token of %s at %s", m.Role, m.Server.Name), Err: err}
	}
	s.token = token
	return token, nil
}

// NewToken gives a token that nobody else holds, for a point.
func (m *Member) NewToken(ctx context.Context, point *plan.Point) (oauth.Token, error) {
	return m.TokenWith(ctx, m.optionsFor(point))
}

// TokenWith gives a token by a wish.
func (m *Member) TokenWith(ctx context.Context, wish TokenWish) (oauth.Token, error) {
	token, err := m.cast.mint(ctx, m, wish)
	if err != nil {
		return oauth.Token{}, &FactError{Fact: fmt.Sprintf("a token of %s at %s", m.Role, m.Server.Name), Err: err}
	}
	return token, nil
}

// TokenRequest makes the member's token request for a wish.
func (m *Member) TokenRequest(wish TokenWish) wire.Request {
	request := m.Server.TokenRequest(m.Client(), m.options(wish))
	request.Purpose = wire.Setup
	request.Over.Fresh = wish.Fresh
	return request
}

func (m *Member) options(wish TokenWish) oauth.TokenOptions {
	scopes := wish.Scopes
	if scopes == nil && !wish.NoScope {
		scopes = m.Plan.Scopes
	}
	return oauth.TokenOptions{Scopes: scopes, NoScope: wish.NoScope, Resource: wish.Resource, Who: m.Role}
}

func (c *Cast) mint(ctx context.Context, m *Member, wish TokenWish) (oauth.Token, error) {
	if c.tokens.Add(1) > int64(c.plan.Budget.Tokens) {
		c.tokens.Add(-1)
		return oauth.Token{}, fmt.Errorf("the budget of %d tokens is used up; raise budget.tokens", c.plan.Budget.Tokens)
	}
	exchange, err := c.cfg.Do.Do(ctx, m.TokenRequest(wish))
	if err != nil {
		return oauth.Token{}, err
	}
	return c.Keep(exchange, m, wish)
}

// Keep reads a token from an answer and remembers it as issued in this ride, so that it is tried at the end.
func (c *Cast) Keep(exchange wire.Exchange, m *Member, wish TokenWish) (oauth.Token, error) {
	token, err := oauth.ReadToken(exchange, c.cfg.Keeper, *m.Server, m.Client(), m.options(wish))
	if err != nil {
		return oauth.Token{}, err
	}
	c.mu.Lock()
	c.issued = append(c.issued, token)
	c.mu.Unlock()
	return token, nil
}
