package prove

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/verdict"
)

// broken is a stack that breaks one of a check's promises that is not the one of its title, and what its finding must say
// then.
type broken struct {
	check    string
	defects  defect.Set
	at       []string // components of the sandbox that alter their answers
	alter    func(r *http.Request, said *httptest.ResponseRecorder)
	around   func(h http.Handler) http.Handler // instead of alter
	edit     func(*plan.Plan)
	headline string // begins so
	severity logbook.Severity
}

// metadata alters the server's metadata, in both documents.
func metadata(change func(m map[string]any)) func(*http.Request, *httptest.ResponseRecorder) {
	return func(r *http.Request, said *httptest.ResponseRecorder) {
		if strings.HasPrefix(r.URL.Path, "/.well-known/o") && !strings.Contains(r.URL.Path, "protected-resource") {
			replaceMembers(said, change)
		}
	}
}

// registration alters what the server tells of a client that was made (POST), read (GET) or changed (PUT).
func registration(method string, change func(m map[string]any)) func(*http.Request, *httptest.ResponseRecorder) {
	return func(r *http.Request, said *httptest.ResponseRecorder) {
		if strings.HasPrefix(r.URL.Path, "/register") && r.Method == method && said.Code/100 == 2 {
			replaceMembers(said, change)
		}
	}
}

var breaches = []broken{
	{
		check: "issue.unplanned-grant", defects: defect.Set{PasswordGrantAlive: true},
		headline: "the partner may ask for tokens of users by their passwords", severity: logbook.Medium,
	},
	{
		check: "discover.issuer-is-itself", defects: defect.Set{IssuerMismatch: true},
		headline: "the metadata spells the issuer otherwise", severity: logbook.Medium,
	},
	{
		check: "discover.metadata-fits-the-plan", defects: defect.Set{AliasOverHTTP: true},
		headline: "the metadata names an endpoint that is not https", severity: logbook.Medium,
	},
	{
		check: "discover.metadata-fits-the-plan", at: []string{"as"},
		alter: metadata(func(m map[string]any) {
			m["dpop_signing_alg_values_supported"] = []string{"ES256", "HS256"}
		}),
		headline: "the metadata offers DPoP proofs with a symmetric algorithm", severity: logbook.Medium,
	},
	{
		check: "discover.metadata-never-lies", defects: defect.Set{AssertionAlgorithmsOpen: true},
		headline: "the server takes what its metadata does not offer", severity: logbook.Medium,
	},
	{
		check: "discover.no-weak-algorithm", at: []string{"as"},
		alter: metadata(func(m map[string]any) {
			m["grant_types_supported"] = []string{"authorization_code"}
		}),
		headline: "the metadata does not offer what the partner was promised", severity: logbook.Medium,
	},
	{
		check: "discover.no-weak-algorithm", at: []string{"as"},
		alter: metadata(func(m map[string]any) {
			delete(m, "token_endpoint_auth_signing_alg_values_supported")
		}),
		headline: "the metadata offers client assertions and does not say with which algorithms", severity: logbook.Low,
	},
	{
		check: "discover.published-keys-are-public", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if r.URL.Path == "/jwks" {
				replaceMembers(said, func(m map[string]any) {
					short := map[string]any{"kty": "RSA", "kid": "short", "use": "sig", "e": "AQAB", "n": strings.Repeat("v", 171), "d": nil} // some write an empty member
					m["keys"] = append(m["keys"].([]any), short)
				})
			}
		},
		headline: "the server publishes a key that is too small", severity: logbook.High,
	},
	{
		check: "discover.resource-metadata", at: []string{"gateway"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if strings.HasPrefix(r.URL.Path, "/.well-known/") {
				said.Header().Set("Content-Type", "text/plain")
			}
		},
		headline: "the protected resource metadata of a point is not served as JSON at gateway", severity: logbook.Low,
	},
	{
		check: "register.excess-scope", at: []string{"as"},
		alter: registration("POST", func(m map[string]any) {
			m["scope"] = m["scope"].(string) + " admin"
		}),
		headline: "a client is registered with scopes beyond the agreement", severity: logbook.High,
	},
	{
		check: "register.keys-from-anywhere", defects: defect.Set{JWKSURIUnchecked: true},
		edit:     func(p *plan.Plan) { p.Canary = nil },
		headline: "a client is registered with keys at an address that must not be", severity: logbook.Medium,
	},
	{
		check: "register.neighbours-registration-token", at: []string{"as"}, around: byTokenAlone,
		headline: "a registration token is taken at the configuration URL of another client", severity: logbook.Low,
	},
	{
		check: "register.read-back", at: []string{"as"},
		alter: registration("GET", func(m map[string]any) {
			m["grant_types"] = []string{"client_credentials", "password"}
		}),
		headline: "a registration does not read as it was answered", severity: logbook.Medium,
	},
	{
		check: "register.removable", defects: defect.Set{DeleteUnsupported: true},
		edit: func(p *plan.Plan) {
			delete(p.Hooks, plan.DeleteClient)
			delete(p.Hooks, plan.Suspend)
			delete(p.Hooks, plan.Deprovision)
		},
		headline: "what was registered cannot be removed, and no other way is shown", severity: logbook.Medium,
	},
	{
		check:    "register.secret-lifetime",
		edit:     func(p *plan.Plan) { p.Limits.SecretLifetime = plan.Duration(time.Minute) },
		headline: "a client's secret lasts longer than agreed", severity: logbook.Medium,
	},
	{
		check: "register.statement-wins", at: []string{"as"},
		alter: registration("POST", func(m map[string]any) {
			m["software_version"] = "as the JSON says"
		}),
		headline: "what a client says of its software wins over its software statement", severity: logbook.Medium,
	},
	{
		check: "register.update-grants-nothing", defects: defect.Set{UpdateTakesSecret: true},
		headline: "a client chooses its own secret by an update", severity: logbook.High,
	},
	{
		check: "authenticate.assertion-names-another", defects: defect.Set{AssertionSubjectIgnored: true},
		headline: "a client assertion that names two clients gets a token", severity: logbook.High,
	},
	{
		check: "authenticate.malformed-requests", defects: defect.Set{ErrorsTellInternals: true},
		headline: "the answer to a malformed request tells what is inside", severity: logbook.Medium,
	},
	{
		check: "authenticate.neighbours-certificate", defects: defect.Set{AnyTrustedCertificate: true}, at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) { // whose token it is, nobody tells
			if strings.HasSuffix(r.URL.Path, "/token") {
				grantsSilently(said)
			}
		},
		edit: func(p *plan.Plan) {
			p.Clients = slices.DeleteFunc(p.Clients, func(c plan.Client) bool { return c.Name == "resource_server" })
		},
		headline: "a token request with one partner's certificate and the client_id of another gets a token", severity: logbook.High,
	},
	{
		check: "issue.scope-beyond-entitlement", at: []string{"as"},
		alter: func(r *http.Request, said *httptest.ResponseRecorder) {
			if strings.HasSuffix(r.URL.Path, "/token") {
				grantsSilently(said)
			}
		},
		edit: func(p *plan.Plan) {
			wantOpaque(p)
			p.Clients = slices.DeleteFunc(p.Clients, func(c plan.Client) bool { return c.Name == "resource_server" })
		},
		headline: "a token request for more than was agreed is answered without a scope", severity: logbook.High,
	},
}

