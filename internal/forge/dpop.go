package forge

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// Why a DPoP proof is bad (RFC 9449 §4.3), beside [BadForm], [BadAlgorithm] and [BadSignature].
const (
	BadType      = "type"
	BadKey       = "key" // none, not readable, or another one
	PrivateKey   = "private key"
	BadID        = "jti"
	BadMethod    = "htm"
	BadURI       = "htu"
	BadTime      = "iat"
	BadTokenHash = "ath"
)

// Proofs and their readers may differ by this much in time and be right all the same.
const (
	proofAge   = 5 * time.Minute
	proofAhead = time.Minute
)

// Show presents a token in the place of the one that a request carries, in the token's own way: as a bearer token, or
// with the proof of the key that it is bound to. A request without token is left alone.
func Show(r *wire.Request, token oauth.Token) {
	c := bearer(r)
	if c == nil {
		return
	}
	c.Text = token.Text
	if c.In != wire.InHeader || c.Prefix == "" {
		return
	}
	c.Prefix = token.Scheme()
	r.Credentials = slices.DeleteFunc(r.Credentials, func(c wire.Credential) bool { return c.JWT != nil && c.JWT.Proof })
	*r = oauth.Prove(*r, token.Proof, 0)
}

// Showing presents another token in its own way ([Show]): the neighbour's, or one for another audience. The label says
// which.
func Showing(token oauth.Token, label string) wire.Change {
	inner := WithToken(token.Text, label)
	return wire.Change{Name: label, Apply: func(r wire.Request) (wire.Request, error) {
		r, err := inner.Apply(r)
		if err != nil {
			return r, err
		}
		Show(&r, token)
		return r, nil
	}}
}

// WithoutProof leaves the DPoP proof out.
func WithoutProof() wire.Change {
	const name = "no proof"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		if oauth.ProofIn(&r) == nil {
			return r, noProof(name)
		}
		return r.WithoutCredential("DPoP"), nil
	}}
}

// AsBearer shows a token that is bound by DPoP as a bearer token, without proof (RFC 9449 §7.2).
func AsBearer() wire.Change {
	const name = "as a bearer token"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		c := bearer(&r)
		if c == nil || oauth.ProofIn(&r) == nil {
			return r, noProof(name)
		}
		c.Prefix = "Bearer "
		return r.WithoutCredential("DPoP"), nil
	}}
}

func noProof(change string) error {
	return fmt.Errorf("%s: the request carries no DPoP proof; give one of a token that is bound by DPoP", change)
}

// proof makes a change of the DPoP proof of a request, which is signed anew. A sample of it is made and judged: the
// original must be good, and the forgery bad for the given reason.
func proof(name, reason string, alter func(j *wire.JWT) error) wire.Change {
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		c := oauth.ProofIn(&r)
		if c == nil {
			return r, noProof(name)
		}
		key := c.JWT.Key
		err := proofIs(r, *c.JWT, key, Good)
		if err != nil {
			return r, fmt.Errorf("%s: the proof itself is not good, so a forgery of it proves nothing: %w", name, err)
		}
		err = alter(c.JWT)
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
		err = proofIs(r, *c.JWT, key, reason)
		if err != nil {
			return r, fmt.Errorf("%s: %w; this is a fault of this program", name, err)
		}
		return r, nil
	}}
}

func proofIs(r wire.Request, j wire.JWT, key crypto.Signer, reason string) error {
	now := time.Now().Add(j.Clock)
	compact, err := sampleProof(r, j, now)
	if err != nil {
		return err
	}
	if why := JudgeProof(compact, r, key.Public(), now); why != reason {
		return fmt.Errorf("the proof is bad for its %q and not for its %q", why, reason)
	}
	return nil
}

// sampleProof makes a proof as wire will at sending.
func sampleProof(r wire.Request, j wire.JWT, now time.Time) (string, error) {
	claims := map[string]any{"jti": encode(random(16)), "iat": now.Unix(), "htm": r.Method, "htu": uri(r)}
	if hash := tokenHash(r); hash != "" {
		claims["ath"] = hash
	}
	for _, name := range j.Omit {
		delete(claims, name)
	}
	maps.Copy(claims, j.Claims)
	j.Claims, j.Omit = claims, []string{"exp", "jti", "iat"}
	return sample(j, now)
}

func uri(r wire.Request) string {
	path, _, _ := strings.Cut(r.Target, "?")
	return r.Origin + path
}

// tokenHash is the ath of the token that a request shows (RFC 9449 §4.2); empty: it shows none.
func tokenHash(r wire.Request) string {
	c := bearer(&r)
	if c == nil || c.In != wire.InHeader {
		return ""
	}
	sum := sha256.Sum256([]byte(c.Text.Reveal()))
	return encode(sum[:])
}

