package folder

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/memnet"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/report"
	"github.com/checkride/checkride/internal/ride"
	"github.com/checkride/checkride/internal/sandbox"
)

// TestNoSecretIsKept rides everything against a sandbox that writes tokens into its log, and looks for every secret of
// the ride and of the sandbox in all that is written and shown.
func TestNoSecretIsKept(t *testing.T) {
	t.Parallel()
	under := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		defer network.Close()
		stack, err := sandbox.Start(sandbox.Config{Network: sandbox.Named(network), Dir: filepath.Join(under, "stack"), Defects: defect.Set{TokenInLog: true, BindingOptional: true}})
		if err != nil {
			t.Fatal(err)
		}
		defer stack.Close()
		p, err := plan.Load(stack.Plan())
		if err != nil {
			t.Fatal(err)
		}
		f, err := Make(filepath.Join(under, "out"), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		var live, plain, summary bytes.Buffer
		opts := report.Options{Color: true}
		outcome, err := Ride(context.Background(), ride.Config{
			Plan: p, Catalogue: checks.Catalogue(), StateDir: filepath.Join(under, "state"), Dial: network.DialContext, Listen: network.Listen, Tool: "checkride/test",
		}, f, both{report.NewLive(&live, opts), report.NewPlain(&plain)})
		if err != nil {
			t.Fatal(err)
		}
		err = report.Terminal(&summary, logbook.File(f.Logbook()), opts)
		if err != nil {
			t.Fatal(err)
		}
		shown := map[string]string{"live": live.String(), "plain": plain.String(), "summary": summary.String()}
		for _, path := range []string{f.Logbook(), f.Ledger(), f.HTML(), f.JSON()} {
			shown[filepath.Base(path)] = read(t, path)
		}
		if outcome.Keeper.Known() < 100 {
			t.Errorf("the ride knows only %d secrets: it did not do much", outcome.Keeper.Known())
		}
		// The search can find: the sandbox's own log is full of what must not be in ours.
		leaking := read(t, filepath.Join(under, "stack", "gateway.jsonl"))
		if outcome.Keeper.Mask(leaking) == leaking {
			t.Error("the search finds no secret where there are many")
		}
		secrets := sandboxSecrets(t, filepath.Join(under, "stack"))
		for name, text := range shown {
			if text == "" {
				t.Errorf("%s is empty", name)
			}
			if masked := outcome.Keeper.Mask(text); masked != text {
				t.Errorf("%s holds a secret of the ride: %s", name, firstDifference(text, masked))
			}
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%s holds a secret of the sandbox: %.12s…", name, secret)
				}
			}
			if found := signed.FindString(text); found != "" {
				t.Errorf("%s holds a signed JWT: %.60s…", name, found)
			}
		}
	})
}

// signed is a JWT with its signature, whoever made it.
var signed = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}`)

type both struct{ a, b Progress }

func (p both) Write(e logbook.Entry) error {
	err := p.a.Write(e)
	if err != nil {
		return err
	}
	return p.b.Write(e)
}

func (p both) Close() error {
	err := p.a.Close()
	if err != nil {
		return err
	}
	return p.b.Close()
}

// sandboxSecrets gives what the sandbox wrote for its partner, and the tokens that its own log holds, in the ways that
// they might be written.
func sandboxSecrets(t *testing.T, dir string) []string {
	t.Helper()
	raw := []string{read(t, filepath.Join(dir, "iat.txt")), read(t, filepath.Join(dir, "rs-secret.txt"))}
	for line := range strings.Lines(read(t, filepath.Join(dir, "partner-ca.key"))) {
		if !strings.HasPrefix(line, "-----") {
			raw = append(raw, strings.TrimSpace(line))
		}
	}
	tokens := signed.FindAllString(read(t, filepath.Join(dir, "gateway.jsonl")), -1)
	if len(tokens) == 0 {
		t.Fatal("the sandbox's log holds no token: the defect is not on")
	}
	slices.Sort(tokens)
	tokens = slices.Compact(tokens)
	raw = append(raw, tokens[:min(len(tokens), 10)]...)
	var all []string
	for _, secret := range raw {
		quoted, err := json.Marshal(secret)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, secret, url.QueryEscape(secret), strings.Trim(string(quoted), `"`),
			base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)))
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// firstDifference shows where a text was masked, and not the secret.
func firstDifference(text, masked string) string {
	i := 0
	for i < len(text) && i < len(masked) && text[i] == masked[i] {
		i++
	}
	return masked[max(0, i-60):min(len(masked), i+40)]
}

func TestMakeTakesNoFolderTwice(t *testing.T) {
	t.Parallel()
	under, now := t.TempDir(), time.Date(2026, 10, 6, 8, 14, 28, 0, time.UTC)
	var names []string
	for range 3 {
		f, err := Make(under, now)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, filepath.Base(f.Dir))
	}
	if got, want := strings.Join(names, " "), "checkride-20261006-081428 checkride-20261006-081428-2 checkride-20261006-081428-3"; got != want {
		t.Errorf("made %s, want %s", got, want)
	}
}
