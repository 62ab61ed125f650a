package oauth

// RFC 8414: authorization server metadata.

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/checkride/checkride/internal/wire"
)

// IssuerMismatch says that a metadata document names another issuer than it was asked for. RFC 8414 §3.3: it MUST NOT
// be used then. [Discover] gives the server beside it, for the checks that judge the document.
type IssuerMismatch struct{ Server, Want, Got string }

func (e *IssuerMismatch) Error() string {
	return fmt.Sprintf("authorization server %s: its metadata names the issuer %q and not %q (RFC 8414 §3.3); correct authorization_servers.%s.issuer in the plan, or the server",
		e.Server, e.Got, e.Want, e.Server)
}

// Discover reads the server's metadata: at the URL that was given by hand, else where RFC 8414 §3.1 puts it, else where
// OpenID Connect Discovery §4 does. Endpoints given by hand win, and with a token endpoint among them the document may
// be missing. The exchange is that of the document, or the last that was tried.
func Discover(ctx context.Context, do wire.Doer, name, issuer string, byHand Endpoints) (Server, wire.Exchange, error) {
	s := Server{Name: name, Issuer: issuer, Endpoints: byHand}
	var last wire.Exchange
	var found error
	for _, url := range metadataURLs(issuer, byHand.Metadata) {
		r := to(name, http.MethodGet, url)
		x, err := do.Do(ctx, r)
		last = x
		if err != nil {
			return s, x, fmt.Errorf("metadata of authorization server %s at %s: %w", name, url, err)
		}
		m, err := read(x, http.StatusOK)
		if err != nil {
			found = fmt.Errorf("%s: %w", url, err)
			continue
		}
		s = s.described(m, url, byHand)
		if got := text(m["issuer"]); issuer != "" && got != issuer {
			return s, x, &IssuerMismatch{Server: name, Want: issuer, Got: got}
		}
		found = nil
		break
	}
	if s.Endpoints.Token == "" {
		return s, last, missingToken(name, found)
	}
	return s, last, nil
}

func missingToken(name string, found error) error {
	advice := fmt.Sprintf("put authorization_servers.%s.endpoints.token in the plan", name)
	if found == nil {
		return fmt.Errorf("authorization server %s: no token endpoint is known; %s", name, advice)
	}
	var none *NoAnswer
	if errors.As(found, &none) && none.Shut() {
		return fmt.Errorf("authorization server %s: no metadata (%w)", name, found)
	}
	return fmt.Errorf("authorization server %s: no metadata (%w); correct its issuer, or %s", name, found, advice)
}

// metadataURLs are the places of the document. RFC 8414 §3.1 inserts the well-known string between host and path,
// OpenID Connect Discovery §4 appends it; both drop a final slash of the issuer.
func metadataURLs(issuer, byHand string) []string {
	if byHand != "" {
		return []string{byHand}
	}
	if issuer == "" {
		return nil
	}
	origin, path := split(strings.TrimRight(issuer, "/"))
	path = strings.TrimRight(path, "/")
	return []string{
		origin + "/.well-known/oauth-authorization-server" + path,
		origin + path + "/.well-known/openid-configuration",
	}
}

func (s Server) described(m map[string]any, url string, byHand Endpoints) Server {
	s.Metadata = m
	s.Issuer = first(s.Issuer, text(m["issuer"]))
	s.Endpoints = byHand.or(endpointsOf(m))
	s.Endpoints.Metadata = url
	aliases, _ := m["mtls_endpoint_aliases"].(map[string]any)
	s.Aliases = endpointsOf(aliases)
	// What was given by hand wins over the alias of the same endpoint too.
	if byHand.Token != "" {
		s.Aliases.Token = ""
	}
	if byHand.Introspection != "" {
		s.Aliases.Introspection = ""
	}
	if byHand.Revocation != "" {
		s.Aliases.Revocation = ""
	}
	return s
}

func endpointsOf(m map[string]any) Endpoints {
	return Endpoints{
		Token:         text(m["token_endpoint"]),
		Registration:  text(m["registration_endpoint"]),
		Introspection: text(m["introspection_endpoint"]),
		Revocation:    text(m["revocation_endpoint"]),
		JWKS:          text(m["jwks_uri"]),
	}
}
