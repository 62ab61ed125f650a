// Package trust is the sandbox's trust framework: a directory that knows organisations and vouches for their software by
// software statements (RFC 7591 §2.3). Start with [New].
package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// life is how long a statement is good that the directory itself signs.
const life = 5 * time.Minute

// Directory vouches for software. It signs with ES256 and is safe for concurrent use.
type Directory struct {
	issuer  string
	private jose.JSONWebKey
}

// New makes a directory with a key of its own. The issuer is the URL under which its handler is served.
func New(issuer string) (*Directory, error) {
	private, err := NewKey()
	if err != nil {
		return nil, fmt.Errorf("the directory's key: %w", err)
	}
	return &Directory{issuer: issuer, private: private}, nil
}

// NewKey makes a key that signs with ES256, named by its thumbprint (RFC 7638).
func NewKey() (jose.JSONWebKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("make a key: %w", err)
	}
	private := jose.JSONWebKey{Key: key, Algorithm: string(jose.ES256), Use: "sig"}
	sum, err := private.Thumbprint(crypto.SHA256)
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("name a key: %w", err)
	}
	private.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	return private, nil
}

// Issuer is the iss of its statements.
func (d *Directory) Issuer() string { return d.issuer }

// Keys is its key set, without private parts.
func (d *Directory) Keys() jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{d.private.Public()}}
}

// PrivateJWK is its private key. Whoever has it vouches for anybody: it is for the tester of a sandbox.
func (d *Directory) PrivateJWK() ([]byte, error) {
	text, err := json.Marshal(d.private)
	if err != nil {
		return nil, fmt.Errorf("encode the directory's key: %w", err)
	}
	return text, nil
}

// Sign makes a software statement of claims. What they lack of iss, iat, exp and jti is filled in.
func (d *Directory) Sign(claims map[string]any, now time.Time) (string, error) {
	all := map[string]any{"iss": d.issuer, "iat": now.Unix(), "exp": now.Add(life).Unix(), "jti": rand.Text()}
	for name, value := range claims {
		all[name] = value
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: d.private}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("sign a software statement: %w", err)
	}
	text, err := jwt.Signed(signer).Claims(all).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign a software statement: %w", err)
	}
	return text, nil
}

// Handler serves GET jwks and POST statements, whose body is the claims. It vouches for whoever asks, so it must listen
// on loopback or in memory only.
func (d *Directory) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) { write(w, d.Keys()) })
	mux.HandleFunc("POST /statements", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
		if err != nil {
			http.Error(w, "the body could not be read", http.StatusBadRequest)
			return
		}
		var claims map[string]any
		err = json.Unmarshal(body, &claims)
		if err != nil {
			http.Error(w, "the body must be one JSON object of claims", http.StatusBadRequest)
			return
		}
		text, err := d.Sign(claims, time.Now())
		if err != nil {
			http.Error(w, "the statement could not be signed", http.StatusInternalServerError)
			return
		}
		write(w, map[string]string{"software_statement": text})
	})
	return mux
}

func write(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(value) // whoever asked has gone: there is nobody to tell
}
