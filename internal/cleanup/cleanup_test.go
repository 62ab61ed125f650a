package cleanup

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/ledger"
	"github.com/checkride/checkride/internal/memnet"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/sandbox"
	"github.com/checkride/checkride/internal/secret"
)

// died says what the ride still wrote down of a client before it was killed.
type died uint8

const (
	afterAll      died = iota // all
	beforeAnswer              // the intent alone: the client is there, and nobody knows its id
	beforeSending             // the intent alone: the client is not there
	beforeUpdate              // a registration token that has been replaced since
	afterDeletion             // all but that it was deleted
)

func TestClean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		died      died
		situation defect.Situation
		without   []string // hooks that the plan lacks
		gone      bool
		detail    string
		remain    bool // the client is still in the stack
	}{
		{name: "by its token", died: afterAll, gone: true, detail: "listed no more"},
		{name: "by its token, no hooks", died: afterAll, without: both(), gone: true, detail: "its registration token is refused"},
		{name: "never answered", died: beforeAnswer, gone: true, detail: "removed by delete_client"},
		{name: "never answered, no hooks", died: beforeAnswer, without: both(), detail: "no hook find_client", remain: true},
		{name: "never answered, no deletion", died: beforeAnswer, without: []string{plan.DeleteClient}, detail: "no hook delete_client", remain: true},
		{name: "never sent", died: beforeSending, gone: true, detail: "never registered"},
		{name: "never sent, no hooks", died: beforeSending, without: both(), detail: "it may be there"},
		{name: "token replaced", died: beforeUpdate, gone: true, detail: "removed by delete_client"},
		{name: "token replaced, no hooks", died: beforeUpdate, without: both(), detail: "the deletion was not accepted", remain: true},
		{name: "token replaced, no list", died: beforeUpdate, without: []string{plan.FindClient}, detail: "nothing shows that it is gone"},
		{name: "deleted already", died: afterDeletion, gone: true, detail: "lists it no more"},
		{name: "deleted already, no hooks", died: afterDeletion, without: both(), detail: "the deletion was not accepted"},
		{name: "the server lies", died: afterAll, situation: defect.Situation{DeleteLies: true}, gone: true, detail: "removed by delete_client"},
		{name: "the server lies, no hooks", died: afterAll, situation: defect.Situation{DeleteLies: true}, without: both(), detail: "the server says that it is deleted", remain: true},
		{name: "the server lies, no list", died: afterAll, situation: defect.Situation{DeleteLies: true}, without: []string{plan.FindClient}, gone: true, detail: "removed by delete_client"},
		{name: "replicas lag", died: beforeAnswer, situation: defect.Situation{LaggingReplicas: 500 * time.Millisecond}, gone: true, detail: "removed by delete_client"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				s := newStack(t, dir, c.situation, c.without)
				defer s.close()
				name := s.ride(c.died)
				fates := s.clean(t)
				if len(fates) != 1 || fates[0].Name != name || fates[0].Gone != c.gone || !strings.Contains(fates[0].Detail, c.detail) {
					t.Errorf("fates %+v, want %s gone %v because %q", fates, name, c.gone, c.detail)
				}
				if there := slices.Contains(s.names(t), name); there != c.remain {
					t.Errorf("%s is in the stack: %v, want %v", name, there, c.remain)
				}
				again := s.clean(t)
				if (len(again) == 0) != c.gone {
					t.Errorf("the second time it does %+v", again)
				}
			})
		})
	}
}

func both() []string { return []string{plan.FindClient, plan.DeleteClient} }

// stack is a sandbox in memory with a ride that is to die.
type stack struct {
	t       *testing.T
	dir     string
	network *memnet.Network
	sandbox *sandbox.Sandbox
	plan    *plan.Plan
}

func newStack(t *testing.T, dir string, situation defect.Situation, without []string) *stack {
	t.Helper()
	network := memnet.New()
	running, err := sandbox.Start(sandbox.Config{Network: sandbox.Named(network), Dir: dir, Situation: situation})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Load(running.Plan())
	if err != nil {
		t.Fatal(err)
	}
	for _, hook := range without {
		delete(p.Hooks, hook)
	}
	return &stack{t: t, dir: dir, network: network, sandbox: running, plan: p}
}

func (s *stack) close() {
	_ = s.sandbox.Close()
	_ = s.network.Close()
}

func (s *stack) ledger() string { return filepath.Join(s.dir, "ledger.jsonl") }

