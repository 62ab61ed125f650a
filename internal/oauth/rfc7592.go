package oauth

// RFC 7592: the client configuration endpoint.

import (
	"fmt"
	"maps"
	"net/http"

	"github.com/checkride/checkride/internal/wire"
)

// ReadRequest reads c's configuration (RFC 7592 §2.1).
func (c Client) ReadRequest(s Server) wire.Request {
	return c.manage(to(s.Name, http.MethodGet, c.RegistrationURI))
}

// DeleteRequest deletes c (RFC 7592 §2.3).
func (c Client) DeleteRequest(s Server) wire.Request {
	return c.manage(to(s.Name, http.MethodDelete, c.RegistrationURI))
}

// UpdateRequest replaces c's whole metadata (RFC 7592 §2.2: what is left out is deleted). Start from [Client.Metadata].
// The client_id is added, and what a client must not send is taken out.
func (c Client) UpdateRequest(s Server, metadata map[string]any) (wire.Request, error) {
	m := sendable(metadata)
	m["client_id"] = c.ID
	r, err := document(s.Name, http.MethodPut, c.RegistrationURI, m)
	if err != nil {
		return wire.Request{}, fmt.Errorf("update of client %s: %w", c.Name, err)
	}
	return c.manage(r), nil
}

// Metadata is what c is registered with, as an update may send it back.
func (c Client) Metadata() map[string]any { return sendable(c.Registered) }

// sendable leaves out what RFC 7592 §2.2 forbids, and the secret, which a client may only repeat.
func sendable(m map[string]any) map[string]any {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]any{}
	}
	for _, name := range []string{
		"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at", "client_secret",
	} {
		delete(m, name)
	}
	return m
}

func (c Client) manage(r wire.Request) wire.Request {
	r.Who = c.Name
	if c.RegistrationCertificate != nil {
		r.Over.Certificate = c.RegistrationCertificate
	}
	if c.RegistrationToken.Empty() {
		return r
	}
	return Bearer(r, c.RegistrationToken)
}
