package forge

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/checkride/checkride/internal/oauth"
)

// sign signs a JWS signing input (RFC 7518 §3.3 to §3.5, RFC 8037 §3.1).
func sign(alg string, key crypto.Signer, input []byte) ([]byte, error) {
	if key == nil {
		return nil, fmt.Errorf("no key to sign with for alg %s", alg)
	}
	if _, is := key.Public().(ed25519.PublicKey); is {
		return key.Sign(rand.Reader, input, crypto.Hash(0))
	}
	hash, err := hashOf(alg)
	if err != nil {
		return nil, err
	}
	h := hash.New()
	h.Write(input)
	sum := h.Sum(nil)
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		if strings.HasPrefix(alg, "PS") {
			return key.Sign(rand.Reader, sum, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash})
		}
		return key.Sign(rand.Reader, sum, hash)
	case *ecdsa.PublicKey:
		der, err := key.Sign(rand.Reader, sum, hash)
		if err != nil {
			return nil, err
		}
		return fixed(der, (public.Curve.Params().BitSize+7)/8)
	}
	return nil, fmt.Errorf("a key of type %T does not sign with alg %s", key.Public(), alg)
}

func hashOf(alg string) (crypto.Hash, error) {
	switch {
	case strings.HasSuffix(alg, "256"):
		return crypto.SHA256, nil
	case strings.HasSuffix(alg, "384"):
		return crypto.SHA384, nil
	case strings.HasSuffix(alg, "512"):
		return crypto.SHA512, nil
	}
	return 0, fmt.Errorf("alg %q names no hash", alg)
}

// fixed writes an ECDSA signature as R || S (RFC 7518 §3.4).
func fixed(der []byte, size int) ([]byte, error) {
	var pair struct{ R, S *big.Int }
	_, err := asn1.Unmarshal(der, &pair)
	if err != nil {
		return nil, fmt.Errorf("ecdsa signature: %w", err)
	}
	s := make([]byte, 2*size)
	pair.R.FillBytes(s[:size])
	pair.S.FillBytes(s[size:])
	return s, nil
}

// public is a public key that everybody can read.
type public struct {
	id  string
	key any            // *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey
	jwk map[string]any // as published
}

// published are the signature keys of a set that can be read.
func published(jwks map[string]any) []public {
	var all []public
	for _, m := range oauth.Keys(jwks) {
		if m["use"] == "enc" {
			continue
		}
		k, ok := publicKey(m)
		if ok {
			all = append(all, public{id: k.KeyID, key: k.Key, jwk: m})
		}
	}
	return all
}

// among gives the keys that have one of these ids; without ids, all.
func among(keys []public, ids ...string) []public {
	if len(ids) == 0 {
		return keys
	}
	var some []public
	for _, k := range keys {
		if slices.Contains(ids, k.id) {
			some = append(some, k)
		}
	}
	return some
}

func publicKey(m map[string]any) (jose.JSONWebKey, bool) {
	var k jose.JSONWebKey
	text, err := marshal(m)
	if err != nil {
		return k, false
	}
	err = json.Unmarshal([]byte(text), &k)
	if err != nil || !k.Valid() {
		return k, false
	}
	k = k.Public() // a server that publishes private keys is another finding
	return k, k.Key != nil
}

func marshal(m map[string]any) (string, error) {
	s, err := segment(m)
	if err != nil {
		return "", err
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	return string(b), err
}

func sorted(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

type form struct {
	name  string
	bytes []byte
}

// forms are the texts of a public key that libraries were seen to take as an HMAC key. The leading blanks are those
// that slip past guards against PEM.
func (p public) forms() []form {
	der, err := x509.MarshalPKIXPublicKey(p.key)
	if err != nil {
		return nil
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	all := []form{
		{"SPKI PEM", []byte(text)},
		{"SPKI PEM without its last line end", []byte(strings.TrimSuffix(text, "\n"))},
		{"SPKI PEM with CRLF", []byte(strings.ReplaceAll(text, "\n", "\r\n"))},
		{"SPKI PEM after a blank", []byte(" " + text)},
		{"SPKI PEM after a line end", []byte("\n" + text)},
		{"SPKI DER", der},
	}
	if k, is := p.key.(*rsa.PublicKey); is {
		pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(k)})
		all = append(all, form{"PKCS #1 PEM", pkcs1}, form{"modulus", k.N.Bytes()})
	}
	if k, is := p.key.(*ecdsa.PublicKey); is {
		point, err := k.Bytes()
		if err == nil {
			all = append(all, form{"x and y", point[1:]})
		}
	}
	if served, err := marshal(p.jwk); err == nil && p.jwk != nil {
		all = append(all, form{"JWK as served, members sorted", []byte(served)})
	}
	if canonical := canonical(p.jwk); canonical != "" {
		all = append(all, form{"JWK of RFC 7638", []byte(canonical)})
	}
	return append(all, certificateForms(p.jwk)...)
}

// canonical is the JSON of which RFC 7638 §3.2 takes the thumbprint.
func canonical(jwk map[string]any) string {
	required := map[any][]string{"RSA": {"e", "kty", "n"}, "EC": {"crv", "kty", "x", "y"}, "OKP": {"crv", "kty", "x"}}
	m := map[string]any{}
	for _, name := range required[jwk["kty"]] {
		m[name] = jwk[name]
	}
	text, err := marshal(m)
	if err != nil || len(m) == 0 {
		return ""
	}
	return text
}

func certificateForms(jwk map[string]any) []form {
	chain := oauth.Strings(jwk["x5c"])
	if len(chain) == 0 {
		return nil
	}
	der, err := base64.StdEncoding.DecodeString(chain[0]) // RFC 7517 §4.7: base64, not base64url
	if err != nil {
		return nil
	}
	return []form{
		{"certificate PEM", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})},
		{"base64 of the certificate", []byte(chain[0])},
	}
}