// JudgeProof says why a DPoP proof is bad beside a request, or [Good], by the checks of RFC 9449 §4.3 but that of the
// nonce. Key is the one that it must show, and now the reader's time.
func JudgeProof(compact string, r wire.Request, key crypto.PublicKey, now time.Time) string {
	o, ok := parse(compact)
	if !ok {
		return malformed(compact)
	}
	if o.header["typ"] != "dpop+jwt" {
		return BadType
	}
	alg := jose.SignatureAlgorithm(o.alg())
	if !slices.Contains(asymmetric(), alg) {
		return BadAlgorithm
	}
	shown, why := shownKey(o)
	if why != Good {
		return why
	}
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{alg})
	if err != nil {
		return BadForm
	}
	_, err = jws.Verify(shown)
	if err != nil {
		return BadSignature
	}
	if own, comparable := key.(interface{ Equal(crypto.PublicKey) bool }); !comparable || !own.Equal(shown) {
		return BadKey
	}
	return judgeProofClaims(o, r, now)
}

func shownKey(o original) (crypto.PublicKey, string) {
	members, is := o.header["jwk"].(map[string]any)
	if !is {
		return nil, BadKey
	}
	for _, private := range []string{"d", "k", "p", "q"} {
		if _, there := members[private]; there {
			return nil, PrivateKey
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		return nil, BadKey
	}
	var jwk jose.JSONWebKey
	err = jwk.UnmarshalJSON(text)
	if err != nil || !jwk.IsPublic() {
		return nil, BadKey
	}
	return jwk.Key, Good
}

func judgeProofClaims(o original, r wire.Request, now time.Time) string {
	says := func(name string) string {
		text, _ := o.claims[name].(string)
		return text
	}
	at, _, _ := strings.Cut(says("htu"), "#")
	at, _, _ = strings.Cut(at, "?")
	issued, told := numericDate(o.claims["iat"])
	switch {
	case says("jti") == "":
		return BadID
	case says("htm") != r.Method:
		return BadMethod
	case at != uri(r):
		return BadURI
	case !told || now.Sub(issued) > proofAge || issued.Sub(now) > proofAhead:
		return BadTime
	case says("ath") != tokenHash(r):
		return BadTokenHash
	}
	return Good
}

// numericDate reads a claim that was decoded with its numbers as written.
func numericDate(claim any) (time.Time, bool) {
	number, is := claim.(json.Number)
	if !is {
		return time.Time{}, false
	}
	seconds, err := number.Int64()
	return time.Unix(seconds, 0), err == nil
}

// ForgedProofs are proofs that anybody can make, with no key or with one of their own (RFC 9449 §4.3 checks 4 to 7).
func (f *Forger) ForgedProofs() []wire.Change {
	header := func(j *wire.JWT, name string, value any) { j.Header[name] = value }
	symmetric := random(32)
	return []wire.Change{
		proof("proof with alg none", BadAlgorithm, func(j *wire.JWT) error {
			header(j, "alg", "none")
			j.Key, j.Sign = nil, nil
			return nil
		}),
		proof("proof with alg HS256, keyed with its public key", BadAlgorithm, func(j *wire.JWT) error {
			text, err := marshal(j.Header["jwk"].(map[string]any))
			header(j, "alg", "HS256")
			j.Sign, j.Signer = macWith([]byte(text)), "HMAC with the public key"
			return err
		}),
		proof("proof with alg HS256 and the symmetric key itself", BadAlgorithm, func(j *wire.JWT) error {
			header(j, "alg", "HS256")
			header(j, "jwk", map[string]any{"kty": "oct", "k": f.keep.Keep("key", encode(symmetric)).Reveal()})
			j.Sign, j.Signer = macWith(symmetric), "HMAC with the key that it shows"
			return nil
		}),
		proof("proof with one bit of its signature flipped", BadSignature, flip),
		proof("proof that shows the key and is signed with another", BadSignature, func(j *wire.JWT) error {
			own, err := f.ownKey(text(j.Header["alg"]))
			j.Key = own.Signer
			return err
		}),
	}
}

// StrangersProof is a good proof of a key of ours, to which no token is bound (RFC 9449 §4.3 check 12, §7.1).
func (f *Forger) StrangersProof() wire.Change {
	return proof("good proof of another key", BadKey, func(j *wire.JWT) error {
		own, err := f.ownKey(text(j.Header["alg"]))
		if err != nil {
			return err
		}
		j.Key, j.Header["jwk"] = own.Signer, oauth.ProofJWK(own)
		return nil
	})
}

// TalkativeProof shows the private key in the jwk (RFC 9449 §4.2, §4.3 check 7): whoever sees the proof can make the next.
func (f *Forger) TalkativeProof() wire.Change {
	return proof("proof that shows its private key", PrivateKey, func(j *wire.JWT) error {
		jwk := maps.Clone(j.Header["jwk"].(map[string]any))
		private, is := j.Key.(*ecdsa.PrivateKey)
		if !is {
			return errors.New("the proof is not of an EC key; let its key be one")
		}
		d, err := private.Bytes()
		if err != nil {
			return err
		}
		jwk["d"] = f.keep.Keep("key", encode(d)).Reveal()
		j.Header["jwk"] = jwk
		return nil
	})
}

// IncompleteProofs lack what RFC 9449 §4.2 requires, or say another type. With a token beside the proof, ath is required
// too.
func IncompleteProofs(withToken bool) []wire.Change {
	lacks := func(claim, reason string) wire.Change {
		return proof("proof without "+claim, reason, func(j *wire.JWT) error {
			j.Omit = append(j.Omit, claim)
			return nil
		})
	}
	all := []wire.Change{
		proof("proof of typ JWT", BadType, func(j *wire.JWT) error {
			j.Header["typ"] = "JWT"
			return nil
		}),
		proof("proof without typ", BadType, func(j *wire.JWT) error {
			delete(j.Header, "typ")
			return nil
		}),
		proof("proof without jwk", BadKey, func(j *wire.JWT) error {
			delete(j.Header, "jwk")
			return nil
		}),
		lacks("jti", BadID), lacks("htm", BadMethod), lacks("htu", BadURI), lacks("iat", BadTime),
		twoProofs(), noJWT(),
	}
	if withToken {
		all = append(all, lacks("ath", BadTokenHash))
	}
	return all
}

// twoProofs shows two good proofs (RFC 9449 §4.3 check 1).
func twoProofs() wire.Change {
	const name = "two proofs"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		c := oauth.ProofIn(&r)
		if c == nil {
			return r, noProof(name)
		}
		another := *c
		another.JWT = c.JWT.Clone()
		return r.WithCredential(another), nil
	}}
}

