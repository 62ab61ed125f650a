package as

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/checkride/checkride/internal/defect"
)

// aliasPath is where the endpoints stand for clients that do mutual TLS (RFC 8705 §5). All endpoints of this server ask
// for a certificate, so the aliases are the same endpoints on another path.
const aliasPath = "/mtls"

func (s *Server) aliases() map[string]string {
	return map[string]string{
		"token_endpoint":         s.cfg.Issuer + aliasPath + "/token",
		"introspection_endpoint": s.cfg.Issuer + aliasPath + "/introspect",
		"revocation_endpoint":    s.cfg.Issuer + aliasPath + "/revoke",
	}
}

// keySetAge is how long the key set may be kept, in seconds: a key that is withdrawn is trusted for as long.
const keySetAge = 1

// described serves the document as a healthy server does, or with the one thing wrong that a defect has.
func (s *Server) described(c *call, document map[string]any) answer {
	d := c.defects
	a := answer{status: http.StatusOK, body: document}
	if d.MetadataTypo {
		rename(document, "introspection_endpoint_auth_signing_alg_values_supported", "introspection_endpoint_auth_signing_alg_value_supported")
	}
	if d.BindingUnadvertised {
		delete(document, "tls_client_certificate_bound_access_tokens")
	}
	if d.DocumentsDisagree && strings.HasSuffix(c.r.URL.Path, "/openid-configuration") {
		document["revocation_endpoint"] = s.cfg.Issuer + "/v1/revoke"
	}
	if d.MetadataDrift {
		document["scopes_supported"] = append(slices.Clone(s.cfg.Grantable), "reports:read")
	}
	aliases := s.aliases()
	if d.AliasOverHTTP {
		aliases["introspection_endpoint"] = strings.Replace(aliases["introspection_endpoint"], "https://", "http://", 1)
		document["mtls_endpoint_aliases"] = aliases
	}
	if d.AliasLeadsNowhere {
		aliases["introspection_endpoint"] += "ion"
		document["mtls_endpoint_aliases"] = aliases
	}
	if d.MetadataAsText {
		a.header = http.Header{"Content-Type": {"text/plain; charset=utf-8"}}
	}
	return a
}

func rename(document map[string]any, from, to string) {
	document[to] = document[from]
	delete(document, from)
}

// MetadataDigest is the SHA-256 of the healthy metadata, in hex, of its JSON with members sorted by name and lists of
// words sorted: what an operator pins when a partner is agreed with.
func (s *Server) MetadataDigest() (string, error) {
	raw, err := json.Marshal(s.document(defect.Set{}))
	if err != nil {
		return "", fmt.Errorf("digest of the metadata: %w", err)
	}
	var document map[string]any
	err = json.Unmarshal(raw, &document)
	if err != nil {
		return "", fmt.Errorf("digest of the metadata: %w", err)
	}
	for _, value := range document {
		if list, ok := value.([]any); ok {
			slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
	}
	raw, err = json.Marshal(document) // sorts by name
	if err != nil {
		return "", fmt.Errorf("digest of the metadata: %w", err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}

// keySetHeader says how long the key set may be kept (RFC 9111 §5.2.2.1).
func keySetHeader(d defect.Set) http.Header {
	age := keySetAge
	if d.KeySetCachedForADay {
		age = 24 * 60 * 60
	}
	return http.Header{"Cache-Control": {fmt.Sprintf("public, max-age=%d", age)}}
}

// takenAlgorithms are those with which an assertion may be signed.
func takenAlgorithms(d defect.Set) []jose.SignatureAlgorithm {
	algorithms := assertionAlgorithms()
	if d.AssertionKeyConfusion {
		algorithms = append(algorithms, jose.HS256)
	}
	if d.AssertionAlgorithmsOpen {
		algorithms = append(algorithms, jose.ES384, jose.ES512, jose.PS384, jose.PS512, jose.RS256, jose.RS384, jose.RS512)
	}
	if d.AdvertisedOnly {
		algorithms = slices.DeleteFunc(algorithms, func(a jose.SignatureAlgorithm) bool { return a == jose.PS256 })
	}
	return algorithms
}
