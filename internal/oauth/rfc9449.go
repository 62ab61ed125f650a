package oauth

// RFC 9449: demonstrating proof of possession (DPoP).

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/wire"
)

// TokenTypeDPoP is the token_type of a token that is bound to a key by DPoP, and the authentication scheme with which
// it is shown (RFC 9449 §5, §7.1). Both are compared without regard to case.
const TokenTypeDPoP = "DPoP"

// Proof is the credential by which a request proves possession of a key (RFC 9449 §4.1, §4.2): a JWT of its own for each
// sending. The clock is that of its reader minus ours.
func Proof(key Key, clock time.Duration) wire.Credential {
	return wire.Credential{In: wire.InHeader, Name: "DPoP", JWT: &wire.JWT{
		Header: map[string]any{"typ": "dpop+jwt", "alg": key.Alg, "jwk": ProofJWK(key)},
		Key:    key.Signer, Clock: clock, Proof: true,
	}}
}

// ProofJWK is the public key as a proof shows it (RFC 9449 §4.2): the key alone.
func ProofJWK(key Key) map[string]any {
	jwk := key.JWK()
	for _, name := range []string{"kid", "alg", "use"} {
		delete(jwk, name)
	}
	return jwk
}

// ProofIn gives the DPoP proof of a request, to be altered in a copy, or nil.
func ProofIn(r *wire.Request) *wire.Credential {
	i := slices.IndexFunc(r.Credentials, func(c wire.Credential) bool { return c.JWT != nil && c.JWT.Proof })
	if i < 0 {
		return nil
	}
	return &r.Credentials[i]
}

// Prove adds the proof of a key to a request; without a key there is none.
func Prove(r wire.Request, key Key, clock time.Duration) wire.Request {
	if key.Signer == nil {
		return r
	}
	return present(r, Proof(key, clock))
}

// Present shows an access token at a point: as a bearer token (RFC 6750 §2.1), or with the proof of the key that it is
// bound to (RFC 9449 §7.1).
func Present(r wire.Request, token Token) wire.Request {
	c := wire.Credential{In: wire.InHeader, Name: "Authorization", Prefix: token.Scheme(), Text: token.Text}
	return Prove(present(r, c), token.Proof, 0)
}

// Scheme is the authentication scheme with which the token is shown, with the blank behind it.
func (t Token) Scheme() string {
	if t.Proof.Signer != nil {
		return TokenTypeDPoP + " "
	}
	return "Bearer "
}

// ProofAlgorithms are those with which a server takes proofs (RFC 9449 §5.1); none: it does not say that it knows DPoP.
func (s Server) ProofAlgorithms() []string {
	return Strings(s.Metadata["dpop_signing_alg_values_supported"])
}

// ProofAlgorithm is one of them that this program signs with, ES256 before all others; empty: there is none.
func (s Server) ProofAlgorithm() string {
	told := s.ProofAlgorithms()
	for _, alg := range []string{"ES256", "EdDSA", "ES384", "ES512", "PS256", "RS256"} {
		if slices.Contains(told, alg) {
			return alg
		}
	}
	return ""
}

// KeyThumbprint is the value of jkt (RFC 9449 §6.1): base64url of the SHA-256 of RFC 7638, without padding.
func KeyThumbprint(key Key) string {
	plain, err := named(Key{Alg: key.Alg, Signer: key.Signer})
	if err != nil {
		return ""
	}
	return plain.ID
}

// boundBy is the key to which a token of this type is bound, as the proof of its request showed it.
func boundBy(tokenType string, c Client) Key {
	if strings.EqualFold(tokenType, TokenTypeDPoP) {
		return c.Proof
	}
	return Key{}
}

// AsksForNonce says whether an answer asks for a nonce as RFC 9449 §8 (400 with a JSON error) or §9 (401 with a
// challenge) has it.
func AsksForNonce(x wire.Exchange) bool {
	const code = "use_dpop_nonce"
	switch x.Status {
	case http.StatusBadRequest:
		return x.Text("/error") == code
	case http.StatusUnauthorized:
		return slices.ContainsFunc(x.Header.Values("WWW-Authenticate"), func(challenge string) bool {
			return strings.Contains(strings.ToLower(challenge), "dpop ") && strings.Contains(challenge, code)
		})
	}
	return false
}
