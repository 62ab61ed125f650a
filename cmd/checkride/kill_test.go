package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/sandbox"
)

const (
	kills     = 50
	sandboxes = 5 // side by side
	latest    = 1500 * time.Millisecond
)

// TestKillAndClean kills rides at random moments and cleans up. Afterwards the stack holds no client of theirs; without
// the operator's hooks it holds none that the cleanup did not name.
func TestKillAndClean(t *testing.T) {
	for _, c := range []struct {
		name  string
		hooks bool
	}{{"with hooks", true}, {"without hooks", false}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			var all sync.WaitGroup
			var mu sync.Mutex
			removed := 0
			for n := range sandboxes {
				moments := make([]time.Duration, kills/sandboxes/2)
				for i := range moments {
					moments[i] = time.Duration(random.Int64N(int64(latest)))
				}
				s := newScene(t, fmt.Sprint(n), c.hooks)
				all.Go(func() {
					for i, moment := range moments {
						gone := s.killAndClean(t, i, moment)
						mu.Lock()
						removed += gone
						mu.Unlock()
					}
				})
			}
			all.Wait()
			if removed == 0 {
				t.Errorf("no kill left anything to remove: nothing was tested")
			}
			t.Logf("%d clients removed after %d kills", removed, kills/2)
		})
	}
}

// scene is a sandbox and the rides that are killed at it.
type scene struct {
	dir, plan, management string
}

func newScene(t *testing.T, name string, hooks bool) *scene {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	stack, err := sandbox.Start(sandbox.Config{Dir: filepath.Join(dir, "stack")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stack.Close() })
	text, err := os.ReadFile(stack.Plan())
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{dir: dir, plan: stack.Plan()}
	found := regexp.MustCompile(`find_client: \{http: "GET ([^?]*)\?`).FindSubmatch(text)
	if found == nil {
		t.Fatal("the sandbox's plan has no hook find_client")
	}
	s.management = string(found[1])
	text = bytes.Replace(text, []byte("settle: 2s"), []byte("settle: 300ms"), 1)
	if !hooks {
		text = regexp.MustCompile(`(?m)^  (find_client|delete_client):.*\n`).ReplaceAll(text, nil)
	}
	err = os.WriteFile(s.plan, text, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = plan.Load(s.plan)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// killAndClean starts a ride, kills it at the moment, cleans up and looks at what is left. It gives how much was removed.
func (s *scene) killAndClean(t *testing.T, n int, moment time.Duration) int {
	out := filepath.Join(s.dir, fmt.Sprint("ride-", n))
	ride, _ := s.program("run", s.plan, "--out", out, "--format", "plain", "--only", "revoke.token-outlives-revocation", "--only", "bind.without-its-certificate")
	err := ride.Start()
	if err != nil {
		t.Error(err)
		return 0
	}
	timer := time.NewTimer(moment)
	<-timer.C
	_ = ride.Process.Kill()
	_ = ride.Wait()
	ledgers, err := filepath.Glob(filepath.Join(out, "*", "ledger.jsonl"))
	if err != nil || len(ledgers) == 0 {
		return 0 // it was killed before it began
	}
	sweep, said := s.program("cleanup", ledgers[0])
	err = sweep.Run()
	code := sweep.ProcessState.ExitCode()
	if code != exitReady && code != exitCannotTell {
		t.Errorf("killed after %v: cleanup ended with %v\n%s", moment, err, said)
		return 0
	}
	for _, name := range s.clients(t) {
		if code != exitCannotTell || !strings.Contains(said.String(), "LEFT  client "+name+" at") {
			t.Errorf("killed after %v: %s is still there, and cleanup does not say so\n%s", moment, name, said)
		}
	}
	s.sweep(t)
	return strings.Count(said.String(), "gone  client")
}

func (s *scene) program(args ...string) (*exec.Cmd, *bytes.Buffer) {
	var said bytes.Buffer
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "XDG_STATE_HOME="+filepath.Join(s.dir, "state"))
	cmd.Stdout, cmd.Stderr = &said, &said
	return cmd, &said
}

type clientList struct {
	Clients []struct {
		ID   string `json:"client_id"`
		Name string `json:"client_name"`
	} `json:"clients"`
}

func (s *scene) list(t *testing.T) clientList {
	var list clientList
	answer, err := http.Get(s.management + "?name=checkride")
	if err != nil {
		t.Error(err)
		return list
	}
	defer answer.Body.Close()
	err = json.NewDecoder(answer.Body).Decode(&list)
	if err != nil {
		t.Error(err)
	}
	return list
}

// clients are the names of the rides' clients that the stack still knows.
func (s *scene) clients(t *testing.T) []string {
	var names []string
	for _, client := range s.list(t).Clients {
		names = append(names, client.Name)
	}
	return names
}

// sweep empties the stack for the next kill.
func (s *scene) sweep(t *testing.T) {
	for _, client := range s.list(t).Clients {
		request, err := http.NewRequest(http.MethodDelete, s.management+"/"+client.ID, nil)
		if err != nil {
			t.Error(err)
			return
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
}
