package forge

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// Tampered changes what the signature covers, or the signature (RFC 8725 §3.3: the whole JWT MUST be rejected if any
// operation fails).
func (f *Forger) Tampered() []wire.Change {
	return []wire.Change{
		f.forged("one bit of the signature flipped", BadSignature, func(o original) (string, error) {
			return o.parts[0] + "." + o.parts[1] + "." + encode(flipped(o.signature)), nil
		}),
		f.forged("scope widened under the old signature", BadSignature, func(o original) (string, error) {
			claims, err := segment(with(o.claims, widened(o.claims)))
			return o.parts[0] + "." + claims + "." + o.parts[2], err
		}),
		f.forged("header written anew under the old signature", BadSignature, func(o original) (string, error) {
			// The same members, so that only the signature can be the reason.
			header, err := segment(o.header)
			if err == nil && header == o.parts[0] {
				header = spaced(o.header)
			}
			return header + "." + o.parts[1] + "." + o.parts[2], err
		}),
	}
}

// widened adds a scope in whatever form the token says scope; all else stays true, since a subject that does not exist
// would be refused for that.
func widened(claims map[string]any) map[string]any {
	for _, name := range []string{"scope", "scp"} {
		switch v := claims[name].(type) {
		case string:
			return map[string]any{name: strings.TrimSpace(v + " admin")}
		case []any:
			return map[string]any{name: append(append([]any{}, v...), "admin")}
		}
	}
	return map[string]any{"scope": "admin"}
}

// spaced writes an object with a blank that no encoder writes.
func spaced(m map[string]any) string {
	var parts []string
	for _, name := range sorted(m) {
		one, err := marshal(map[string]any{name: m[name]})
		if err != nil {
			continue
		}
		parts = append(parts, one[1:len(one)-1])
	}
	return encode([]byte("{ " + strings.Join(parts, ", ") + "}"))
}

// Unsigned takes the signature away, with the algorithm as it is and with none in its spellings (RFC 8725 §3.2,
// RFC 9068 §2.1: MUST NOT be none).
func (f *Forger) Unsigned() []wire.Change {
	all := []wire.Change{
		f.forged("empty signature", BadSignature, func(o original) (string, error) { return o.parts[0] + "." + o.parts[1] + ".", nil }),
		f.forged("no signature part", BadForm, func(o original) (string, error) { return o.parts[0] + "." + o.parts[1], nil }),
		f.withAlg("alg none, no signature part", "none", BadForm, func(header string, o original) string { return header + "." + o.parts[1] }),
	}
	algs := []struct {
		name string
		alg  any
	}{{"none", "none"}, {"None", "None"}, {"NONE", "NONE"}, {"nOnE", "nOnE"}, {"empty", ""}, {"null", nil}, {"absent", absent{}}, {"none and a blank", "none "}}
	for _, a := range algs {
		all = append(all,
			f.withAlg("alg "+a.name+", empty signature", a.alg, BadAlgorithm, func(header string, o original) string { return header + "." + o.parts[1] + "." }),
			f.withAlg("alg "+a.name+", old signature", a.alg, BadAlgorithm, func(header string, o original) string {
				return header + "." + o.parts[1] + "." + o.parts[2]
			}))
	}
	return all
}

func (f *Forger) withAlg(name string, alg any, reason string, build func(header string, o original) string) wire.Change {
	return f.forged(name, reason, func(o original) (string, error) {
		header, err := segment(o.headerWith(map[string]any{"alg": alg}))
		return build(header, o), err
	})
}

