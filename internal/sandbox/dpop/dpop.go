// Package dpop checks the sandbox's DPoP proofs (RFC 9449), at the authorization server and at the points. Start with
// [New] and [Verifier.Verify].
package dpop

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	field = "DPoP"

	oldest  = time.Minute      // RFC 9449 §11.1: proofs are good for seconds or minutes
	newest  = 15 * time.Second // FAPI 2.0 §5.3.2.1: 10 s in the future are accepted, 60 s are not
	epoch   = time.Minute      // a nonce is good for one to two of them
	maxSize = 8 << 10
)

// Algorithms are those that proofs may be signed with, as metadata and challenges tell (RFC 9449 §5.1, §7.1).
func Algorithms() []string { return []string{"ES256", "ES384", "PS256", "EdDSA"} }

// Lax are the bugs that a defect switches on.
type Lax struct {
	Signature bool // the proof is decoded and not verified
	Hash      bool // ath is compared where it is there
	Host      bool // of htu the path is compared alone
	Verbatim  bool // htu is compared as text
	Age       bool // iat is not looked at
	Nonce     bool // a nonce is compared where it is there
}

// Expected is what a proof must prove.
type Expected struct {
	Method string
	URI    string // scheme, host and path as they are known to whoever checks
	Token  string // the access token beside the proof; "" at the token endpoint
	Key    string // jkt of the token; "" where any key will do
}

// Fault is why there is no good proof. Nonce is to be told in DPoP-Nonce.
type Fault struct {
	Code, Reason, Nonce string
}

// Verifier checks proofs, and remembers those that it has seen.
type Verifier struct {
	Nonces *Nonces // nil: it asks for none
	Seen   *Seen
}

// Present says whether a request brings a proof.
func Present(r *http.Request) bool { return len(r.Header.Values(field)) > 0 }

// Verify makes the checks of RFC 9449 §4.3 and gives the thumbprint of the proof's key.
func (v *Verifier) Verify(r *http.Request, now time.Time, want Expected, lax Lax) (string, *Fault) {
	proofs := r.Header.Values(field)
	if len(proofs) != 1 {
		return "", invalid("there must be one DPoP header field")
	}
	p, reason := read(proofs[0], lax)
	if reason != "" {
		return "", invalid(reason)
	}
	if want.Key != "" && p.thumbprint != want.Key {
		return "", invalid("the proof is of another key than the token")
	}
	reason = p.against(now, want, lax)
	if reason != "" {
		return "", invalid(reason)
	}
	if v.Nonces != nil && !(lax.Nonce && p.claims.Nonce == "") && !v.Nonces.good(p.claims.Nonce, now) {
		return "", &Fault{Code: "use_dpop_nonce", Reason: "the proof must carry the nonce of this answer", Nonce: v.Nonces.at(now)}
	}
	if !v.Seen.first(p.thumbprint+" "+p.claims.ID, now) {
		return "", invalid("the proof was seen before")
	}
	return p.thumbprint, nil
}

// Next is the nonce to tell beside a good answer, or "" (RFC 9449 §8.2).
func (v *Verifier) Next(now time.Time) string {
	if v.Nonces == nil {
		return ""
	}
	return v.Nonces.at(now)
}

func invalid(reason string) *Fault { return &Fault{Code: "invalid_dpop_proof", Reason: reason} }

type proof struct {
	thumbprint string
	claims     struct {
		ID       string   `json:"jti"`
		Method   string   `json:"htm"`
		URI      string   `json:"htu"`
		IssuedAt *float64 `json:"iat"`
		Hash     *string  `json:"ath"`
		Nonce    string   `json:"nonce"`
	}
}

