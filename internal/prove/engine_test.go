package prove

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// at points a point of the plan at a server of the test's own.
func at(name string, more func(*plan.Point)) func(*plan.Plan) {
	return func(p *plan.Plan) {
		for i := range p.Points {
			if p.Points[i].Name == name {
				point := &p.Points[i]
				point.URL, point.CA, point.Addresses, point.Origin = "http://hostile.sandbox.test", plan.Reference{}, nil, ""
				more(point)
			}
		}
	}
}

// An API that says the caller's own token back, and very much else, gets neither into the book.
func TestWhatAServerSaysBackIsMaskedAndCut(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var tokens []string
	echo := hostile{name: "echoes", serve: func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		mu.Lock()
		tokens = append(tokens, token)
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"items": []int{}, "seen": map[string]string{"client_id": token + strings.Repeat("A", 1<<16)}})
	}}
	says := story("enforce.says-it-back", check.EveryPoint, check.Nothing, func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		token, err := partner.Token(ctx, p.Point)
		if err != nil {
			return err
		}
		_, answer, err := p.Do(ctx, wire.Control, p.Call(partner, token))
		if err != nil {
			return err
		}
		p.Note("seen was %s", answer.Identity)
		p.Case("a case", logbook.Fail, "nobody", "seen as "+answer.Identity, answer.Identity, "")
		p.Holds("nobody", false, "seen as "+answer.Identity)
		return check.CannotTell("seen was %s", answer.Identity)
	})
	var requests atomic.Int64
	setup := Setup{Catalogue: says, Beside: echo.beside(&requests), Edit: at("gateway", func(p *plan.Point) { p.Operations[0].NonceAt = "" })}
	ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
		seen := 0
		for _, e := range entries {
			if e.Observation == nil {
				continue
			}
			text, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			seen++
			if len(text) > 32<<10 {
				t.Errorf("an observation of %d bytes", len(text))
			}
			for _, token := range tokens {
				if token != "" && strings.Contains(string(text), token) {
					t.Errorf("the book holds a token: %.300s", text)
				}
			}
		}
		if seen == 0 || len(tokens) == 0 {
			t.Error("nothing was said back")
		}
	})
}

// A middleware of the old kind answers 200 to everybody, with another body to those whom it refuses. Where the plan can
// name no proof of acceptance, the shape of that body tells (rule 4); where both bodies are alike, the route is public.
func TestAnErrorPageWith200IsARefusal(t *testing.T) {
	for name, want := range map[string]logbook.Outcome{"another body": logbook.Pass, "the same body": logbook.Fail} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var first sync.Once
			var real string // the header of the first token that came, which is a good one
			old := hostile{name: "old", serve: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				header, _, _ := strings.Cut(r.Header.Get("Authorization"), ".")
				first.Do(func() { real = header })
				if header != real || name == "the same body" {
					_, _ = w.Write([]byte(`{"fault":"who are you?"}`))
					return
				}
				_, _ = w.Write([]byte(`{"items":[]}`))
			}}
			var requests atomic.Int64
			setup := Setup{Catalogue: catalogue(t, "enforce.without-token"), Beside: old.beside(&requests), Edit: at("gateway", func(p *plan.Point) {
				p.Operations = []plan.Operation{{Name: "list", Request: "GET /payments"}}
			})}
			ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
				for _, e := range entries {
					if o := e.Observation; o != nil && o.Point == "gateway" && o.Outcome != want {
						t.Errorf("%v, want %v; observed %s; because %s", o.Outcome, want, o.Observed, o.Because)
					}
				}
			})
		})
	}
}

// With one seat, a pass that has to wait while it finds out what another is waiting for must not give its seat up to it.
func TestOneSeatIsEnough(t *testing.T) {
	t.Parallel()
	asks := func(id string) *check.Check {
		return story(id, check.EveryPoint, check.Nothing, func(ctx context.Context, p *check.Pass) error {
			call, err := p.Opened(ctx)
			if err != nil {
				return err
			}
			denied := p.CallAt(p.Point, p.Point.Operations[1], call.Member, call.Token)
			proof, err := p.Exists(ctx, p.Point.Operations[1], denied)
			if err != nil {
				return err
			}
			p.Holds("the route exists", proof != "", proof)
			return nil
		})[0]
	}
	var paid atomic.Int64
	busy := hostile{name: "busy at first", serve: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Method == http.MethodGet:
			_, _ = w.Write([]byte(`{"items":[]}`))
		case paid.Add(1) < 3:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
	}}
	var requests atomic.Int64
	setup := Setup{
		Catalogue: []*check.Check{asks("enforce.asks-first"), asks("enforce.asks-second"), asks("enforce.asks-third")}, Only: []string{"enforce.*"},
		Beside: busy.beside(&requests), Edit: func(p *plan.Plan) {
			p.Pace.Concurrency = 1
			at("gateway", func(point *plan.Point) {
				for i := range point.Operations {
					point.Operations[i].NonceAt = ""
				}
			})(p)
		},
	}
	ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
		seen := 0
		for _, e := range entries {
			if o := e.Observation; o != nil {
				seen++
				if o.Outcome != logbook.Pass {
					t.Errorf("%s at %s: %v because %s", o.Check, o.Point, o.Outcome, o.Because)
				}
			}
		}
		if seen != 9 {
			t.Errorf("%d observations, want 9", seen)
		}
	})
}

