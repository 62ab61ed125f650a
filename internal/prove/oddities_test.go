package prove

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// oddity is a lawful way, or a common one, in which other products answer. The stack is healthy all the same.
type oddity struct {
	name   string
	at     []string // components of the sandbox
	alter  func(r *http.Request, said *httptest.ResponseRecorder)
	around func(h http.Handler) http.Handler        // instead of alter
	shared func() func(h http.Handler) http.Handler // instead of around, with what the components of one ride share
	edit   func(*plan.Plan)
	only   []string          // the checks that meet it; all where the whole matrix is asked for
	fails  map[string]string // true findings: check -> why it is one
	unsure map[string]string // what cannot be told: check, or stage.* -> why
}

// Answers that other products give (seen or documented). A row whose maps are empty must come out as the healthy
// sandbox does: nothing fails, and nothing is left open.
var oddities = []oddity{
	{
		name: "a wrong credential gets 403 without a body", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if r.URL.Path == "/token" && said.Code == 401 {
				say(said, 403, "", "")
			}
		},
		only: []string{"authenticate.*", "rotate.*", "offboard.deleted-client-gets-tokens", "offboard.suspended-client", "compromise.replayed-assertion"},
	},
	{
		name: "scope_invalid for invalid_scope", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			replaceText(said, `"invalid_scope"`, `"scope_invalid"`)
		},
		only: []string{"issue.*", "register.excess-scope"},
		// RFC 6749 §5.2 names the codes: the client's library knows no other.
		fails: map[string]string{"authenticate.error-form": "has an error that is not registered"},
	},
	{
		name: "deletion answers 200 with a body", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if r.Method == "DELETE" && said.Code == 204 {
				say(said, 200, "application/json", `{"deleted":true}`)
			}
		},
		only: []string{"offboard.*", "register.*"},
	},
	{
		name: "registrations tell the time of their last change", at: []string{"as"}, // as Hydra and ForgeRock do
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if strings.HasPrefix(r.URL.Path, "/register") {
				replaceMembers(said, func(m map[string]any) {
					if m["client_id"] != nil {
						m["modified"] = rand.Text()
					}
				})
			}
		},
		only: []string{"register.read-back", "register.update-of-another"},
	},
	{
		name: "a page for every path, in the place of openid-configuration", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if strings.Contains(r.URL.Path, "openid-configuration") {
				say(said, 200, "text/html", "<!doctype html><title>hello</title>")
			}
		},
		only: []string{"discover.*"},
	},
	{
		name: "openid-configuration tells the scopes and responses of OpenID alone", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if strings.Contains(r.URL.Path, "openid-configuration") {
				replaceMembers(said, func(m map[string]any) {
					m["scopes_supported"], m["response_types_supported"] = []string{"openid"}, []string{"id_token"}
				})
			}
		},
		only: []string{"discover.*"},
	},
	{
		name: "an API that answers every well-known path", at: []string{"gateway", "legacy", "edge", "edge-a", "edge-b"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if strings.HasPrefix(r.URL.Path, "/.well-known/oauth-protected-resource") {
				say(said, 200, "application/json", `{"message":"hello"}`)
			}
		},
		only: []string{"discover.resource-metadata", "enforce.without-token"},
	},
	{
		name: "registration answers 200", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if said.Code == 201 {
				said.Code = 200
			}
		},
		only: []string{"register.*", "offboard.registration-token-dies"},
	},
	{
		name: "tls_client_auth is asked for and a secret is given", at: []string{"as"},
		around: func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/register") && r.Body != nil {
					body, err := io.ReadAll(r.Body)
					if err != nil {
						w.WriteHeader(http.StatusBadRequest)
						return
					}
					var members map[string]any
					if json.Unmarshal(body, &members) == nil && members["token_endpoint_auth_method"] == "tls_client_auth" {
						members["token_endpoint_auth_method"] = "client_secret_basic"
						delete(members, "tls_client_auth_subject_dn")
						body, err = json.Marshal(members)
						if err != nil {
							w.WriteHeader(http.StatusBadRequest)
							return
						}
					}
					r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
				}
				h.ServeHTTP(w, r)
			})
		},
		only: []string{"authenticate.*", "register.*", "rotate.*", "bind.*", "offboard.nothing-of-a-whole-life-survives"},
	},
	{
		name: "endpoints stand in the plan and not in the metadata", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if strings.HasPrefix(r.URL.Path, "/.well-known/") {
				replaceMembers(said, func(m map[string]any) {
					delete(m, "registration_endpoint")
					delete(m, "introspection_endpoint")
					delete(m, "revocation_endpoint")
				})
			}
		},
		edit: func(p *plan.Plan) {
			main := p.AuthorizationServers["main"]
			main.Endpoints.Registration, main.Endpoints.Introspection, main.Endpoints.Revocation = main.Issuer+"/register", main.Issuer+"/introspect", main.Issuer+"/revoke"
			main.MetadataDigest = "" // it is another document
			p.AuthorizationServers["main"] = main
		},
		only: []string{"discover.*", "register.*", "claims.*", "revoke.not-revocable", "revoke.without-authentication"},
	},
	{
		name: "no metadata at all", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if strings.HasPrefix(r.URL.Path, "/.well-known/") {
				say(said, 404, "text/html", "<h1>Not Found</h1>")
			}
		},
		edit: func(p *plan.Plan) {
			main := p.AuthorizationServers["main"]
			at := main.Issuer
			main.Endpoints = plan.Endpoints{Token: at + "/token", Registration: at + "/register", Introspection: at + "/introspect", Revocation: at + "/revoke", JWKS: at + "/jwks"}
			p.AuthorizationServers["main"] = main
		},
		only: []string{"discover.*", "authenticate.*", "register.*", "claims.*", "enforce.*"},
	},
	{
		name: "scopes in an array scp", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if r.URL.Path == "/introspect" {
				replaceMembers(said, func(m map[string]any) {
					if scope, is := m["scope"].(string); is {
						m["scp"] = strings.Fields(scope)
						delete(m, "scope")
					}
				})
			}
		},
		only: []string{"issue.*", "claims.*", "register.excess-scope"},
	},
	{
		name: "the resource server may not ask and is told inactive", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if r.URL.Path == "/introspect" && said.Code == 200 {
				say(said, 200, "application/json", `{"active":false}`)
			}
		},
		only: []string{"claims.*", "issue.*", "revoke.*", "offboard.nothing-of-a-whole-life-survives", "compromise.*"},
		unsure: map[string]string{
			"claims.introspection-without-authentication": "active: false", "claims.neighbour-introspects": "active: false",
			"claims.introspection-agrees": "active: false", "claims.dead-token-is-inactive": "active: false",
			"claims.introspection-for-another": "active: false", "claims.inactive-says-no-more": "active: false",
		},
	},
	{
		name: "introspection refuses a stranger with 403", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if r.URL.Path == "/introspect" && said.Code == 401 {
				say(said, 403, "application/json", `{"error":"access_denied"}`)
			}
		},
		only: []string{"claims.*"},
	},
	{
		name: "a missing client certificate gets nginx's 400", at: []string{"gateway", "legacy"},
		around: func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.TLS != nil && len(r.TLS.PeerCertificates) == 0 {
					w.Header().Set("Content-Type", "text/html")
					w.WriteHeader(http.StatusBadRequest)
					_, _ = io.WriteString(w, "<html><head><title>400 No required SSL certificate was sent</title></head></html>")
					return
				}
				h.ServeHTTP(w, r)
			})
		},
		fails: map[string]string{"enforce.bearer-form": "a refusal that is 400"}, // RFC 8705 §3: MUST be 401
		edit: func(p *plan.Plan) {
			for i := range p.Points {
				if p.Points[i].Name == "gateway" || p.Points[i].Name == "legacy" {
					p.Points[i].TLSClient = "required"
				}
			}
		},
		only: []string{"bind.*", "enforce.without-token", "enforce.points-agree", "claims.same-identity-everywhere"},
	},
	{
		name: "a login page with 200 at the older middleware", at: []string{"legacy"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if said.Code == 401 {
				say(said, 200, "text/html; charset=utf-8", `<html><form action="/login"><input name="user"><input type="password" name="pass"></form></html>`)
			}
		},
		only:  []string{"bind.*", "enforce.*", "expire.*", "revoke.token-outlives-revocation", "audit.*"},
		fails: map[string]string{"enforce.bearer-form": "a refusal that is 200"},
	},
	{
		name: "302 to a login", at: []string{"legacy", "gateway"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if said.Code == 401 {
				say(said, 302, "", "")
				said.Header().Set("Location", "https://login.example/?return="+r.URL.Path)
			}
		},
		only: []string{"bind.*", "enforce.*", "expire.*", "revoke.token-outlives-revocation", "audit.*"},
		// RFC 9449 §9: a nonce is asked for with 401 and a challenge, else no client knows why it was turned away.
		fails: map[string]string{"bind.proof-nonce": "302 use_dpop_nonce, a redirect", "enforce.bearer-form": "a refusal that is 302"},
	},
	{
		name: "404 for what belongs to another", at: []string{"api"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if said.Code == 403 {
				said.Code = 404
			}
		},
		only: []string{"enforce.*"},
	},
	{
		name: "401 where a scope is missing", at: []string{"gateway", "legacy", "edge", "edge-a", "edge-b"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if said.Code == 403 {
				said.Code = 401
			}
		},
		only:  []string{"enforce.*", "issue.*", "audit.*"},
		fails: map[string]string{"enforce.bearer-form": "a refusal that is 401"}, // RFC 6750 §3.1: SHOULD be 403
	},
	{
		name: "no WWW-Authenticate anywhere", at: []string{"as", "gateway", "legacy", "edge", "edge-a", "edge-b"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) { said.Header().Del("WWW-Authenticate") },
		only:  []string{"authenticate.*", "enforce.*", "bind.*", "register.*"},
		// RFC 9449 §9 asks for a nonce with 401 and WWW-Authenticate, else no client knows why it was turned away.
		fails: map[string]string{"authenticate.error-form": "has no WWW-Authenticate", "bind.proof-nonce": "401 use_dpop_nonce", "enforce.bearer-form": "has no WWW-Authenticate"},
	},
	{
		name: "refusals close the connection", at: []string{"gateway"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if said.Header().Get("DPoP-Nonce") != "" && r.Header.Get("DPoP") != "" {
				return // the one answer without which nobody who needs a nonce gets in (RFC 9449 §9)
			}
			if said.Code == 401 || said.Code == 403 {
				panic(http.ErrAbortHandler) // no byte of an answer
			}
		},
		only:   []string{"bind.*", "enforce.*", "expire.*", "revoke.token-outlives-revocation", "audit.refusals-logged"},
		unsure: map[string]string{"audit.refusals-logged": "nothing was refused"}, // by no answer that a record could be about
	},
	{
		name: "a connection carries one request", at: []string{"as", "gateway", "legacy", "edge", "edge-a", "edge-b"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) { said.Header().Set("Connection", "close") },
		only:  []string{"bind.*", "enforce.*", "register.*"},
	},
	{
		name: "reading a registration rotates its token", at: []string{"as"}, around: rotatesOnRead,
		only: []string{"register.*", "offboard.*", "enforce.assertion-as-token", "rotate.*"},
	},
	{
		name: "opaque tokens", at: []string{"as", "gateway", "legacy", "edge", "edge-a", "edge-b"}, edit: wantOpaque,
		shared: func() func(http.Handler) http.Handler { return phantom(func(map[string]any) {}) },
		only:   []string{"issue.*", "claims.*", "enforce.*", "expire.token-past-expiry", "revoke.*"},
	},
	{
		name: "opaque tokens without expires_in", at: []string{"as", "gateway", "legacy", "edge", "edge-a", "edge-b"}, edit: wantOpaque,
		shared: func() func(http.Handler) http.Handler {
			return phantom(func(m map[string]any) { delete(m, "expires_in") })
		},
		only:   []string{"issue.*", "claims.*", "enforce.*", "expire.token-past-expiry", "revoke.*", "compromise.recovery"},
		unsure: map[string]string{"expire.token-past-expiry": "does not say how long", "issue.token-lifetime": "neither the answer nor the token says"},
	},
	{
		name: "tokens without expires_in", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if r.URL.Path == "/token" {
				replaceMembers(said, func(m map[string]any) { delete(m, "expires_in") })
			}
		},
		only: []string{"issue.*", "expire.*", "revoke.*"},
	},
	{
		name: "expires_in is a string", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if r.URL.Path == "/token" {
				replaceMembers(said, func(m map[string]any) {
					if seconds, is := m["expires_in"].(float64); is {
						text, _ := json.Marshal(seconds)
						m["expires_in"] = string(text)
					}
				})
			}
		},
		only: []string{"issue.*", "expire.*"},
	},
	{
		name: "the token's scope as an array", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if r.URL.Path == "/token" {
				replaceMembers(said, func(m map[string]any) {
					if scope, is := m["scope"].(string); is {
						m["scope"] = strings.Fields(scope)
					}
				})
			}
		},
		only: []string{"issue.*", "register.excess-scope", "revoke.reduced-entitlement"},
	},
	{
		name: "token_type in small letters", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			replaceText(said, `"token_type":"Bearer"`, `"token_type":"bearer"`)
		},
		only: []string{"issue.*", "enforce.without-token"},
	},
	{
		name: "errors of the server are HTML pages", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if said.Code >= 400 && r.URL.Path != "/revoke" {
				say(said, said.Code, "text/html", "<h1>Error</h1>")
			}
		},
		only: []string{"authenticate.*", "register.*", "issue.*", "offboard.*"},
		// RFC 9449 §8: a nonce is asked for with use_dpop_nonce in the JSON of the error.
		fails: map[string]string{"authenticate.error-form": "is no application/json", "register.odd-metadata": "400", "bind.proof-nonce": "400"},
	},
	{
		name: "invalid_client with 400", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if said.Code == 401 && strings.Contains(said.Body.String(), "invalid_client") {
				said.Code = 400
			}
		},
		only:  []string{"authenticate.*", "claims.*", "revoke.*", "rotate.*", "offboard.*"},
		fails: map[string]string{"authenticate.error-form": "is not 401"},
	},
	{
		name: "revocation always answers 200", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if r.URL.Path == "/revoke" && said.Code >= 400 {
				say(said, 200, "", "")
			}
		},
		only: []string{"revoke.*", "compromise.*"},
	},
	{
		name: "a deleted client's registration is 404", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if strings.HasPrefix(r.URL.Path, "/register/") && said.Code == 401 {
				say(said, 404, "application/json", `{"error":"not_found"}`)
			}
		},
		only: []string{"register.*", "offboard.*"},
	},
	{
		// RFC 9449 §5: the server MAY give unbound tokens, and says Bearer; RFC 7591 §2: it may ignore metadata.
		name: "DPoP is known, and nobody asks for bound tokens", at: []string{"as"},
		around: func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Del("DPoP")
				if strings.HasPrefix(r.URL.Path, "/register") && r.Body != nil {
					body, err := io.ReadAll(r.Body)
					if err != nil {
						w.WriteHeader(http.StatusBadRequest)
						return
					}
					body = bytes.ReplaceAll(body, []byte(`"dpop_bound_access_tokens":true`), []byte(`"dpop_bound_access_tokens":false`))
					r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
				}
				h.ServeHTTP(w, r)
			})
		},
		edit: func(p *plan.Plan) {
			for i := range p.Points {
				p.Points[i].DPoP = false
			}
		},
		only: []string{"bind.*"},
	},
	{
		name: "the software of a deleted client is not registered again", at: []string{"as"},
		shared: func() func(h http.Handler) http.Handler {
			var mu sync.Mutex
			known := map[string]bool{}
			return func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/register" && r.Method == http.MethodPost {
						body, err := io.ReadAll(r.Body)
						var members map[string]any
						if err != nil || json.Unmarshal(body, &members) != nil {
							w.WriteHeader(http.StatusBadRequest)
							return
						}
						software, _ := members["software_id"].(string)
						mu.Lock()
						again := software != "" && known[software]
						known[software] = true
						mu.Unlock()
						if again {
							w.Header().Set("Content-Type", "application/json")
							w.WriteHeader(http.StatusBadRequest)
							_, _ = io.WriteString(w, `{"error":"invalid_client_metadata"}`)
							return
						}
						r.Body = io.NopCloser(bytes.NewReader(body))
					}
					h.ServeHTTP(w, r)
				})
			}
		},
		only:   []string{"offboard.software-registered-again", "offboard.registration-token-dies"},
		unsure: map[string]string{"register.signed-request": "a registration as the plan describes it, was not accepted"},
	},
	{
		name: "registrations and updates are signed as a whole, and none is taken by JSON", at: []string{"as"}, // as Open Banking UK has it
		edit: func(p *plan.Plan) { p.Registration.SignedRequest.Required = true },
		around: func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				writes := strings.HasPrefix(r.URL.Path, "/register") && (r.Method == http.MethodPost || r.Method == http.MethodPut)
				if writes && r.Header.Get("Authorization") != "" && r.Header.Get("Content-Type") != "application/jose" {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(http.StatusBadRequest)
					_, _ = io.WriteString(w, `{"error":"invalid_client_metadata"}`)
					return
				}
				h.ServeHTTP(w, r)
			})
		},
		only: []string{"register.*", "authenticate.former-method", "offboard.*", "rotate.*"},
	},
	{
		name: "who asks too often gets 503 without Retry-After", at: []string{"as", "gateway"}, // as nginx's limit_req does by default
		alter: func(_ *http.Request, said *httptest.ResponseRecorder) {
			if said.Code == 429 {
				said.Header().Del("Retry-After")
				say(said, 503, "text/html", "<html><head><title>503 Service Temporarily Unavailable</title></head></html>")
			}
		},
		only: []string{"enforce.requests-beyond-quota"},
	},
	{
		name: "who asks too often gets 403", at: []string{"gateway"}, // as a firewall's rate rules do
		alter: func(_ *http.Request, said *httptest.ResponseRecorder) {
			if said.Code == 429 {
				said.Code = 403
			}
		},
		only: []string{"enforce.requests-beyond-quota"},
	},
	{
		name: "who asks too often waits in a queue", at: []string{"gateway"},
		around: func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				said := httptest.NewRecorder()
				for h.ServeHTTP(said, r); said.Code == 429; h.ServeHTTP(said, r) {
					time.Sleep(100 * time.Millisecond)
					said = httptest.NewRecorder()
				}
				send(w, said)
			})
		},
		only:   []string{"enforce.requests-beyond-quota", "issue.token-response"},
		unsure: map[string]string{"enforce.requests-beyond-quota": "or are slowed down"},
	},
	{
		name: "who asks too often is told to come again when its token has ended", at: []string{"gateway"},
		alter: func(_ *http.Request, said *httptest.ResponseRecorder) {
			if said.Code == 429 {
				said.Header().Set("Retry-After", "20")
			}
		},
		only: []string{"enforce.requests-beyond-quota"},
	},
	{
		name: "who asks too often is told to come again in an hour", at: []string{"gateway"},
		alter: func(_ *http.Request, said *httptest.ResponseRecorder) {
			if said.Code == 429 {
				said.Header().Set("Retry-After", "3600")
			}
		},
		only:   []string{"enforce.requests-beyond-quota", "issue.token-response"},
		unsure: map[string]string{"enforce.requests-beyond-quota": "longer than the plan's longest_wait"},
	},
	{
		name: "a quota of thousands", at: nil,
		edit: func(p *plan.Plan) {
			for i := range p.Points {
				p.Points[i].Quota = &plan.Quota{Requests: 5000, Within: plan.Duration(time.Minute)}
			}
		},
		only:   []string{"enforce.requests-beyond-quota", "issue.token-response"},
		unsure: map[string]string{"enforce.requests-beyond-quota": "budget.burst allows 200"},
	},
}

