package ledger

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/checkride/checkride/internal/secret"
)

const token = "registration-token-0123456789"

func key(b byte) []byte { return bytes.Repeat([]byte{b}, keySize) }

// life is what is left after each line of the file that script writes.
func script(t *testing.T, path string, keep *secret.Keeper) [][]string {
	t.Helper()
	l, err := Open(path, key(1), keep)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	after := [][]string{nil, nil} // no line, header
	note := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
		after = append(after, summary(l.Left()))
	}
	a, err := l.Intend(Intent{Kind: "client", Name: "a", Server: "main"})
	note(err)
	note(l.Created(a, "id-a", "https://as.example/r/a", keep.Keep("token", token+"-a")))
	b, err := l.Intend(Intent{Kind: "client", Name: "b"})
	note(err)
	note(l.Updated(a, keep.Keep("token", token+"-new")))
	c, err := l.Intend(Intent{Kind: "client", Name: "c"})
	note(err)
	note(l.Removed(c))
	note(l.Created(b, "id-b", "", secret.Text{}))
	note(l.Removed(a))
	return after
}

func summary(items []Item) []string {
	var all []string
	for _, i := range items {
		s := i.Name + " " + i.ClientID + " " + i.URI
		if !i.Token.Empty() {
			s += " " + i.Token.Reveal()
		}
		all = append(all, s)
	}
	return all
}

func TestCutAtEveryByte(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "ledger")
	keep := secret.NewKeeper()
	after := script(t, whole, keep)
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("registration-token")) || bytes.Contains(data, []byte(base64.StdEncoding.EncodeToString([]byte(token))[:16])) {
		t.Fatalf("the ledger shows a token:\n%s", data)
	}
	cutFile := filepath.Join(dir, "cut")
	for n := range len(data) + 1 {
		err := os.WriteFile(cutFile, data[:n], 0o600)
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Count(data[:n], []byte("\n"))
		complete := n == 0 || data[n-1] == '\n' || n < len(data) && data[n] == '\n'
		if complete && n > 0 && data[n-1] != '\n' {
			lines++ // only its end is missing
		}
		items, err := Read(cutFile, key(1), keep)
		if (err == nil) != complete {
			t.Fatalf("cut at byte %d: error %v", n, err)
		}
		if err != nil && !strings.Contains(err.Error(), "cut:") {
			t.Fatalf("cut at byte %d: the error names no line: %v", n, err)
		}
		if diff := cmp.Diff(after[lines], summary(items)); diff != "" {
			t.Fatalf("cut at byte %d:\n%s", n, diff)
		}
		goOn(t, cutFile, keep, after[lines])
	}
}

// goOn proves that a ride can append to a ledger that was cut, and that all is there afterwards.
func goOn(t *testing.T, path string, keep *secret.Keeper, before []string) {
	t.Helper()
	l, err := Open(path, key(1), keep)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = l.Intend(Intent{Kind: "client", Name: "later"})
	if err != nil {
		t.Fatal(err)
	}
	items, _ := Read(path, key(1), keep) // the old cut is still told
	want := append(append([]string{}, before...), "later  ")
	if diff := cmp.Diff(want, summary(items)); diff != "" {
		t.Fatalf("after going on:\n%s", diff)
	}
}

func TestGarbledLineLosesOnlyItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	keep := secret.NewKeeper()
	script(t, path, keep)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	lines[len(lines)-2] = []byte("{\"do\":\"rem\x00\n") // what removed a
	lines[3] = []byte("nonsense\n")                     // the intent of b: its creation must not be lost with it
	err = os.WriteFile(path, bytes.Join(lines, nil), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	items, err := Read(path, key(1), keep)
	if diff := cmp.Diff([]string{"a id-a https://as.example/r/a " + token + "-new", " id-b "}, summary(items)); diff != "" {
		t.Error(diff)
	}
	for _, want := range []string{path + ":4 ", path + ":8 ", path + ":9 "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error without %s: %v", want, err)
		}
	}
}

func TestWrongKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	keep := secret.NewKeeper()
	script(t, path, keep)
	var wrong *WrongKey
	_, err := Open(path, key(2), keep)
	if !errors.As(err, &wrong) || !strings.Contains(err.Error(), KeyVariable) || !strings.Contains(err.Error(), KeyFile) {
		t.Errorf("open: %v", err)
	}
	items, err := Read(path, key(2), keep)
	if !errors.As(err, &wrong) || len(items) != 1 || items[0].Name != "b" {
		t.Errorf("read: %v, %v", items, err)
	}
}

func TestNewerVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	err := os.WriteFile(path, []byte("{\"v\":2}\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var newer *NewerVersion
	_, err = Open(path, key(1), secret.NewKeeper())
	if !errors.As(err, &newer) {
		t.Errorf("got %v", err)
	}
}

func TestSealedTextIsBoundToItsLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	keep := secret.NewKeeper()
	l, err := Open(path, key(1), keep)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ids := [2]string{}
	for i, name := range []string{"a", "b"} {
		ids[i], err = l.Intend(Intent{Name: name})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = l.Created(ids[0], "x", "", keep.Keep("token", token))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	lines[3] = bytes.ReplaceAll(lines[3], []byte(ids[0]), []byte(ids[1]))
	err = os.WriteFile(path, bytes.Join(lines, nil), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	items, err := Read(path, key(1), keep)
	if err == nil || len(items) != 2 || !items[1].Token.Empty() {
		t.Errorf("a token opened in another line: %v, %v", items, err)
	}
}

func TestUnknownIDs(t *testing.T) {
	l, err := Open(filepath.Join(t.TempDir(), "ledger"), key(1), secret.NewKeeper())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if l.Created("feed", "x", "", secret.Text{}) == nil || l.Removed("feed") == nil {
		t.Error("something was created without an intent")
	}
	_, err = l.Intend(Intent{})
	if err == nil {
		t.Error("an intent without a name")
	}
}

func TestManyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	keep := secret.NewKeeper()
	l, err := Open(path, key(1), keep)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			id, err := l.Intend(Intent{Name: "n"})
			if err != nil {
				t.Error(err)
			}
			err = l.Created(id, id, "", keep.Keep("token", token+id))
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	err = l.Close()
	if err != nil {
		t.Fatal(err)
	}
	items, err := Read(path, key(1), keep)
	if err != nil || len(items) != 8 {
		t.Errorf("got %d, %v", len(items), err)
	}
	for _, i := range items {
		if i.Token.Reveal() != token+i.ClientID {
			t.Errorf("%s has another's token", i.ClientID)
		}
	}
}

func TestKeyFrom(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	none := func(string) (string, bool) { return "", false }
	first, err := KeyFrom(none, dir)
	if err != nil || len(first) != keySize {
		t.Fatal(err)
	}
	again, err := KeyFrom(none, dir)
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("the key was made twice: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, KeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	set := func(text string) func(string) (string, bool) {
		return func(string) (string, bool) { return text, true }
	}
	given, err := KeyFrom(set(base64.URLEncoding.EncodeToString(key(0xfb))+"\n"), dir)
	if err != nil || !bytes.Equal(given, key(0xfb)) {
		t.Errorf("from the environment: %v", err)
	}
	for _, bad := range []string{"", "c2hvcnQ=", "not base64 at all!"} {
		_, err := KeyFrom(set(bad), dir)
		if err == nil || !strings.Contains(err.Error(), KeyVariable) || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	err = os.Chmod(filepath.Join(dir, KeyFile), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	_, err = KeyFrom(none, dir)
	if err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others may read: %v", err)
	}
}
