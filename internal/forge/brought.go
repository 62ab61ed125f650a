package forge

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"maps"
	"math/big"
	"time"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// AssertionBringsKey is signed with a key of ours that stands in the header of the assertion itself: as jwk under the
// client's kid, under its own, and under none, and in a certificate as x5c (RFC 8725 §3.8: the key must belong to the
// issuer). The key must be for the algorithm of the assertion.
func AssertionBringsKey(own oauth.Key) []wire.Change {
	brought := func(name, reason, kid string, header func() (map[string]any, error)) wire.Change {
		return assertion(name, reason, func(j *wire.JWT) error {
			err := sameAlg(j, own)
			if err != nil {
				return err
			}
			more, err := header()
			if err != nil {
				return err
			}
			maps.Copy(j.Header, more)
			switch kid {
			case "own":
				j.Header["kid"] = own.ID
			case "none":
				delete(j.Header, "kid")
			}
			j.Key, j.Signer = own.Signer, "a key that the assertion brings along"
			return nil
		})
	}
	embedded := func(kid string) func() (map[string]any, error) {
		return func() (map[string]any, error) {
			return map[string]any{"jwk": oauth.PublicJWK(own.Signer.Public(), kid, own.Alg)}, nil
		}
	}
	return []wire.Change{
		brought("assertion with its own key as jwk, the client's kid", BadSignature, "", embedded("")),
		brought("assertion with its own key as jwk, its own kid", UnknownKey, "own", embedded(own.ID)),
		brought("assertion with its own key as jwk, no kid", BadSignature, "none", embedded("")),
		brought("assertion with its own key in a certificate as x5c", BadSignature, "", func() (map[string]any, error) {
			der, err := selfSigned(own.Signer)
			return map[string]any{"x5c": []any{base64.StdEncoding.EncodeToString(der)}}, err // RFC 7515 §4.1.6: base64, not base64url
		}),
	}
}

// AssertionPointsToKey is signed with a key of ours that the header says is found at an address: as jku or as x5u. The kid
// is that of our key, since in the set that stands there no other is found.
func AssertionPointsToKey(own oauth.Key, member, address string) wire.Change {
	return assertion("assertion with "+member+" to a key of ours", UnknownKey, func(j *wire.JWT) error {
		err := sameAlg(j, own)
		if err != nil {
			return err
		}
		j.Header[member], j.Header["kid"] = address, own.ID
		j.Key, j.Signer = own.Signer, "a key that the assertion points to"
		return nil
	})
}

func selfSigned(key crypto.Signer) ([]byte, error) {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "checkride"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(48 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	return x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
}

// AssertionWith sets claims on which our own verifier has no opinion: the assertion stays good by RFC 7523, and whether
// it should be taken is a question of policy. A [wire.FromNow] becomes a time.
func AssertionWith(name string, claims map[string]any) wire.Change {
	return assertion(name, Good, func(j *wire.JWT) error {
		if j.Claims == nil {
			j.Claims = map[string]any{}
		}
		maps.Copy(j.Claims, claims)
		return nil
	})
}

// AssertionBy is signed well by another of the client's own keys, which is for another algorithm.
func AssertionBy(other oauth.Key) wire.Change {
	name := "assertion signed with " + other.Alg
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		j, err := clientAssertion(&r)
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
		j.Header["alg"], j.Header["kid"], j.Key = other.Alg, other.ID, other.Signer
		now := time.Now().Add(j.Clock)
		good, err := sample(*j, now)
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
		if why := Judge(good, oauth.JWKSet(other), Expectation{Now: now}); why != Good {
			return r, fmt.Errorf("%s: it is bad by itself (%s); give a key that fits", name, why)
		}
		return r, nil
	}}
}

// AssertionAhead was made, or begins, that far in the future, and ends a minute later: iat or nbf. Our own verifier has no
// opinion on iat (RFC 7519 §4.1.6 has no rule for it).
func AssertionAhead(claim string, ahead time.Duration) wire.Change {
	return assertion(fmt.Sprintf("assertion with %s %v ahead", claim, ahead), reasonOf(claim), func(j *wire.JWT) error {
		j.Claims[claim], j.Claims["exp"] = wire.FromNow(ahead), wire.FromNow(ahead+time.Minute)
		return nil
	})
}