// A stack that answers in another lawful way gets no false finding, and nothing is left open that could be told.
func TestOddities(t *testing.T) {
	for _, odd := range oddities {
		t.Run(odd.name, func(t *testing.T) {
			t.Parallel()
			odd.ride(t)
		})
	}
}

func (o oddity) ride(t *testing.T) {
	only := o.only
	if os.Getenv("CHECKRIDE_MATRIX") != "" {
		only = nil
	}
	around := o.around
	if o.shared != nil {
		around = o.shared()
	}
	setup := Setup{Catalogue: checks.Catalogue(), Only: only, Edit: o.edit, Around: func(component string, h http.Handler) http.Handler {
		if !slices.Contains(o.at, component) {
			return h
		}
		if around != nil {
			return ridersOnly(around(h), h)
		}
		return ridersOnly(altered(h, o.alter), h)
	}}
	ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
		passes := 0
		for _, e := range entries {
			if e.Removal != nil && e.Removal.Kind == "client" && !e.Removal.Gone {
				t.Errorf("%s is left behind: %s", e.Removal.Name, e.Removal.Detail)
			}
			seen := e.Observation
			if seen == nil {
				continue
			}
			switch seen.Outcome {
			case logbook.Pass:
				passes++
				continue
			case logbook.NotApplicable:
				continue
			case logbook.Fail:
				if fits(o.fails, seen.Check, seen.Observed) {
					continue
				}
			case logbook.Inconclusive:
				if fits(o.unsure, seen.Check, seen.Because) {
					continue
				}
			}
			t.Errorf("%s at %s: %v; expected %s; observed %s; differs %s; because %s; cases %v; notes %v", seen.Check, seen.Point, seen.Outcome, seen.Expected, seen.Observed, seen.Differs, seen.Because, seen.Cases, seen.Notes)
		}
		if passes == 0 {
			t.Error("nothing passed")
		}
	})
}

