package sandbox

import (
	"fmt"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/ca"
)

func TestPartnerGetsInEverywhereAndIsLogged(t *testing.T) {
	inBubble(t, defect.Set{}, defect.Situation{}, func(w *world) {
		p := w.partner("partner", "payments:read")
		token := p.token(mainAS)
		for _, point := range append(points(), nodeA, nodeB) {
			a := p.list(point, token)
			name := strings.TrimSuffix(strings.TrimSuffix(point, "-a"), "-b")
			for path, want := range map[string]string{"seen.client_id": p.id, "seen.trace": trace, "seen.scope": "payments:read", "seen.via": name, "seen.org": "acme"} {
				if got := a.text(path); a.status != 200 || got != want {
					t.Errorf("%s: %d, %s is %q, want %q: %s", point, a.status, path, got, want, a.body)
				}
			}
			if a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: Cache-Control %q", point, a.header.Get("Cache-Control"))
			}
			for _, log := range []string{name, theAPI} {
				r, _ := w.last(log)
				for field, want := range map[string]any{"decision": "allow", "client_id": p.id, "org": "acme", "method": "GET", "path": "/payments", "status": 200.0, "traceparent": traceparent, "request_id": "r-1"} {
					if r[field] != want {
						t.Errorf("%s, log of %s: %s is %v, want %v", point, log, field, r[field], want)
					}
				}
				if r["token_id"] == "" || r["cert_sha256"] == "" || r["id"] == "" {
					t.Errorf("%s, log of %s: incomplete: %v", point, log, r)
				}
			}
			if a := p.call(point, "GET", "/partners/"+p.id+"/statement", token); a.status != 200 || a.text("seen.client_id") != p.id {
				t.Errorf("%s: own statement: %d %s", point, a.status, a.body)
			}
		}
		neighbour := w.partner("neighbour", "payments:read payments:write")
		for _, point := range points() {
			a := neighbour.call(point, "POST", "/payments", neighbour.token(mainAS, point))
			if a.status != 422 || a.text("seen.client_id") != neighbour.id || a.text("seen.trace") != trace {
				t.Errorf("%s: invalid payment of who may pay: %d %s", point, a.status, a.body)
			}
		}
		archivist := w.partner("neighbour of the archive", "payments:read archive:read")
		for point, status := range map[string]int{edgePoint: 404, gatewayOne: 404, legacyOne: 200} {
			if a := archivist.call(point, "GET", "/archive", archivist.token(mainAS)); a.status != status {
				t.Errorf("%s: the archive for who may read it: %d %s", point, a.status, a.body)
			}
		}
	})
}

