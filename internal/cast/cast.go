// Package cast plays the people of a ride: the partner, the neighbour (a second honest partner), the resource server,
// the stranger who has nothing and the thief who holds copies.
//
// Start with [New] and [Cast.Member]. Facts (discovered, registered, calibrated) are computed once, by whoever asks
// first; a fact that fails is a [FactError] whose cause travels to everything that rests on it.
package cast

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/checkride/checkride/internal/ledger"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// Roles of the cast that authenticate.
const (
	Partner        = "partner"
	Neighbour      = "neighbour"
	ResourceServer = "resource_server"

	// SecondResourceServer may introspect tokens for its own resource alone.
	SecondResourceServer = "second_resource_server"
)

// Config is what a cast needs.
type Config struct {
	Plan     *plan.Plan
	Do       wire.Doer
	Keeper   *secret.Keeper
	Resolver plan.Resolver
	Ledger   *ledger.Ledger // nil: nothing may be created
	Ride     string         // unique; part of every client_name
	Note     func(logbook.Note)
	NewKey   func(alg string) (oauth.Key, error) // nil: oauth.NewKey
	Rules    Rules

	Witness func(wire.Exchange) wire.Exchange // records what a command of the operator did; nil: nobody does
}

// Rules are the parts of the rules of truth that the cast holds. The zero value holds them all; a test takes one out to
// show that the ride then lies.
type Rules struct {
	NoCalibration bool // rule 11
	NoSettling    bool // rule 13
}

// Cast is everybody who plays in one ride.
type Cast struct {
	cfg     Config
	plan    *plan.Plan
	serial  atomic.Int64
	tokens  atomic.Int64
	clients atomic.Int64
	issuers map[string]*issuer // by client name of the plan

	directory oauth.Key // signs software statements, where the plan gives it
	software  oauth.Key // signs registrations as a whole, where the plan gives it
	vouching  oauth.Key // signs assertions that are authorization grants, where the plan gives it

	servers    Facts[*oauth.Server]
	members    Facts[*Member]
	calibrated Facts[Calibration]

	mu       sync.Mutex
	shared   map[string]*slot
	created  []*Member
	lost     []*Member         // may have come to be, and nobody knows their client_id
	spent    map[string]string // by client_id: why a given client cannot play any more
	failures map[string]int    // failed authentications by client_id
	shown    map[string]string // by thumbprint: whose certificate it is
	issued   []oauth.Token
	bearers  map[secret.Text]*Member
	certs    int

	hooks map[string]int // how often each hook was played

	players map[string][]*Member             // by client_id: who plays a given client
	renewed map[string][]func(*oauth.Client) // by client_id: what was changed of a given client
}

// New makes a cast and resolves what the plan refers to. Nothing is sent yet.
func New(cfg Config) (*Cast, error) {
	c := &Cast{
		cfg: cfg, plan: cfg.Plan,
		issuers:  map[string]*issuer{},
		shared:   map[string]*slot{},
		bearers:  map[secret.Text]*Member{},
		spent:    map[string]string{},
		failures: map[string]int{},
		shown:    map[string]string{},
	}
	if c.cfg.NewKey == nil {
		c.cfg.NewKey = oauth.NewKey
	}
	if c.cfg.Note == nil {
		c.cfg.Note = func(logbook.Note) {}
	}
	for _, client := range cfg.Plan.Clients {
		made, err := newIssuer(cfg.Resolver, client)
		if err != nil {
			return nil, fmt.Errorf("clients.%s.certificate: %w", client.Name, err)
		}
		c.issuers[client.Name] = made
	}
	var err error
	c.directory, err = directoryKey(cfg.Resolver, cfg.Plan.Registration.Statement)
	if err != nil {
		return nil, fmt.Errorf("registration.software_statement.key: %w", err)
	}
	if signed := cfg.Plan.Registration.SignedRequest; signed != nil {
		c.software, err = signingKey(cfg.Resolver, signed.Key, signed.Alg, signed.KeyID)
		if err != nil {
			return nil, fmt.Errorf("registration.signed_request.key: %w", err)
		}
	}
	c.vouching, err = grantKey(cfg.Resolver, cfg.Plan.Grants.Bearer)
	if err != nil {
		return nil, fmt.Errorf("grants.jwt_bearer.key: %w", err)
	}
	return c, nil
}

