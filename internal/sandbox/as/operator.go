package as

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// What the operator decides about a client beside its registration: roles, windows, keys, and what is true of it.

func usualRoles() []string { return []string{"reader"} }

// given makes a client that exists from the start.
func (s *Server) given(g Given) *client {
	scope := slices.Clone(s.cfg.Grantable)
	return &client{
		id: g.ID, secret: g.Secret, registered: s.now(), allowed: scope, roles: usualRoles(),
		registration: registration{method: clientSecretBasic, grants: []string{clientCredentials}, scope: scope, name: g.Name, bound: true},
	}
}

// secretOfDay is the secret that a generator gives first when it is seeded with the day.
func secretOfDay(c *call) string {
	sum := sha256.Sum256([]byte(c.now.UTC().Format(time.DateOnly)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// orgID is the number under which the organization of a client is known at the source of truth.
func orgID(c *call, cl *client) string {
	if words := strings.Fields(cl.registration.name); c.defects.OrgFromName && len(words) > 0 {
		return "urn:partner:" + words[0]
	}
	return "urn:partner:" + cl.org()
}

// facts are what the source of truth says of a client, whatever its tokens say.
func (s *Server) facts(_ *call, cl *client) answer {
	return reply(http.StatusOK, map[string]any{"org": cl.org(), "org_id": "urn:partner:" + cl.org(), "roles": cl.roles})
}

// changeRole gives or takes a role. What is taken is taken from live tokens too.
func (s *Server) changeRole(c *call, cl *client) answer {
	add, remove := c.r.URL.Query().Get("add"), c.r.URL.Query().Get("remove")
	if (add == "") == (remove == "") {
		return refuse(http.StatusBadRequest, "invalid_request", "give one role, in add or in remove")
	}
	if add != "" {
		cl.roles = union(cl.roles, []string{add})
		return done()
	}
	cl.roles = without(cl.roles, remove)
	if c.defects.RoleKeepsTokens {
		return done()
	}
	for _, t := range s.tokensOf(cl) {
		if slices.Contains(t.roles, remove) {
			s.kill(t, deadByRole)
		}
	}
	return done()
}

// scheduleWindow lets access begin and end by itself. What was issued before is outside of it and ends.
func (s *Server) scheduleWindow(c *call, cl *client, from, until string) answer {
	begin, err := time.Parse(time.RFC3339Nano, from)
	if err != nil {
		return refuse(http.StatusBadRequest, "invalid_request", "from must be a time of RFC 3339")
	}
	end, err := time.Parse(time.RFC3339Nano, until)
	if err != nil || !end.After(begin) {
		return refuse(http.StatusBadRequest, "invalid_request", "until must be a time of RFC 3339 after from")
	}
	cl.windowFrom, cl.windowUntil = begin, end
	if !c.defects.WindowKeepsTokens {
		s.killAll(cl, deadByWindow)
	}
	return done()
}

func windowOpen(c *call, cl *client) bool {
	if cl.windowUntil.IsZero() {
		return !cl.windowClosed
	}
	early := c.now.Before(cl.windowFrom) && !c.defects.WindowStartIgnored
	late := !c.now.Before(cl.windowUntil) && !c.defects.WindowEndIgnored
	return !early && !late
}

// endsWithWindow bounds a token's life by the end of a window that closes by itself.
func endsWithWindow(c *call, cl *client, expires time.Time) time.Time {
	if cl.windowUntil.IsZero() || c.defects.WindowEndIgnored || expires.Before(cl.windowUntil) {
		return expires
	}
	return cl.windowUntil.Truncate(time.Second)
}

// replaceKeys sets the public keys of a client: the body is a JWK Set.
func (s *Server) replaceKeys(c *call, cl *client) answer {
	r := cl.registration
	r.jwks, r.jwksURI, r.keys, r.certificates = nil, "", nil, nil
	err := r.readKeys(c, map[string]json.RawMessage{"jwks": c.body})
	if err != nil {
		return invalidMetadata(c, err)
	}
	cl.setRegistration(r)
	cl.generation++
	return done()
}

// mintFor gives a token for a client to its operator, bound to the certificate that the operator names.
func (s *Server) mintFor(c *call, cl *client) answer {
	asked := c.r.URL.Query()
	scope := within(strings.Fields(asked.Get("scope")), cl.registration.scope)
	resource := asked.Get("resource")
	if len(scope) == 0 || !slices.Contains(s.cfg.Resources, resource) {
		return refuse(http.StatusBadRequest, "invalid_request", "give a scope that the client has, and a resource")
	}
	t, err := s.issueBound(c, cl, scope, resource, asked.Get("thumbprint"), "")
	if err != nil {
		return refuse(http.StatusInternalServerError, "server_error", "the token could not be signed")
	}
	c.event.TokenID = t.id
	return tokenAnswer(c, t)
}

// withdrawn says whether the CA has withdrawn the certificate of a call.
func (s *Server) withdrawn(c *call) bool {
	return c.certificate != nil && s.cfg.Withdrawn != nil && !c.defects.WithdrawnCertificateWorks && s.cfg.Withdrawn(thumbprint(c.certificate))
}
