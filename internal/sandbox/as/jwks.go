package as

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

const maxKeys = 20

// readKeys takes a client's public keys, or the address where it publishes them. RFC 7591 §2: jwks and jwks_uri must not
// both be present.
func (r *registration) readKeys(c *call, members map[string]json.RawMessage) error {
	raw, inline := members["jwks"]
	inline = inline && !bytes.Equal(raw, []byte("null"))
	address, err := text(members, "jwks_uri")
	if err != nil {
		return err
	}
	if inline && address != "" {
		return errors.New("jwks and jwks_uri must not both be present")
	}
	if address != "" {
		err = c.server.takeJWKSURI(c, address)
		if err != nil {
			return err
		}
		r.jwksURI = address
	}
	if inline {
		err = r.takeJWKS(raw, c.defects.KeysUnchecked)
		if err != nil {
			return err
		}
	}
	if r.method == privateKeyJWT && len(r.keys) == 0 && r.jwksURI == "" {
		return errors.New("private_key_jwt needs jwks or jwks_uri")
	}
	if r.method == selfSignedTLSClientAuth && len(r.certificates) == 0 {
		return errors.New("self_signed_tls_client_auth needs jwks with x5c") // RFC 8705 §2.2.2
	}
	return nil
}

func (r *registration) takeJWKS(raw json.RawMessage, unchecked bool) error {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	err := json.Unmarshal(raw, &set)
	if err != nil || len(set.Keys) == 0 || len(set.Keys) > maxKeys {
		return fmt.Errorf("jwks must be a JWK Set of 1 to %d keys", maxKeys)
	}
	ids := map[string]bool{}
	for i, one := range set.Keys {
		key, err := publicKey(one, unchecked)
		if err != nil {
			return fmt.Errorf("jwks key %d: %w", i+1, err)
		}
		if key.KeyID != "" && ids[key.KeyID] {
			return fmt.Errorf("jwks key %d: its kid is used twice", i+1) // RFC 7517 §4.5
		}
		ids[key.KeyID] = true
		r.keys = append(r.keys, key)
		if len(key.Certificates) > 0 {
			r.certificates = append(r.certificates, key.Certificates[0].Raw)
		}
	}
	r.jwks = raw
	return nil
}

// publicKey reads one key and refuses what must never be registered: private and symmetric keys (RFC 7517 §9.2), and
// RSA keys below 2048 bits (RFC 7518 §3.3).
func publicKey(raw json.RawMessage, unchecked bool) (jose.JSONWebKey, error) {
	if unchecked {
		return anyKey(raw)
	}
	var members map[string]json.RawMessage
	err := json.Unmarshal(raw, &members)
	if err != nil {
		return jose.JSONWebKey{}, errors.New("not a JSON object")
	}
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		if _, there := members[name]; there {
			return jose.JSONWebKey{}, errors.New("holds private or symmetric parts")
		}
	}
	var key jose.JSONWebKey
	err = json.Unmarshal(raw, &key)
	if err != nil {
		return jose.JSONWebKey{}, errors.New("not a key that is known here")
	}
	switch k := key.Key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 {
			return jose.JSONWebKey{}, errors.New("an RSA key needs at least 2048 bits")
		}
		if factorable(k.N) {
			return jose.JSONWebKey{}, errors.New("an RSA key of a generator that is known to be broken")
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return jose.JSONWebKey{}, errors.New("not a public key that is known here")
	}
	forSignatures(&key, members["key_ops"])
	return key, nil
}

// anyKey takes a key for whatever it is. Of a symmetric one nothing can be used.
func anyKey(raw json.RawMessage) (jose.JSONWebKey, error) {
	var key jose.JSONWebKey
	err := json.Unmarshal(raw, &key)
	if err != nil {
		return jose.JSONWebKey{}, errors.New("not a key that is known here")
	}
	if key.IsPublic() {
		return key, nil
	}
	return key.Public(), nil
}
