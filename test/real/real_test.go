//go:build linux

package real

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/checkride/checkride/internal/plan"
)

// The tokens live long enough for nginx's cache of 15 s to be the reason why a revoked one still works, and short enough
// for the test to see the end of those that only expiry ends.
const tokenLife = 24 * time.Second

// TestMain lets more tests run at the same time than there are processors: they wait, and compute little.
func TestMain(m *testing.M) {
	flag.Parse()
	err := flag.Set("test.parallel", "8")
	if err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// TestTruth plays the partner with net/http alone, without a line of the program, and confirms what these systems really
// do. Rides against them must come to the same findings.
func TestTruth(t *testing.T) {
	t.Parallel()
	stack := ForTest(t, Options{TokenLife: tokenLife})

	t.Run("a good token opens every point and the API learns whose it is", func(t *testing.T) {
		p := register(t, stack, "good")
		opaque, offline := p.token(t, OpaqueResource), p.token(t, JWTResource)
		for _, call := range []struct{ url, token string }{
			{stack.Nginx + "/api/payments", opaque}, {stack.Nginx + "/nocache/payments", opaque}, {stack.HAProxy + "/payments", offline},
		} {
			status, seen := p.call(t, call.url, call.token)
			if status != http.StatusOK || seen.ClientID != p.id || seen.Trace != trace || !seen.OK {
				t.Errorf("%s: %d %+v, want 200 with client %s and trace %s", call.url, status, seen, p.id, trace)
			}
		}
	})

	t.Run("nothing, garbage, another audience and a missing scope are refused", func(t *testing.T) {
		p := register(t, stack, "refused")
		opaque, offline := p.token(t, OpaqueResource), p.token(t, JWTResource)
		for _, c := range []struct {
			name, method, url, token string
			want                     int
		}{
			{"nothing", "GET", stack.Nginx + "/api/payments", "", 401},
			{"nothing", "GET", stack.Nginx + "/nocache/payments", "", 401},
			{"nothing", "GET", stack.HAProxy + "/payments", "", 401},
			{"garbage", "GET", stack.Nginx + "/api/payments", "garbage", 401},
			{"garbage", "GET", stack.HAProxy + "/payments", "a.b.c", 401},
			{"a JWT where tokens are introspected", "GET", stack.Nginx + "/api/payments", offline, 401},
			{"another audience", "GET", stack.HAProxy + "/payments", p.token(t, OtherJWTResource), 401},
			{"a missing scope", "POST", stack.Nginx + "/api/payments", opaque, 403},
			{"a missing scope", "POST", stack.HAProxy + "/payments", offline, 403},
		} {
			status, _ := p.send(t, c.method, c.url, c.token)
			if status != c.want {
				t.Errorf("%s: %s %s: %d, want %d", c.name, c.method, c.url, status, c.want)
			}
		}
	})

	t.Run("nginx compares the certificate with cnf and HAProxy does not", func(t *testing.T) {
		p, thief := register(t, stack, "bound"), register(t, stack, "thief")
		opaque, offline := p.token(t, OpaqueResource), p.token(t, JWTResource)
		for _, c := range []struct {
			url, token string
			want       int
		}{
			{stack.Nginx + "/api/payments", opaque, 401},
			{stack.Nginx + "/nocache/payments", opaque, 401},
			{stack.HAProxy + "/payments", offline, 200},
		} {
			own, _ := p.call(t, c.url, c.token)
			stolen, _ := thief.call(t, c.url, c.token)
			bare, _ := stranger(stack).call(t, c.url, c.token)
			if own != 200 || stolen != c.want || bare != c.want {
				t.Errorf("%s: own certificate %d, another's %d, none %d; want 200, %d, %d", c.url, own, stolen, bare, c.want, c.want)
			}
		}
	})

	t.Run("a JWT can be neither revoked nor introspected", func(t *testing.T) {
		p := register(t, stack, "jwt")
		offline := p.token(t, JWTResource)
		status, body := p.post(t, "/token/revocation", url.Values{"client_id": {p.id}, "token": {offline}})
		if status != 400 || body["error"] != "unsupported_token_type" {
			t.Errorf("revocation: %d %v, want 400 unsupported_token_type", status, body)
		}
		status, body = introspect(t, stack, offline)
		if status != 400 || body["error"] != "unsupported_token_type" {
			t.Errorf("introspection: %d %v, want 400 unsupported_token_type", status, body)
		}
	})

	t.Run("an update rotates the registration token and only the newest works", func(t *testing.T) {
		p := register(t, stack, "rotated")
		metadata := map[string]any{"client_id": p.id, "client_name": "renamed", "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "rotated.partner.test", "scope": "payments:read", "grant_types": []string{"client_credentials"}, "response_types": []string{}, "redirect_uris": []string{}}
		status, body := p.json(t, "PUT", p.configuration, p.registration, metadata)
		fresh, _ := body["registration_access_token"].(string)
		if status != 200 || fresh == "" || fresh == p.registration {
			t.Fatalf("update: %d %v, want 200 and another registration token", status, body["error"])
		}
		old, _ := p.json(t, "GET", p.configuration, p.registration, nil)
		now, _ := p.json(t, "GET", p.configuration, fresh, nil)
		if old != 401 || now != 200 {
			t.Errorf("reading with the old token %d, with the new one %d; want 401, 200", old, now)
		}
	})

	t.Run("a registration gets the scopes that it asks for", func(t *testing.T) {
		p := registerWith(t, stack, "greedy", map[string]any{"scope": "payments:read payments:write"})
		if p.scope != "payments:read payments:write" {
			t.Errorf("registered with %q, want both", p.scope)
		}
		token := p.tokenWith(t, url.Values{"scope": {"payments:read payments:write"}, "resource": {OpaqueResource}})
		// The body is no payment: 400 is the API's own answer, so the gateway let the call through.
		if status, _ := p.send(t, "POST", stack.Nginx+"/api/payments", token); status != 400 {
			t.Errorf("a payment with that scope: %d, want 400", status)
		}
	})

	t.Run("a secret is taken in the form", func(t *testing.T) {
		p := registerWith(t, stack, "header", map[string]any{"token_endpoint_auth_method": "client_secret_basic", "tls_client_certificate_bound_access_tokens": false})
		form := url.Values{"grant_type": {"client_credentials"}, "scope": {"payments:read"}}
		header, _ := p.post(t, "/token", form, p.id, p.secret)
		wrong, _ := p.post(t, "/token", form, p.id, "wrong")
		form.Set("client_id", p.id)
		form.Set("client_secret", p.secret)
		inForm, _ := p.post(t, "/token", form)
		form.Set("client_secret", "wrong")
		wrongInForm, _ := p.post(t, "/token", form)
		if header != 200 || wrong != 401 || inForm != 200 || wrongInForm != 401 {
			t.Errorf("registered for the header: header %d, wrong %d, form %d, wrong %d; want 200, 401, 200, 401", header, wrong, inForm, wrongInForm)
		}
	})

	t.Run("a token without binding opens what demands bound ones", func(t *testing.T) {
		p := registerWith(t, stack, "unbound", map[string]any{"token_endpoint_auth_method": "client_secret_basic", "tls_client_certificate_bound_access_tokens": false})
		for _, c := range []struct{ resource, url string }{
			{OpaqueResource, stack.Nginx + "/api/payments"}, {OpaqueResource, stack.Nginx + "/nocache/payments"}, {JWTResource, stack.HAProxy + "/payments"},
		} {
			_, body := p.post(t, "/token", url.Values{"grant_type": {"client_credentials"}, "scope": {"payments:read"}, "resource": {c.resource}}, p.id, p.secret)
			token, _ := body["access_token"].(string)
			if status, seen := stranger(stack).call(t, c.url, token); status != 200 || seen.ClientID != p.id {
				t.Errorf("%s with an unbound token and no certificate: %d as %q, want 200 as %s", c.url, status, seen.ClientID, p.id)
			}
		}
	})

	t.Run("the log holds opaque tokens", func(t *testing.T) {
		p := register(t, stack, "leaked")
		token := p.token(t, OpaqueResource)
		text, err := os.ReadFile(filepath.Join(stack.Dir, "oidc-provider", "audit.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if object([]byte(line))["jti"] == token {
				return
			}
		}
		t.Error("no record's jti is the token that was just issued")
	})

	t.Run("nginx and HAProxy say no in other words than RFC 6750 has it", func(t *testing.T) {
		p := register(t, stack, "words")
		opaque, offline := p.token(t, OpaqueResource), p.token(t, JWTResource)
		for _, c := range []struct {
			method, url, authorization string
			status                     int
			challenge                  string
		}{
			{"GET", stack.Nginx + "/api/payments", "", 401, ""},
			{"GET", stack.Nginx + "/nocache/payments", "Bearer garbage", 401, ""},
			{"GET", stack.Nginx + "/api/payments", "bearer " + opaque, 401, ""}, // RFC 9110 §11.1: in any case
			{"GET", stack.Nginx + "/nocache/payments", "bearer " + opaque, 401, ""},
			{"POST", stack.Nginx + "/api/payments", "Bearer " + opaque, 403, ""},
			{"GET", stack.HAProxy + "/payments", "", 401, "Bearer"},
			{"GET", stack.HAProxy + "/payments", "Bearer a.b.c", 401, "Bearer"},
			{"POST", stack.HAProxy + "/payments", "Bearer " + offline, 403, ""},
		} {
			p.challenged(t, c.method, c.url, c.authorization, c.status, c.challenge)
		}
	})

	t.Run("the same header twice is taken by HAProxy and not by nginx", func(t *testing.T) {
		p := register(t, stack, "twice")
		for _, c := range []struct {
			resource, url string
			want          []int
		}{
			{OpaqueResource, stack.Nginx + "/api/payments", []int{400, 401}}, {JWTResource, stack.HAProxy + "/payments", []int{200}},
		} {
			bearer := "Bearer " + p.token(t, c.resource)
			status, _ := p.do(t, "GET", c.url, http.Header{"Authorization": {bearer, bearer}}, nil)
			if !slices.Contains(c.want, status) {
				t.Errorf("%s: %d, want %v", c.url, status, c.want)
			}
		}
	})

	t.Run("the API behind HAProxy can be reached past it", func(t *testing.T) {
		open, _ := stranger(stack).call(t, "http://"+stack.api.open+"/payments", "")
		guarded, _ := stranger(stack).call(t, "http://"+stack.api.guarded+"/api/payments", "")
		if open != 200 || guarded != 403 {
			t.Errorf("without a token, past HAProxy %d, past nginx %d; want 200, 403", open, guarded)
		}
	})

	t.Run("a statement is its owner's alone", func(t *testing.T) {
		p, other := register(t, stack, "owner"), register(t, stack, "other")
		opaque, offline := p.token(t, OpaqueResource), p.token(t, JWTResource)
		for _, c := range []struct{ url, token string }{{stack.Nginx + "/api", opaque}, {stack.Nginx + "/nocache", opaque}, {stack.HAProxy, offline}} {
			own, _ := p.call(t, c.url+"/partners/"+p.id+"/statement", c.token)
			foreign, _ := p.call(t, c.url+"/partners/"+other.id+"/statement", c.token)
			if own != 200 || foreign != 404 {
				t.Errorf("%s: own %d, another's %d; want 200, 404", c.url, own, foreign)
			}
		}
	})

	t.Run("a misused registration token dies", func(t *testing.T) {
		p, other := register(t, stack, "victim"), register(t, stack, "misuser")
		misused, _ := p.json(t, "DELETE", p.configuration, other.registration, nil)
		victim, _ := p.json(t, "GET", p.configuration, p.registration, nil)
		own, _ := other.json(t, "GET", other.configuration, other.registration, nil)
		remove, _ := other.json(t, "DELETE", other.configuration, other.registration, nil)
		if misused != 401 || victim != 200 || own != 401 || remove != 401 {
			t.Errorf("misused %d, the victim reads %d, the misuser reads %d and removes itself %d; want 401, 200, 401, 401", misused, victim, own, remove)
		}
		other.token(t, OpaqueResource) // and the client lives: nobody can remove it by RFC 7592 any more
	})

	t.Run("waits", func(t *testing.T) {
		t.Run("a revoked token works on at nginx until the cache forgets it", func(t *testing.T) {
			t.Parallel()
			p := register(t, stack, "cached")
			token := p.token(t, OpaqueResource)
			if status, _ := p.call(t, stack.Nginx+"/api/payments", token); status != 200 {
				t.Fatalf("before revocation: %d, want 200", status)
			}
			p.revoke(t, token)
			revoked := time.Now()
			if status, _ := p.call(t, stack.Nginx+"/nocache/payments", token); status != 401 {
				t.Errorf("without a cache, after revocation: %d, want 401", status)
			}
			last := p.untilRefused(t, stack.Nginx+"/api/payments", token)
			// The lower bound is the agreement's limit in the plans; the upper one is the token's own end.
			if lived := last.Sub(revoked); lived < 10*time.Second || lived > tokenLife-5*time.Second {
				t.Errorf("the revoked token was last accepted after %v, want about 15 s", lived)
			}
		})
		t.Run("a cached token outlives its expiry", func(t *testing.T) {
			t.Parallel()
			p := register(t, stack, "expired")
			token := p.token(t, OpaqueResource)
			expires := time.Now().Add(tokenLife)
			until(t, expires.Add(-3*time.Second))
			if status, _ := p.call(t, stack.Nginx+"/api/payments", token); status != 200 {
				t.Fatalf("before its end: %d, want 200", status)
			}
			until(t, expires.Add(2*time.Second))
			cached, _ := p.call(t, stack.Nginx+"/api/payments", token)
			uncached, _ := p.call(t, stack.Nginx+"/nocache/payments", token)
			if cached != 200 || uncached != 401 {
				t.Errorf("2 s after its end: with the cache %d, without %d; want 200, 401", cached, uncached)
			}
		})
		t.Run("a deleted client's tokens work until they expire", func(t *testing.T) {
			t.Parallel()
			p := register(t, stack, "deleted")
			opaque, offline := p.token(t, OpaqueResource), p.token(t, JWTResource)
			expires := expiry(t, offline)
			if status, _ := p.json(t, "DELETE", p.configuration, p.registration, nil); status != 204 {
				t.Fatalf("deletion: %d, want 204", status)
			}
			deleted := time.Now()
			status, body := p.post(t, "/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {p.id}})
			if status != 401 || body["error"] != "invalid_client" {
				t.Errorf("a new token for the deleted client: %d %v, want 401 invalid_client", status, body)
			}
			status, body = introspect(t, stack, opaque)
			if status != 200 || body["active"] != true {
				t.Errorf("introspection of the deleted client's token: %d %v, want it active", status, body)
			}
			if status, _ := p.call(t, stack.Nginx+"/nocache/payments", opaque); status != 200 {
				t.Errorf("the deleted client's opaque token at nginx: %d, want 200", status)
			}
			last := p.untilRefused(t, stack.HAProxy+"/payments", offline)
			if last.Sub(deleted) < 10*time.Second || last.Before(expires.Add(-2*time.Second)) || last.After(expires.Add(2*time.Second)) {
				t.Errorf("the deleted client's JWT was last accepted at %v, %v after deletion; want its expiry at %v", last, last.Sub(deleted), expires)
			}
		})
	})

	t.Run("the logs name the trace, the client and the outcome", func(t *testing.T) {
		p := register(t, stack, "logged")
		p.call(t, stack.Nginx+"/api/payments", p.token(t, OpaqueResource))
		p.call(t, stack.HAProxy+"/payments", p.token(t, JWTResource))
		for _, log := range []string{"nginx/audit.jsonl", "haproxy/audit.jsonl", "oidc-provider/audit.jsonl"} {
			awaitRecord(t, filepath.Join(stack.Dir, log), p.id)
		}
	})
}

// TestGiven confirms the stack without registration, which is how most partners are onboarded.
func TestGiven(t *testing.T) {
	t.Parallel()
	stack := ForTest(t, Options{Given: true, TokenLife: time.Minute})
	p := stranger(stack)
	if status, _ := p.json(t, "POST", stack.Issuer+"/reg", "", map[string]any{"client_name": "x"}); status != 404 {
		t.Errorf("registration: %d, want 404", status)
	}

	_, neighbour := p.post(t, "/token", url.Values{"grant_type": {"client_credentials"}, "scope": {"payments:write"}}, stack.Neighbour.ID, stack.Neighbour.Secret)
	_, partner := p.post(t, "/token", asserted(t, stack.Partner, stack.Issuer, nil))
	for name, c := range map[string]struct {
		body map[string]any
		post int
	}{"partner": {partner, 403}, "neighbour": {neighbour, 400}} {
		token, _ := c.body["access_token"].(string)
		if token == "" {
			t.Fatalf("%s got no token: %v", name, c.body)
		}
		// An authorised but invalid payment: the gateway refuses the partner, the API itself refuses the neighbour's body.
		if status, _ := p.send(t, "POST", stack.Nginx+"/api/payments", token); status != c.post {
			t.Errorf("%s pays: %d, want %d", name, status, c.post)
		}
		status, body := p.post(t, "/token/introspection", url.Values{"token": {token}}, stack.Neighbour.ID, stack.Neighbour.Secret)
		if body["active"] != false {
			t.Errorf("the neighbour introspects the %s's token: %d %v, want it inactive: it has no right to ask", name, status, body)
		}
	}
	if status, _ := p.post(t, "/token", asserted(t, stack.Partner, stack.Issuer, url.Values{"scope": {"payments:write"}})); status != 400 {
		t.Errorf("a scope beyond the partner's: %d, want 400", status)
	}
	// The partner has one key in both environments: whoever holds that of the other one is the partner here.
	there, _ := p.postTo(t, stack.Elsewhere+"/token", asserted(t, stack.OtherKey, stack.Elsewhere, nil))
	unknown, _ := p.post(t, "/token", asserted(t, stack.OtherKey, stack.Issuer, nil))
	here, _ := p.post(t, "/token", asserted(t, Client{ID: stack.Partner.ID, Key: stack.OtherKey.Key}, stack.Issuer, nil))
	if there != 200 || unknown != 401 || here != 200 {
		t.Errorf("the key of elsewhere: there %d, here as the client of there %d, here as the partner %d; want 200, 401, 200", there, unknown, here)
	}
	refusedFromElsewhere(t, stack, nil)
}

// TestGivenAndBound confirms the same with tokens that are bound to certificates which are given, too.
func TestGivenAndBound(t *testing.T) {
	t.Parallel()
	stack := ForTest(t, Options{Given: true, TokenLife: time.Minute, Profile: elevated})
	var shown []*player
	for _, name := range []string{"partner", "neighbour"} {
		certificate, err := tls.LoadX509KeyPair(stack.path(name+".pem"), stack.path(name+".certificate.key"))
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, holder(stack, &certificate))
	}
	partner, neighbour := shown[0], shown[1]
	if status, _ := stranger(stack).post(t, "/token", asserted(t, stack.Partner, stack.Issuer, nil)); status != 400 {
		t.Errorf("a token without a certificate: %d, want 400", status)
	}
	for _, c := range []struct {
		resource, url string
		want          int
	}{{OpaqueResource, stack.Nginx + "/api/payments", 401}, {JWTResource, stack.HAProxy + "/payments", 200}} {
		_, body := partner.post(t, "/token", asserted(t, stack.Partner, stack.Issuer, url.Values{"resource": {c.resource}}))
		token, _ := body["access_token"].(string)
		own, _ := partner.call(t, c.url, token)
		others, _ := neighbour.call(t, c.url, token)
		none, _ := stranger(stack).call(t, c.url, token)
		if own != 200 || others != c.want || none != c.want {
			t.Errorf("%s: own certificate %d, the neighbour's %d, none %d; want 200, %d, %d", c.url, own, others, none, c.want, c.want)
		}
	}
}

// refusedFromElsewhere shows tokens of the partner's other environment to the points of this one, in the hands of whoever is
// the partner here.
func refusedFromElsewhere(t *testing.T, stack *Stack, here *player) {
	t.Helper()
	if here == nil {
		here = stranger(stack)
	}
	urls := map[string][]string{OpaqueResource: {stack.Nginx + "/api/payments", stack.Nginx + "/nocache/payments"}, JWTResource: {stack.HAProxy + "/payments"}}
	if stack.options.Follows {
		urls[JWTResource] = append(urls[JWTResource], stack.Library+"/payments")
	}
	for resource, urls := range urls {
		for _, client := range []Client{stack.OtherSecret, stack.OtherKey} {
			form, basic := url.Values{"grant_type": {"client_credentials"}, "scope": {"payments:read"}}, []string{client.ID, client.Secret}
			if client.Key != "" {
				form, basic = asserted(t, client, stack.Elsewhere, nil), nil
			}
			form.Set("resource", resource)
			status, body := here.postTo(t, stack.Elsewhere+"/token", form, basic...)
			token, _ := body["access_token"].(string)
			if status != 200 || token == "" {
				t.Fatalf("%s got no token elsewhere: %d %v", client.ID, status, body)
			}
			for _, url := range urls {
				if status, _ := here.call(t, url, token); status != 401 {
					t.Errorf("%s: a token of %s from elsewhere: %d, want 401", url, client.ID, status)
				}
			}
		}
	}
}

// TestPlans lays every plan, reads it as a ride would, and looks for every file that it names.
func TestPlans(t *testing.T) {
	t.Parallel()
	for _, laid := range []struct {
		options Options
		names   []string
	}{
		{Options{}, []string{"oidc-nginx.yaml", "oidc-haproxy.yaml"}},
		{Options{Proofs: true, Profile: elevated}, []string{"oidc-nginx.yaml", "oidc-haproxy.yaml", "oidc-dpop.yaml"}},
		{Options{Given: true}, []string{"oidc-given.yaml"}},
	} {
		stack := ForTest(t, laid.options)
		for _, name := range laid.names {
			file, err := stack.Plan(name)
			if err != nil {
				t.Fatal(err)
			}
			loaded, err := plan.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, reference := range regexp.MustCompile(`file:([\w./-]+)`).FindAllStringSubmatch(loaded.Source.Text, -1) {
				_, err := os.Stat(filepath.Join(stack.Dir, reference[1]))
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// trace is the trace id of every call.
const trace = "0123456789abcdef0123456789abcdef"

// player is a partner as a developer would write one.
type player struct {
	stack                           *Stack
	http                            *http.Client
	id, registration, configuration string
	secret, scope                   string // as registered
}

func stranger(stack *Stack) *player {
	return &player{stack: stack, http: &http.Client{Transport: stack.authority.transport(nil), Timeout: 10 * time.Second}}
}

func register(t *testing.T, stack *Stack, name string) *player {
	t.Helper()
	return registerWith(t, stack, name, nil)
}

// registerWith registers a client with a certificate, and with other metadata than usual.
func registerWith(t *testing.T, stack *Stack, name string, other map[string]any) *player {
	t.Helper()
	certificate, err := stack.authority.issue(name, name+".partner.test", x509.ExtKeyUsageClientAuth)
	if err != nil {
		t.Fatal(err)
	}
	metadata := map[string]any{
		"client_name": name, "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": name + ".partner.test",
		"tls_client_certificate_bound_access_tokens": true, "scope": "payments:read", "grant_types": []string{"client_credentials"},
		"response_types": []string{}, "redirect_uris": []string{},
	}
	maps.Copy(metadata, other)
	if metadata["token_endpoint_auth_method"] != "tls_client_auth" {
		delete(metadata, "tls_client_auth_san_dns")
	}
	p := holder(stack, &certificate)
	status, body := p.json(t, "POST", stack.Issuer+"/reg", stack.InitialAccessToken, metadata)
	if status != http.StatusCreated {
		t.Fatalf("registration: %d %v, want 201", status, body)
	}
	for member, value := range map[string]*string{
		"client_id": &p.id, "registration_access_token": &p.registration, "registration_client_uri": &p.configuration, "client_secret": &p.secret, "scope": &p.scope,
	} {
		*value, _ = body[member].(string)
	}
	return p
}

func holder(stack *Stack, certificate *tls.Certificate) *player {
	return &player{stack: stack, http: &http.Client{Transport: stack.authority.transport(certificate), Timeout: 10 * time.Second}}
}

func (p *player) token(t *testing.T, resource string) string {
	t.Helper()
	return p.tokenWith(t, url.Values{"scope": {"payments:read"}, "resource": {resource}})
}

func (p *player) tokenWith(t *testing.T, form url.Values) string {
	t.Helper()
	form.Set("grant_type", "client_credentials")
	form.Set("client_id", p.id)
	status, body := p.post(t, "/token", form)
	token, _ := body["access_token"].(string)
	if status != 200 || token == "" {
		t.Fatalf("token: %d %v, want 200", status, body)
	}
	return token
}

func (p *player) revoke(t *testing.T, token string) {
	t.Helper()
	status, body := p.post(t, "/token/revocation", url.Values{"client_id": {p.id}, "token": {token}})
	if status != 200 {
		t.Fatalf("revocation: %d %v, want 200", status, body)
	}
}

func (p *player) call(t *testing.T, url, token string) (int, answer) {
	t.Helper()
	return p.send(t, "GET", url, token)
}

func (p *player) send(t *testing.T, method, url, token string) (int, answer) {
	t.Helper()
	header := http.Header{"Traceparent": {"00-" + trace + "-0123456789abcdef-01"}, "X-Client-Id": {"somebody-else"}}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	status, body := p.do(t, method, url, header, nil)
	var seen answer
	_ = json.Unmarshal(body, &seen) // a refusal is no JSON, and then nothing was seen
	return status, seen
}

// untilRefused calls until the first refusal and gives the time of the last acceptance.
func (p *player) untilRefused(t *testing.T, url, token string) time.Time {
	t.Helper()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	var last time.Time
	for {
		asked := time.Now()
		status, _ := p.call(t, url, token)
		if status != 200 {
			return last
		}
		last = asked
		select {
		case <-t.Context().Done():
			t.Fatal("the test ended before the first refusal")
		case <-again.C:
		}
	}
}

// until waits until a moment has come.
func until(t *testing.T, moment time.Time) {
	t.Helper()
	select {
	case <-t.Context().Done():
		t.Fatal("the test ended before that")
	case <-time.After(time.Until(moment)):
	}
}

func (p *player) post(t *testing.T, path string, form url.Values, basic ...string) (int, map[string]any) {
	t.Helper()
	return p.postTo(t, p.stack.Issuer+path, form, basic...)
}

func (p *player) postTo(t *testing.T, endpoint string, form url.Values, basic ...string) (int, map[string]any) {
	t.Helper()
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Traceparent": {"00-" + trace + "-0123456789abcdef-01"}}
	if len(basic) == 2 {
		request := http.Request{Header: header}
		request.SetBasicAuth(basic[0], basic[1])
	}
	status, body := p.do(t, "POST", endpoint, header, []byte(form.Encode()))
	return status, object(body)
}

func (p *player) json(t *testing.T, method, url, bearer string, value any) (int, map[string]any) {
	t.Helper()
	header := http.Header{"Content-Type": {"application/json"}}
	if bearer != "" {
		header.Set("Authorization", "Bearer "+bearer)
	}
	var sent []byte
	if value != nil {
		var err error
		sent, err = json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
	}
	status, body := p.do(t, method, url, header, sent)
	return status, object(body)
}

func (p *player) do(t *testing.T, method, url string, header http.Header, body []byte) (int, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	response, err := p.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	err = response.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, got
}

// challenged expects a status and what WWW-Authenticate says with it.
func (p *player) challenged(t *testing.T, method, url, authorization string, status int, challenge string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := p.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if said := response.Header.Get("WWW-Authenticate"); response.StatusCode != status || said != challenge {
		scheme, _, _ := strings.Cut(authorization, " ")
		t.Errorf("%s %s by %q: %d %q, want %d %q", method, url, scheme, response.StatusCode, said, status, challenge)
	}
}

func object(body []byte) map[string]any {
	var value map[string]any
	_ = json.Unmarshal(body, &value) // an empty answer, or an error page, has no members
	return value
}

func introspect(t *testing.T, stack *Stack, token string) (int, map[string]any) {
	t.Helper()
	return stranger(stack).post(t, "/token/introspection", url.Values{"token": {token}}, stack.ResourceServer.ID, stack.ResourceServer.Secret)
}

func expiry(t *testing.T, token string) time.Time {
	t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	var claims jwt.Claims
	err = parsed.UnsafeClaimsWithoutVerification(&claims)
	if err != nil {
		t.Fatal(err)
	}
	return claims.Expiry.Time()
}

// asserted is a token request with a client assertion (RFC 7523 §2.2) for an issuer.
func asserted(t *testing.T, client Client, issuer string, more url.Values) url.Values {
	t.Helper()
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {"payments:read"}, "client_id": {client.ID},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion(t, client, issuer)},
	}
	maps.Copy(form, more)
	return form
}

func assertion(t *testing.T, client Client, issuer string) string {
	t.Helper()
	text, err := os.ReadFile(client.Key)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("%s holds no PEM", client.Key)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: client.ID, Subject: client.ID, Audience: jwt.Audience{issuer}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(time.Now()), Expiry: jwt.NewNumericDate(time.Now().Add(time.Minute)),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// awaitRecord waits for a record of the trace and the client: a log may come a little after the answer.
func awaitRecord(t *testing.T, file, client string) {
	t.Helper()
	deadline := time.After(patience)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, client) && strings.Contains(line, trace) {
				if object([]byte(line)) == nil {
					t.Errorf("%s: not JSON: %s", file, line)
				}
				return
			}
		}
		select {
		case <-deadline:
			t.Fatalf("%s has no record of client %s in trace %s:\n%s", file, client, trace, text)
		case <-again.C:
		}
	}
}