func TestHealthyPointsRefuse(t *testing.T) {
	inBubble(t, defect.Set{}, defect.Situation{}, func(w *world) {
		p := w.partner("partner", "payments:read")
		neighbour := w.partner("neighbour", "payments:read payments:write")
		theirs := neighbour.token(mainAS)
		stale := w.certificate("partner.partners.example", ca.Options{NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-time.Hour)})
		for _, point := range points() {
			token := p.token(mainAS, point)
			others := points()
			for i := range others {
				if others[i] == point {
					others = append(others[:i], others[i+1:]...)
					break
				}
			}
			for _, row := range []struct {
				name   string
				answer answer
				status int
				code   string
			}{
				{"no credential", p.list(point, ""), 401, ""},
				{"no credential at an unknown path", p.call(point, "GET", "/other", ""), 401, ""},
				{"garbage", p.list(point, "garbage"), 401, "invalid_token"},
				{"basic", p.list(point, "", "Authorization", "Basic eDp5"), 401, "invalid_token"},
				{"token in the query", p.call(point, "GET", "/payments?access_token="+token, ""), 401, ""},
				{"token for another audience", p.list(point, p.token(mainAS, others...)), 401, "invalid_token"},
				{"no certificate", p.with(nil).list(point, token), 401, "invalid_token"},
				{"another certificate", neighbour.list(point, token), 401, "invalid_token"},
				{"expired certificate", p.with(stale).list(point, token), 401, "invalid_token"},
				{"scope is missing", p.call(point, "POST", "/payments", token), 403, "insufficient_scope"},
				{"unknown path", p.call(point, "GET", "/other", token), 404, ""},
				{"path with a slash more", p.call(point, "GET", "/payments/", token), 404, ""},
				{"statement of another", p.call(point, "GET", "/partners/"+p.id+"/statement", theirs), 401, "invalid_token"},
				{"another's statement", neighbour.call(point, "GET", "/partners/"+p.id+"/statement", theirs), 403, ""},
			} {
				if row.answer.status != row.status {
					t.Errorf("%s, %s: %d %s", point, row.name, row.answer.status, row.answer.body)
				}
				challenge := row.answer.header.Get("WWW-Authenticate")
				if row.status == 401 && !strings.HasPrefix(challenge, "Bearer ") || row.code != "" && !strings.Contains(challenge, `error="`+row.code+`"`) || row.code == "" && strings.Contains(challenge, "error=") {
					t.Errorf("%s, %s: challenge %q", point, row.name, challenge)
				}
				if row.status == 401 && row.answer.text("point") != point {
					t.Errorf("%s, %s: the refusal does not name the point: %s", point, row.name, row.answer.body)
				}
			}
			p.with(nil).list(point, token)
			r, _ := w.last(point)
			if r["decision"] != "deny" || r["client_id"] != p.id || r["reason"] == "" {
				t.Errorf("%s: a refusal is not explained: %v", point, r)
			}
		}
		if a := p.list(legacyOne, p.token(mainAS), "X-Client-Id", "someone", "X_client_id", "someone", "x-scopes", "all"); a.text("seen.client_id") != p.id || a.text("seen.scope") != "payments:read" {
			t.Errorf("legacy: identity headers passed: %s", a.body)
		}
		if a := p.list(theAPI, "", "X-Client-Id", p.id); a.status != 401 {
			t.Errorf("origin is open: %d", a.status)
		}
	})
}

// accepted waits for nothing: it tells at once whether the call gets in.
func accepted(a answer) bool { return a.status == http.StatusOK }

func TestTrustEndsInTime(t *testing.T) {
	inBubble(t, defect.Set{}, defect.Situation{}, func(w *world) {
		p := w.partner("partner", "payments:read")
		end := map[string]func(token string){
			"revocation": func(token string) { w.revoke(p, token) },
			"suspension": func(string) {
				w.manage("POST", "/clients/"+p.id+"/suspend")
				w.manage("POST", "/clients/"+p.id+"/resume")
			},
			"window": func(string) {
				w.manage("POST", "/clients/"+p.id+"/window?state=closed")
				w.manage("POST", "/clients/"+p.id+"/window?state=open")
			},
			"expiry": func(string) { time.Sleep(9 * time.Second) },
			"key removal": func(token string) {
				header, _, _ := taken(t, token)
				w.manage("DELETE", "/keys/"+fmt.Sprint(header["kid"]))
			},
		}
		for name, finish := range end {
			token := p.token(mainAS)
			for _, point := range append(points(), nodeA, nodeB) {
				if !accepted(p.list(point, token)) {
					t.Fatalf("%s, %s: control is refused", name, point)
				}
			}
			finish(token)
			time.Sleep(1200 * time.Millisecond)
			for _, point := range append(points(), nodeA, nodeB) {
				if a := p.list(point, token); a.status != 401 {
					t.Errorf("%s, %s: %d", name, point, a.status)
				}
			}
		}
	})
}

func TestFrontAlternatesReplicas(t *testing.T) {
	inBubble(t, defect.Set{}, defect.Situation{LaggingReplicas: time.Minute}, func(w *world) {
		time.Sleep(2 * time.Minute) // past the lag of the authorization server's own replicas
		p := w.partner("partner", "payments:read")
		time.Sleep(time.Minute)
		token := p.token(mainAS)
		w.revoke(p, token)
		time.Sleep(time.Second)
		count := map[int]int{}
		for range 6 {
			count[p.list(edgePoint, token).status]++
		}
		if count[200] != 3 || count[401] != 3 {
			t.Errorf("fresh connections: %v", count)
		}
		kept := *p
		kept.http = w.client(p.certificate, true)
		count = map[int]int{}
		for range 6 {
			count[kept.list(edgePoint, token).status]++
		}
		if len(count) != 1 {
			t.Errorf("a kept connection changed its replica: %v", count)
		}
	})
}