// NewKey makes a key pair for an algorithm of RFC 7518 §3.1.
func (c *Cast) NewKey(alg string) (oauth.Key, error) { return c.cfg.NewKey(alg) }

// Plan gives the plan that is played.
func (c *Cast) Plan() *plan.Plan { return c.plan }

// Keeper gives the keeper of the ride's secrets.
func (c *Cast) Keeper() *secret.Keeper { return c.cfg.Keeper }

// Client gives the plan's entry of a role.
func (c *Cast) Client(role string) (plan.Client, bool) { return c.plan.Client(role) }

// Has says whether the plan has this role.
func (c *Cast) Has(role string) bool {
	_, ok := c.Client(role)
	return ok
}

// Registers says whether the ride can make clients of its own.
func (c *Cast) Registers() bool { return c.plan.Registers() }

// Makes says whether the ride makes the clients of a role itself. A client that has an id in the plan is somebody's.
func (c *Cast) Makes(role string) bool {
	described, ok := c.Client(role)
	return ok && c.Registers() && described.ID.Empty()
}

// HomeServer is the name of the authorization server at which partners are registered.
func (c *Cast) HomeServer() string {
	if c.plan.Registration.Server != "" {
		return c.plan.Registration.Server
	}
	if _, ok := c.plan.AuthorizationServers["main"]; ok {
		return "main"
	}
	names := make([]string, 0, len(c.plan.AuthorizationServers))
	for name := range c.plan.AuthorizationServers {
		names = append(names, name)
	}
	sort.Strings(names)
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// Server discovers an authorization server, once.
func (c *Cast) Server(ctx context.Context, name string) (*oauth.Server, error) {
	return c.servers.Get(ctx, name, func(ctx context.Context) (*oauth.Server, error) {
		described, ok := c.plan.AuthorizationServers[name]
		if !ok {
			return nil, &FactError{Fact: "authorization server " + name, Err: errors.New("is not in the plan; add it under authorization_servers")}
		}
		if len(described.Token.Exec) > 0 {
			return &oauth.Server{Name: name, Issuer: described.Issuer}, nil // its tokens come from a command
		}
		if c.plan.HookMints(name) {
			at := described.Endpoints
			return &oauth.Server{Name: name, Endpoints: oauth.Endpoints{Registration: at.Registration, Introspection: at.Introspection, Revocation: at.Revocation, JWKS: at.JWKS}}, nil
		}
		byHand := oauth.Endpoints{
			Metadata: described.Endpoints.Metadata, Token: described.Endpoints.Token, Registration: described.Endpoints.Registration,
			Introspection: described.Endpoints.Introspection, Revocation: described.Endpoints.Revocation, JWKS: described.Endpoints.JWKS,
		}
		var server oauth.Server
		var sent time.Time
		exchange, err := patiently(ctx, func() (wire.Exchange, error) {
			var exchange wire.Exchange
			var err error
			sent = time.Now()
			server, exchange, err = oauth.Discover(ctx, c.cfg.Do, name, described.Issuer, byHand)
			return exchange, err
		})
		var mismatch *oauth.IssuerMismatch
		if errors.As(err, &mismatch) { // discover.issuer-is-itself judges it; the rest of the path is worth its test all the same
			c.cfg.Note(logbook.Note{About: "discovery", Point: name, Text: err.Error()})
			err = nil
		}
		if err != nil {
			return nil, &FactError{Fact: "metadata of " + name, Err: err}
		}
		if !exchange.Date.IsZero() && !c.cfg.Rules.NoCalibration {
			server.Clock = clockOffset(exchange.Date, sent, exchange.Received)
		}
		return &server, nil
	})
}

// clockOffset estimates a host's clock minus ours from one Date header, which names whole seconds: the truth lies
// within half a second plus half the round trip. Less than that is no offset.
func clockOffset(date, sent, received time.Time) time.Duration {
	middle := sent.Add(received.Sub(sent) / 2)
	offset := date.Add(500 * time.Millisecond).Sub(middle)
	width := 500*time.Millisecond + received.Sub(sent)/2
	if offset.Abs() <= width+100*time.Millisecond {
		return 0
	}
	return offset
}

// Member gives the shared player of a role, registered once and settled.
func (c *Cast) Member(ctx context.Context, role string) (*Member, error) {
	return c.MemberWith(ctx, role, Wish{})
}

// MemberWith gives the shared player of a role with a wish, registered once for that wish.
func (c *Cast) MemberWith(ctx context.Context, role string, wish Wish) (*Member, error) {
	member, err := c.members.Get(ctx, role+"|"+wish.key(), func(ctx context.Context) (*Member, error) { return c.come(ctx, role, wish) })
	if err != nil {
		return nil, err
	}
	return member, c.stillThere(member)
}

// Own gives a player of a role that nobody else uses: registered anew where the ride can register, else the given one.
func (c *Cast) Own(ctx context.Context, role string, wish Wish) (*Member, error) {
	return c.come(ctx, role, wish)
}

func (c *Cast) come(ctx context.Context, role string, wish Wish) (*Member, error) {
	described, ok := c.Client(role)
	if !ok {
		return nil, &FactError{Fact: "a " + role, Err: errors.New("the plan has none; add one under clients")}
	}
	if described.ID.Text != "" {
		if wish.Auth != "" && string(wish.Auth) != described.Auth {
			return nil, &FactError{Fact: "a " + role + " that authenticates by " + string(wish.Auth), Err: errors.New("the given client uses " + described.Auth + "; give one that uses the other method, or let the ride register")}
		}
		member, err := c.given(ctx, described, wish)
		if err != nil {
			return nil, err
		}
		return member, c.stillThere(member)
	}
	if !c.Registers() {
		return nil, &FactError{Fact: "a " + role, Err: errors.New("registration is given and the client has no id in the plan; give clients." + role + ".id")}
	}
	return c.register(ctx, described, wish)
}

func (c *Cast) firstPoint(server string) *plan.Point {
	for i := range c.plan.Points {
		if c.TokenServer(&c.plan.Points[i]) == server {
			return &c.plan.Points[i]
		}
	}
	return nil
}

// TokenServer is the name of the authorization server whose tokens a point takes.
func (c *Cast) TokenServer(point *plan.Point) string {
	if point != nil && point.TokenFrom != "" {
		return point.TokenFrom
	}
	return c.HomeServer()
}

// Issued says whether this text is a token that was issued in this ride, and to whom: such a token is real and must be
// proven good elsewhere before its refusal counts (rule 2).
func (c *Cast) Issued(text secret.Text) (oauth.Token, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.issued, func(t oauth.Token) bool { return t.Text == text })
	if i < 0 {
		return oauth.Token{}, false
	}
	return c.issued[i], true
}

