package as

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/defect"
)

// Management serves what operators do: suspend, rotate, reduce, break. It asks for no authentication, so it must listen
// on loopback or in memory only.
func (s *Server) Management() http.Handler {
	mux := http.NewServeMux()
	for _, e := range []struct {
		pattern, method, action string
		run                     func(*call) answer
	}{
		{"/clients", "GET", "read", s.listClients},
		{"/clients/{id}", "DELETE", "delete", s.onClient(s.operatorDelete)},
		{"/clients/{id}/suspend", "POST", "suspend", s.onClient(s.suspend)},
		{"/clients/{id}/resume", "POST", "resume", s.onClient(s.resume)},
		{"/clients/{id}/entitlement", "POST", "entitlement", s.onClient(s.entitle)},
		{"/clients/{id}/window", "POST", "window", s.onClient(s.window)},
		{"/clients/{id}/rotate-secret", "POST", "rotate_secret", s.onClient(s.rotateSecret)},
		{"/clients/{id}/role", "POST", "entitlement", s.onClient(s.changeRole)},
		{"/clients/{id}/keys", "PUT", "rotate_client_key", s.onClient(s.replaceKeys)},
		{"/clients/{id}/token", "POST", "grant", s.onClient(s.mintFor)},
		{"/clients/{id}/facts", "GET", "read", s.onClient(s.facts)},
		{"/keys/rotate", "POST", "rotate_key", s.rotateKey},
		{"/keys/{kid}", "DELETE", "rotate_key", s.removeKey},
		{"/initial-access-tokens", "POST", "mint_initial_access_token", s.mintAdmission},
		{"/introspection", "POST", "introspection_fault", s.breakIntrospection},
		{"/defects", "POST", "", s.setDefects},
	} {
		run := func(c *call) answer {
			c.event.Actor = "operator"
			return e.run(c)
		}
		mux.Handle(e.pattern, s.serve(routes{e.method: {action: e.action, run: run}}))
	}
	mux.Handle("/", s.serve(routes{}))
	return s.dated(mux)
}

func (s *Server) onClient(do func(*call, *client) answer) func(*call) answer {
	return func(c *call) answer {
		id := c.r.PathValue("id")
		c.event.ClientID = bounded(id)
		cl := s.clients[id]
		if cl == nil || cl.deleted {
			return refuse(http.StatusNotFound, "not_found", "there is no such client")
		}
		c.event.Org = cl.org()
		return do(c, cl)
	}
}

func done() answer { return reply(http.StatusNoContent, nil) }

// listClients names the clients whose client_name begins with ?name=, oldest first.
func (s *Server) listClients(c *call) answer {
	prefix := c.r.URL.Query().Get("name")
	found := []*client{}
	for _, cl := range s.clients {
		if !cl.deleted && strings.HasPrefix(cl.registration.name, prefix) {
			found = append(found, cl)
		}
	}
	slices.SortFunc(found, func(a, b *client) int {
		if order := a.registered.Compare(b.registered); order != 0 {
			return order
		}
		return strings.Compare(a.id, b.id)
	})
	list := []map[string]string{}
	for _, cl := range found {
		list = append(list, map[string]string{"client_id": cl.id, "client_name": cl.registration.name})
	}
	return reply(http.StatusOK, map[string]any{"clients": list})
}

func (s *Server) operatorDelete(c *call, cl *client) answer {
	s.remove(c, cl)
	return done()
}

func (s *Server) suspend(c *call, cl *client) answer {
	cl.suspended = true
	if !c.defects.SuspendKeepsTokens {
		s.killAll(cl, deadBySuspension)
	}
	return done()
}

func (s *Server) resume(c *call, cl *client) answer {
	cl.suspended = false
	if !c.defects.ResumeRevives {
		return done()
	}
	for _, t := range s.tokensOf(cl) {
		if t.dead == deadBySuspension {
			t.dead = ""
		}
	}
	return done()
}

