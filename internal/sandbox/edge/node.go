package edge

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/dpop"
	"github.com/checkride/checkride/internal/sandbox/point"
	"github.com/go-jose/go-jose/v4"
)

const (
	maxDocument  = 4 << 20
	fetchTimeout = 2 * time.Second
)

// node is one replica: it has keys and a revocation list of its own.
type node struct {
	cfg    Config
	point  *point.Point
	lag    time.Duration // its revocation list is this much late
	frozen bool          // it read the revocation feed once
	proofs *dpop.Verifier
	own    *dpop.Verifier // remembers what this node alone has seen; used by a defect only

	mu       sync.Mutex
	keys     map[string]*ecdsa.PublicKey
	foreign  map[string]*ecdsa.PublicKey
	fetched  time.Time
	revoked  map[string]revocation
	subjects map[string]string    // by thumbprint; used by a defect only
	onFile   map[string]string    // thumbprint by client; used by a defect only
	gone     map[string]time.Time // clients that were deleted, and since when
	next     int64
	strange  []time.Time // when unknown kids came, of the last second; used by a defect only
}

type revocation struct{ from, until time.Time }

// tend polls the feed and the keys until ctx ends.
func (n *node) tend(ctx context.Context) {
	ticker := time.NewTicker(n.cfg.FeedPoll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		defects := n.cfg.Point.Defects()
		if !defects.FeedStopped && !n.frozen {
			// What cannot be read now is read at the next tick: the list keeps its state.
			_ = n.poll(ctx)
		}
		if n.stale() && !defects.KeysNeverRefetched {
			_ = n.fetchKeys(ctx, defects)
		}
	}
}

func (n *node) stale() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Since(n.fetched) >= n.cfg.KeyRefresh
}

func (n *node) poll(ctx context.Context) error {
	n.mu.Lock()
	since := n.next
	n.mu.Unlock()

	var feed struct {
		Revoked []struct {
			ID     string  `json:"jti"`
			Expiry float64 `json:"exp"`
		} `json:"revoked"`
		Gone []string `json:"clients_gone"`
		Next int64    `json:"next"`
	}
	err := n.get(ctx, n.cfg.Feed+"?since="+strconv.FormatInt(since, 10), true, &feed)
	if err != nil {
		return err
	}
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.next = feed.Next
	for _, entry := range feed.Revoked {
		if _, ok := n.revoked[entry.ID]; ok {
			continue
		}
		n.revoked[entry.ID] = revocation{from: now.Add(n.lag), until: time.UnixMilli(int64(entry.Expiry * 1000)).Add(time.Minute)}
	}
	for _, id := range feed.Gone {
		if _, ok := n.gone[id]; !ok {
			n.gone[id] = now.Add(n.lag)
		}
	}
	for id, r := range n.revoked {
		if now.After(r.until) {
			delete(n.revoked, id)
		}
	}
	return nil
}

