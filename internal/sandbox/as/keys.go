package as

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// A signingKey signs access tokens with ES256. Its kid is its RFC 7638 thumbprint.
type signingKey struct {
	kid     string
	private *ecdsa.PrivateKey
	public  time.Time // from when on it is published; zero: from the start
}

func newSigningKey() (signingKey, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return signingKey{}, fmt.Errorf("make a signing key: %w", err)
	}
	jwk := jose.JSONWebKey{Key: private.Public()}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return signingKey{}, fmt.Errorf("name a signing key: %w", err)
	}
	return signingKey{kid: base64.RawURLEncoding.EncodeToString(sum), private: private}, nil
}

func (k signingKey) jwk(key any) jose.JSONWebKey {
	return jose.JSONWebKey{Key: key, KeyID: k.kid, Algorithm: string(jose.ES256), Use: "sig"}
}

func (k signingKey) sign(typ string, claims map[string]any) (string, error) {
	options := (&jose.SignerOptions{}).WithType(jose.ContentType(typ))
	key := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: k.private, KeyID: k.kid}}
	signer, err := jose.NewSigner(key, options)
	if err != nil {
		return "", fmt.Errorf("sign an access token: %w", err)
	}
	raw, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign an access token: %w", err)
	}
	return raw, nil
}

// signing is the key that signs from now on.
func (s *Server) signing() signingKey { return s.keys[len(s.keys)-1] }

func (s *Server) published(kid string) (signingKey, bool) {
	for _, k := range s.keys {
		if k.kid == kid {
			return k, true
		}
	}
	return signingKey{}, false
}

// jwks publishes the keys that sign or signed, and the retired one. RFC 7517 §9.2: private parts are protected from
// disclosure.
func (s *Server) jwks(c *call) answer {
	set := jose.JSONWebKeySet{}
	for _, k := range s.keys {
		if !c.now.Before(k.public) {
			set.Keys = append(set.Keys, k.jwk(k.private.Public()))
		}
	}
	retired := s.retired.jwk(s.retired.private.Public())
	if c.defects.PrivateKeyInJWKS {
		retired.Key = s.retired.private
	}
	set.Keys = append(set.Keys, retired)
	return answer{status: http.StatusOK, body: set, header: keySetHeader(c.defects)}
}
