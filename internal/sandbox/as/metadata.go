package as

import (
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/dpop"
)

// metadata is the authorization server's description of itself (RFC 8414 §2).
func (s *Server) metadata(c *call) answer {
	return s.described(c, s.document(c.defects))
}

func (s *Server) document(defects defect.Set) map[string]any {
	methods := []string{clientSecretBasic, clientSecretPost, privateKeyJWT, tlsClientAuth, selfSignedTLSClientAuth}
	algorithms := []string{}
	for _, a := range assertionAlgorithms() {
		algorithms = append(algorithms, string(a))
	}
	if defects.NoneAdvertised {
		algorithms = append(algorithms, "none")
	}
	issuer := s.cfg.Issuer
	if defects.IssuerMismatch {
		issuer += "/"
	}
	if defects.IssuerBehindProxy {
		issuer = "https://as-0.internal:8443"
	}
	return map[string]any{
		"issuer":                 issuer,
		"token_endpoint":         s.cfg.Issuer + "/token",
		"jwks_uri":               s.cfg.Issuer + "/jwks",
		"registration_endpoint":  s.cfg.Issuer + "/register",
		"introspection_endpoint": s.cfg.Issuer + "/introspect",
		"revocation_endpoint":    s.cfg.Issuer + "/revoke",
		"scopes_supported":       s.cfg.Grantable,
		"grant_types_supported":  s.grants(),
		// REQUIRED, though nothing here answers at an authorization endpoint.
		"response_types_supported":                                 []string{"none"},
		"token_endpoint_auth_methods_supported":                    methods,
		"introspection_endpoint_auth_methods_supported":            methods,
		"revocation_endpoint_auth_methods_supported":               methods,
		"token_endpoint_auth_signing_alg_values_supported":         algorithms,
		"introspection_endpoint_auth_signing_alg_values_supported": algorithms,
		"revocation_endpoint_auth_signing_alg_values_supported":    algorithms,
		"tls_client_certificate_bound_access_tokens":               true,
		"dpop_signing_alg_values_supported":                        dpop.Algorithms(),
		"mtls_endpoint_aliases":                                    s.aliases(),
	}
}
