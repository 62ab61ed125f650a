package wire

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

const (
	proofField = "DPoP"       // RFC 9449 §4.1
	nonceField = "DPoP-Nonce" // RFC 9449 §8
	useNonce   = "use_dpop_nonce"
)

// bound are the claims that tie a DPoP proof to its request (RFC 9449 §4.2): the method, the URI without query and
// fragment, the hash of the token beside it, and the nonce that the server gave last.
func (w *Wire) bound(r Request, token string) map[string]any {
	path, _, _ := strings.Cut(r.Target, "?")
	claims := map[string]any{"htm": r.Method, "htu": r.Origin + path}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if nonce := w.nonce(r.Origin); nonce != "" {
		claims["nonce"] = nonce
	}
	return claims
}

// accessToken says whether a credential stands where an access token does (RFC 6750 §2, RFC 9449 §7.1).
func accessToken(c Credential) bool {
	return c.Basic == "" && !isProof(c) && (place(c) == "header Authorization" || c.Name == "access_token")
}

func isProof(c Credential) bool { return c.JWT != nil && c.JWT.Proof }

func proofsLast(all []Credential) []Credential {
	first := slices.DeleteFunc(slices.Clone(all), isProof)
	return append(first, slices.DeleteFunc(slices.Clone(all), func(c Credential) bool { return !isProof(c) })...)
}

// nonce is the latest that an origin gave. RFC 9449 §9: a nonce is of use at the server alone that gave it.
func (w *Wire) nonce(origin string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nonces[origin]
}

// heed keeps the nonce of an answer, whatever its status (RFC 9449 §8.2: it may come with a 200).
func (w *Wire) heed(x Exchange) {
	nonce := x.Header.Get(nonceField)
	if nonce == "" || len(nonce) > maxNonce || strings.ContainsFunc(nonce, notNonce) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nonces[x.Request.Origin] = nonce
}

const maxNonce = 4 << 10

// notNonce is what RFC 9449 §8.1 leaves out of NQCHAR.
func notNonce(c rune) bool { return c < 0x21 || c > 0x7e || c == '"' || c == '\\' }

// wantsNonce says that an answer asks for the request once more, with the nonce that it brings (RFC 9449 §8, §9), and
// that the request leaves the nonce to us. What was asked says nothing yet about the rest of the request.
func wantsNonce(x Exchange) bool {
	if x.Failure != None || x.Status != http.StatusBadRequest && x.Status != http.StatusUnauthorized || x.Header.Get(nonceField) == "" {
		return false
	}
	if !slices.ContainsFunc(x.Request.Credentials, leavesNonce) {
		return false
	}
	if x.Text("/error") == useNonce {
		return true
	}
	return slices.ContainsFunc(x.Header.Values("WWW-Authenticate"), func(challenge string) bool { return strings.Contains(challenge, useNonce) })
}

func leavesNonce(c Credential) bool {
	if !isProof(c) || slices.Contains(c.JWT.Omit, "nonce") {
		return false
	}
	_, given := c.JWT.Claims["nonce"]
	return !given
}
