package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// source is one file of the project.
type source struct {
	path string // relative to the module, with slashes
	text string
	file *ast.File // nil unless it is Go
	set  *token.FileSet
}

func newSource(t *testing.T, path, text string) source {
	t.Helper()
	s := source{path: path, text: text, set: token.NewFileSet()}
	if !strings.HasSuffix(path, ".go") {
		return s
	}
	file, err := parser.ParseFile(s.set, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Error(err)
		return s
	}
	s.file = file
	return s
}

func (s source) folder() string { return path.Dir(s.path) }

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// imports gives the import paths of the file.
func (s source) imports() []string {
	if s.file == nil {
		return nil
	}
	var paths []string
	for _, spec := range s.file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err == nil {
			paths = append(paths, imported)
		}
	}
	return paths
}

// at gives a line number for a fault.
func (s source) at(node ast.Node) string { return strconv.Itoa(s.set.Position(node.Pos()).Line) + ": " }

// sources reads every file that is in git or would be: what is ignored is not the project's.
func sources(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	list := exec.Command("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v; the house rules are about what is in git", err)
	}
	var all []source
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		// Go keeps a test's result until a file that it opened changes; a folder that is read counts, too, and so a new file does.
		_, err := os.ReadDir(filepath.Join(root, filepath.Dir(name)))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // deleted, and not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, newSource(t, name, string(text)))
	}
	if len(all) < 20 {
		t.Fatalf("only %d files found below %s", len(all), root)
	}
	return all
}
