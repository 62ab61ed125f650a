package as

import (
	"crypto"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.SHA256
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// verifies tries one key on a JWT in compact form, which was parsed already for the algorithms that the caller allows. RFC
// 8725 §3.1: a key is for one algorithm. HS256 comes here only under AssertionKeyConfusion, and takes the public key's
// PEM for a secret.
func verifies(raw string, token *jwt.JSONWebToken, key jose.JSONWebKey) bool {
	header := token.Headers[0]
	if header.Algorithm == string(jose.HS256) {
		text := publicPEM(key)
		return token.Claims(text) == nil || token.Claims([]byte(strings.TrimSpace(string(text)))) == nil
	}
	if header.KeyID != "" && key.KeyID != "" && header.KeyID != key.KeyID {
		return false
	}
	if key.Algorithm != "" && key.Algorithm != header.Algorithm {
		return false
	}
	if key.Use != "" && key.Use != "sig" {
		return false
	}
	if header.Algorithm == string(jose.PS256) && !saltedByTheBook(raw, key) {
		return false
	}
	return token.Claims(key.Key) == nil
}

// saltedByTheBook verifies a PS256 signature strictly. RFC 7518 §3.5: "The size of the salt value is the same size as the
// hash function output", which the library does not look at.
func saltedByTheBook(raw string, key jose.JSONWebKey) bool {
	public, ok := key.Key.(*rsa.PublicKey)
	if !ok {
		return false
	}
	end := strings.LastIndexByte(raw, '.')
	signature, err := base64.RawURLEncoding.DecodeString(raw[end+1:])
	if err != nil {
		return false
	}
	sum := crypto.SHA256.New()
	sum.Write([]byte(raw[:end]))
	return rsa.VerifyPSS(public, crypto.SHA256, sum.Sum(nil), signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
}

// forSignatures marks a key that is not meant to verify with as one for encryption. RFC 7517 §4.3: key_ops names the
// operations for which a key is intended; the library does not read it.
func forSignatures(key *jose.JSONWebKey, operations json.RawMessage) {
	if operations == nil {
		return
	}
	var names []string
	err := json.Unmarshal(operations, &names)
	if err != nil || !slices.Contains(names, "verify") {
		key.Use = "enc"
	}
}

// factorable says that an RSA modulus was made by the broken generator of some smart cards (CVE-2017-15361, "ROCA"): such a
// modulus is a power of 65537 modulo each of many small primes, which of others one in 2^27 is.
func factorable(modulus *big.Int) bool {
	for _, prime := range []int64{3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167} {
		rest := new(big.Int).Mod(modulus, big.NewInt(prime)).Int64()
		power := int64(1)
		found := false
		for range prime {
			if power == rest {
				found = true
				break
			}
			power = power * (65537 % prime) % prime
		}
		if !found {
			return false
		}
	}
	return true
}
