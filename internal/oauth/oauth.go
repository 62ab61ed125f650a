// Package oauth is the client's side of the protocols, a file per RFC: pure functions that make [wire.Request] values
// and read [wire.Exchange] values. It has no network of its own; [Discover] is given one.
//
// Start with [Discover], which finds a [Server], and with [Server.TokenRequest].
package oauth

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// Method is how a client authenticates at the token endpoint: a value of token_endpoint_auth_method (RFC 7591 §2,
// RFC 8705 §2.1.1 and §2.2.1, OpenID Connect Core §9).
type Method string

const (
	ClientSecretBasic       Method = "client_secret_basic"
	ClientSecretPost        Method = "client_secret_post"
	PrivateKeyJWT           Method = "private_key_jwt"
	TLSClientAuth           Method = "tls_client_auth"
	SelfSignedTLSClientAuth Method = "self_signed_tls_client_auth"
	None                    Method = "none" // a public client: client_id alone
)

// Endpoints are whole URLs; an empty one is not known.
type Endpoints struct{ Token, Registration, Introspection, Revocation, JWKS, Metadata string }

// or fills what e does not know from other.
func (e Endpoints) or(other Endpoints) Endpoints {
	return Endpoints{
		Token:         first(e.Token, other.Token),
		Registration:  first(e.Registration, other.Registration),
		Introspection: first(e.Introspection, other.Introspection),
		Revocation:    first(e.Revocation, other.Revocation),
		JWKS:          first(e.JWKS, other.JWKS),
		Metadata:      first(e.Metadata, other.Metadata),
	}
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// Server is an authorization server as it was discovered. Requests to it carry Name as their Point.
type Server struct {
	Name      string
	Issuer    string
	Endpoints Endpoints
	Metadata  map[string]any // the document, numbers as float64; nil when all was given by hand
	Aliases   Endpoints      // mtls_endpoint_aliases (RFC 8705 §5)
	Audience  string         // aud of client assertions; Issuer when empty, else the token endpoint
	Clock     time.Duration  // its clock minus ours
}

// Client is a client as the authorization server knows it, with what it needs to prove itself.
type Client struct {
	Name              string // the member of the cast: partner, neighbour, resource_server
	ID                string
	Auth              Method
	Secret            secret.Text
	Key               Key
	Certificate       *tls.Certificate
	Proof             Key // to which its tokens shall be bound by DPoP (RFC 9449); without a signer: to none
	RegistrationToken secret.Text
	RegistrationURI   string
	Registered        map[string]any // what the AS answered (RFC 7591 §3.2.1), its secrets as secret.Text

	// RegistrationCertificate is shown at the registration and client configuration endpoints, where the plan says so.
	RegistrationCertificate *tls.Certificate
}

// Complete says what c lacks to authenticate with its method, or nil.
func (c Client) Complete() error {
	lack := ""
	switch c.Auth {
	case ClientSecretBasic, ClientSecretPost:
		if c.Secret.Empty() {
			lack = "a secret"
		}
	case PrivateKeyJWT:
		if c.Key.Signer == nil {
			lack = "a key"
		}
	case TLSClientAuth, SelfSignedTLSClientAuth:
		if c.Certificate == nil {
			lack = "a certificate"
		}
	case None:
	default:
		return fmt.Errorf("client %s: %q is no authentication method that this program speaks; use %s, %s, %s, %s or %s",
			c.Name, c.Auth, ClientSecretBasic, ClientSecretPost, PrivateKeyJWT, TLSClientAuth, SelfSignedTLSClientAuth)
	}
	if c.ID == "" {
		lack = "a client id"
	}
	if lack != "" {
		return fmt.Errorf("client %s authenticates with %s and has no such thing as %s; give one in the plan", c.Name, c.Auth, lack)
	}
	return nil
}

// Authenticate adds to r the credentials of c's method, and nothing else: RFC 6749 §2.3 forbids more than one method in
// a request. It neither checks nor changes where r goes. The certificate is shown also by a client with another method
// that has one, since its tokens shall be bound to it (RFC 8705 §3).
func Authenticate(r wire.Request, s Server, c Client) wire.Request {
	if c.Certificate != nil {
		r.Over.Certificate = c.Certificate
	}
	switch c.Auth {
	case ClientSecretBasic:
		return present(r, wire.Credential{In: wire.InHeader, Name: "Authorization", Prefix: "Basic ", Basic: c.ID, Text: c.Secret})
	case ClientSecretPost:
		return present(field(r, "client_id", c.ID), wire.Credential{In: wire.InForm, Name: "client_secret", Text: c.Secret})
	case PrivateKeyJWT:
		return assert(r, s, c)
	}
	// RFC 8705 §2: with a certificate the client MUST send client_id, so that the AS finds it.
	return field(r, "client_id", c.ID)
}

// to makes a request for a whole URL. The target is kept byte for byte.
func to(point, method, url string) wire.Request {
	origin, target := split(url)
	return wire.Request{
		Point: point, Purpose: wire.Setup, Method: method, Origin: origin, Target: target,
		Header: []wire.Field{{Name: "Accept", Value: "application/json"}},
	}
}

// form makes a POST of a form to a whole URL.
func form(point, url string, fields ...wire.Field) wire.Request {
	r := to(point, "POST", url)
	r.Header = append(r.Header, wire.Field{Name: "Content-Type", Value: "application/x-www-form-urlencoded"})
	r.Form = append([]wire.Field{}, fields...)
	return r
}

func field(r wire.Request, name, value string) wire.Request {
	r.Form = slices.Concat(r.Form, []wire.Field{{Name: name, Value: value}})
	return r
}

func present(r wire.Request, c wire.Credential) wire.Request {
	r.Credentials = slices.Concat(r.Credentials, []wire.Credential{c})
	return r
}

// split cuts a URL into origin (https://as.example:8443) and target (/token?x=1). A fragment is never sent.
func split(url string) (string, string) {
	url, _, _ = strings.Cut(url, "#")
	start := 0
	if i := strings.Index(url, "://"); i >= 0 {
		start = i + 3
	}
	i := strings.IndexAny(url[start:], "/?")
	if i < 0 {
		return url, "/"
	}
	origin, target := url[:start+i], url[start+i:]
	if target[0] == '?' {
		target = "/" + target
	}
	return origin, target
}
