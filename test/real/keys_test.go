//go:build linux

package real

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// TestTruthOfKeys confirms by net/http and go-jose who follows oidc-provider's keys and how soon, whose keys it fetches
// itself, and that nothing of the partner's other environment is good for anything.
func TestTruthOfKeys(t *testing.T) {
	t.Parallel()
	stack := ForTest(t, Options{TokenLife: tokenLife, Follows: true, Fetches: true})
	library, haproxy := stack.Library+"/payments", stack.HAProxy+"/payments"

	t.Run("jose compares the certificate with cnf, and wants one", func(t *testing.T) {
		p, thief := register(t, stack, "compared"), register(t, stack, "thief")
		token := p.token(t, JWTResource)
		own, seen := p.call(t, library, token)
		stolen, _ := thief.call(t, library, token)
		bare, _ := stranger(stack).call(t, library, token)
		pays, _ := p.send(t, "POST", library, token)
		other, _ := p.call(t, library, p.token(t, OtherJWTResource))
		if own != 200 || seen.ClientID != p.id || stolen != 401 || bare != 401 || pays != 403 || other != 401 {
			t.Errorf("own certificate %d as %q, another's %d, none %d, payment %d, another audience %d; want 200, 401, 401, 403, 401", own, seen.ClientID, stolen, bare, pays, other)
		}
		unbound := registerWith(t, stack, "unbound", map[string]any{"token_endpoint_auth_method": "client_secret_basic", "tls_client_certificate_bound_access_tokens": false})
		_, body := unbound.post(t, "/token", url.Values{"grant_type": {"client_credentials"}, "scope": {"payments:read"}, "resource": {JWTResource}}, unbound.id, unbound.secret)
		plain, _ := body["access_token"].(string)
		if status, _ := unbound.call(t, library, plain); status != 401 {
			t.Errorf("a token without cnf: %d, want 401", status)
		}
	})

	t.Run("it names an error where nothing was shown, and none where a scope is missing", func(t *testing.T) {
		p := register(t, stack, "named")
		p.challenged(t, "GET", library, "", 401, `Bearer error="invalid_token"`)
		p.challenged(t, "POST", library, "Bearer "+p.token(t, JWTResource), 403, "")
	})

	t.Run("keys are fetched from addresses within by whoever has replaced the dispatcher", func(t *testing.T) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		var visits atomic.Int32
		within := serverWithin(t, stack, func(w http.ResponseWriter, _ *http.Request) {
			visits.Add(1)
			_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "within", Algorithm: "ES256", Use: "sig"}}})
		})
		p := newSigner(t, stack, "within", map[string]any{"jwks_uri": within})
		p.key = key
		if status, _ := p.login(t, nil); status != 200 || visits.Load() != 1 {
			t.Errorf("login %d after %d visits, want 200 after one", status, visits.Load())
		}
		// Nor does it look where the header of an assertion points.
		with, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithHeader("jku", within+"/jku").WithHeader("x5u", within+"/x5u").WithHeader("kid", "elsewhere"))
		if err != nil {
			t.Fatal(err)
		}
		victim := newSigner(t, stack, "victim", nil)
		now := time.Now()
		text, err := jwt.Signed(with).Claims(map[string]any{"iss": victim.id, "sub": victim.id, "aud": stack.Issuer, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		status, _ := victim.post(t, "/token", url.Values{
			"grant_type": {"client_credentials"}, "client_id": {victim.id}, "client_assertion": {text},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		})
		if status != 401 || visits.Load() != 1 {
			t.Errorf("an assertion that points to its key: %d after %d visits, want 401 and no visit more", status, visits.Load())
		}
	})

	t.Run("what the partner holds elsewhere is good there and for nothing here", func(t *testing.T) {
		p := registerWith(t, stack, "here", map[string]any{"token_endpoint_auth_method": "client_secret_basic"})
		form := url.Values{"grant_type": {"client_credentials"}, "scope": {"payments:read"}}
		there, _ := p.postTo(t, stack.Elsewhere+"/token", form, stack.OtherSecret.ID, stack.OtherSecret.Secret)
		client, _ := p.post(t, "/token", form, stack.OtherSecret.ID, stack.OtherSecret.Secret)
		secret, _ := p.post(t, "/token", form, p.id, stack.OtherSecret.Secret)
		own, _ := p.post(t, "/token", form, p.id, p.secret)
		if there != 200 || client != 401 || secret != 401 || own != 200 {
			t.Errorf("there %d; here as the client of there %d, with the secret of there %d, with its own %d; want 200, 401, 401, 200", there, client, secret, own)
		}
		signs := newSigner(t, stack, "signs", nil)
		borrowed, _ := signs.post(t, "/token", asserted(t, Client{ID: signs.id, Key: stack.OtherKey.Key}, stack.Issuer, nil))
		if good, _ := signs.login(t, nil); borrowed != 401 || good != 200 {
			t.Errorf("with the key of there %d, with its own %d; want 401, 200", borrowed, good)
		}
		refusedFromElsewhere(t, stack, register(t, stack, "shows"))
	})

	// Alone: everybody's tokens are by the new key then, and the server has forgotten what it fetched.
	t.Run("a new signing key is taken, and a withdrawn one is trusted for as long as its set is kept", func(t *testing.T) {
		p := register(t, stack, "signed")
		old := p.token(t, JWTResource)
		_, body := p.operate(t, "rotate", nil)
		fresh := p.token(t, JWTResource)
		if kidOf(t, old) == kidOf(t, fresh) || kidOf(t, fresh) != body["kid"] {
			t.Fatalf("the old token is by %s, the new one by %s, and the new key is %v", kidOf(t, old), kidOf(t, fresh), body["kid"])
		}
		p.untilAccepted(t, library, fresh)
		fetched := time.Now()
		p.untilAccepted(t, haproxy, fresh)
		for _, url := range []string{library, haproxy} {
			if status, _ := p.call(t, url, old); status != 200 {
				t.Errorf("%s: the old token after the rotation: %d, want 200", url, status)
			}
		}
		p.operate(t, "withdraw", url.Values{"kid": {kidOf(t, old)}})
		withdrawn := time.Now()
		if gone := p.untilRefused(t, haproxy, old).Sub(withdrawn); gone > 8*time.Second {
			t.Errorf("HAProxy took a token by the withdrawn key for %v", gone)
		}
		last := p.untilRefused(t, library, old)
		if lived := last.Sub(withdrawn); lived < 8*time.Second || last.Before(fetched.Add(keysKept-4*time.Second)) || last.After(fetched.Add(keysKept+time.Second)) {
			t.Errorf("jose took a token by the withdrawn key for %v, want %v from when it had fetched the set, %v before", lived, keysKept, withdrawn.Sub(fetched))
		}
		for _, url := range []string{library, haproxy} {
			if status, _ := p.call(t, url, fresh); status != 200 {
				t.Errorf("%s: a token by the new key after all that: %d, want 200", url, status)
			}
		}
	})

	t.Run("waits", func(t *testing.T) {
		t.Run("a published key is kept for a minute, whatever stands in its place", func(t *testing.T) {
			t.Parallel()
			old, renewed := newSigner(t, stack, "old", nil).key, newSigner(t, stack, "new", nil).key
			publish := func(keys ...*ecdsa.PrivateKey) string {
				var set jose.JSONWebKeySet
				for _, key := range keys {
					set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: map[*ecdsa.PrivateKey]string{old: "old", renewed: "new"}[key], Algorithm: "ES256", Use: "sig"})
				}
				text, err := json.Marshal(set)
				if err != nil {
					t.Fatal(err)
				}
				return stranger(stack).publish(t, "published", text)
			}
			p := newSigner(t, stack, "published", map[string]any{"jwks_uri": publish(old)})
			p.key = old
			if status, _ := p.login(t, nil); status != 200 {
				t.Fatalf("by the published key: %d, want 200", status)
			}
			publish(old, renewed)
			publish(renewed)
			removed := time.Now()
			until(t, removed.Add(19*time.Second)) // longer than limit and patience of the plan
			before, _ := p.login(t, nil)
			p.key = renewed
			after, _ := p.login(t, nil)
			if before != 200 || after != 401 {
				t.Errorf("19 s after it was taken out, by the old key %d, by the new one %d; want 200, 401", before, after)
			}
		})
		t.Run("a JWT outlives revocation and its client at jose, until it expires", func(t *testing.T) {
			t.Parallel()
			p := register(t, stack, "deleted")
			token := p.token(t, JWTResource)
			expires := expiry(t, token)
			p.post(t, "/token/revocation", url.Values{"client_id": {p.id}, "token": {token}}) // 400: it cannot
			if status, _ := p.json(t, "DELETE", p.configuration, p.registration, nil); status != 204 {
				t.Fatalf("deletion: %d, want 204", status)
			}
			last := p.untilRefused(t, library, token)
			if last.Before(expires.Add(-2*time.Second)) || last.After(expires.Add(2*time.Second)) {
				t.Errorf("last accepted at %v, want its expiry at %v", last, expires)
			}
		})
	})
}

// publish puts keys where a partner publishes its own, and gives the place.
func (p *player) publish(t *testing.T, name string, set []byte) string {
	t.Helper()
	_, body := p.do(t, "POST", p.stack.Issuer+"/operator/publish?name="+name, http.Header{"Authorization": {p.stack.operator}}, set)
	place, _ := object(body)["jwks_uri"].(string)
	return place
}

// untilAccepted calls until the first acceptance, for some seconds.
func (p *player) untilAccepted(t *testing.T, url, token string) {
	t.Helper()
	begun := time.Now()
	for again := begun; time.Since(begun) < 8*time.Second; again = again.Add(100 * time.Millisecond) {
		until(t, again)
		if status, _ := p.call(t, url, token); status == 200 {
			return
		}
	}
	t.Fatalf("%s: not accepted within 8 s", url)
}

func kidOf(t *testing.T, token string) string {
	t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Headers[0].KeyID
}