func TestAPIKeysFollowTheirClient(t *testing.T) {
	inBubble(t, defect.Set{}, defect.Situation{}, func(w *world) {
		p := w.partner("partner", "payments:read")
		key := w.manage("POST", "/clients/"+p.id+"/api-key").text("api_key")
		in := func() bool {
			a := p.list(legacyOne, "", "X-Api-Key", key)
			return accepted(a) && a.text("seen.client_id") == p.id
		}
		if !in() {
			t.Error("a new key is refused")
		}
		if accepted(p.list(gatewayOne, "", "X-Api-Key", key)) {
			t.Error("gateway takes API keys")
		}
		w.manage("POST", "/clients/"+p.id+"/suspend")
		if in() {
			t.Error("the key of a suspended client gets in")
		}
		w.manage("POST", "/clients/"+p.id+"/resume")
		if !in() {
			t.Error("the key of a resumed client is refused")
		}
		w.manage("DELETE", "/clients/"+p.id+"/api-key")
		if in() {
			t.Error("a deprovisioned key gets in")
		}
		if r, _ := w.last(legacyOne); r["client_id"] != p.id || r["decision"] != "deny" {
			t.Errorf("whose key it was is not logged: %v", r)
		}
		key = w.manage("POST", "/clients/"+p.id+"/api-key").text("api_key")
		w.manage("DELETE", "/clients/"+p.id)
		if in() {
			t.Error("the key of a deleted client gets in")
		}
	})
}

func TestManyCallsAtOnceOverHTTP2(t *testing.T) {
	inBubble(t, defect.Set{}, defect.Situation{}, func(w *world) {
		p := w.partner("partner", "payments:read")
		token := p.token(mainAS)
		p.http = w.client(p.certificate, true)
		p.http.Transport.(*http.Transport).ForceAttemptHTTP2 = true
		var callers sync.WaitGroup
		for i := range 40 {
			callers.Go(func() {
				r, err := http.NewRequest("GET", w.sandbox.url(points()[i%3])+"/payments", nil)
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Authorization", "Bearer "+token)
				response, err := p.http.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				defer response.Body.Close()
				if response.StatusCode != 200 || response.ProtoMajor != 2 {
					t.Errorf("%s: %d %s", r.URL, response.StatusCode, response.Proto)
				}
				if i%7 == 0 {
					w.sandbox.SetDefects(defect.Set{SharedCache: i%2 == 0})
				}
			})
		}
		callers.Wait()
		if all := w.records(edgePoint); len(all) != 14 {
			t.Errorf("%d records of 14 calls", len(all))
		}
	})
}

func TestCloseLeavesNothingOnLoopback(t *testing.T) {
	before := runtime.NumGoroutine()
	s, err := Start(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, sandbox: s, network: &loopback{}}
	p := w.partner("partner", "payments:read")
	token := p.token(mainAS)
	for _, point := range points() {
		if a := p.list(point, token); !accepted(a) {
			t.Errorf("%s: %d %s", point, a.status, a.body)
		}
	}
	err = s.Close()
	if err != nil {
		t.Error(err)
	}
	err = s.Close()
	if err != nil {
		t.Errorf("close again: %v", err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
	}
}

func TestCommandsRun(t *testing.T) {
	for _, program := range []string{"sh", "curl", "sed"} {
		_, err := exec.LookPath(program)
		if err != nil {
			t.Skip("needs " + program)
		}
	}
	s, err := Start(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	output, err := exec.Command("sh", "-e", "-c", s.Commands()).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if strings.Count(string(output), `"items"`) != 3 || !strings.Contains(string(output), `"point":"edge"`) {
		t.Errorf("unexpected output\n%s", output)
	}
	if !strings.Contains(s.Describe(), s.Commands()) {
		t.Error("the description lacks the commands")
	}
}
