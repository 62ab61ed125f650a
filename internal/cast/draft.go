package cast

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
)

// Draft makes a member that is not registered yet, with the metadata that its registration would send.
func (c *Cast) Draft(ctx context.Context, role string, wish Wish) (*Member, error) {
	described, ok := c.Client(role)
	if !ok {
		return nil, &FactError{Fact: "a " + role, Err: errors.New("the plan has none; add one under clients")}
	}
	server, err := c.Server(ctx, c.HomeServer())
	if err != nil {
		return nil, err
	}
	member, err := c.draft(ctx, described, wish, server)
	if err != nil {
		return nil, &FactError{Fact: "a draft of " + role, Err: err}
	}
	return member, nil
}

// draft makes a member that is not registered yet, with all that its registration presents.
func (c *Cast) draft(ctx context.Context, described plan.Client, wish Wish, server *oauth.Server) (*Member, error) {
	client, metadata, err := c.describe(ctx, server, described, wish)
	if err != nil {
		return nil, err
	}
	member := &Member{Role: described.Name, Plan: described, Server: server, Own: true, cast: c, name: client.Name, metadata: metadata, client: client}
	err = c.vouchers(ctx, member, wish.Claims)
	if err != nil {
		return member, err
	}
	return member, c.sign(member, wish.Signed)
}

// describe makes a client's keys and the metadata of its registration.
func (c *Cast) describe(ctx context.Context, server *oauth.Server, described plan.Client, wish Wish) (oauth.Client, map[string]any, error) {
	n := c.serial.Add(1)
	method := wish.Auth
	if method == "" {
		method = methodOf(described)
	}
	scopes := described.Scopes
	if wish.Scopes != nil {
		scopes = wish.Scopes
	}
	client := oauth.Client{Name: fmt.Sprintf("checkride %s %s %d", c.cfg.Ride, described.Name, n), Auth: method}
	if wish.Like != nil {
		return again(client, wish.Like)
	}
	metadata := map[string]any{
		"client_name":                client.Name,
		"token_endpoint_auth_method": string(method),
		"grant_types":                c.plan.GrantTypes(),
		"response_types":             []any{},
		"redirect_uris":              []any{},
	}
	if len(scopes) > 0 {
		metadata["scope"] = strings.Join(scopes, " ")
	}
	var err error
	bound := described.SenderConstraint == "mtls" && !wish.Unbound && !wish.DPoP
	if bound || method == oauth.TLSClientAuth {
		client.Certificate, err = c.certificate(ctx, described.Name, fmt.Sprintf("%s-%d", described.Name, n))
		if err != nil {
			return client, nil, err
		}
	}
	if bound {
		metadata["tls_client_certificate_bound_access_tokens"] = true
	}
	if wish.DPoP || described.SenderConstraint == "dpop" && !wish.Unbound {
		client.Proof, err = proofKey(server)
		if err != nil {
			return client, nil, err
		}
		metadata["dpop_bound_access_tokens"] = true
	}
	switch method {
	case oauth.PrivateKeyJWT:
		keys := wish.Keys
		if len(keys) == 0 {
			one, err := oauth.NewKey("ES256")
			if err != nil {
				return client, nil, err
			}
			keys = []oauth.Key{one}
		}
		client.Key, metadata["jwks"] = keys[0], oauth.JWKSet(keys...)
	case oauth.SelfSignedTLSClientAuth:
		client.Certificate, err = SelfSigned(client.Name)
		if err != nil {
			return client, nil, err
		}
		metadata["jwks"] = map[string]any{"keys": []any{CertificateJWK(client.Certificate)}}
	case oauth.TLSClientAuth:
		switch {
		case wish.ByDNS:
			client.Certificate, err = c.Issue(described.Name, client.Certificate.Leaf.Subject.CommonName, Fault{DNS: client.Certificate.Leaf.Subject.CommonName})
			if err != nil {
				return client, nil, err
			}
			metadata["tls_client_auth_san_dns"] = client.Certificate.Leaf.DNSNames[0]
		case !namesSubject(described.Metadata):
			metadata["tls_client_auth_subject_dn"] = oauth.SubjectDN(client.Certificate.Leaf)
		}
	}
	client.RegistrationCertificate, err = c.registrationCertificate(ctx, described.Name, fmt.Sprintf("%s-%d", described.Name, n), client)
	if err != nil {
		return client, nil, err
	}
	for _, more := range []map[string]any{c.plan.Registration.Metadata, described.Metadata, wish.Metadata} {
		for name, value := range more {
			if strings.HasPrefix(name, "tls_client_auth_") && (method != oauth.TLSClientAuth || wish.ByDNS) {
				continue
			}
			if value == nil {
				delete(metadata, name)
				continue
			}
			metadata[name] = replaceName(value, described.Name, n)
		}
	}
	return client, metadata, nil
}

// proofKey makes the key to which a member's tokens are bound by DPoP, for an algorithm that the server takes (RFC 9449
// §5.1).
func proofKey(server *oauth.Server) (oauth.Key, error) {
	alg := server.ProofAlgorithm()
	if told := server.ProofAlgorithms(); alg == "" && len(told) > 0 {
		return oauth.Key{}, fmt.Errorf("%s takes DPoP proofs signed with %s, and this program signs with none of them", server.Name, strings.Join(told, ", "))
	}
	return oauth.NewKey(alg)
}

// again describes the software of a client anew: it keeps its keys, certificates and metadata, and gets another name, by
// which the ride finds it.
func again(client oauth.Client, like *Member) (oauth.Client, map[string]any, error) {
	before := like.Client()
	client.Auth, client.Key, client.Proof, client.Certificate, client.RegistrationCertificate = before.Auth, before.Key, before.Proof, before.Certificate, before.RegistrationCertificate
	metadata := maps.Clone(like.metadata)
	metadata["client_name"] = client.Name
	return client, metadata, nil
}

func methodOf(described plan.Client) oauth.Method {
	if described.Auth == "" {
		return oauth.ClientSecretBasic
	}
	return oauth.Method(described.Auth)
}

func namesSubject(metadata map[string]any) bool {
	for name := range metadata {
		if strings.HasPrefix(name, "tls_client_auth_") {
			return true
		}
	}
	return false
}

// replaceName puts the member's own name for {name} in a text of the plan: literally, once.
func replaceName(value any, name string, n int64) any {
	text, ok := value.(string)
	if !ok {
		return value
	}
	return strings.ReplaceAll(text, "{name}", fmt.Sprintf("%s-%d", name, n))
}
