package edge

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// compact is a JWS in compact serialisation (RFC 7515 §7.1), decoded and not verified.
type compact struct {
	header struct {
		Algorithm string           `json:"alg"`
		Type      string           `json:"typ"`
		KeyID     string           `json:"kid"`
		Critical  *json.RawMessage `json:"crit"`
		Key       *json.RawMessage `json:"jwk"`
		KeySetAt  any              `json:"jku"` // of any type: nothing is done with it
		ChainAt   any              `json:"x5u"`
	}
	payload   []byte
	input     []byte
	signature []byte
}

func parse(token string) (compact, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return compact{}, errors.New("token is not a JWS of three parts")
	}
	var c compact
	header, err := decode(parts[0])
	if err != nil {
		return compact{}, errors.New("header is not base64url")
	}
	decoder := json.NewDecoder(bytes.NewReader(header))
	err = decoder.Decode(&c.header)
	if err != nil {
		return compact{}, errors.New("header is not JSON")
	}
	c.payload, err = decode(parts[1])
	if err != nil {
		return compact{}, errors.New("payload is not base64url")
	}
	c.signature, err = decode(parts[2])
	if err != nil {
		return compact{}, errors.New("signature is not base64url")
	}
	c.input = []byte(parts[0] + "." + parts[1])
	return c, nil
}

// decode refuses padding and stray last bits, so that a token has one spelling only.
func decode(part string) ([]byte, error) {
	return base64.RawURLEncoding.Strict().DecodeString(part)
}

// es256 verifies a signature as RFC 7518 §3.4 says: R and S, 32 octets each.
func es256(key *ecdsa.PublicKey, input, signature []byte) bool {
	if len(signature) != 64 || key.Curve != elliptic.P256() {
		return false
	}
	sum := sha256.Sum256(input)
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	return ecdsa.Verify(key, sum[:], r, s)
}

// hs256WithPublicKey is the classic confusion: a library that takes any algorithm and any key is given the PEM text of
// a public key, and uses it as the secret of an HMAC.
func hs256WithPublicKey(key *ecdsa.PublicKey, input, signature []byte) bool {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write(input)
	return hmac.Equal(mac.Sum(nil), signature)
}

func embedded(raw *json.RawMessage) (*ecdsa.PublicKey, bool) {
	if raw == nil {
		return nil, false
	}
	var key jose.JSONWebKey
	err := json.Unmarshal(*raw, &key)
	if err != nil {
		return nil, false
	}
	public, ok := key.Key.(*ecdsa.PublicKey)
	return public, ok
}
