// Generate writes the pages under docs that are made from code: go run ./internal/docs/generate. It runs in the module's
// root, after the catalogue was listed.
package main

//go:generate go run -C ../../.. ./internal/checks/generate
//go:generate go run -C ../../.. ./internal/docs/generate

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/docs"
)

func main() {
	err := write(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate docs:", err)
		os.Exit(1)
	}
}

func write(root string) error {
	comments, err := docs.ReadComments(root)
	if err != nil {
		return err
	}
	pages := docs.Pages(checks.Catalogue(), comments)
	err = os.MkdirAll(filepath.Join(root, "docs", "checks"), 0o755)
	if err != nil {
		return err
	}
	err = forget(root, pages)
	if err != nil {
		return err
	}
	for name, text := range pages {
		err := os.WriteFile(filepath.Join(root, "docs", filepath.FromSlash(name)), text, 0o644)
		if err != nil {
			return err
		}
	}
	return nil
}

// forget removes the pages of checks that are no more.
func forget(root string, pages map[string][]byte) error {
	there, err := filepath.Glob(filepath.Join(root, "docs", "checks", "*.md"))
	if err != nil {
		return err
	}
	for _, path := range there {
		_, known := pages["checks/"+filepath.Base(path)]
		if known {
			continue
		}
		err := os.Remove(path)
		if err != nil {
			return err
		}
	}
	return nil
}
