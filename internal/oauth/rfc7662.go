package oauth

// RFC 7662: token introspection.

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// IntrospectRequest asks s about a token, as the resource server c (RFC 7662 §2.1).
func (s Server) IntrospectRequest(c Client, token secret.Text) wire.Request {
	return s.aboutToken(c, s.endpoints(c).Introspection, token, "access_token")
}

// ReadIntrospection reads whether a token is active and its claims (RFC 7662 §2.2): active is REQUIRED and a boolean, all else OPTIONAL. The claims
// are all members, active among them, numbers as float64.
func ReadIntrospection(x wire.Exchange) (bool, map[string]any, error) {
	m, err := read(x, http.StatusOK)
	if err != nil {
		return false, nil, fmt.Errorf("introspection: %w", err)
	}
	active, ok := m["active"].(bool)
	if !ok {
		return false, m, errors.New("introspection: no boolean active, which RFC 7662 §2.2 requires; look at the answer")
	}
	return active, m, nil
}