func (s *stack) key() []byte {
	s.t.Helper()
	key, err := ledger.KeyFrom(func(string) (string, bool) { return "", false }, s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	return key
}

// ride registers a client whose name another client's begins with, and writes into the ledger what a ride that died then
// would have left.
func (s *stack) ride(when died) string {
	t := s.t
	t.Helper()
	keeper := secret.NewKeeper()
	job := &Job{keeper: keeper}
	c, err := job.cleaner(Config{Plan: s.plan, Dial: s.network.DialContext, Tool: "checkride/test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.wire.Close()
	scratch, err := ledger.Open(filepath.Join(s.dir, "scratch.jsonl"), s.key(), keeper)
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Close()
	player, err := cast.New(cast.Config{Plan: s.plan, Do: c.wire, Keeper: keeper, Resolver: s.plan.Resolver(keeper, false), Ledger: scratch, Ride: "killed"})
	if err != nil {
		t.Fatal(err)
	}
	var member *cast.Member
	for range 10 { // "killed partner 1" is the beginning of "killed partner 10"
		made, err := player.Own(context.Background(), cast.Partner, cast.Wish{})
		if err != nil {
			t.Fatal(err)
		}
		if member == nil {
			member = made
		}
	}
	name := member.Name()
	if when == beforeSending {
		name = "checkride killed partner 77"
	}
	book, err := ledger.Open(s.ledger(), s.key(), keeper)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	id, err := book.Intend(ledger.Intent{Kind: "client", Name: name, Server: "main", Plan: s.sandbox.Plan(), At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	client := member.Client()
	token := client.RegistrationToken
	switch when {
	case beforeAnswer, beforeSending:
		return name
	case beforeUpdate:
		token = keeper.Keep("token", "a-registration-token-of-yesterday")
	case afterDeletion:
		_, err = player.Delete(context.Background(), member)
		if err != nil {
			t.Fatal(err)
		}
	}
	err = book.Created(id, client.ID, client.RegistrationURI, token)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func (s *stack) clean(t *testing.T) []Fate {
	t.Helper()
	job, err := Open(s.ledger(), s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer job.Close()
	if len(job.Left()) == 0 {
		return nil
	}
	if path, when := job.Plan(); path != s.sandbox.Plan() || when.IsZero() {
		t.Errorf("the ledger says plan %q at %v", path, when)
	}
	fates, err := job.Clean(context.Background(), Config{Plan: s.plan, Dial: s.network.DialContext, Tool: "checkride/test"})
	if err != nil {
		t.Fatal(err)
	}
	return fates
}

// names asks the operator's side which clients there are. Only the one that the ledger names may be missing.
func (s *stack) names(t *testing.T) []string {
	t.Helper()
	transport := &http.Transport{DialContext: s.network.DialContext}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Get("http://management.sandbox.test/clients?name=checkride")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var list struct {
		Clients []struct {
			Name string `json:"client_name"`
		} `json:"clients"`
	}
	err = json.NewDecoder(answer.Body).Decode(&list)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, client := range list.Clients {
		names = append(names, client.Name)
	}
	if !slices.Contains(names, "checkride killed partner 10") {
		t.Errorf("a client of another name was removed; there are %q", names)
	}
	return names
}

func TestIDsInAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body string
		want []string
	}{
		{"", nil},
		{"\n", nil},
		{`{"clients":[]}`, nil},
		{`{"clients":[{"client_id":"b","client_name":"x 1"},{"client_id":"c","client_name":"x 10"},{"client_id":"a","client_name":"x 1"}]}`, []string{"a", "b"}},
		{`[{"client_id":"a"}]`, []string{"a"}},
		{`["a","b"]`, []string{"a", "b"}},
		{`{"client_ids":["a"],"total":1}`, []string{"a"}},
		{`{"messages":["found"],"warnings":[{"text":["none"]}]}`, nil},
		{"a\nb\n", []string{"a", "b"}},
		{`{"client_id":"a","client_name":"x 1","scopes":["s"]}`, []string{"a"}},
	} {
		got, err := idsIn([]byte(c.body), "x 1")
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", c.body, err, diff)
		}
	}
	_, err := idsIn([]byte(`{"clients":`), "x 1")
	if err == nil {
		t.Error("half an answer was read")
	}
}

func TestNoLedger(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	_, err := Open(path, t.TempDir())
	if err == nil {
		t.Fatal("a ledger that is not there is cleaned up")
	}
	_, err = os.Stat(path)
	if err == nil {
		t.Error("a ledger was made by reading it")
	}
}