// fetchKeys replaces the keys by the published ones. With KeysNeverRefetched it only adds, so that a withdrawn key
// stays trusted.
func (n *node) fetchKeys(ctx context.Context, defects defect.Set) error {
	keys, err := n.keysAt(ctx, n.cfg.JWKS)
	if err != nil {
		return err
	}
	var foreign map[string]*ecdsa.PublicKey
	if defects.IssuerUnion {
		foreign, err = n.keysAt(ctx, n.cfg.ForeignJWKS)
		if err != nil {
			return err
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if defects.KeysNeverRefetched {
		maps.Copy(keys, n.keys)
	}
	n.keys, n.foreign, n.fetched = keys, foreign, time.Now()
	return nil
}

func (n *node) keysAt(ctx context.Context, address string) (map[string]*ecdsa.PublicKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	err := n.get(ctx, address, false, &set)
	if err != nil {
		return nil, err
	}
	keys, twice := map[string]*ecdsa.PublicKey{}, map[string]bool{}
	for _, raw := range set.Keys {
		id, public, ok := trusted(raw)
		if !ok {
			continue
		}
		_, known := keys[id]
		twice[id] = twice[id] || known
		keys[id] = public
	}
	maps.DeleteFunc(keys, func(id string, _ *ecdsa.PublicKey) bool { return twice[id] }) // which of them is meant nobody can tell
	return keys, nil
}

// trusted reads a key of a set, if it is one that edge verifies with. RFC 7517 §4.2 and §4.3: use and key_ops say what it is
// for. A set that shows a private key shows a key that everybody has: it is not trusted.
func trusted(raw json.RawMessage) (string, *ecdsa.PublicKey, bool) {
	var key jose.JSONWebKey
	var meant struct {
		Operations []string `json:"key_ops"`
	}
	err := errors.Join(json.Unmarshal(raw, &key), json.Unmarshal(raw, &meant))
	if err != nil {
		return "", nil, false
	}
	public, ok := key.Key.(*ecdsa.PublicKey)
	good := ok && key.KeyID != "" && (key.Algorithm == "" || key.Algorithm == "ES256") && (key.Use == "" || key.Use == "sig") &&
		(meant.Operations == nil || slices.Contains(meant.Operations, "verify"))
	return key.KeyID, public, good
}

func (n *node) get(ctx context.Context, address string, authenticated bool, into any) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()

	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("get %s: %w", address, err)
	}
	if authenticated {
		r.SetBasicAuth(url.QueryEscape(n.cfg.ID), url.QueryEscape(n.cfg.Secret))
	}
	answer, err := n.cfg.Client.Do(r)
	if err != nil {
		return fmt.Errorf("get %s: %w", address, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxDocument))
	if err != nil {
		return fmt.Errorf("read %s: %w", address, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("get %s: status %d", address, answer.StatusCode)
	}
	err = json.Unmarshal(text, into)
	if err != nil {
		return fmt.Errorf("decode %s: %w", address, err)
	}
	return nil
}

// key finds a key by its id and fetches the set anew when the id is unknown: a rotation must not be an outage.
func (n *node) key(ctx context.Context, id string, defects defect.Set) (*ecdsa.PublicKey, bool) {
	if id == "" || defects.UnknownKidsLockOut && n.exhausted(false) {
		return nil, false
	}
	key, ok := n.known(id, defects)
	if ok {
		return key, true
	}
	n.exhausted(defects.UnknownKidsLockOut)
	err := n.fetchKeys(ctx, defects)
	if err != nil {
		return nil, false
	}
	return n.known(id, defects)
}

// exhausted says whether too many unknown kids came within a second: a limiter of fetches that stands before the cache of
// keys then stops good tokens too. One more came if so said.
func (n *node) exhausted(more bool) bool {
	const most = 15
	n.mu.Lock()
	defer n.mu.Unlock()
	n.strange = slices.DeleteFunc(n.strange, func(at time.Time) bool { return time.Since(at) >= time.Second })
	if more {
		n.strange = append(n.strange, time.Now())
	}
	return len(n.strange) > most
}

func (n *node) known(id string, defects defect.Set) (*ecdsa.PublicKey, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key, ok := n.keys[id]
	if !ok && defects.IssuerUnion {
		key, ok = n.foreign[id]
	}
	return key, ok
}

func (n *node) isRevoked(c point.Claims) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	r, ok := n.revoked[c.ID]
	if ok && !now.Before(r.from) {
		return true
	}
	since, ok := n.gone[c.ClientID]
	return ok && !now.Before(since)
}

// authenticate verifies a token offline (RFC 9068 §4) and its binding (RFC 8705 §3).
func (n *node) authenticate(r *http.Request, presented string) (point.Grant, *point.Refusal) {
	shown, refusal := point.Authorized(r)
	if refusal != nil {
		return point.Grant{}, refusal
	}
	claimed := point.Claimed(shown.Token)
	defects := n.cfg.Point.Defects()
	jws, err := parse(shown.Token)
	if err != nil {
		return point.Grant{}, point.Invalid(claimed, "%v", err)
	}
	if defects.AnyJWTIsAToken {
		grant, ok := n.assertion(jws)
		if ok {
			return grant, nil
		}
	}
	reason := n.untrusted(r.Context(), jws, defects)
	if reason != "" {
		return point.Grant{}, point.Invalid(claimed, "%s", reason)
	}
	var claims point.Claims
	err = json.Unmarshal(jws.payload, &claims)
	if err != nil {
		return point.Grant{}, point.Invalid(claimed, "payload is not a set of claims")
	}
	reason = n.unacceptable(claims, defects)
	if reason != "" {
		return point.Grant{}, point.Invalid(claimed, "%s", reason)
	}
	grant := claims.Grant()
	refusal = n.possessed(r, shown, grant, defects)
	if refusal != nil {
		return point.Grant{}, refusal
	}
	if grant.ProofKey != "" && grant.Thumbprint == "" {
		return grant, nil
	}
	if n.sameSubject(r, grant, defects) {
		return grant, nil
	}
	refusal = bound(grant, presented, defects)
	if refusal != nil {
		return point.Grant{}, refusal
	}
	if defects.FirstCertificateKept && !n.isOnFile(grant) {
		return point.Grant{}, point.Invalid(grant, "client certificate is not the one on file")
	}
	return grant, nil
}

