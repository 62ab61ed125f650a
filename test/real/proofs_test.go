//go:build linux

package real

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// prover is a client that makes its DPoP proofs with go-jose alone.
type prover struct {
	*player
	key *ecdsa.PrivateKey
}

func newProver(t *testing.T, stack *Stack, name string) prover {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := registerWith(t, stack, name, map[string]any{"token_endpoint_auth_method": "client_secret_basic", "tls_client_certificate_bound_access_tokens": false})
	p.http = stranger(stack).http
	return prover{p, key}
}

func (p prover) thumbprint(t *testing.T) string {
	t.Helper()
	sum, err := (&jose.JSONWebKey{Key: p.key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// proof is for one request; more claims win.
func (p prover) proof(t *testing.T, method, uri, token string, more map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: p.key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{"jti": rand.Text(), "htm": method, "htu": uri, "iat": time.Now().Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	for name, value := range more {
		claims[name] = value
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// ask asks for a token with a proof; without one it asks for a bearer token. It gives the nonce that the answer tells.
func (p prover) ask(t *testing.T, proof string) (int, map[string]any, string) {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "resource": {JWTResource}, "scope": {"payments:read"}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.stack.Issuer+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(p.id), url.QueryEscape(p.secret))
	if proof != "" {
		request.Header.Set("DPoP", proof)
	}
	response, err := p.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, object(body), response.Header.Get("DPoP-Nonce")
}

// nonced is a proof for the token endpoint with the nonce that the server asks for.
func (p prover) nonced(t *testing.T) string {
	t.Helper()
	endpoint := p.stack.Issuer + "/token"
	status, answer, nonce := p.ask(t, p.proof(t, "POST", endpoint, "", nil))
	if status != 400 || answer["error"] != "use_dpop_nonce" || nonce == "" {
		t.Fatalf("without a nonce: %d %v, nonce %q", status, answer, nonce)
	}
	return p.proof(t, "POST", endpoint, "", map[string]any{"nonce": nonce})
}

func (p prover) list(t *testing.T, scheme, token, proof string) int {
	t.Helper()
	header := http.Header{"Authorization": {scheme + " " + token}}
	if proof != "" {
		header.Set("DPoP", proof)
	}
	status, _ := p.do(t, http.MethodGet, p.stack.Proving+"/payments", header, nil)
	return status
}

// TestTruthOfProofs confirms by net/http and go-jose what oidc-provider and oauth4webapi really do with DPoP.
func TestTruthOfProofs(t *testing.T) {
	t.Parallel()
	stack := ForTest(t, Options{TokenLife: 4 * time.Second, Proofs: true})
	p := newProver(t, stack, "prover")
	payments := stack.Proving + "/payments"
	bound := func(t *testing.T) string {
		status, answer, _ := p.ask(t, p.nonced(t))
		token, _ := answer["access_token"].(string)
		if status != http.StatusOK || answer["token_type"] != "DPoP" {
			t.Fatalf("%d %v", status, answer)
		}
		return token
	}

	t.Run("a token is bound to the key of its proof", func(t *testing.T) {
		parsed, err := jwt.ParseSigned(bound(t), []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		var claims struct {
			Confirm map[string]string `json:"cnf"`
		}
		err = parsed.UnsafeClaimsWithoutVerification(&claims)
		if err != nil || claims.Confirm["jkt"] != p.thumbprint(t) {
			t.Errorf("cnf %v, %v; want jkt %s", claims.Confirm, err, p.thumbprint(t))
		}
	})

	t.Run("a proof is good once at the server and more than once at the resource", func(t *testing.T) {
		proof := p.nonced(t)
		first, _, _ := p.ask(t, proof)
		second, answer, _ := p.ask(t, proof)
		if first != 200 || second != 400 || answer["error"] != "invalid_grant" {
			t.Errorf("server: %d, then %d %v", first, second, answer)
		}
		token := bound(t)
		proof = p.proof(t, "GET", payments, token, nil)
		if first, second := p.list(t, "DPoP", token, proof), p.list(t, "DPoP", token, proof); first != 200 || second != 200 {
			t.Errorf("resource: %d, then %d", first, second)
		}
	})

	t.Run("an old proof, one for another place and none are refused", func(t *testing.T) {
		token := bound(t)
		for name, c := range map[string]struct {
			scheme, proof string
			want          int
		}{
			"good":          {"DPoP", p.proof(t, "GET", payments, token, nil), 200},
			"htu and query": {"DPoP", p.proof(t, "GET", payments+"?page=2", token, nil), 200},
			"an hour old":   {"DPoP", p.proof(t, "GET", payments, token, map[string]any{"iat": time.Now().Add(-time.Hour).Unix()}), 401},
			"another host":  {"DPoP", p.proof(t, "GET", stack.Nginx+"/payments", token, nil), 401},
			"another token": {"DPoP", p.proof(t, "GET", payments, "another", nil), 401},
			"no proof":      {"DPoP", "", 401},
			"as bearer":     {"Bearer", "", 401},
		} {
			if status := p.list(t, c.scheme, token, c.proof); status != c.want {
				t.Errorf("%s: %d, want %d", name, status, c.want)
			}
		}
	})

	t.Run("the resource names an error where nothing was shown", func(t *testing.T) {
		p.challenged(t, "GET", payments, "", 401, `DPoP error="invalid_token"`)
	})

	t.Run("a token without binding opens the resource", func(t *testing.T) {
		_, answer, _ := p.ask(t, "")
		token, _ := answer["access_token"].(string)
		if status := p.list(t, "Bearer", token, ""); status != 200 || answer["token_type"] != "Bearer" {
			t.Errorf("%d, token_type %v", status, answer["token_type"])
		}
	})

	t.Run("a token opens the resource for half a minute after its end", func(t *testing.T) {
		token := bound(t)
		end := expiry(t, token)
		until(t, end.Add(5*time.Second))
		if status := p.list(t, "DPoP", token, p.proof(t, "GET", payments, token, nil)); status != 200 {
			t.Errorf("5 s after its end: %d", status)
		}
		until(t, end.Add(32*time.Second))
		if status := p.list(t, "DPoP", token, p.proof(t, "GET", payments, token, nil)); status != 401 {
			t.Errorf("32 s after its end: %d", status)
		}
	})
}
