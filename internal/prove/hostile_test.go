package prove

import (
	"bytes"
	"compress/gzip"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/memnet"
	"github.com/checkride/checkride/internal/plan"
)

const hostileHost = "hostile.sandbox.test:80"

// hostile is a server that does its worst.
type hostile struct {
	name  string
	serve func(http.ResponseWriter, *http.Request)
	raw   func(net.Conn) // instead of serve: what a connection gets
}

func hostiles() []hostile {
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 32 {
		_, _ = zip.Write(zeros)
	}
	_ = zip.Close()
	var asked atomic.Int64
	return []hostile{
		{name: "never answers", raw: func(c net.Conn) {
			buffer := make([]byte, 4096)
			for {
				_, err := c.Read(buffer)
				if err != nil {
					return
				}
			}
		}},
		{name: "answers a byte a second", raw: func(c net.Conn) {
			for _, b := range []byte("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("x", 10_000)) {
				_, err := c.Write([]byte{b})
				if err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}},
		{name: "speaks no HTTP", raw: func(c net.Conn) { _, _ = c.Write(bytes.Repeat([]byte("\x00\xff220 welcome\r\n"), 1000)) }},
		{name: "500", serve: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "boom", http.StatusInternalServerError) }},
		{name: "503", serve: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }},
		{name: "endless body", serve: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for {
				_, err := w.Write(zeros)
				if err != nil {
					return
				}
			}
		}},
		{name: "gzip bomb", serve: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(bomb.Bytes())
		}},
		{name: "10,000 nested arrays", serve: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"items":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`))
		}},
		{name: "redirects to another host", serve: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.example/"+r.URL.Path, http.StatusTemporaryRedirect)
		}},
		{name: "wrong types everywhere", serve: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"issuer":[],"access_token":{"a":1},"keys":"none","client_id":7,"items":null,"error":{},"token_endpoint":5,"active":"yes"}`))
		}},
		{name: "bans after the 100th request", serve: func(w http.ResponseWriter, _ *http.Request) {
			if asked.Add(1) > 100 {
				http.Error(w, "banned", http.StatusForbidden)
				return
			}
			http.Error(w, "teapot", http.StatusTeapot)
		}},
	}
}

// beside puts a hostile server on the network.
func (h hostile) beside(requests *atomic.Int64) func(*memnet.Network) func() {
	return func(network *memnet.Network) func() {
		listener, err := network.Listen(hostileHost)
		if err != nil {
			panic(err)
		}
		if h.raw == nil {
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				h.serve(w, r)
			})}
			go func() { _ = server.Serve(listener) }()
			return func() { _ = server.Close() }
		}
		var all sync.WaitGroup
		all.Add(1)
		go func() {
			defer all.Done()
			for {
				c, err := listener.Accept()
				if err != nil {
					return
				}
				requests.Add(1)
				all.Add(1)
				go func() {
					defer all.Done()
					defer c.Close()
					h.raw(c)
				}()
			}
		}()
		return func() {
			_ = listener.Close()
			_ = network.Close()
			all.Wait()
		}
	}
}

// A hostile point, or a hostile authorization server, costs bounded time and memory and gives no pass, no finding and no
// error of the tool: only "could not tell", with the cause.
func TestHostileServers(t *testing.T) {
	for _, h := range hostiles() {
		t.Run("point "+h.name, func(t *testing.T) {
			t.Parallel()
			h.ride(t, "gateway", func(p *plan.Plan) {
				for i := range p.Points {
					if p.Points[i].Name == "gateway" {
						p.Points[i].URL = "http://hostile.sandbox.test"
						p.Points[i].CA = plan.Reference{}
					}
				}
			})
		})
		t.Run("authorization server "+h.name, func(t *testing.T) {
			t.Parallel()
			h.ride(t, "main", func(p *plan.Plan) {
				p.AuthorizationServers["main"] = plan.AuthorizationServer{Issuer: "http://hostile.sandbox.test"}
			})
		})
	}
}

// some takes every third check, or all of them where the whole matrix is asked for.
func some(catalogue []*check.Check) []*check.Check {
	if os.Getenv("CHECKRIDE_MATRIX") != "" {
		return catalogue
	}
	var few []*check.Check
	for i, c := range catalogue {
		if i%3 == 0 {
			few = append(few, c)
		}
	}
	return few
}

