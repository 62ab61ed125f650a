//go:build linux

package real

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// TestTruthOfClients confirms by net/http and go-jose what oidc-provider really takes from clients, and what the operator's
// routes of server.mjs do.
func TestTruthOfClients(t *testing.T) {
	t.Parallel()
	stack := ForTest(t, Options{TokenLife: tokenLife})

	t.Run("a scope in other letters brings a token without scope, and the answer does not say so", func(t *testing.T) {
		p := register(t, stack, "letters")
		for _, scope := range []string{"PAYMENTS:READ", `payments:read"`} {
			form := url.Values{"grant_type": {"client_credentials"}, "client_id": {p.id}, "scope": {scope}, "resource": {OpaqueResource}}
			status, body := p.post(t, "/token", form)
			token, _ := body["access_token"].(string)
			_, told := body["scope"]
			if scope != "PAYMENTS:READ" { // it compares with the grammar of RFC 6749 §3.3 first
				if status != 400 {
					t.Errorf("%s: %d %v, want 400", scope, status, body)
				}
				continue
			}
			_, claims := introspect(t, stack, token)
			_, has := claims["scope"]
			if status != 200 || told || claims["active"] != true || has {
				t.Errorf("%s: %d, the answer tells a scope: %v, introspection %v; want 200 and no scope anywhere", scope, status, told, claims)
			}
			if status, _ := p.call(t, stack.Nginx+"/nocache/payments", token); status != 403 {
				t.Errorf("%s: that token at nginx: %d, want 403", scope, status)
			}
		}
	})

	t.Run("assertions may be made in the future, end in a year and name another server too", func(t *testing.T) {
		p := newSigner(t, stack, "signer", nil)
		now := time.Now()
		for _, c := range []struct {
			name string
			more map[string]any
			want int
		}{
			{"the usual one", nil, 200},
			{"iat 2 min ahead", map[string]any{"iat": now.Add(2 * time.Minute).Unix(), "exp": now.Add(3 * time.Minute).Unix()}, 200},
			{"nbf 2 min ahead", map[string]any{"nbf": now.Add(2 * time.Minute).Unix(), "exp": now.Add(3 * time.Minute).Unix()}, 401},
			{"exp in a year", map[string]any{"exp": now.Add(365 * 24 * time.Hour).Unix()}, 200},
			{"this server and another", map[string]any{"aud": []string{stack.Issuer, "https://another-server.example"}}, 200},
			{"another server alone", map[string]any{"aud": "https://another-server.example"}, 401},
			{"no jti", map[string]any{"jti": ""}, 401},
		} {
			if status, body := p.login(t, c.more); status != c.want {
				t.Errorf("%s: %d %v, want %d", c.name, status, body["error"], c.want)
			}
		}
	})

	t.Run("keys are fetched by plain http, and not from addresses within", func(t *testing.T) {
		plain := newSigner(t, stack, "plain", map[string]any{"jwks_uri": "http://keys.partner.test/jwks"})
		if plain.told != "http://keys.partner.test/jwks" {
			t.Errorf("registered with jwks_uri %q", plain.told)
		}
		plain.login(t, nil) // there is no such host; what counts is that the server asks
		said, err := os.ReadFile(filepath.Join(stack.Dir, "oidc-provider", "output.log"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(said), "fetches http://keys.partner.test/jwks\n") {
			t.Errorf("the server did not go to fetch the keys by http:\n%s", said)
		}
		// It looks where it is when it is connected, and goes: by http without a word, by https before it has asked for anything.
		word := visitor(t, func(address string) {
			p := newSigner(t, stack, "looks", map[string]any{"jwks_uri": "http://" + address + "/jwks"})
			if status, _ := p.login(t, nil); status != 401 {
				t.Errorf("login with keys within: %d, want 401", status)
			}
		})
		if word != "" {
			t.Errorf("within, by http, it said %q, want nothing", word)
		}
		var visits atomic.Int32
		within := serverWithin(t, stack, func(http.ResponseWriter, *http.Request) { visits.Add(1) })
		inside := newSigner(t, stack, "inside", map[string]any{"jwks_uri": within})
		if status, _ := inside.login(t, nil); status != 401 || visits.Load() != 0 {
			t.Errorf("keys at %s: login %d, %d visits; want 401 and none", within, status, visits.Load())
		}
	})

	t.Run("secrets never expire, and thirty wrong ones lock nobody out", func(t *testing.T) {
		p := registerWith(t, stack, "guessed", map[string]any{"token_endpoint_auth_method": "client_secret_basic", "tls_client_certificate_bound_access_tokens": false})
		_, read := p.json(t, "GET", p.configuration, p.registration, nil)
		if ends, told := read["client_secret_expires_at"].(float64); !told || ends != 0 {
			t.Errorf("client_secret_expires_at %v, want 0: never (RFC 7591 §3.2.1)", read["client_secret_expires_at"])
		}
		form := url.Values{"grant_type": {"client_credentials"}, "scope": {"payments:read"}}
		for i := range 30 {
			if status, _ := p.post(t, "/token", form, p.id, fmt.Sprintf("wrong-%d", i)); status != 401 {
				t.Errorf("wrong secret %d: %d, want 401", i, status)
			}
		}
		if status, _ := p.post(t, "/token", form, p.id, p.secret); status != 200 {
			t.Errorf("the right one after them: %d, want 200", status)
		}
	})

	t.Run("a rotated secret is dead at once", func(t *testing.T) {
		p := registerWith(t, stack, "rotating", map[string]any{"token_endpoint_auth_method": "client_secret_basic", "tls_client_certificate_bound_access_tokens": false})
		form := url.Values{"grant_type": {"client_credentials"}}
		status, body := p.operate(t, "secret", url.Values{"client": {p.id}})
		renewed, _ := body["client_secret"].(string)
		old, _ := p.post(t, "/token", form, p.id, p.secret)
		fresh, _ := p.post(t, "/token", form, p.id, renewed)
		if status != 200 || renewed == p.secret || old != 401 || fresh != 200 {
			t.Errorf("rotation %d, the old secret %d, the new one %d; want 200, 401, 200", status, old, fresh)
		}
	})

	t.Run("nginx lets nobody in while introspection is broken", func(t *testing.T) {
		p := register(t, stack, "unasked")
		token := p.token(t, OpaqueResource)
		p.operate(t, "break", nil)
		cached, _ := p.call(t, stack.Nginx+"/api/payments", token)
		uncached, _ := p.call(t, stack.Nginx+"/nocache/payments", token)
		p.operate(t, "mend", nil)
		whole, _ := p.call(t, stack.Nginx+"/api/payments", token)
		if cached != 500 || uncached != 500 || whole != 200 {
			t.Errorf("broken: with the cache %d, without %d; whole again %d; want 500, 500, 200", cached, uncached, whole)
		}
	})

	t.Run("waits", func(t *testing.T) {
		t.Run("a suspended client's token works on at nginx until the cache forgets it, and never again", func(t *testing.T) {
			t.Parallel()
			for _, end := range []string{"suspend", "schedule"} { // a window that ends by itself ends in the same way
				t.Run(end, func(t *testing.T) {
					t.Parallel()
					p := register(t, stack, end)
					token := p.token(t, OpaqueResource)
					if status, _ := p.call(t, stack.Nginx+"/api/payments", token); status != 200 {
						t.Fatalf("before: %d, want 200", status)
					}
					ends := time.Now().Add(100 * time.Millisecond)
					p.operate(t, end, url.Values{"client": {p.id}, "from": {time.Now().Add(-time.Hour).Format(time.RFC3339Nano)}, "until": {ends.Format(time.RFC3339Nano)}})
					until(t, ends.Add(200*time.Millisecond))
					login, _ := p.post(t, "/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {p.id}})
					if status, _ := p.call(t, stack.Nginx+"/nocache/payments", token); status != 401 || login != 401 {
						t.Errorf("afterwards, without a cache: %d, a new token: %d; want 401, 401", status, login)
					}
					last := p.untilRefused(t, stack.Nginx+"/api/payments", token)
					if lived := last.Sub(ends); lived < 10*time.Second || lived > tokenLife-5*time.Second {
						t.Errorf("the token was last accepted after %v, want about 15 s", lived)
					}
					p.operate(t, "resume", url.Values{"client": {p.id}})
					p.token(t, OpaqueResource)
					if status, _ := p.call(t, stack.Nginx+"/nocache/payments", token); status != 401 {
						t.Errorf("the old token once the client is let in again: %d, want 401", status)
					}
				})
			}
		})
		t.Run("a token keeps a right that was taken from its client", func(t *testing.T) {
			t.Parallel()
			p := register(t, stack, "reduced")
			token := p.token(t, OpaqueResource)
			p.operate(t, "reduce", url.Values{"client": {p.id}, "scope": {"payments:read"}})
			taken := time.Now()
			status, body := p.post(t, "/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {p.id}, "scope": {"payments:read"}})
			if status != 400 {
				t.Errorf("a new token with that scope: %d %v, want 400", status, body["scope"])
			}
			until(t, taken.Add(13*time.Second)) // longer than the limit of the plans
			if status, _ := p.call(t, stack.Nginx+"/nocache/payments", token); status != 200 {
				t.Errorf("13 s after its right was taken: %d, want 200", status)
			}
		})
		t.Run("introspection calls a deleted client's token active", func(t *testing.T) {
			t.Parallel()
			p := register(t, stack, "undead")
			token := p.token(t, OpaqueResource)
			if status, _ := p.json(t, "DELETE", p.configuration, p.registration, nil); status != 204 {
				t.Fatalf("deletion: %d, want 204", status)
			}
			until(t, time.Now().Add(12*time.Second)) // longer than the limit of the plans
			_, claims := introspect(t, stack, token)
			registration, _ := p.json(t, "GET", p.configuration, p.registration, nil)
			if claims["active"] != true || registration != 401 {
				t.Errorf("12 s after the deletion: active %v, its registration token %d; want true, 401", claims["active"], registration)
			}
		})
	})
}

// visitor gives what the first visitor of a host says, until it goes.
func visitor(t *testing.T, invite func(address string)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	said := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			said <- err.Error()
			return
		}
		defer conn.Close()
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		text, err := io.ReadAll(conn)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			text = append(text, "and stays"...)
		}
		said <- string(text)
	}()
	invite(listener.Addr().String())
	return <-said
}

