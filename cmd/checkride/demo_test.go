package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDemo runs the demo as a newcomer does: it ends with a verdict, and gives one finding for each of the three defects
// that are on.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo rides in real time")
	}
	t.Parallel()
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(os.Args[0], "demo", "--out", dir)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != exitNotReady {
		t.Fatalf("exit %d, want %d\n%s\n%s", code, exitNotReady, stdout.String(), stderr.String())
	}
	if !strings.Contains(stdout.String(), "\nNOT READY") || stderr.Len() > 0 {
		t.Errorf("no verdict, or complaints:\n%s\n%s", stdout.String(), stderr.String())
	}
	found, err := filepath.Glob(filepath.Join(dir, "checkride-2*", "report.json"))
	if err != nil || len(found) != 1 {
		t.Fatalf("reports: %v, %v", found, err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Findings []struct {
			ID string `json:"id"`
		} `json:"findings"`
	}
	err = json.Unmarshal(text, &report)
	if err != nil {
		t.Fatal(err)
	}
	var checks []string
	for _, finding := range report.Findings {
		checks = append(checks, finding.ID)
	}
	slices.Sort(checks)
	want := []string{"audit.refusals-logged", "bind.without-its-certificate", "revoke.token-outlives-revocation"}
	if !slices.Equal(checks, want) {
		t.Errorf("the demo finds %v, want one finding for each of its defects: %v", checks, want)
	}
}
