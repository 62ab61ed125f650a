package as

import (
	"net/http"
	"strings"
)

// introspect is RFC 7662. Only resource servers learn anything; other clients that authenticate get active false
// (§2.2: "not for this caller").
func (s *Server) introspect(c *call) answer {
	may, serves := c.defects.IntrospectionOpen, ""
	if id, ok := s.resourceServer(c); ok {
		c.event.ClientID = id
		may, serves = true, s.serves[id]
	}
	if !may {
		_, refused := s.authenticate(c, func(id string) *client { return s.find(c, id) })
		if refused != nil {
			return *refused
		}
		may = c.defects.IntrospectionAnyClient
	}
	raw := c.form.Get("token")
	if raw == "" {
		return refuse(http.StatusBadRequest, "invalid_request", "token is missing")
	}
	if s.fault == faultDown {
		return refuse(http.StatusInternalServerError, "server_error", "introspection is broken by the operator")
	}
	t := s.hinted(c, raw)
	if t == nil && c.defects.IntrospectionByID {
		t = s.claimed(raw)
	}
	if t != nil {
		c.event.TokenID = t.id
	}
	if t == nil || !may || !isFor(c, t, serves) || !s.introspectsActive(c, t) || s.lags(c, t.client) {
		return reply(http.StatusOK, inactive(c, t, may))
	}
	return reply(http.StatusOK, s.introspection(c, t))
}

func (s *Server) introspection(c *call, t *token) map[string]any {
	told := map[string]any{
		"active":     true,
		"client_id":  t.client.id,
		"sub":        t.client.id,
		"exp":        t.expires.Unix(),
		"iat":        t.issued.Unix(),
		"aud":        t.audience,
		"iss":        s.cfg.Issuer,
		"jti":        t.id,
		"token_type": t.kind(),
		"org":        t.org,
		"org_id":     t.orgID,
	}
	if len(t.roles) > 0 {
		told["roles"] = t.roles
	}
	if perSecond := t.client.registration.perSecond; perSecond > 0 {
		told[quotaMember] = perSecond
	}
	if t.actor != "" {
		told["act"] = map[string]string{"sub": t.actor}
	}
	if t.scope != nil {
		told["scope"] = strings.Join(t.scope, " ")
	}
	if cnf := t.confirmation(c); cnf != nil {
		told["cnf"] = cnf
	}
	if c.defects.IntrospectionScopeOfClient && t.scope != nil {
		told["scope"] = strings.Join(t.client.registration.scope, " ")
	}
	if s.fault == faultNoAudience {
		delete(told, "aud")
	}
	return told
}