// serverWithin is an https server at an address within, with a certificate that oidc-provider trusts.
func serverWithin(t *testing.T, stack *Stack, serve http.HandlerFunc) string {
	t.Helper()
	certificate, err := tls.LoadX509KeyPair(stack.path("pki/server.pem"), stack.path("pki/server.key"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(serve)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// operate does what an operator does, by a route of server.mjs.
func (p *player) operate(t *testing.T, operation string, values url.Values) (int, map[string]any) {
	t.Helper()
	header := http.Header{"Authorization": {p.stack.operator}}
	status, body := p.do(t, "POST", p.stack.Issuer+"/operator/"+operation+"?"+values.Encode(), header, nil)
	if status > 299 {
		t.Fatalf("%s: %d", operation, status)
	}
	return status, object(body)
}

// signer is a client that authenticates by private_key_jwt, with go-jose alone.
type signer struct {
	*player
	key  *ecdsa.PrivateKey
	told string // jwks_uri as registered
}

// newSigner registers its public key, or other metadata in the place of it.
func newSigner(t *testing.T, stack *Stack, name string, instead map[string]any) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	metadata := map[string]any{"token_endpoint_auth_method": "private_key_jwt", "tls_client_certificate_bound_access_tokens": false}
	if instead == nil {
		instead = map[string]any{"jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: name, Algorithm: "ES256", Use: "sig"}}}}
	}
	for member, value := range instead {
		metadata[member] = value
	}
	p := signer{player: registerWith(t, stack, name, metadata), key: key}
	_, read := p.json(t, "GET", p.configuration, p.registration, nil)
	p.told, _ = read["jwks_uri"].(string)
	return p
}

// login asks for a token with an assertion (RFC 7523 §2.2); more claims win, and an empty one is left out.
func (p signer) login(t *testing.T, more map[string]any) (int, map[string]any) {
	t.Helper()
	with, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: p.key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	claims := map[string]any{"iss": p.id, "sub": p.id, "aud": p.stack.Issuer, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
	for name, value := range more {
		claims[name] = value
		if value == "" {
			delete(claims, name)
		}
	}
	text, err := jwt.Signed(with).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return p.post(t, "/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {p.id}, "scope": {"payments:read"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {text},
	})
}