// read takes a proof apart and verifies it with the key that it shows (checks 2 to 7).
func read(compact string, lax Lax) (proof, string) {
	var p proof
	if len(compact) > maxSize {
		return p, "the proof is too long"
	}
	var allowed []jose.SignatureAlgorithm
	for _, name := range Algorithms() {
		allowed = append(allowed, jose.SignatureAlgorithm(name))
	}
	jws, err := jose.ParseSignedCompact(compact, allowed)
	if err != nil || len(jws.Signatures) != 1 {
		return p, "the proof is no JWT, or not signed with an algorithm of ours"
	}
	header := jws.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != "dpop+jwt" {
		return p, "typ is not dpop+jwt"
	}
	key := header.JSONWebKey
	if key == nil || !key.IsPublic() || !key.Valid() {
		return p, "jwk is missing, or no public key"
	}
	payload := jws.UnsafePayloadWithoutVerification()
	if !lax.Signature {
		payload, err = jws.Verify(key.Key)
		if err != nil {
			return p, "the signature is not that of jwk"
		}
	}
	err = json.Unmarshal(payload, &p.claims)
	if err != nil {
		return p, "the payload is no set of claims"
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return p, "jwk has no thumbprint"
	}
	p.thumbprint = base64.RawURLEncoding.EncodeToString(sum)
	return p, ""
}

// against compares the claims with the request (checks 3, 8, 9, 11 and 12).
func (p proof) against(now time.Time, want Expected, lax Lax) string {
	c := p.claims
	switch {
	case c.ID == "" || len(c.ID) > 256:
		return "jti is missing or too long"
	case c.Method != want.Method:
		return "htm is not the method"
	case !sameURI(c.URI, want.URI, lax):
		return "htu is not the URI"
	case c.IssuedAt == nil:
		return "iat is missing"
	}
	issued := time.UnixMilli(int64(*c.IssuedAt * 1000))
	if !lax.Age && (now.Sub(issued) > oldest || issued.Sub(now) > newest) {
		return "the proof was not made just now"
	}
	if want.Token == "" || lax.Hash && c.Hash == nil {
		return ""
	}
	sum := sha256.Sum256([]byte(want.Token))
	if c.Hash == nil || *c.Hash != base64.RawURLEncoding.EncodeToString(sum[:]) {
		return "ath is not the hash of the token"
	}
	return ""
}

// sameURI ignores query and fragment, and normalizes by syntax and scheme (RFC 3986 §6.2.2, §6.2.3).
func sameURI(told, want string, lax Lax) bool {
	if lax.Verbatim {
		return told == want
	}
	a, b := normal(told), normal(want)
	if lax.Host && a != nil {
		return a.Path == b.Path
	}
	return a != nil && b != nil && *a == *b
}

func normal(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil {
		return nil
	}
	host := strings.ToLower(u.Host)
	scheme := strings.ToLower(u.Scheme)
	host = strings.TrimSuffix(host, map[string]string{"https": ":443", "http": ":80"}[scheme])
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return &url.URL{Scheme: scheme, Host: host, Path: path}
}

// Nonces are made of the time and a key, so that replicas with the same key agree (RFC 9449 §8).
type Nonces struct{ key [32]byte }

// NewNonces makes a source of nonces.
func NewNonces() *Nonces {
	n := &Nonces{}
	_, _ = rand.Read(n.key[:]) // never fails: crypto/rand ends the program instead
	return n
}

func (n *Nonces) at(now time.Time) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(now.Unix()/int64(epoch/time.Second)))
	mac := hmac.New(sha256.New, n.key[:])
	mac.Write(counter[:])
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

func (n *Nonces) good(nonce string, now time.Time) bool {
	return slices.ContainsFunc([]string{n.at(now), n.at(now.Add(-epoch))}, func(one string) bool {
		return subtle.ConstantTimeCompare([]byte(one), []byte(nonce)) == 1
	})
}

// Seen remembers the jti of proofs for as long as their iat lets them live.
type Seen struct {
	mu    sync.Mutex
	until map[string]time.Time
	swept time.Time
}

// NewSeen makes an empty memory.
func NewSeen() *Seen { return &Seen{until: map[string]time.Time{}} }

func (s *Seen) first(id string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.swept) > oldest {
		for known, until := range s.until {
			if now.After(until) {
				delete(s.until, known)
			}
		}
		s.swept = now
	}
	if until, known := s.until[id]; known && !now.After(until) {
		return false
	}
	s.until[id] = now.Add(oldest + newest)
	return true
}
