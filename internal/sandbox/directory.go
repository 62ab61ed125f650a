package sandbox

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// directory is the list of the partners' public keys, as the authorization server tells them when a client is
// registered or updated (RFC 7591 §3.2.1). Only an edge with a defect trusts it.
type directory struct {
	mu       sync.Mutex
	byClient map[string][]*ecdsa.PublicKey
}

func (d *directory) keys(clientID string) []*ecdsa.PublicKey {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byClient[clientID]
}

// follow reads the answers of the registration endpoints: keys go into the directory, and the API key of a client that
// was deleted ends with it.
func (s *Sandbox) follow(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, registration := strings.CutPrefix(r.URL.Path, "/register")
		if !registration || r.Method == http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		heard := &overheard{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(heard, r)
		switch {
		case heard.status >= 300:
		case r.Method == http.MethodDelete:
			s.legacy.Deprovision(strings.TrimPrefix(id, "/"))
		default:
			s.directory.take(heard.body.Bytes())
		}
	})
}

func (d *directory) take(text []byte) {
	var client struct {
		ID   string             `json:"client_id"`
		Keys jose.JSONWebKeySet `json:"jwks"`
	}
	err := json.Unmarshal(text, &client)
	if err != nil {
		return
	}
	var keys []*ecdsa.PublicKey
	for _, key := range client.Keys.Keys {
		public, ok := key.Key.(*ecdsa.PublicKey)
		if ok {
			keys = append(keys, public)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byClient == nil {
		d.byClient = map[string][]*ecdsa.PublicKey{}
	}
	d.byClient[client.ID] = keys
}

type overheard struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (o *overheard) WriteHeader(status int) {
	o.status = status
	o.ResponseWriter.WriteHeader(status)
}

func (o *overheard) Write(p []byte) (int, error) {
	o.body.Write(p)
	return o.ResponseWriter.Write(p)
}
