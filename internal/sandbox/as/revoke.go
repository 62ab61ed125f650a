package as

import (
	"net/http"
	"time"
)

// revoke is RFC 7009. §2.1: the client authenticates, and the token must be its own; §2.2: a token that is not known is
// revoked already.
func (s *Server) revoke(c *call) answer {
	cl, refused := s.authenticate(c, func(id string) *client { return s.find(c, id) })
	if refused != nil && !c.defects.RevocationOpen {
		return *refused
	}
	raw := c.form.Get("token")
	if raw == "" {
		return refuse(http.StatusBadRequest, "invalid_request", "token is missing")
	}
	t := s.hinted(c, raw)
	if c.defects.RevocationOfUnknownFails && (t == nil || t.dead != "") {
		return refuse(http.StatusBadRequest, "invalid_request", "there is no such token")
	}
	if t == nil {
		return reply(http.StatusOK, nil)
	}
	c.event.TokenID = t.id
	if c.defects.JWTNotRevocable {
		return refuse(http.StatusBadRequest, "unsupported_token_type", "access tokens cannot be revoked")
	}
	if cl != nil && t.client != cl && !c.defects.RevocationAnyClient {
		return refuse(http.StatusBadRequest, "invalid_request", "the token was not issued to this client")
	}
	if c.defects.YoungTokensSurvive && c.now.Sub(t.issued) < time.Second {
		return reply(http.StatusOK, nil)
	}
	s.kill(t, deadByRevocation)
	return reply(http.StatusOK, nil)
}