// noJWT shows what is no JWT (RFC 9449 §4.3 check 2).
func noJWT() wire.Change {
	const name = "proof that is no JWT"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		if oauth.ProofIn(&r) == nil {
			return r, noProof(name)
		}
		return r.WithoutCredential("DPoP").SetHeader("DPoP", "proof"), nil
	}}
}

// ProofOf says another method, or another URI, than its request has (RFC 9449 §4.3 checks 8 and 9). The label says
// which.
func ProofOf(claim, value, label string) wire.Change {
	reason := map[string]string{"htm": BadMethod, "htu": BadURI}[claim]
	return proof(label, reason, func(j *wire.JWT) error { return setClaim(j, claim, value) })
}

// ProofOfToken is made for another token than the one beside it (RFC 9449 §4.3 check 12).
func ProofOfToken(token oauth.Token, label string) wire.Change {
	sum := sha256.Sum256([]byte(token.Text.Reveal()))
	return proof(label, BadTokenHash, func(j *wire.JWT) error { return setClaim(j, "ath", encode(sum[:])) })
}

// ProofFrom was made at another time (RFC 9449 §4.3 check 11). Within minutes it is good all the same.
func ProofFrom(offset time.Duration, label string) wire.Change {
	reason := BadTime
	if -offset < proofAge && offset < proofAhead {
		reason = Good
	}
	return proof(label, reason, func(j *wire.JWT) error { return setClaim(j, "iat", wire.FromNow(offset)) })
}

// ProofBeforeNonce was made at another time, before the server gave a nonce: where nonces tell the time, iat need not
// (RFC 9449 §4.3 check 11).
func ProofBeforeNonce(offset time.Duration, label string) wire.Change {
	without, from := ProofWithoutNonce(), ProofFrom(offset, label)
	return wire.Change{Name: label, Apply: func(r wire.Request) (wire.Request, error) {
		r, err := without.Apply(r)
		if err != nil {
			return r, err
		}
		return from.Apply(r)
	}}
}

// LongURI says the URI with a query or fragment, which whoever checks a proof ignores (RFC 9449 §4.3 check 9). It is
// good.
func LongURI(more, label string) wire.Change {
	return wire.Change{Name: label, Apply: func(r wire.Request) (wire.Request, error) {
		return proof(label, Good, func(j *wire.JWT) error { return setClaim(j, "htu", uri(r)+more) }).Apply(r)
	}}
}

// ProofWithNonce says a nonce, whatever the server gave.
func ProofWithNonce(nonce, label string) wire.Change {
	return proof(label, Good, func(j *wire.JWT) error { return setClaim(j, "nonce", nonce) })
}

// ProofWithoutNonce says no nonce, whatever the server gave.
func ProofWithoutNonce() wire.Change {
	return proof("proof without nonce", Good, func(j *wire.JWT) error {
		j.Omit = append(j.Omit, "nonce")
		return nil
	})
}

func setClaim(j *wire.JWT, name string, value any) error {
	if j.Claims == nil {
		j.Claims = map[string]any{}
	}
	j.Claims[name] = value
	return nil
}

func macWith(key []byte) func([]byte) ([]byte, error) {
	return func(input []byte) ([]byte, error) { return mac(key, string(input)), nil }
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