// Shows says whose certificate this is, by its thumbprint; empty: nobody's of the cast. Such a certificate is real and
// must be proven good elsewhere before its refusal counts (rule 2).
func (c *Cast) Shows(thumbprint string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shown[thumbprint]
}

// showing keeps in mind with which certificate a member came.
func (c *Cast) showing(role string, certificate *tls.Certificate) {
	if certificate == nil {
		return
	}
	c.mu.Lock()
	c.shown[Thumbprint(certificate)] = role
	c.mu.Unlock()
}

// Created tells how much the ride created in the stack.
func (c *Cast) Created() map[string]int {
	c.mu.Lock()
	certs := c.certs
	c.mu.Unlock()
	return map[string]int{"clients": int(c.clients.Load()), "tokens": int(c.tokens.Load()), "certificates": certs}
}

// Budget tells what was used of what the plan allows.
func (c *Cast) Budget() []string {
	c.mu.Lock()
	most := 0
	for _, n := range c.failures {
		most = max(most, n)
	}
	c.mu.Unlock()
	return []string{
		fmt.Sprintf("tokens %d of %d", c.tokens.Load(), c.plan.Budget.Tokens),
		fmt.Sprintf("registrations %d of %d", c.clients.Load(), c.plan.Budget.Registrations),
		fmt.Sprintf("failed authentications of one client %d of %d", most, c.plan.Budget.FailedAuth.PerClient),
	}
}
