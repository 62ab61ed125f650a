package point

import (
	"encoding/json"
	"net/http"
)

// metadataPath is where a resource without a path of its own describes itself (RFC 9728 §3.1).
const metadataPath = "/.well-known/oauth-protected-resource"

// describe serves the protected resource metadata (RFC 9728 §2, §3.2), to everybody.
func (p *Point) describe(w http.ResponseWriter, resource string) {
	if resource == "" {
		resource = p.Resource
	}
	body, err := json.Marshal(map[string]any{
		"resource":                                   resource,
		"authorization_servers":                      []string{p.Issuer},
		"bearer_methods_supported":                   []string{"header"},
		"scopes_supported":                           p.Scopes,
		"tls_client_certificate_bound_access_tokens": true,
	})
	if err != nil {
		http.Error(w, "the metadata could not be encoded", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}
