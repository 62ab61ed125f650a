package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestWhatIsLaidBuilds builds the new file in its stage's package, and wants the catalogue to refuse it as it stands.
func TestWhatIsLaidBuilds(t *testing.T) {
	text, err := lay("revoke.laid-by-a-test")
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := map[string]string{
		"internal/checks/revoke/laid_by_a_test.go":      string(text),
		"internal/checks/revoke/laid_by_a_test_test.go": refusal,
	}
	replace := map[string]string{}
	for name, content := range files {
		replace[filepath.Join(root, name)] = write(t, filepath.Join(dir, filepath.Base(name)), content)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("go", "test", "-overlay", write(t, filepath.Join(dir, "overlay.json"), string(overlay)), "-run", "LaidByATest", "./internal/checks/revoke")
	command.Dir = root
	out, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

const refusal = `package revoke

import (
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/check"
)

func TestLaidByATest(t *testing.T) {
	var all strings.Builder
	for _, err := range check.Validate([]*check.Check{LaidByATest}) {
		all.WriteString(err.Error() + "\n")
	}
	for _, want := range []string{"Title is empty", "Why is empty", "Fix is empty", "no severity", "no reference", "no twin"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("Validate does not say %q:\n%s", want, all.String())
		}
	}
}
`

func write(t *testing.T, path, content string) string {
	t.Helper()
	err := os.WriteFile(path, []byte(content), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestIDs(t *testing.T) {
	for _, id := range []string{"", "revoke", "revoke.", "nowhere.some-words", "revoke.Some-words", "revoke.some--words", "revoke.x2", "revoke.some_words"} {
		_, err := lay(id)
		if err == nil {
			t.Errorf("%q is taken", id)
		}
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	dir := t.TempDir()
	err := scaffold(dir, []string{"offboard.some-words"})
	if err != nil {
		t.Fatal(err)
	}
	err = scaffold(dir, []string{"offboard.some-words"})
	if err == nil || !strings.Contains(err.Error(), "other words") {
		t.Errorf("a check was laid over another: %v", err)
	}
}