// grantsSilently answers a token request with an opaque token and no scope, whatever was asked for.
func grantsSilently(said *httptest.ResponseRecorder) {
	if said.Code == 400 && strings.Contains(said.Body.String(), "invalid_scope") {
		say(said, 200, "application/json", `{"access_token": "x", "token_type": "Bearer", "expires_in": 60}`)
	}
	replaceMembers(said, func(m map[string]any) {
		if m["access_token"] != nil {
			m["access_token"] = rand.Text()
			delete(m, "scope")
		}
	})
}

// byTokenAlone takes the client of a registration from the registration token, whatever the URL names.
func byTokenAlone(h http.Handler) http.Handler {
	var mu sync.Mutex
	owner := map[string]string{} // registration token -> path
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		path, known := owner[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
		mu.Unlock()
		if known && strings.HasPrefix(r.URL.Path, "/register/") {
			r.URL.Path = path
		}
		said := httptest.NewRecorder()
		h.ServeHTTP(said, r)
		replaceMembers(said, func(m map[string]any) {
			token, is := m["registration_access_token"].(string)
			id, named := m["client_id"].(string)
			if is && named {
				mu.Lock()
				owner[token] = "/register/" + id
				mu.Unlock()
			}
		})
		send(w, said)
	})
}

// A finding never says what was not seen: whichever promise of a check is broken, it is told in that promise's own words
// and weighs what that promise weighs.
func TestABreachIsToldInItsOwnWords(t *testing.T) {
	for _, row := range breaches {
		t.Run(row.check+": "+row.headline, func(t *testing.T) {
			t.Parallel()
			setup := Setup{Catalogue: catalogue(t, row.check), Defects: row.defects, Edit: row.edit}
			setup.Around = func(component string, h http.Handler) http.Handler {
				switch {
				case !slices.Contains(row.at, component):
					return h
				case row.around != nil:
					return ridersOnly(row.around(h), h)
				}
				return ridersOnly(altered(h, row.alter), h)
			}
			ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
				judged, err := verdict.Of(logbook.Entries(entries))
				if err != nil {
					t.Fatal(err)
				}
				if len(judged.Findings) != 1 {
					t.Fatalf("%d findings: %s", len(judged.Findings), judged.Line)
				}
				found := judged.Findings[0]
				if !strings.HasPrefix(found.Headline, row.headline) || found.Severity != row.severity {
					t.Errorf("%v: %s; want %v: %s; seen %+v", found.Severity, found.Headline, row.severity, row.headline, found.Seen)
				}
			})
		})
	}
}
