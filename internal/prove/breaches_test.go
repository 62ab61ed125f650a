package prove

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

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

var breaches = []broken{
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
}

// A finding never says what was not seen: whichever promise of a check is broken, it is told in that promise's own words
// and weighs what that promise weighs.
func TestABreachIsToldInItsOwnWords(t *testing.T) {
	for _, row := range breaches {
		t.Run(row.check+": "+row.headline, func(t *testing.T) {
			t.Parallel()
			setup := Setup{Catalogue: catalogue(t, row.check), Defects: row.defects, Edit: row.edit}
			if row.alter != nil {
				setup.Around = func(component string, h http.Handler) http.Handler {
					if !slices.Contains(row.at, component) {
						return h
					}
					return ridersOnly(altered(h, row.alter), h)
				}
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