// fits says whether a row declares an outcome of a check, with this reason.
func fits(declared map[string]string, check, text string) bool {
	for pattern, reason := range declared {
		if match, _ := path.Match(pattern, check); match && strings.Contains(text, reason) {
			return true
		}
	}
	return false
}

// ridersOnly lets the ride meet odd, and the sandbox's own components the handler as it is.
func ridersOnly(odd, usual http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("User-Agent"), "checkride/") {
			odd.ServeHTTP(w, r)
			return
		}
		usual.ServeHTTP(w, r)
	})
}

// altered lets a handler answer and alters what it said.
func altered(h http.Handler, alter func(*http.Request, *httptest.ResponseRecorder)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := httptest.NewRecorder()
		h.ServeHTTP(said, r)
		alter(r, said)
		send(w, said)
	})
}

func send(w http.ResponseWriter, said *httptest.ResponseRecorder) {
	said.Header().Del("Content-Length")
	for name, values := range said.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(said.Code)
	_, _ = w.Write(said.Body.Bytes())
}

func say(said *httptest.ResponseRecorder, status int, kind, body string) {
	said.Code = status
	said.Body.Reset()
	said.Body.WriteString(body)
	said.Header().Del("Content-Type")
	if kind != "" {
		said.Header().Set("Content-Type", kind)
	}
}