// A budget that is used up is a reason, never a finding and never a pass.
func TestBudgetsAreHeld(t *testing.T) {
	for name, row := range map[string]struct {
		check   string
		cut     func(*plan.Budget)
		because string
	}{
		"failed authentications": {"authenticate.wrong-secret", func(b *plan.Budget) { b.FailedAuth.PerClient = 1 }, "budget of 1 for one client"},
		"registrations":          {"authenticate.wrong-secret", func(b *plan.Budget) { b.Registrations = 0 }, "budget of 0 registrations"},
		"tokens":                 {"revoke.token-outlives-revocation", func(b *plan.Budget) { b.Tokens = 5 }, "budget of 5 tokens"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			setup := Setup{Catalogue: catalogue(t, row.check), Edit: func(p *plan.Plan) { row.cut(&p.Budget) }}
			ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
				held := false
				for _, e := range entries {
					o := e.Observation
					if o == nil {
						continue
					}
					held = held || o.Outcome == logbook.Inconclusive && strings.Contains(o.Because, row.because)
					if o.Outcome == logbook.Fail || o.Outcome == logbook.Error {
						t.Errorf("%s: %v; observed %s; because %s", o.Check, o.Outcome, o.Observed, o.Because)
					}
				}
				if !held {
					t.Error("nobody says that the budget is used up")
				}
			})
		})
	}
}

// Where the operator's hook makes the clients, the ride plays with them and has them taken away.
func TestClientsMadeByAHook(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	edit := func(p *plan.Plan) {
		access, err := os.ReadFile(filepath.Join(o.dir, "operator-iat.txt"))
		if err != nil {
			t.Error(err)
		}
		err = os.WriteFile(filepath.Join(o.dir, "bearer.txt"), []byte("Bearer "+string(access)), 0o600)
		if err != nil {
			t.Error(err)
		}
		p.Registration = plan.Registration{Mode: "hook", Server: "main"}
		withoutQuotas(p)
		p.Hooks["provision"] = plan.Hook{
			HTTP: "POST https://as.sandbox.test/register", CA: plan.Reference{Text: "file:ca.pem"},
			Header: map[string]plan.Reference{"Authorization": {Text: "file:bearer.txt"}, "Content-Type": {Text: "application/json"}},
			Body:   `{"client_name":"{client_name}","scope":"{scope}","organization":"acme","grant_types":["client_credentials"],"token_endpoint_auth_method":"{auth}","jwks":{jwks},"tls_client_certificate_bound_access_tokens":true}`,
		}
		for i := range p.Clients {
			if p.Clients[i].Name != "resource_server" {
				p.Clients[i].Auth, p.Clients[i].Metadata = "client_secret_basic", nil
			}
		}
	}
	ridden(t, Setup{Dir: o.dir, Catalogue: checks.Catalogue(), Beside: o.beside(), Edit: edit}, func(t *testing.T, entries []logbook.Entry) {
		passes := 0
		for _, e := range entries {
			if x := e.Observation; x != nil {
				switch x.Outcome {
				case logbook.Pass:
					passes++
				case logbook.Fail, logbook.Error:
					t.Errorf("%s at %s: %v; expected %s; observed %s; because %s", x.Check, x.Point, x.Outcome, x.Expected, x.Observed, x.Because)
				}
			}
			if e.End != nil && len(e.End.Left) > 0 {
				t.Errorf("left: %v", e.End.Left)
			}
		}
		if passes < 40 {
			t.Errorf("only %d passes", passes)
		}
	})
	if i := slices.IndexFunc(o.end, func(name string) bool { return strings.HasPrefix(name, "checkride") }); i >= 0 {
		t.Errorf("left in the stack: %v", o.end)
	}
}
