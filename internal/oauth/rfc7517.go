package oauth

// RFC 7517, RFC 7518, RFC 7638: keys.

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/checkride/checkride/internal/wire"
)

// Key is a client's signing key. It prints without its private part.
type Key struct {
	ID     string // kid: the thumbprint (RFC 7638), or what the key was given with
	Alg    string // ES256, ES384, ES512, PS256, RS256, EdDSA, ...
	Signer crypto.Signer
}

func (k Key) String() string   { return fmt.Sprintf("key %s (%s)", k.ID, k.Alg) }
func (k Key) GoString() string { return k.String() }

// NewKey makes a key for an algorithm: ES256 when empty, ES384, ES512, PS256 or RS256 (2048 bits) and their longer
// hashes, EdDSA (Ed25519).
func NewKey(alg string) (Key, error) {
	if alg == "" {
		alg = string(jose.ES256)
	}
	var signer crypto.Signer
	var err error
	switch alg {
	case "ES256":
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		signer, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		signer, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512":
		signer, err = rsa.GenerateKey(rand.Reader, 2048) // RFC 7518 §3.3: at least 2048 bits
	case "EdDSA":
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	default:
		return Key{}, fmt.Errorf("key: no algorithm %q; use ES256, PS256, RS256 or EdDSA", alg)
	}
	if err != nil {
		return Key{}, fmt.Errorf("key for %s: %w", alg, err)
	}
	return named(Key{Alg: alg, Signer: signer})
}

// named gives a key its thumbprint as id, unless it has one.
func named(k Key) (Key, error) {
	if k.ID != "" {
		return k, nil
	}
	public := jose.JSONWebKey{Key: k.Signer.Public()}
	sum, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return Key{}, fmt.Errorf("thumbprint of a key: %w", err)
	}
	k.ID = base64.RawURLEncoding.EncodeToString(sum)
	return k, nil
}

// ParseKey reads a private key: PEM (PKCS #8, PKCS #1, SEC 1) or a JWK. What the JWK says of alg and kid is kept;
// otherwise alg follows from the kind of key, with PS256 for RSA.
func ParseKey(source string) (Key, error) {
	if strings.HasPrefix(strings.TrimSpace(source), "{") {
		return parseJWK(source)
	}
	for rest := []byte(source); ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			return Key{}, errors.New("key: neither a JWK nor a PEM block with a private key; give PKCS #8, PKCS #1, SEC 1 or a private JWK")
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		signer, err := parseDER(block)
		if err != nil {
			return Key{}, err
		}
		return keyOf(signer, "", "")
	}
}

func parseDER(block *pem.Block) (any, error) {
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("key: PEM block %q cannot be read; decrypt it first (openssl pkey)", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("key in PEM block %q: %w", block.Type, err)
	}
	return key, nil
}

func parseJWK(source string) (Key, error) {
	var k jose.JSONWebKey
	err := json.Unmarshal([]byte(source), &k)
	if err != nil {
		return Key{}, errors.New("key: the JWK cannot be read; give one private key, not a set") // the parser's words may quote the key
	}
	if k.IsPublic() {
		return Key{}, errors.New("key: the JWK has only its public part; give the private one")
	}
	return keyOf(k.Key, k.Algorithm, k.KeyID)
}

func keyOf(private any, alg, id string) (Key, error) {
	signer, ok := private.(crypto.Signer)
	if !ok {
		return Key{}, errors.New("key: it cannot sign; give an EC, RSA or Ed25519 key")
	}
	natural, err := naturalAlg(signer.Public())
	if err != nil {
		return Key{}, err
	}
	if alg == "" {
		alg = natural
	}
	if !suits(alg, natural) {
		return Key{}, fmt.Errorf("key: it is for %s and says alg %q; correct its alg", natural, alg)
	}
	return named(Key{ID: id, Alg: alg, Signer: signer})
}

func naturalAlg(public crypto.PublicKey) (string, error) {
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		switch p.Curve {
		case elliptic.P256():
			return "ES256", nil
		case elliptic.P384():
			return "ES384", nil
		case elliptic.P521():
			return "ES512", nil
		}
	case *rsa.PublicKey:
		if p.N.BitLen() < 2048 {
			return "", fmt.Errorf("key: RSA of %d bits; RFC 7518 §3.3 asks for 2048", p.N.BitLen())
		}
		return "PS256", nil
	case ed25519.PublicKey:
		return "EdDSA", nil
	}
	return "", errors.New("key: no algorithm for its kind; give P-256, P-384, P-521, RSA or Ed25519")
}

func suits(alg, natural string) bool {
	if natural != "PS256" {
		return alg == natural
	}
	switch alg {
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512":
		return true
	}
	return false
}

// JWK is the public key as a JSON Web Key with kid, alg and use.
func (k Key) JWK() map[string]any {
	return PublicJWK(k.Signer.Public(), k.ID, k.Alg)
}

// PublicJWK writes a public key as a JSON Web Key (RFC 7517 §4). It gives nil for a key of a kind that has none.
func PublicJWK(public crypto.PublicKey, kid, alg string) map[string]any {
	data, err := jose.JSONWebKey{Key: public, KeyID: kid, Algorithm: alg, Use: "sig"}.MarshalJSON()
	if err != nil {
		return nil
	}
	m, _, err := object(data, maxDocument)
	if err != nil {
		return nil
	}
	return m
}

// JWKSet is a JWK Set (RFC 7517 §5) of public keys, as jwks in client metadata.
func JWKSet(keys ...Key) map[string]any {
	all := []any{}
	for _, k := range keys {
		all = append(all, k.JWK())
	}
	return map[string]any{"keys": all}
}

// JWKSRequest fetches the server's keys.
func (s Server) JWKSRequest() wire.Request { return to(s.Name, http.MethodGet, s.Endpoints.JWKS) }

// ReadJWKS reads a JWK Set: an object whose keys is an array of objects. It keeps what it does not understand, and
// duplicate names are an error.
func ReadJWKS(x wire.Exchange) (map[string]any, error) {
	m, err := read(x, http.StatusOK)
	if err != nil {
		return nil, fmt.Errorf("jwks: %w", err)
	}
	if Keys(m) == nil {
		return nil, fmt.Errorf("jwks: no array keys of objects (RFC 7517 §5); look at exchange %d", x.Serial)
	}
	return m, nil
}

// Keys are the keys of a JWK Set; nil when it is none.
func Keys(jwks map[string]any) []map[string]any {
	list, ok := jwks["keys"].([]any)
	if !ok {
		return nil
	}
	all := []map[string]any{}
	for _, e := range list {
		k, ok := e.(map[string]any)
		if !ok {
			return nil
		}
		all = append(all, k)
	}
	return all
}
