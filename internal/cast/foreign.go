package cast

import (
	"context"
	"fmt"
	"strings"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// CanJoin says whether the ride may register a client at an authorization server where partners are not registered.
func (c *Cast) CanJoin(server string) bool {
	return server != c.HomeServer() && c.plan.AuthorizationServers[server].InitialAccessToken.Text != ""
}

// At gives a client of the partner's kind at another authorization server, registered once. It shows the certificate
// that the partner shows, so that a token of it differs from the partner's in what its issuer wrote and in nothing else.
func (c *Cast) At(ctx context.Context, server string, partner *Member) (*Member, error) {
	key := partner.Role + " " + partner.ID() + " at " + server
	return c.members.Get(ctx, key, func(ctx context.Context) (*Member, error) {
		member, err := c.join(ctx, server, partner)
		if err != nil {
			return nil, &FactError{Fact: fmt.Sprintf("%s registered at %s", partner.Role, server), Err: err}
		}
		return member, nil
	})
}

func (c *Cast) join(ctx context.Context, name string, partner *Member) (*Member, error) {
	if !c.CanJoin(name) {
		return nil, fmt.Errorf("nothing permits it; give authorization_servers.%s.initial_access_token", name)
	}
	server, err := c.Server(ctx, name)
	if err != nil {
		return nil, err
	}
	client, metadata, err := c.describe(ctx, server, partner.Plan, Wish{DPoP: partner.Client().Proof.Signer != nil && partner.Plan.SenderConstraint != "dpop"})
	if err != nil {
		return nil, err
	}
	metadata["grant_types"] = []any{plan.GrantClientCredentials} // the others are agreed with the server of the partners
	client.RegistrationCertificate = nil                         // that is the other server's rule, and not this one's
	if own := partner.Client().Certificate; own != nil && client.Certificate != nil && client.Auth != oauth.SelfSignedTLSClientAuth {
		client.Certificate = own
		asSubject(metadata, partner)
	}
	access, err := c.cfg.Resolver.Secret(c.plan.AuthorizationServers[name].InitialAccessToken, "initial access token")
	if err != nil {
		return nil, err
	}
	request, err := oauth.RegisterRequest(*server, metadata, access)
	if err != nil {
		return nil, err
	}
	member := &Member{Role: partner.Role, Plan: partner.Plan, Server: server, Own: true, cast: c, name: client.Name, metadata: metadata, client: client}
	exchange, err := c.Register(ctx, member, request)
	if err != nil {
		return nil, err
	}
	if decision, why := oauth.RegistrationDecision(exchange); decision != wire.Accepted {
		return nil, fmt.Errorf("the registration was not accepted: %s", why)
	}
	return member, c.settle(ctx, member)
}

// asSubject names the partner's certificate in metadata that were made for another one (RFC 8705 §2.1.2).
func asSubject(metadata map[string]any, partner *Member) {
	for name := range metadata {
		if !strings.HasPrefix(name, "tls_client_auth_") {
			continue
		}
		if registered, ok := partner.Metadata()[name]; ok {
			metadata[name] = registered
		} else if name == "tls_client_auth_subject_dn" {
			metadata[name] = oauth.SubjectDN(partner.Client().Certificate.Leaf)
		}
	}
}
