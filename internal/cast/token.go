package cast

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	Keep     bool // which later requests of this client may use, too
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
	if point != nil && !point.TakesTokens() {
		return m.standing(ctx, point)
	}
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
	if m.cast.lives(s.token) {
		return s.token, nil
	}
	token, err := m.cast.mint(ctx, m, m.optionsFor(point))
	if err == nil {
		err = shownAt(point, token)
	}
	if err != nil {
		return oauth.Token{}, &FactError{Fact: fmt.Sprintf("a token of %s at %s", m.Role, m.Server.Name), Err: err}
	}
	s.token = token
	return token, nil
}

// shownAt says why a token cannot be shown at a point, or nothing.
func shownAt(point *plan.Point, token oauth.Token) error {
	if point == nil || point.Credential != "dpop" || token.Proof.Signer != nil {
		return nil
	}
	return fmt.Errorf("the point wants DPoP, and the token has token_type %q and no key; say sender_constraint: dpop, or look whether the server knows DPoP", token.Type)
}

// lives says whether a shared token may be used on. Of one whose end is not told (RFC 6749 §5.1 only recommends
// expires_in) the plan's bound for lifetimes is all that is known.
func (c *Cast) lives(token oauth.Token) bool {
	switch {
	case token.Text.Empty():
		return false
	case token.Expires.IsZero():
		return time.Since(token.Obtained) < c.plan.Limits.TokenLifetime.D()/3
	}
	return time.Until(token.Expires) > max(token.Lifetime/3, time.Second)
}

// standing gives what a member shows at a point that takes no tokens of an authorization server.
func (m *Member) standing(ctx context.Context, point *plan.Point) (oauth.Token, error) {
	client := m.Client()
	token := oauth.Token{Client: client.ID, Certificate: client.Certificate, Obtained: time.Now()}
	fact := fmt.Sprintf("what %s shows at %s (%s)", m.Role, point.Name, point.Credential)
	var err error
	switch point.Credential {
	case "mtls":
		if client.Certificate == nil {
			err = errors.New("it has no certificate; give one under certificate")
		}
	case "api_key":
		token.Text, err = m.keyFor(ctx, point)
	case "basic":
		token.Text = client.Secret
		if client.Secret.Empty() {
			err = errors.New("it has no secret; say auth: client_secret_basic")
		}
	case "exec": // its signer makes it of each request
	default:
		err = fmt.Errorf("points with credential %s cannot be tested yet", point.Credential)
	}
	if err != nil {
		return token, &FactError{Fact: fact, Err: err}
	}
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
	request.Over.Fresh, request.Over.Keep = wish.Fresh, wish.Keep
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
	if command := c.plan.AuthorizationServers[m.Server.Name].Token.Exec; len(command) > 0 {
		err := c.mayMint()
		if err != nil {
			return oauth.Token{}, err
		}
		return c.minted(m, command, wish)
	}
	if c.plan.HookMints(m.Server.Name) {
		return c.mintedByHook(ctx, m, wish)
	}
	exchange, err := patiently(ctx, func() (wire.Exchange, error) { return c.Ask(ctx, m.TokenRequest(wish)) })
	if err != nil {
		return oauth.Token{}, err
	}
	return c.Keep(exchange, m, wish)
}

// mayMint says that the budget allows one more token.
func (c *Cast) mayMint() error {
	if c.tokens.Load() >= int64(c.plan.Budget.Tokens) {
		return fmt.Errorf("the budget of %d tokens is used up; raise budget.tokens", c.plan.Budget.Tokens)
	}
	return nil
}

// Ask sends a token request within the budget.
func (c *Cast) Ask(ctx context.Context, request wire.Request) (wire.Exchange, error) {
	err := c.mayMint()
	if err != nil {
		return wire.Exchange{}, err
	}
	return c.cfg.Do.Do(ctx, request)
}

// minted gives a token that a command of the operator prints: a bridge from SAML, a vault.
func (c *Cast) minted(m *Member, command []string, wish TokenWish) (oauth.Token, error) {
	quoted := make([]string, len(command))
	for i, argument := range command {
		quoted[i] = `"` + strings.ReplaceAll(argument, `"`, `\"`) + `"`
	}
	text, err := c.cfg.Resolver.Secret(plan.Reference{Text: "exec:" + strings.Join(quoted, " ")}, "token")
	if err != nil {
		return oauth.Token{}, err
	}
	token := oauth.Token{Text: text, Type: "Bearer", Obtained: time.Now(), Client: m.ID(), Resource: wish.Resource, Scope: m.options(wish).Scopes, Certificate: m.Client().Certificate}
	c.remember(m, token)
	return token, nil
}

// mintedByHook gives a token that the operator's hook answers with, as a token endpoint would (RFC 6749 §5.1).
func (c *Cast) mintedByHook(ctx context.Context, m *Member, wish TokenWish) (oauth.Token, error) {
	err := c.mayMint()
	if err != nil {
		return oauth.Token{}, err
	}
	certificate := m.Client().Certificate
	exchange, err := c.Hook(ctx, plan.MintToken, m, map[string]string{
		"scope": strings.Join(m.options(wish).Scopes, " "), "resource": wish.Resource, "thumbprint": Thumbprint(certificate),
	})
	if err != nil {
		return oauth.Token{}, err
	}
	exchange.Request.Over.Certificate = certificate // to which the hook was asked to bind it
	return c.Keep(exchange, m, wish)
}

func (c *Cast) remember(m *Member, token oauth.Token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens.Add(1)
	c.issued = append(c.issued, token)
	c.bearers[token.Text] = m
}

// Tokens gives all tokens that the ride was given, the oldest first.
func (c *Cast) Tokens() []oauth.Token {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.issued)
}

// Bearer gives the member to whom a token was issued, or nil.
func (c *Cast) Bearer(token oauth.Token) *Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bearers[token.Text]
}

// Keep reads a token from an answer and remembers it as issued in this ride, so that it is tried at the end.
func (c *Cast) Keep(exchange wire.Exchange, m *Member, wish TokenWish) (oauth.Token, error) {
	token, err := oauth.ReadToken(exchange, c.cfg.Keeper, *m.Server, m.Client(), m.options(wish))
	if err != nil {
		return oauth.Token{}, err
	}
	c.remember(m, token)
	return token, nil
}

// Usual is the wish with which the member asks for tokens day by day: that for the first point which takes tokens of its
// server. A server may demand a resource, or make other tokens without one.
func (m *Member) Usual() TokenWish { return m.optionsFor(m.cast.firstPoint(m.Server.Name)) }

// ForgetTokens drops the member's shared tokens: they were made to die, and the next who asks needs living ones.
func (m *Member) ForgetTokens() {
	own := m.ID() + "|"
	m.cast.mu.Lock()
	defer m.cast.mu.Unlock()
	for key := range m.cast.shared {
		if strings.HasPrefix(key, own) {
			delete(m.cast.shared, key)
		}
	}
}

// ForgetTokens drops everybody's shared tokens: the key that signed them is gone.
func (c *Cast) ForgetTokens() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.shared)
}