// A broken key set beside an authorization server that is healthy otherwise: nothing can be forged from it, and nothing
// follows from that about any point.
func TestBrokenKeySets(t *testing.T) {
	sets := map[string]string{
		"no JSON":          "<html>sorry</html>",
		"no keys":          `{"keys":[]}`,
		"keys of no kind":  `{"keys":[{"kty":"XX","kid":"1"},{"kty":5},7,null,[],{"kty":"EC","crv":"P-256","x":"!!","y":""}]}`,
		"somebody's keys":  `{"keys":[{"kty":"EC","crv":"P-256","kid":"other","alg":"ES256","use":"sig","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`,
		"fifty thousand":   `{"keys":[` + strings.TrimSuffix(strings.Repeat(`{"kty":"XX"},`, 50_000), ",") + `]}`,
		"deeper than deep": `{"keys":` + strings.Repeat(`[{"keys":`, 5_000) + `1` + strings.Repeat(`}]`, 5_000) + `}`,
	}
	for name, text := range sets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := hostile{name: name, serve: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(text))
			}}
			var requests atomic.Int64
			setup := Setup{
				Catalogue: checks.Catalogue(), Only: []string{"discover.*", "enforce.*", "bind.without-its-certificate"}, Beside: h.beside(&requests),
				Edit: func(p *plan.Plan) {
					main := p.AuthorizationServers["main"]
					main.Endpoints.JWKS = "http://hostile.sandbox.test/jwks"
					p.AuthorizationServers["main"] = main
				},
			}
			ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
				for _, e := range entries {
					o := e.Observation
					if o == nil || o.Outcome != logbook.Fail && o.Outcome != logbook.Error {
						continue
					}
					if o.Check == "discover.only-current-tls" && o.Observed == "plain HTTP" { // as the set is served
						continue
					}
					if o.Check != "discover.published-keys-are-public" { // what the set itself says is judged as it stands
						t.Errorf("%s at %s: %v; expected %s; observed %s; because %s", o.Check, o.Point, o.Outcome, o.Expected, o.Observed, o.Because)
					}
				}
			})
			if requests.Load() == 0 {
				t.Error("the key set was not asked for")
			}
		})
	}
}

func (h hostile) ride(t *testing.T, place string, edit func(*plan.Plan)) {
	t.Helper()
	var requests atomic.Int64
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ridden(t, Setup{Catalogue: some(checks.Catalogue()), Edit: edit, Beside: h.beside(&requests)}, func(t *testing.T, entries []logbook.Entry) {
		unsure := 0
		for _, e := range entries {
			if e.End != nil && e.End.Took > 10*time.Minute {
				t.Errorf("the ride took %v", e.End.Took)
			}
			o := e.Observation
			if o == nil || o.Point != place {
				continue
			}
			switch o.Outcome {
			case logbook.NotApplicable:
			case logbook.Pass:
				// That a token can be revoked is the authorization server's doing, which is healthy beside a hostile point.
				if o.Check != "revoke.not-revocable" || place == "main" {
					t.Errorf("%s at %s passes: expected %s; observed %s", o.Check, o.Point, o.Expected, o.Observed)
				}
			case logbook.Fail:
				// What a document says of itself is judged as it stands: an issuer that is a list is a true finding.
				// A point that never let anybody in and then says 403 keeps an agreed operation shut, whatever its reason.
				banned := o.Check == "enforce.allowed-operations" && h.name == "bans after the 100th request"
				if !banned && (!strings.HasPrefix(o.Check, "discover.") || h.name != "wrong types everywhere") {
					t.Errorf("%s at %s fails: expected %s; observed %s", o.Check, o.Point, o.Expected, o.Observed)
				}
			case logbook.Inconclusive:
				unsure++
				if o.Because == "" {
					t.Errorf("%s could not tell and does not say why", o.Check)
				}
			default:
				t.Errorf("%s at %s: %v; expected %s; observed %s; because %s", o.Check, o.Point, o.Outcome, o.Expected, o.Observed, o.Because)
			}
		}
		if unsure == 0 {
			t.Errorf("nothing was asked of %s", place)
		}
	})
	runtime.ReadMemStats(&after)
	if requests.Load() == 0 {
		t.Error("the hostile server was not asked")
	}
	t.Logf("%d requests, heap %d MiB", requests.Load(), after.HeapAlloc>>20)
}
