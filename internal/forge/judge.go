package forge

import (
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/checkride/checkride/internal/oauth"
)

// Why a token is bad, as [Judge] says it. The first that applies is given, in this order.
const (
	Good         = ""
	BadForm      = "form"      // no compact JWS with JSON objects
	BadAlgorithm = "algorithm" // none, symmetric, unknown, or not that of its key
	BadCritical  = "critical header"
	UnknownKey   = "key" // a kid that the server does not publish
	BadSignature = "signature"
	BadIssuer    = "issuer"
	BadSubject   = "subject"
	BadAudience  = "audience"
	NoExpiry     = "missing expiry"
	Expired      = "expiry"
	TooEarly     = "start"
	NoKeys       = "unknown keys" // the set holds no key that can be read, so nothing can be said
)

// Expectation is what a token must say. Empty members are not looked at.
type Expectation struct {
	Issuer   string
	Subject  string
	Audience string
	Now      time.Time // in the issuer's clock; zero: times are not looked at
	Leeway   time.Duration
}

// Judge says why a token is bad, or [Good]. The signature is verified by go-jose with the keys of the set; the
// algorithm is never taken from the token alone (RFC 8725 §3.1).
func Judge(token string, jwks map[string]any, want Expectation) string {
	return judge(token, published(jwks), want)
}

func judge(token string, keys []public, want Expectation) string {
	o, ok := parse(token)
	if !ok {
		return malformed(token)
	}
	alg := jose.SignatureAlgorithm(o.alg())
	if !slices.Contains(asymmetric(), alg) {
		return BadAlgorithm
	}
	if _, critical := o.header["crit"]; critical {
		return BadCritical
	}
	why := verify(o, alg, keys)
	if why != Good {
		return why
	}
	return want.judge(o)
}

// malformed tells a token without an algorithm, which oauth.Decode refuses too, from one that is no JWS.
func malformed(token string) string {
	if header, ok := looseHeader(token); ok {
		if _, has := header["alg"]; !has {
			return BadAlgorithm
		}
	}
	return BadForm
}

func asymmetric() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.ES256, jose.ES384, jose.ES512, jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.EdDSA,
	}
}

func verify(o original, alg jose.SignatureAlgorithm, keys []public) string {
	if len(keys) == 0 {
		return NoKeys
	}
	if kid := o.kid(); kid != "" {
		keys = among(keys, kid)
		if len(keys) == 0 {
			return UnknownKey
		}
	}
	jws, err := jose.ParseSignedCompact(o.compact, []jose.SignatureAlgorithm{alg})
	if err != nil {
		return BadForm
	}
	fits := false
	for _, k := range keys {
		if own, told := k.jwk["alg"].(string); told && own != string(alg) {
			continue
		}
		fits = true
		_, err := jws.Verify(k.key)
		if err == nil {
			return Good
		}
	}
	if !fits {
		return BadAlgorithm
	}
	return BadSignature
}

func (want Expectation) judge(o original) string {
	iss, _ := o.claims["iss"].(string)
	sub, _ := o.claims["sub"].(string)
	switch {
	case want.Issuer != "" && iss != want.Issuer:
		return BadIssuer
	case want.Subject != "" && sub != want.Subject:
		return BadSubject
	case want.Audience != "" && !slices.Contains(oauth.Strings(o.claims["aud"]), want.Audience):
		return BadAudience
	}
	return want.times(o.claims)
}

// times judges exp and nbf (RFC 7519 §4.1.4: not at or after exp; §4.1.5: not before nbf).
func (want Expectation) times(claims map[string]any) string {
	if want.Now.IsZero() {
		return Good
	}
	exp, ok := oauth.Date(claims["exp"])
	if !ok {
		return NoExpiry
	}
	if !want.Now.Before(exp.Add(want.Leeway)) {
		return Expired
	}
	if nbf, ok := oauth.Date(claims["nbf"]); ok && want.Now.Add(want.Leeway).Before(nbf) {
		return TooEarly
	}
	return Good
}
