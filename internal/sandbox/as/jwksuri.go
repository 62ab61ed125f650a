package as

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	keysLife   = time.Minute     // how long fetched keys are believed
	keysPause  = time.Second     // between two fetches for the sake of an unknown kid
	keysWithin = 2 * time.Second // how long a fetch may take
	maxKeySet  = 64 << 10        // bytes of a fetched set
	maxSets    = 1000            // sets that are remembered
)

// fetchedKeys is a client's key set as it was last fetched, or as it could not be.
type fetchedKeys struct {
	keys []jose.JSONWebKey
	at   time.Time
	life time.Duration // how long they are believed
}

// takeJWKSURI judges the address of a key set. OpenID Connect Registration §2: https. What this server fetches it fetches
// from hosts that were agreed with its partners, and from nowhere else: an address is a partner's word (OWASP API7:2023).
func (s *Server) takeJWKSURI(c *call, value string) error {
	if s.cfg.Fetch == nil {
		return errors.New("jwks_uri is not supported here, send jwks")
	}
	if c.defects.JWKSURIUnchecked {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return errors.New("jwks_uri must be an https URL")
	}
	if !slices.Contains(s.cfg.KeyHosts, strings.ToLower(u.Host)) {
		return errors.New("jwks_uri must be at a host that was agreed upon")
	}
	return nil
}

// fetchKeys fetches what the assertion in a request needs, before the lock is taken: the set of a client that registered
// a jwks_uri, if it was not fetched lately, or if the assertion names a key that is not in it.
func (s *Server) fetchKeys(c *call) {
	address := s.wantedKeys(c)
	if address == "" {
		return
	}
	keys, life, err := s.fetch(c.r.Context(), address, c.defects.JWKSURIUnchecked)
	if c.defects.FetchedKeysKept {
		life = keysLife
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fetched) >= maxSets {
		clear(s.fetched)
	}
	if err != nil {
		had := s.fetched[address] // a set that cannot be fetched now does not end the one that is believed
		keys, life = had.keys, max(had.life, keysPause)
	}
	s.fetched[address] = fetchedKeys{keys: keys, at: c.now, life: life}
}

// wantedKeys gives the address of a key set that is to be fetched for this request, or nothing.
func (s *Server) wantedKeys(c *call) string {
	raw := c.form.Get("client_assertion")
	if raw == "" || s.cfg.Fetch == nil {
		return ""
	}
	token, err := jwt.ParseSigned(raw, assertionAlgorithms())
	if err != nil {
		return ""
	}
	var claims jwt.Claims
	err = token.UnsafeClaimsWithoutVerification(&claims)
	if err != nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	cl := s.clients[claims.Subject]
	if cl == nil || cl.deleted || cl.registration.jwksURI == "" {
		return ""
	}
	address := cl.registration.jwksURI
	had, fetched := s.fetched[address]
	kid := token.Headers[0].KeyID
	known := slices.ContainsFunc(had.keys, func(k jose.JSONWebKey) bool { return k.KeyID == kid })
	age := c.now.Sub(had.at)
	if fetched && age < had.life && (known || age < keysPause) {
		return ""
	}
	return address
}

func (s *Server) fetch(ctx context.Context, address string, anywhere bool) ([]jose.JSONWebKey, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, keysWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, err
	}
	client := *s.cfg.Fetch
	if !anywhere { // a redirect would lead to where nobody agreed to
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, 0, fmt.Errorf("%s answered %s", address, response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxKeySet+1))
	if err != nil {
		return nil, 0, err
	}
	if len(text) > maxKeySet {
		return nil, 0, fmt.Errorf("%s is larger than %d bytes", address, maxKeySet)
	}
	var r registration
	err = r.takeJWKS(json.RawMessage(text), false)
	return r.keys, believed(response.Header.Get("Cache-Control")), err
}

// believed reads how long a fetched set may be used without asking (RFC 9111 §5.2.2): what its owner says, and a minute at
// most. A key that was taken out of it must not live on here for longer.
func believed(control string) time.Duration {
	life := keysLife
	for directive := range strings.SplitSeq(strings.ToLower(control), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if name == "no-store" || name == "no-cache" {
			return 0
		}
		seconds, err := strconv.ParseUint(value, 10, 31)
		if name == "max-age" && err == nil {
			life = min(life, time.Duration(seconds)*time.Second)
		}
	}
	return life
}

// keysOf are the keys by which a client may sign now: those that it registered, or those that it publishes.
func (s *Server) keysOf(cl *client) []jose.JSONWebKey {
	if cl.registration.jwksURI == "" {
		return slices.Clone(cl.registration.keys)
	}
	return slices.Clone(s.fetched[cl.registration.jwksURI].keys)
}
