package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestARidesFolderNamesItsLogbook(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "logbook.jsonl")
	err := os.WriteFile(file, nil, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing.jsonl")
	for path, want := range map[string]string{dir: file, file: file, missing: missing} {
		if got := bookAt(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
