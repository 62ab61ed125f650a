package prove

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
)

// A point whose key stands in its configuration takes no token by a new one. That is what a planned rotation finds. What a
// withdrawal finds there is what the point still takes; a refusal of both keys tells nothing of the withdrawn one, and
// the other points are judged all the same.
func TestAKeyInTheConfiguration(t *testing.T) {
	t.Parallel()
	const overlap, withdrawn = "rotate.signing-key-overlap", "rotate.withdrawn-signing-key"
	for _, row := range []struct {
		name    string
		only    []string
		defects defect.Set
		want    map[string]logbook.Outcome
		edge    map[string]logbook.Outcome // of the last case of edge
	}{
		{"withdrawn", []string{withdrawn}, defect.Set{KeysNeverRefetched: true}, map[string]logbook.Outcome{withdrawn: logbook.Fail}, map[string]logbook.Outcome{withdrawn: logbook.Fail}},
		{"withdrawn, and both are refused", []string{withdrawn}, defect.Set{}, map[string]logbook.Outcome{withdrawn: logbook.Inconclusive}, map[string]logbook.Outcome{withdrawn: logbook.Inconclusive}},
		{
			"withdrawn after a rotation that shut the point", []string{overlap, withdrawn}, defect.Set{KeysNeverRefetched: true},
			map[string]logbook.Outcome{overlap: logbook.Fail, withdrawn: logbook.Inconclusive}, map[string]logbook.Outcome{withdrawn: logbook.Inconclusive},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			pinned := pinnedKey()
			setup := Setup{Catalogue: checks.Catalogue(), Only: row.only, Defects: row.defects, Around: func(component string, h http.Handler) http.Handler {
				if !strings.HasPrefix(component, "edge") {
					return h
				}
				return pinned(h)
			}}
			ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
				asked := 0
				for _, e := range entries {
					o := e.Observation
					if o == nil {
						continue
					}
					asked++
					others := 0
					last := map[string]logbook.Outcome{}
					for _, one := range o.Cases {
						for _, point := range one.Points {
							last[point] = one.Outcome
							if point != "edge" && one.Outcome == logbook.Pass {
								others++
							}
						}
					}
					edge, told := row.edge[o.Check]
					if o.Outcome != row.want[o.Check] || told && last["edge"] != edge || others == 0 {
						t.Errorf("%s: %v, want %v; edge %v; %d passes elsewhere; %s; %+v", o.Check, o.Outcome, row.want[o.Check], last["edge"], others, o.Because, o.Cases)
					}
				}
				if asked != len(row.want) {
					t.Errorf("%d observations", asked)
				}
			})
		})
	}
}

// pinnedKey lets through only tokens by the key of the first.
func pinnedKey() func(http.Handler) http.Handler {
	var mu sync.Mutex
	pinned := ""
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, err := jwt.ParseSigned(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), []jose.SignatureAlgorithm{jose.ES256})
			if err == nil {
				mu.Lock()
				if pinned == "" {
					pinned = token.Headers[0].KeyID
				}
				other := token.Headers[0].KeyID != pinned
				mu.Unlock()
				if other {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
			}
			h.ServeHTTP(w, r)
		})
	}
}
