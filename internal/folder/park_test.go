package folder

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/memnet"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/report"
	"github.com/checkride/checkride/internal/ride"
	"github.com/checkride/checkride/internal/sandbox"
	"github.com/checkride/checkride/internal/verdict"
)

var registration = regexp.MustCompile(`(?s)registration:\n.*?\nclients:\n`)

// TestParkedRideGoesOn parks a ride, plays the people who make its clients from the sheet, and resumes it.
func TestParkedRideGoesOn(t *testing.T) {
	t.Parallel()
	under := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		defer network.Close()
		stack, err := sandbox.Start(sandbox.Config{Network: sandbox.Named(network), Dir: filepath.Join(under, "stack")})
		if err != nil {
			t.Fatal(err)
		}
		defer stack.Close()
		text := read(t, stack.Plan())
		text = registration.ReplaceAllString(text, "registration: {mode: manual, server: main}\n\nclients:\n")
		text = replaced(t, text, "auth: private_key_jwt", "auth: tls_client_auth") // so that no key file is needed
		byHand := filepath.Join(filepath.Dir(stack.Plan()), "by-hand.yaml")
		p := planned(t, byHand, text)
		f, err := Make(filepath.Join(under, "out"), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		cfg := ride.Config{
			Plan: p, Catalogue: checks.Catalogue(), StateDir: filepath.Join(under, "state"), Dial: network.DialContext, Listen: network.Listen, Tool: "checkride/test",
			Only: []string{"enforce.without-token", "bind.without-its-certificate"},
		}
		parked, err := Park(cfg, f)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(parked.Clients, " "); got != "partner neighbour" {
			t.Errorf("waits for %q, want partner neighbour", got)
		}
		v := judged(t, f)
		if v.Word != verdict.CannotTell || !strings.Contains(v.Line, "people have yet to make partner and neighbour") {
			t.Errorf("a parked ride says %q", v.Line)
		}

		time.Sleep(10 * time.Minute) // on the bubble's clock
		for role, id := range onboarded(t, stack, network, f) {
			text = replaced(t, text, "- name: "+role+"\n", "- name: "+role+"\n    id: "+id+"\n")
		}
		waiting, err := Waits(f.Logbook())
		if err != nil {
			t.Fatal(err)
		}
		waiting.Steps, waiting.Counted = 7, true
		cfg.Plan, cfg.Parked = planned(t, byHand, text), &waiting
		before := read(t, f.Logbook())
		elsewhere := waiting
		elsewhere.Head.Points = append(slices.Clone(elsewhere.Head.Points), logbook.Point{Name: "other", Kind: "point", URL: "https://other.example"})
		moved := cfg
		moved.Parked = &elsewhere
		_, err = Resume(t.Context(), moved, f, silent{})
		if err == nil || !strings.Contains(err.Error(), `parked for "other"`) || read(t, f.Logbook()) != before {
			t.Errorf("it goes on at another stack: %v", err)
		}
		held, err := f.more()
		if err != nil {
			t.Fatal(err)
		}
		_, err = Resume(t.Context(), cfg, f, silent{})
		if err == nil || !strings.Contains(err.Error(), "another checkride writes") || read(t, f.Logbook()) != before {
			t.Errorf("two resume at the same time: %v", err)
		}
		err = held.Close()
		if err != nil {
			t.Fatal(err)
		}
		outcome, err := Resume(t.Context(), cfg, f, silent{})
		if err != nil {
			t.Fatal(err)
		}
		v = judged(t, f)
		if v.Word != verdict.Ready || v.Cells[verdict.Pass] == 0 {
			t.Errorf("the resumed ride says %q", v.Line)
		}
		if outcome.Ride != waiting.Ride || v.Head.Ride != waiting.Ride {
			t.Errorf("the ride %s goes on as %s", waiting.Ride, outcome.Ride)
		}
		if got, want := v.ByHand(), "10 min by hand, 7 manual steps"; got != want {
			t.Errorf("onboarding reads %q, want %q", got, want)
		}
		var terminal bytes.Buffer
		err = report.Terminal(&terminal, logbook.File(f.Logbook()), report.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(terminal.String(), "10 min by hand, 7 manual steps") {
			t.Errorf("the summary does not tell of the onboarding:\n%s", terminal.String())
		}
		_, err = Waits(f.Logbook())
		if !errors.Is(err, ErrNotParked) {
			t.Errorf("a ride that went on can be resumed again: %v", err)
		}
		_, err = Resume(t.Context(), cfg, f, silent{})
		if !errors.Is(err, ErrNotParked) {
			t.Errorf("whoever asked before it went on resumes it again: %v", err)
		}
	})
}

type silent struct{}

func (silent) Write(logbook.Entry) error { return nil }
func (silent) Close() error              { return nil }

func replaced(t *testing.T, text, old, new string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("the plan has no %q", old)
	}
	return strings.Replace(text, old, new, 1)
}

func planned(t *testing.T, path, text string) *plan.Plan {
	t.Helper()
	err := os.WriteFile(path, []byte(text), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func judged(t *testing.T, f Folder) verdict.Verdict {
	t.Helper()
	v, err := verdict.Of(logbook.File(f.Logbook()))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// onboarded does what people do with the sheet: it makes each client, and gives the client_id by role.
func onboarded(t *testing.T, stack *sandbox.Sandbox, network *memnet.Network, f Folder) map[string]string {
	t.Helper()
	var sheets []ride.Sheet
	err := json.Unmarshal([]byte(read(t, f.Sheet())), &sheets)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(stack.Plan())
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(read(t, filepath.Join(dir, "ca.pem"))))
	transport := &http.Transport{DialContext: network.DialContext, TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}
	p, err := plan.Load(stack.Plan())
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for _, sheet := range sheets {
		body, err := json.Marshal(sheet.Metadata)
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, p.AuthorizationServers["main"].Issuer+"/register", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(read(t, filepath.Join(dir, "operator-iat.txt"))))
		response, err := (&http.Client{Transport: transport}).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		var made struct {
			ID string `json:"client_id"`
		}
		err = errors.Join(json.NewDecoder(response.Body).Decode(&made), response.Body.Close())
		if err != nil || made.ID == "" {
			t.Fatalf("%s could not be made: status %d, %v", sheet.Client, response.StatusCode, err)
		}
		ids[sheet.Client] = fmt.Sprintf("%q", made.ID)
	}
	return ids
}

// A book that a stranger has edited names no ride by what would go into header fields, and a copy of another name is none.
func TestEditedBooks(t *testing.T) {
	t.Parallel()
	f := Folder{Dir: t.TempDir()}
	err := os.WriteFile(f.Logbook(), []byte(`{"v":1}`+"\n"+`{"head":{"ride":"x\r\nAuthorization: y"}}`+"\n"+`{"parked":{"plan":"p.yaml"}}`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Waits(f.Logbook())
	if err == nil || !strings.Contains(err.Error(), "no name of a ride") {
		t.Errorf("a ride of an impossible name: %v", err)
	}
	_, err = Of(filepath.Join(f.Dir, "copy.jsonl"))
	if err == nil {
		t.Error("a copy of another name was taken for the book of its folder")
	}
	file, err := f.more()
	if err != nil {
		t.Fatal(err)
	}
	err = file.Close()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(read(t, f.Logbook()), "}}\n") {
		t.Error("what follows would stand on the last line, which had lost its end")
	}
}