// entitle changes what a client may be granted. What is taken away is taken from its live tokens too.
func (s *Server) entitle(c *call, cl *client) answer {
	add, remove := c.r.URL.Query().Get("add"), c.r.URL.Query().Get("remove")
	if (add == "") == (remove == "") || strings.ContainsAny(add+remove, " \t\r\n") {
		return refuse(http.StatusBadRequest, "invalid_request", "give one scope, in add or in remove")
	}
	if add != "" {
		cl.allowed = union(cl.allowed, []string{add})
		cl.registration.scope = union(cl.registration.scope, []string{add})
		return done()
	}
	cl.allowed = without(cl.allowed, remove)
	cl.registration.scope = without(cl.registration.scope, remove)
	if c.defects.ReductionKeepsTokens {
		return done()
	}
	for _, t := range s.tokensOf(cl) {
		if slices.Contains(t.scope, remove) {
			s.kill(t, deadByReduction)
		}
	}
	return done()
}

// window opens or closes a client's just-in-time access.
func (s *Server) window(c *call, cl *client) answer {
	asked := c.r.URL.Query()
	if asked.Has("from") {
		return s.scheduleWindow(c, cl, asked.Get("from"), asked.Get("until"))
	}
	cl.windowFrom, cl.windowUntil = time.Time{}, time.Time{}
	switch asked.Get("state") {
	case "open":
		cl.windowClosed = false
	case "closed":
		cl.windowClosed = true
		if !c.defects.WindowKeepsTokens {
			s.killAll(cl, deadByWindow)
		}
	default:
		return refuse(http.StatusBadRequest, "invalid_request", "state must be open or closed")
	}
	return done()
}

func (s *Server) rotateSecret(c *call, cl *client) answer {
	if !usesSecret(cl.registration.method) {
		return refuse(http.StatusConflict, "invalid_request", "the client has no secret")
	}
	cl.rotateSecret(c)
	return reply(http.StatusOK, map[string]string{"client_secret": cl.secret})
}

func (s *Server) killAll(cl *client, why string) {
	for _, t := range s.tokensOf(cl) {
		s.kill(t, why)
	}
}

// lateness is how long after its first use a key is published, with KeyPublishedLate.
const lateness = 600 * time.Millisecond

// rotateKey makes a new signing key; the old ones stay published, so that their tokens stay good.
func (s *Server) rotateKey(c *call) answer {
	key, err := newSigningKey()
	if err != nil {
		return refuse(http.StatusInternalServerError, "server_error", "no key could be made")
	}
	if c.defects.KeyPublishedLate {
		key.public = c.now.Add(lateness)
	}
	if c.defects.RotationDropsOldKey {
		s.keys = nil
	}
	s.keys = append(s.keys, key)
	return reply(http.StatusOK, map[string]string{"kid": key.kid})
}

// removeKey takes a key back, and with it all tokens that it signed. Where it was the last, a new one comes first.
func (s *Server) removeKey(c *call) answer {
	kid := c.r.PathValue("kid")
	_, ok := s.published(kid)
	if !ok {
		return refuse(http.StatusNotFound, "not_found", "there is no such key")
	}
	if len(s.keys) == 1 {
		if a := s.rotateKey(c); a.status >= 400 {
			return a
		}
	}
	s.keys = slices.DeleteFunc(s.keys, func(k signingKey) bool { return k.kid == kid })
	return done()
}

// setDefects replaces the switches. The callback runs after the lock is given back: it may take one of its own.
func (s *Server) setDefects(c *call) answer {
	if s.cfg.SetDefects == nil {
		return refuse(http.StatusNotImplemented, "not_implemented", "the switches of this sandbox are fixed")
	}
	var set defect.Set
	decoder := json.NewDecoder(bytes.NewReader(c.body))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&set)
	_, rest := decoder.Token()
	if err != nil || rest != io.EOF {
		return refuse(http.StatusBadRequest, "invalid_request", "the body must be one object of known defects")
	}
	c.after = func() { s.cfg.SetDefects(set) }
	return done()
}
