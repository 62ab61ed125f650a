package cast

import (
	"context"
	"errors"
	"strings"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
)

// Elsewhere is the role of the partner as it is in the plan's other environment.
const Elsewhere = "partner elsewhere"

// PartnerElsewhere gives the partner with what it holds in the other environment. Its server is that of there; without
// an issuer in the plan it has none, and its credentials cannot be seen to be good.
func (c *Cast) PartnerElsewhere(ctx context.Context) (*Member, error) {
	return c.members.Get(ctx, Elsewhere, func(ctx context.Context) (*Member, error) {
		other := c.plan.OtherEnvironment
		if other == nil {
			return nil, &FactError{Fact: "the partner in another environment", Err: errors.New("the plan has none; add other_environment")}
		}
		member, err := c.elsewhere(ctx, *other)
		if err != nil {
			return nil, &FactError{Fact: "the partner in " + other.Name, Err: err}
		}
		return member, nil
	})
}

func (c *Cast) elsewhere(ctx context.Context, other plan.OtherEnvironment) (*Member, error) {
	partner, _ := c.Client(Partner)
	described := plan.Client{Name: Elsewhere, Auth: other.Auth, Scopes: other.Scopes, Resource: partner.Resource, Certificate: other.Certificate}
	if described.Scopes == nil {
		described.Scopes = partner.Scopes
	}
	id, err := c.cfg.Resolver.Text(other.ID)
	if err != nil {
		return nil, err
	}
	client := oauth.Client{Name: Elsewhere, ID: id, Auth: oauth.Method(other.Auth)}
	if !other.Secret.Empty() {
		client.Secret, err = c.cfg.Resolver.Secret(other.Secret, "secret")
		if err != nil {
			return nil, err
		}
	}
	if !other.Key.Empty() {
		client.Key, err = c.keyOf(other.Key)
		if err != nil {
			return nil, err
		}
	}
	made, err := newIssuer(c.cfg.Resolver, described)
	if err != nil {
		return nil, err
	}
	if made != nil {
		client.Certificate = made.given
		c.showing(Elsewhere, client.Certificate)
	}
	server := &oauth.Server{Name: other.Name}
	if other.Issuer != "" {
		found, _, err := oauth.Discover(ctx, c.cfg.Do, other.Name, other.Issuer, oauth.Endpoints{})
		if err != nil {
			return nil, err
		}
		server = &found
	}
	return &Member{Role: Elsewhere, Plan: described, Server: server, cast: c, name: Elsewhere, client: client}, nil
}

// keyOf reads a private key of the plan.
func (c *Cast) keyOf(reference plan.Reference) (oauth.Key, error) {
	text, err := c.cfg.Resolver.Text(reference)
	if err != nil {
		return oauth.Key{}, err
	}
	c.cfg.Keeper.Keep("key", text)
	key, err := oauth.ParseKey(text)
	if err == nil && strings.Contains(text, "-----BEGIN") {
		key.ID = "" // a PEM names no kid, and a guessed one would not be the registered one; a JWK can name it
	}
	return key, err
}

// TokenElsewhere gives the plan's token of the other environment; empty: it names none.
func (c *Cast) TokenElsewhere() (secret.Text, error) {
	if other := c.plan.OtherEnvironment; other != nil && !other.Token.Empty() {
		return c.cfg.Resolver.Secret(other.Token, "token")
	}
	return secret.Text{}, nil
}

// Wearing gives the member with something of its client changed, at a server: a copy that nobody else sees.
func (m *Member) Wearing(server *oauth.Server, change func(*oauth.Client)) *Member {
	client := m.Client()
	change(&client)
	return &Member{Role: m.Role, Plan: m.Plan, Server: server, Own: m.Own, cast: m.cast, name: m.name, metadata: m.metadata, client: client}
}