// untrusted tells why header and signature are not good, or "".
func (n *node) untrusted(ctx context.Context, jws compact, defects defect.Set) string {
	kind := strings.TrimPrefix(strings.ToLower(jws.header.Type), "application/")
	if kind != "at+jwt" && !defects.AnyJWTIsAToken {
		return "typ is not at+jwt" // RFC 9068 §4: MUST reject
	}
	if jws.header.Critical != nil {
		return "crit is not understood" // RFC 7515 §4.1.11
	}
	algorithm := jws.header.Algorithm
	if defects.AlgNone && algorithm != "none" && strings.EqualFold(algorithm, "none") {
		return ""
	}
	if defects.TokenAddressFetched {
		for _, named := range []any{jws.header.KeySetAt, jws.header.ChainAt} {
			if address, is := named.(string); is {
				_, _ = n.keysAt(ctx, address) // what comes of it is not used
			}
		}
	}
	if defects.EmbeddedKey && algorithm == "ES256" {
		key, ok := embedded(jws.header.Key)
		if ok && es256(key, jws.input, jws.signature) {
			return ""
		}
	}
	if algorithm != "ES256" && !(defects.KeyConfusion && algorithm == "HS256") {
		return "alg is not ES256"
	}
	key, ok := n.key(ctx, jws.header.KeyID, defects)
	switch {
	case !ok:
		return "kid is not known"
	case algorithm == "HS256":
		if !hs256WithPublicKey(key, jws.input, jws.signature) {
			return "signature is not good"
		}
		return ""
	case defects.SignatureIgnored || es256(key, jws.input, jws.signature):
		return ""
	}
	return "signature is not good"
}

// assertion takes a client's own assertion for the issuer (RFC 7523 §3) as if it were an access token: the confusion
// that typ at+jwt is there to stop (RFC 9068 §5).
func (n *node) assertion(jws compact) (point.Grant, bool) {
	var c point.Claims
	err := json.Unmarshal(jws.payload, &c)
	if err != nil || jws.header.Algorithm != "ES256" || c.Issuer == "" || c.Issuer != c.Subject {
		return point.Grant{}, false
	}
	if !slices.Contains(c.Audience, n.cfg.Issuer) && !slices.Contains(c.Audience, n.cfg.Issuer+"/token") {
		return point.Grant{}, false
	}
	if c.ExpiresAt().IsZero() || time.Now().After(c.ExpiresAt()) {
		return point.Grant{}, false
	}
	for _, key := range n.cfg.PartnerKeys(c.Issuer) {
		if es256(key, jws.input, jws.signature) {
			scope := "payments:read"
			return point.Grant{ClientID: c.Issuer, TokenID: c.ID, Scope: &scope, Roles: []string{"reader"}}, true
		}
	}
	return point.Grant{}, false
}

// unacceptable tells why the claims are not good, or "".
func (n *node) unacceptable(c point.Claims, defects defect.Set) string {
	now := time.Now()
	switch {
	case c.Issuer != n.cfg.Issuer && !defects.IssuerUnion:
		return "iss is not our authorization server"
	case !n.point.ForMe(c.Grant()) && !defects.AudienceIgnored:
		return "aud is not this resource"
	case !defects.ExpiryIgnored && (c.ExpiresAt().IsZero() || !now.Before(c.ExpiresAt().Add(point.Leeway))):
		return "token has expired"
	case now.Add(point.Leeway).Before(c.StartsAt()):
		return "token is not valid yet"
	case c.ID == "" || c.ClientID == "":
		return "jti and client_id must be there" // RFC 9068 §2.2
	case n.isRevoked(c):
		return "token is revoked"
	}
	return ""
}

func bound(g point.Grant, presented string, defects defect.Set) *point.Refusal {
	switch {
	case defects.BindingOptional && presented == "":
		return nil
	case defects.UnboundAccepted && g.Thumbprint == "":
		return nil
	case defects.BindingAnyCertificate && g.Thumbprint != "" && presented != "":
		return nil
	}
	return point.Bound(g, presented)
}
