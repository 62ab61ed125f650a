package oauth

// RFC 7591: dynamic client registration.

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// RegisterRequest registers a client (RFC 7591 §3.1), with an initial access token unless it is empty. The metadata
// must be values that JSON can hold, and no secrets.
func RegisterRequest(s Server, metadata map[string]any, initial secret.Text) (wire.Request, error) {
	r, err := document(s.Name, http.MethodPost, s.Endpoints.Registration, metadata)
	if err != nil {
		return wire.Request{}, fmt.Errorf("registration at %s: %w", s.Name, err)
	}
	if initial.Empty() {
		return r, nil
	}
	return Bearer(r, initial), nil
}

// document makes a request whose body is a JSON object.
func document(point, method, url string, m map[string]any) (wire.Request, error) {
	for name, v := range m {
		if _, is := v.(secret.Text); is {
			return wire.Request{}, fmt.Errorf("client metadata %s is a secret, which is not sent in metadata; leave it out", name)
		}
	}
	body, err := json.Marshal(m)
	if err != nil {
		return wire.Request{}, fmt.Errorf("client metadata: %w", err)
	}
	r := to(point, method, url)
	r.Header = append(r.Header, wire.Field{Name: "Content-Type", Value: "application/json"})
	r.Body = body
	return r, nil
}

// Registration is what the AS says of a client (RFC 7591 §3.2.1, RFC 7592 §3).
type Registration struct {
	ClientID      string
	Secret        secret.Text
	SecretExpires time.Time // the server's clock; zero: never, or not told
	Token         secret.Text
	URI           string         // registration_client_uri
	Metadata      map[string]any // all members; client_secret and registration_access_token are secret.Text
}

// ReadRegistration reads the answer to a registration, and to reading and updating one: 201 or 200.
func ReadRegistration(x wire.Exchange, keep *secret.Keeper) (Registration, error) {
	m, err := read(x, http.StatusCreated, http.StatusOK)
	if err != nil {
		return Registration{}, fmt.Errorf("registration: %w", err)
	}
	r := Registration{ClientID: text(m["client_id"]), URI: text(m["registration_client_uri"]), Metadata: m}
	if v := text(m["client_secret"]); v != "" {
		r.Secret = keep.Keep("secret", v)
		m["client_secret"] = r.Secret
	}
	if v := text(m["registration_access_token"]); v != "" {
		r.Token = keep.Keep("token", v)
		m["registration_access_token"] = r.Token
	}
	if r.ClientID == "" {
		return r, fmt.Errorf("registration: no client_id, which RFC 7591 §3.2.1 requires; look at exchange %d", x.Serial)
	}
	if v, told := m["client_secret_expires_at"]; told {
		s, ok := seconds(v)
		if !ok {
			return r, errors.New("registration: client_secret_expires_at is no number of seconds (RFC 7591 §3.2.1); look at the answer")
		}
		if s != 0 { // "or 0 if it will not expire"
			r.SecretExpires, _ = Date(v)
		}
	}
	return r, nil
}

// Known gives c as r says it is now: RFC 7592 §2.1 and §2.2 tell the client to drop an old secret and an old
// registration token at once when a new one is given.
func (r Registration) Known(c Client) Client {
	c.ID = r.ClientID
	if !r.Secret.Empty() {
		c.Secret = r.Secret
	}
	if !r.Token.Empty() {
		c.RegistrationToken = r.Token
	}
	if r.URI != "" {
		c.RegistrationURI = r.URI
	}
	if m := text(r.Metadata["token_endpoint_auth_method"]); m != "" {
		c.Auth = Method(m)
	}
	c.Registered = maps.Clone(r.Metadata)
	return c
}

// SecretEnds is when the client's secret expires, by the server's clock, as its registration told (RFC 7591 §3.2.1). It
// says false where the secret never expires, or nothing was told.
func (c Client) SecretEnds() (time.Time, bool) {
	at, ok := Date(c.Registered["client_secret_expires_at"])
	return at, ok && at.Unix() != 0
}