func replaceText(said *httptest.ResponseRecorder, old, new string) {
	text := strings.ReplaceAll(said.Body.String(), old, new)
	said.Body.Reset()
	said.Body.WriteString(text)
}

func replaceMembers(said *httptest.ResponseRecorder, replace func(map[string]any)) {
	var members map[string]any
	if json.Unmarshal(said.Body.Bytes(), &members) != nil {
		return
	}
	replace(members)
	text, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	said.Body.Reset()
	said.Body.Write(text)
}

func wantOpaque(p *plan.Plan) {
	for i := range p.Points {
		p.Points[i].Format = "opaque"
	}
}

// phantom hands out opaque tokens and turns them into the real ones wherever they are shown: the phantom token pattern.
func phantom(alter func(answer map[string]any)) func(http.Handler) http.Handler {
	var mu sync.Mutex
	real := map[string]string{}
	known := func(shown string) string {
		mu.Lock()
		defer mu.Unlock()
		if token, given := real[shown]; given {
			return token
		}
		return shown
	}
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for i, value := range r.Header["Authorization"] {
				if scheme, shown, is := strings.Cut(value, " "); is {
					r.Header["Authorization"][i] = scheme + " " + known(strings.TrimSpace(shown))
				}
			}
			endpoint := path.Base(r.URL.Path) // that of the aliases for mutual TLS as well
			if endpoint == "introspect" || endpoint == "revoke" || endpoint == "token" {
				body, err := io.ReadAll(r.Body)
				form, wrong := url.ParseQuery(string(body))
				for _, name := range []string{"token", "subject_token", "actor_token"} {
					if err == nil && wrong == nil && len(form[name]) == 1 && known(form.Get(name)) != form.Get(name) {
						form.Set(name, known(form.Get(name)))
						body = []byte(form.Encode())
					}
				}
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			}
			said := httptest.NewRecorder()
			h.ServeHTTP(said, r)
			if endpoint == "token" {
				replaceMembers(said, func(m map[string]any) {
					token, is := m["access_token"].(string)
					if !is || m["token_type"] == "DPoP" { // whose proofs hold the hash of what is shown (RFC 9449 §4.2, ath)
						return
					}
					alias := rand.Text()
					mu.Lock()
					real[alias] = token
					mu.Unlock()
					m["access_token"] = alias
					alter(m)
				})
			}
			send(w, said)
		})
	}
}

// rotatesOnRead gives another registration token with every answer about a registration, and takes none but the newest
// (RFC 7592 §2.1: the answer may carry a new one).
func rotatesOnRead(h http.Handler) http.Handler {
	var mu sync.Mutex
	real := map[string]string{}   // as given out -> as the server knows it
	newest := map[string]string{} // the path of a client's registration -> the one that is good
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/register") {
			h.ServeHTTP(w, r)
			return
		}
		mu.Lock()
		shown := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if known, given := real[shown]; given && newest[r.URL.Path] == shown {
			r.Header.Set("Authorization", "Bearer "+known)
		}
		mu.Unlock()
		said := httptest.NewRecorder()
		h.ServeHTTP(said, r)
		replaceMembers(said, func(m map[string]any) {
			token, is := m["registration_access_token"].(string)
			id, named := m["client_id"].(string)
			if !is || !named {
				return
			}
			alias := "rotated-" + rand.Text()
			mu.Lock()
			real[alias], newest["/register/"+id] = token, alias
			mu.Unlock()
			m["registration_access_token"] = alias
		})
		send(w, said)
	})
}