// KeyConfusion signs with HS256, keyed with what everybody knows: the server's public keys in their textual forms
// (RFC 8725 §2.1, §3.1), nothing, zeros, the kid, the client id and the issuer. With kids, only the forms of these keys
// are tried: give the kid of the token at hand.
func (f *Forger) KeyConfusion(kids ...string) []wire.Change {
	var all []wire.Change
	for _, k := range among(f.keys, kids...) {
		for _, form := range k.forms() {
			name := fmt.Sprintf("alg HS256, keyed with the public key as %s", form.name)
			if k.id != "" {
				name += fmt.Sprintf(" (kid %s)", k.id)
			}
			all = append(all, f.hs256(name, func(original) []byte { return form.bytes }))
		}
	}
	known := func(claim string) func(original) []byte {
		return func(o original) []byte {
			s, _ := o.claims[claim].(string)
			return []byte(s)
		}
	}
	return append(all,
		// One for all: HMAC pads its key with zeros (RFC 2104 §2).
		f.hs256("alg HS256, keyed with nothing or zeros", func(original) []byte { return nil }),
		f.hs256("alg HS256, keyed with the kid", func(o original) []byte { return []byte(o.kid()) }),
		f.hs256("alg HS256, keyed with the client id", known("client_id")),
		f.hs256("alg HS256, keyed with the issuer", known("iss")),
	)
}

func (f *Forger) hs256(name string, key func(original) []byte) wire.Change {
	return f.forged(name, BadAlgorithm, func(o original) (string, error) {
		header, err := segment(o.headerWith(map[string]any{"alg": "HS256"}))
		input := header + "." + o.parts[1]
		return input + "." + encode(mac(key(o), input)), err
	})
}

func mac(key []byte, input string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(input))
	return h.Sum(nil)
}

// EmbeddedKey puts a key of ours into the header and signs with it (RFC 8725 §3.8: the key must belong to the issuer).
func (f *Forger) EmbeddedKey() []wire.Change {
	own := func(name, reason string, kid func(o original, k oauth.Key) any) wire.Change {
		return f.forged(name, reason, func(o original) (string, error) {
			k, err := f.ownKey(o.alg())
			if err != nil {
				return "", err
			}
			jwk := k.JWK()
			id := kid(o, k)
			delete(jwk, "kid")
			if s, given := id.(string); given && s != "" {
				jwk["kid"] = s
			}
			return signed(o.headerWith(map[string]any{"jwk": jwk, "kid": id}), o.parts[1], k)
		})
	}
	return []wire.Change{
		own("own key in the header, kid as it was", BadSignature, func(o original, _ oauth.Key) any {
			if o.kid() == "" {
				return absent{}
			}
			return o.kid()
		}),
		own("own key in the header, own kid", UnknownKey, func(_ original, k oauth.Key) any { return k.ID }),
		own("own key in the header, no kid", BadSignature, func(original, oauth.Key) any { return absent{} }),
		f.forged("symmetric key in the header", BadAlgorithm, func(o original) (string, error) {
			key := random(32)
			header, err := segment(o.headerWith(map[string]any{"alg": "HS256", "jwk": map[string]any{"kty": "oct", "k": encode(key)}}))
			input := header + "." + o.parts[1]
			return input + "." + encode(mac(key, input)), err
		}),
	}
}

// PointsToKey is signed with a key of ours that the header says is found at an address: by jku or by x5u (RFC 7515 §4.1.2,
// §4.1.5). [Forger.KeySet] gives what belongs there.
func (f *Forger) PointsToKey(member, address string) wire.Change {
	return f.forged(member+" to a key of ours", UnknownKey, func(o original) (string, error) {
		k, err := f.ownKey(o.alg())
		if err != nil {
			return "", err
		}
		return signed(o.headerWith(map[string]any{member: address, "kid": k.ID}), o.parts[1], k)
	})
}

// KeySet is the set of our own key for the algorithm of a token.
func (f *Forger) KeySet(token secret.Text) (map[string]any, error) {
	o, ok := parse(token.Reveal())
	if !ok {
		return nil, &OpaqueToken{Change: "a key of ours"}
	}
	k, err := f.ownKey(o.alg())
	return oauth.JWKSet(k), err
}

