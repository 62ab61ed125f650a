package oauth

// RFC 7515 and RFC 7519: what a JWT says, without believing it.

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// JWS is a decoded, unverified JSON Web Signature in compact form whose payload is a JSON object. It does not keep the
// signature's text: printed, it gives no token away.
type JWS struct {
	Header     map[string]any // numbers as float64
	Claims     map[string]any
	Duplicates []string // JSON pointers of names that stand there twice, under /header or /claims; the last one was taken
	Padded     bool     // a part was padded with "=", which RFC 7515 §2 does not know
	Signature  int      // bytes of the signature
}

// Decode reads a compact JWS of at most 64 KiB and 50 levels. It verifies nothing. It is lenient where a reader may be
// and reports it: duplicate names, padding.
func Decode(compact string) (*JWS, error) {
	if len(compact) > maxToken {
		return nil, fmt.Errorf("a JWS of %d bytes, more than the %d that are read", len(compact), maxToken)
	}
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("no compact JWS: %d parts instead of 3", len(parts))
	}
	j := &JWS{}
	header, err := j.part(parts[0], "header")
	if err != nil {
		return nil, err
	}
	claims, err := j.part(parts[1], "claims")
	if err != nil {
		return nil, err
	}
	signature, err := j.bytes(parts[2])
	if err != nil {
		return nil, fmt.Errorf("signature of a JWS: %w", err)
	}
	if _, ok := header["alg"]; !ok {
		return nil, errors.New("no JWS: its header has no alg (RFC 7515 §4.1.1)")
	}
	j.Header, j.Claims, j.Signature = header, claims, len(signature)
	return j, nil
}

func (j *JWS) bytes(part string) ([]byte, error) {
	trimmed := strings.TrimRight(part, "=")
	j.Padded = j.Padded || trimmed != part
	b, err := base64.RawURLEncoding.DecodeString(trimmed)
	if err != nil {
		return nil, errors.New("no base64url")
	}
	return b, nil
}

func (j *JWS) part(part, name string) (map[string]any, error) {
	b, err := j.bytes(part)
	if err != nil {
		return nil, fmt.Errorf("%s of a JWS: %w", name, err)
	}
	m, duplicates, err := object(b, maxToken)
	if err != nil {
		return nil, fmt.Errorf("%s of a JWS: %w", name, err)
	}
	for _, d := range duplicates {
		j.Duplicates = append(j.Duplicates, "/"+name+d)
	}
	return m, nil
}

// Audience is aud, which is a string or an array.
func (j *JWS) Audience() []string { return Strings(j.Claims["aud"]) }

// Scope is scope, written as one string (RFC 9068 §2.2.3) or, by some servers, as an array or as scp.
func (j *JWS) Scope() []string { return ScopesIn(j.Claims) }

// ScopesIn reads the scopes of a token's claims, of an introspection or of a token answer: scope is a string of words
// (RFC 6749 §3.3); some servers call it scp, or give an array.
func ScopesIn(claims map[string]any) []string {
	for _, name := range []string{"scope", "scp"} {
		if s, ok := claims[name].(string); ok {
			return strings.Fields(s)
		}
		if all := Strings(claims[name]); all != nil {
			return all
		}
	}
	return nil
}

// earlier gives the earlier of t, in our clock, and exp, in the clock of an issuer that is ahead of ours by clock. A
// zero t is no bound.
func (j *JWS) earlier(t time.Time, clock time.Duration) time.Time {
	if j == nil {
		return t
	}
	exp, ok := Date(j.Claims["exp"])
	if !ok {
		return t
	}
	exp = exp.Add(-clock)
	if t.IsZero() || exp.Before(t) {
		return exp
	}
	return t
}
