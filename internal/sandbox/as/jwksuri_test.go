package as_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// published is what stands at the addresses of key sets, as a client's transport.
type published struct {
	sets    map[string]any
	control string // Cache-Control of what stands there
	fetches int
}

func (p *published) RoundTrip(r *http.Request) (*http.Response, error) {
	set, found := p.sets[r.URL.String()]
	if !found {
		return nil, errors.New("nobody listens")
	}
	p.fetches++
	text, err := json.Marshal(set)
	if err != nil {
		return nil, err
	}
	if s, is := set.(string); is {
		text = []byte(s)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Cache-Control": {p.control}}, Body: io.NopCloser(strings.NewReader(string(text))), Request: r}, nil
}

// Keys that a client publishes are fetched when they are needed, and not again for a minute unless a kid is unknown; what
// left the set is refused after that.
func TestPublishedKeys(t *testing.T) {
	const address = "https://keys.example/acme"
	g := healthy(t)
	old, renewed := newKey(t), newKey(t)
	named := func(id string, key any) jose.JSONWebKey { return jose.JSONWebKey{Key: key, KeyID: id} }
	publish := func(keys ...jose.JSONWebKey) { g.keys.sets = map[string]any{address: jose.JSONWebKeySet{Keys: keys}} }
	publish(named("old", old.Public()))
	p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": address})
	ask := func(id string, key any) string {
		return g.assert(g.sign(jose.ES256, named(id, key), g.claims(p.id, nil)), "").is()
	}
	look := func(step, got, want string, fetches int) {
		t.Helper()
		if got != want || g.keys.fetches != fetches {
			t.Errorf("%s: %s after %d fetches, want %s after %d", step, got, g.keys.fetches, want, fetches)
		}
	}
	look("first", ask("old", old), "200", 1)
	look("again", ask("old", old), "200", 1)
	publish(named("new", renewed.Public()))
	look("unknown kid at once", ask("new", renewed), "401 invalid_client", 1)
	g.now = g.now.Add(2 * time.Second)
	look("unknown kid later", ask("new", renewed), "200", 2)
	look("what is gone", ask("old", old), "401 invalid_client", 2)
	g.now = g.now.Add(2 * time.Minute)
	g.keys.sets = nil
	look("the address is dead", ask("new", renewed), "200", 2)
	g.keys.sets = map[string]any{address: strings.Repeat(" ", 70<<10) + `{"keys":[]}`}
	g.now = g.now.Add(2 * time.Minute)
	look("too large", ask("new", renewed), "200", 3)
}

// RFC 7591 §2: not both.
func TestKeysAreGivenOneWay(t *testing.T) {
	g := healthy(t)
	a := g.json("POST", "/register", map[string]any{"jwks": keySet(newKey(t).Public()), "jwks_uri": "https://keys.example/a"}, bearer(initial))
	if a.is() != "400 invalid_client_metadata" {
		t.Error(a.is())
	}
}