// OtherKey signs the same header, kid and claims with a key of ours, as a foreign issuer would that uses the same kid.
func (f *Forger) OtherKey() []wire.Change {
	return []wire.Change{f.forged("signed with another key under the same kid", BadSignature, func(o original) (string, error) {
		k, err := f.ownKey(o.alg())
		if err != nil {
			return "", err
		}
		return o.parts[0] + "." + o.parts[1] + "." + signature(o.parts[0]+"."+o.parts[1], k), nil
	})}
}

// signed signs a new header over an old payload.
func signed(header map[string]any, payload string, k oauth.Key) (string, error) {
	h, err := segment(header)
	if err != nil {
		return "", err
	}
	return h + "." + payload + "." + signature(h+"."+payload, k), nil
}

// signature is that of k; empty when k cannot, which the judge then calls bad for a missing signature.
func signature(input string, k oauth.Key) string {
	s, err := sign(k.Alg, k.Signer, []byte(input))
	if err != nil {
		return ""
	}
	return encode(s)
}

// GarbageToken replaces the token by one of its shape that never was any: a JWT with a random kid, signed by a key of
// ours, or random characters. It is the baseline of how a point refuses.
func (f *Forger) GarbageToken() wire.Change {
	const name = "garbage token"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		c := bearer(&r)
		if c == nil {
			return r, noToken(name)
		}
		text := c.Text.Reveal()
		o, ok := parse(text)
		if !ok {
			c.Text = f.keep.Keep("garbage token", scrambled(text))
			return r, nil
		}
		garbage, err := f.garbage(o)
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
		c.Text = f.keep.Keep("garbage token", garbage)
		return r, nil
	}}
}

func (f *Forger) garbage(o original) (string, error) {
	header, err := segment(o.headerWith(map[string]any{"kid": encode(random(16))}))
	if err != nil {
		return "", err
	}
	input := header + "." + o.parts[1]
	k, err := f.ownKey(o.alg())
	if err != nil { // no algorithm that we sign with
		return input + "." + encode(random(max(len(o.signature), 32))), nil
	}
	return input + "." + signature(input, k), nil
}

// scrambled is random text of the same length and, character by character, of the same class.
func scrambled(s string) string {
	b := []byte(s)
	for i, r := range random(len(b)) {
		switch c := b[i]; {
		case c >= '0' && c <= '9':
			b[i] = '0' + r%10
		case c >= 'a' && c <= 'f':
			b[i] = 'a' + r%6 // stays hexadecimal
		case c >= 'a' && c <= 'z':
			b[i] = 'a' + r%26
		case c >= 'A' && c <= 'F':
			b[i] = 'A' + r%6
		case c >= 'A' && c <= 'Z':
			b[i] = 'A' + r%26
		}
	}
	return string(b)
}

// WithoutToken takes the token away.
func WithoutToken() wire.Change {
	const name = "no token"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		c := bearer(&r)
		if c == nil {
			return r, noToken(name)
		}
		var rest []wire.Credential
		for i := range r.Credentials {
			if &r.Credentials[i] != c {
				rest = append(rest, r.Credentials[i])
			}
		}
		r.Credentials = rest
		return r, nil
	}}
}

// WithToken presents another token instead: the neighbour's, or one for another audience. The label says which.
func WithToken(token secret.Text, label string) wire.Change {
	return wire.Change{Name: label, Apply: func(r wire.Request) (wire.Request, error) {
		c := bearer(&r)
		if c == nil {
			return r, noToken(label)
		}
		if c.Text == token {
			return r, fmt.Errorf("%s: it is the token that the request carries already; give another", label)
		}
		c.Text = token
		return r, nil
	}}
}

// TokenInQuery moves the token into the query (RFC 6750 §2.3; RFC 9700 §4.3.2 forbids it to clients).
func TokenInQuery() wire.Change {
	const name = "token in the query"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		c := bearer(&r)
		if c == nil {
			return r, noToken(name)
		}
		c.In, c.Name, c.Prefix = wire.InQuery, "access_token", ""
		return r, nil
	}}
}
