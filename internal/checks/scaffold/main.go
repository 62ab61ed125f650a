// Scaffold lays the file of a new check: go run ./internal/checks/scaffold revoke.some-words. What must be filled in is
// empty, and the catalogue does not validate until it is.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/checkride/checkride/internal/logbook"
)

func main() {
	err := scaffold("internal/checks", os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "scaffold:", err)
		os.Exit(2)
	}
}

func scaffold(folder string, args []string) error {
	if len(args) != 1 {
		return errors.New("give one id: go run ./internal/checks/scaffold revoke.some-words")
	}
	text, err := lay(args[0])
	if err != nil {
		return err
	}
	stage, words, _ := strings.Cut(args[0], ".")
	path := filepath.Join(folder, stage, strings.ReplaceAll(words, "-", "_")+".go")
	err = os.MkdirAll(filepath.Dir(path), 0o755)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("%w; an id never returns, so choose other words", err)
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Close())
	if err != nil {
		return err
	}
	fmt.Printf("%s\nfill it in (CONTRIBUTING.md says how), then: make generate, and go test ./internal/prove\n", path)
	return nil
}

// lay makes the file's text.
func lay(id string) ([]byte, error) {
	stage, words, cut := strings.Cut(id, ".")
	if !cut || logbook.Stage(stage).Order() == len(logbook.Stages) {
		return nil, fmt.Errorf("%q does not begin with a stage: %v", id, logbook.Stages)
	}
	for part := range strings.SplitSeq(words, "-") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz") != "" {
			return nil, fmt.Errorf("%q is not stage.words-with-hyphens: small letters and hyphens only, for it is spoken aloud", id)
		}
	}
	var name strings.Builder
	for part := range strings.SplitSeq(words, "-") {
		name.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	t, err := template.New("check").Parse(page)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, map[string]string{"ID": id, "Stage": stage, "Name": name.String()})
	if err != nil {
		return nil, err
	}
	return format.Source(out.Bytes())
}

const page = `package {{.Stage}}

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
)

// {{.Name}} asks
//
// Here stands the bug as it was met in the wild, and the clause that asks, quoted.
var {{.Name}} = &check.Check{
	ID:       "{{.ID}}",
	Title:    "",                 // the promise, as a sentence that is true on a healthy stack
	Broken:   "",                 // how it reads when it is broken, without the place; leave it out where the title turns by itself (is refused)
	Why:      "",                 // what somebody gains from the broken promise
	Fix:      "",                 // what to change, where
	Refs:     []frameworks.Ref{}, // frameworks.RFC(7009, "2.1"); a demand of our own says frameworks.House()
	Severity: 0,                  // logbook.Critical, High, Medium or Low
	At:       check.EveryPoint,   // or HomeServer, EverySource, WholeStack
	Needs:    []check.Need{},     // what plan and stack must have
	Rows:     nil,                // the catalogue rows that it plays, wholly or in part
	Twin:     defect.Set{},       // the sandbox defect that breaks this promise and, if possible, no other
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Opened(ctx)
		if err != nil {
			return err // cannot tell: never a pass, never a finding
		}
		return p.Refuses(ctx, call) // then the changes, each refused between controls: forge.WithoutToken()
	},
}
`
