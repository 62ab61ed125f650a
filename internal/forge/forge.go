// Package forge makes what is wrong in exactly one way: tokens, client assertions, header fields and certificates that
// must be refused, as [wire.Change] values. What it forges is judged by a verifier of our own before it is sent: it
// must be bad, and bad for the stated reason.
//
// Start with [New], whose [Forger] changes access tokens, and with [Judge].
package forge

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// Forger forges access tokens of one authorization server out of real ones.
type Forger struct {
	keep *secret.Keeper
	keys []public // of the server

	mu   sync.Mutex // held for computing only, and not over the making of a key
	own  map[string]func() (oauth.Key, error)
	good map[string]original // tokens that verify with the server's keys: many forgeries are made of one
}

// New makes a forger; jwks is the server's JWK Set. Without keys only [Forger.GarbageToken] works.
func New(keep *secret.Keeper, jwks map[string]any) *Forger {
	return &Forger{keep: keep, keys: published(jwks), own: map[string]func() (oauth.Key, error){}, good: map[string]original{}}
}

// OpaqueToken says that a token is no JWT, so that there is nothing to forge.
type OpaqueToken struct{ Change string }

func (e *OpaqueToken) Error() string {
	return fmt.Sprintf("%s: the token is no JWT, so this cannot be forged; it does not apply to opaque tokens", e.Change)
}

// ownKey gives a key of ours for an algorithm, made once.
func (f *Forger) ownKey(alg string) (oauth.Key, error) {
	f.mu.Lock()
	key, known := f.own[alg]
	if !known {
		key = sync.OnceValues(func() (oauth.Key, error) { return oauth.NewKey(alg) })
		f.own[alg] = key
	}
	f.mu.Unlock()
	return key()
}

// bearer finds the token that r presents: the first credential that is a bare text.
func bearer(r *wire.Request) *wire.Credential {
	for i := range r.Credentials {
		c := &r.Credentials[i]
		if c.JWT == nil && c.Basic == "" && !c.Text.Empty() {
			return c
		}
	}
	return nil
}

func noToken(change string) error {
	return fmt.Errorf("%s: the request carries no token; give a request with a bearer token", change)
}

// forged makes a change of the token's text. The original must be good and the forgery bad for the given reason.
func (f *Forger) forged(name, reason string, build func(original) (string, error)) wire.Change {
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		c := bearer(&r)
		if c == nil {
			return r, noToken(name)
		}
		o, err := f.original(name, c.Text)
		if err != nil {
			return r, err
		}
		text, err := build(o)
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
		err = f.bad(text, o, reason)
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
		c.Text = f.keep.Keep("forged token", text)
		return r, nil
	}}
}

// original gives a token to make forgeries of, taken apart: one that verifies with the server's keys.
func (f *Forger) original(change string, token secret.Text) (original, error) {
	text := token.Reveal()
	f.mu.Lock()
	o, known := f.good[text]
	f.mu.Unlock()
	if known {
		return o, nil
	}
	o, ok := parse(text)
	if !ok {
		return o, &OpaqueToken{Change: change}
	}
	why := judge(text, f.keys, Expectation{})
	if why != Good {
		return o, fmt.Errorf("%s: the token itself does not verify with the server's published keys (%s), so a forgery of it proves nothing; look at its jwks", change, why)
	}
	f.mu.Lock()
	f.good[text] = o
	f.mu.Unlock()
	return o, nil
}

func (f *Forger) bad(text string, o original, reason string) error {
	if text == o.compact {
		return errors.New("the forgery is the original; take a token with other content")
	}
	why := judge(text, f.keys, Expectation{})
	if why == Good {
		return errors.New("the forgery is good: it verifies with the server's keys; this is a fault of this program")
	}
	if why != reason {
		return fmt.Errorf("the forgery is bad for its %s and not for its %s; this is a fault of this program", why, reason)
	}
	return nil
}

// original is a token that is taken apart. Numbers are kept as written.
type original struct {
	compact   string
	header    map[string]any
	claims    map[string]any
	parts     [3]string
	signature []byte
}

func parse(compact string) (original, bool) {
	_, err := oauth.Decode(compact)
	if err != nil {
		return original{}, false
	}
	o := original{compact: compact}
	copy(o.parts[:], strings.Split(compact, "."))
	var raw [3][]byte
	for i, p := range o.parts {
		raw[i], err = base64.RawURLEncoding.DecodeString(strings.TrimRight(p, "="))
		if err != nil {
			return original{}, false
		}
	}
	o.header, o.claims, o.signature = members(raw[0]), members(raw[1]), raw[2]
	return o, o.header != nil && o.claims != nil
}

func members(data []byte) map[string]any {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var value any
	err := d.Decode(&value)
	if err != nil {
		return nil
	}
	m, _ := value.(map[string]any)
	return m
}

func (o original) alg() string {
	alg, _ := o.header["alg"].(string)
	return alg
}

func (o original) kid() string {
	kid, _ := o.header["kid"].(string)
	return kid
}

// headerWith is the header with members set; the value [absent] takes one out.
func (o original) headerWith(changes map[string]any) map[string]any {
	return with(o.header, changes)
}

// absent as a value means that a member is left out.
type absent struct{}

func with(m, changes map[string]any) map[string]any {
	m = maps.Clone(m)
	for name, v := range changes {
		if _, out := v.(absent); out {
			delete(m, name)
			continue
		}
		m[name] = v
	}
	return m
}

// segment encodes a header or a payload.
func segment(m map[string]any) (string, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(m)
	if err != nil {
		return "", fmt.Errorf("encode: %w", err)
	}
	return encode(bytes.TrimSuffix(out.Bytes(), []byte("\n"))), nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// flipped is a signature with the lowest bit of its middle byte flipped: never the last character, whose unused bits
// may decode the same.
func flipped(signature []byte) []byte {
	s := bytes.Clone(signature)
	if len(s) > 0 {
		s[len(s)/2] ^= 1
	}
	return s
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

// looseHeader reads the header of three parts, whatever else is wrong.
func looseHeader(token string) (map[string]any, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		return nil, false
	}
	m := members(raw)
	return m, m != nil
}
