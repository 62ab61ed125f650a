package cast

import (
	"errors"
	"fmt"
	"strings"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
)

// Sheet is what people need to know to make a client of the plan by hand, as client metadata (RFC 7591 §2): its name, how
// it authenticates with the public part of its key, its scopes. It holds no secret.
func (c *Cast) Sheet(role string) (map[string]any, error) {
	described, ok := c.Client(role)
	if !ok {
		return nil, &FactError{Fact: "a " + role, Err: errors.New("the plan has none; add one under clients")}
	}
	method := methodOf(described)
	metadata := map[string]any{
		"client_name":                fmt.Sprintf("checkride %s %s", c.cfg.Ride, role),
		"token_endpoint_auth_method": string(method),
		"grant_types":                c.plan.GrantTypes(),
	}
	if len(described.Scopes) > 0 {
		metadata["scope"] = strings.Join(described.Scopes, " ")
	}
	if described.SenderConstraint == "mtls" {
		metadata["tls_client_certificate_bound_access_tokens"] = true
	}
	if described.SenderConstraint == "dpop" {
		metadata["dpop_bound_access_tokens"] = true
	}
	err := c.credentials(described, method, metadata)
	if err != nil {
		return nil, &FactError{Fact: role + " as described", Err: err}
	}
	for _, more := range []map[string]any{c.plan.Registration.Metadata, described.Metadata} {
		for name, value := range more {
			metadata[name] = value
		}
	}
	return metadata, nil
}

// credentials adds what the server must know of a client's key or certificate.
func (c *Cast) credentials(described plan.Client, method oauth.Method, metadata map[string]any) error {
	switch method {
	case oauth.PrivateKeyJWT:
		text, err := c.cfg.Resolver.Text(described.Key)
		if err != nil {
			return err
		}
		c.cfg.Keeper.Keep("key", text)
		key, err := oauth.ParseKey(text)
		if err != nil {
			return err
		}
		metadata["jwks"] = map[string]any{"keys": []any{key.JWK()}}
	case oauth.TLSClientAuth:
		if namesSubject(described.Metadata) {
			break
		}
		subject, err := c.subjectDN(described.Name)
		if err != nil {
			return err
		}
		metadata["tls_client_auth_subject_dn"] = subject
	case oauth.SelfSignedTLSClientAuth:
		made := c.issuers[described.Name]
		if made == nil || made.given == nil {
			return fmt.Errorf("clients.%s authenticates by a self-signed certificate, which people register; give it under certificate.cert and certificate.key", described.Name)
		}
		metadata["jwks"] = map[string]any{"keys": []any{CertificateJWK(made.given)}}
	}
	return nil
}
