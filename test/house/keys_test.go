package house

import (
	"encoding/json"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const plans = Module + "/internal/plan"

// unread are keys of the plan that no code but the plan's own reads, each with the reason why it is one all the same.
var unread = map[string]string{}

// judges are the plan's functions that read it to judge or to describe it: that they look at a key gives it no effect.
var judges = []string{"Load", "Parse", "Lint"}

// TestEveryKeyIsRead wants each key of the plan to have an effect: somebody who writes it believes that something follows
// from it. What the plan's own rules and lint look at does not count, unless code outside asks for it by a method.
func TestEveryKeyIsRead(t *testing.T) {
	t.Parallel()
	code := typed(t)
	read := code.fieldsRead()
	for _, key := range slices.Sorted(maps.Keys(code.keys)) {
		_, excused := unread[key]
		switch {
		case read[key] && excused:
			t.Errorf("%s is read: take it out of the list", key)
		case !read[key] && !excused:
			t.Errorf("%s (key %s) is read by no code outside internal/plan: let something follow from it, or take the key away", key, code.keys[key])
		}
	}
	for key := range unread {
		if code.keys[key] == "" {
			t.Errorf("%s is no key of the plan any more: take it out of the list", key)
		}
	}
	if len(code.keys) < 100 {
		t.Errorf("only %d keys were found", len(code.keys))
	}
}

// program is all code that knows the plan, with types.
type program struct {
	keys  map[string]string // Point.Format -> token_format
	uses  map[string][]string
	roots []string
	read  map[string]bool
}

// listed is what the go command tells of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles, Imports        []string
}

func typed(t *testing.T) *program {
	t.Helper()
	list := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Imports", "./internal/...", "./cmd/...")
	list.Dir = filepath.Join("..", "..")
	list.Stderr = os.Stderr
	output, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	exports := map[string]string{}
	var ours []listed
	decoder := json.NewDecoder(strings.NewReader(string(output)))
	for {
		var one listed
		err := decoder.Decode(&one)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		exports[one.ImportPath] = one.Export
		if one.ImportPath == plans || slices.Contains(one.Imports, plans) {
			ours = append(ours, one)
		}
	}
	set := token.NewFileSet()
	from := importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	code := &program{keys: map[string]string{}, uses: map[string][]string{}, read: map[string]bool{}}
	for _, one := range ours {
		var files []*ast.File
		for _, name := range one.GoFiles {
			file, err := parser.ParseFile(set, filepath.Join(one.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		info := &types.Info{Selections: map[*ast.SelectorExpr]*types.Selection{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
		checked, err := (&types.Config{Importer: from}).Check(one.ImportPath, set, files, info)
		if err != nil {
			t.Fatal(err)
		}
		if one.ImportPath == plans {
			code.learn(checked, files, info)
			continue
		}
		imported, err := from.Import(plans)
		if err != nil {
			t.Fatal(err)
		}
		named := fieldsIn(imported)
		for _, file := range files {
			for _, use := range usesIn(file, info, named) {
				code.note(use)
			}
		}
	}
	return code
}

// note takes down what code outside uses: a field, or a function of the plan's.
func (p *program) note(use string) {
	if name, function := strings.CutPrefix(use, "func "); function {
		if !slices.Contains(judges, name) {
			p.roots = append(p.roots, use)
		}
		return
	}
	p.read[use] = true
}

// learn takes down the keys of the plan, and what each of its functions uses.
func (p *program) learn(checked *types.Package, files []*ast.File, info *types.Info) {
	named := fieldsIn(checked)
	for field, name := range named {
		if key := tagOf(field, checked, name); key != "" {
			p.keys[name] = key
		}
	}
	for _, file := range files {
		for _, decl := range file.Decls {
			function, is := decl.(*ast.FuncDecl)
			if is {
				name := nameOf(info.Defs[function.Name])
				p.uses[name] = usesIn(function, info, named)
			}
		}
	}
}

// fieldsRead gives the fields that code outside reads, by itself or through the plan's functions.
func (p *program) fieldsRead() map[string]bool {
	seen := map[string]bool{}
	for queue := p.roots; len(queue) > 0; queue = queue[1:] {
		if seen[queue[0]] {
			continue
		}
		seen[queue[0]] = true
		for _, use := range p.uses[queue[0]] {
			if strings.HasPrefix(use, "func ") {
				queue = append(queue, use)
			} else {
				p.read[use] = true
			}
		}
	}
	return p.read
}

// fieldsIn names the fields of a package's structs: Point.Format.
func fieldsIn(pkg *types.Package) map[types.Object]string {
	named := map[types.Object]string{}
	for _, name := range pkg.Scope().Names() {
		of, is := pkg.Scope().Lookup(name).(*types.TypeName)
		if !is {
			continue
		}
		if s, is := of.Type().Underlying().(*types.Struct); is {
			for i := range s.NumFields() {
				named[s.Field(i)] = name + "." + s.Field(i).Name()
			}
		}
	}
	return named
}

// tagOf is the key of a field, or nothing.
func tagOf(field types.Object, pkg *types.Package, name string) string {
	of, _, _ := strings.Cut(name, ".")
	s := pkg.Scope().Lookup(of).Type().Underlying().(*types.Struct)
	for i := range s.NumFields() {
		if s.Field(i) == field {
			key := reflect.StructTag(s.Tag(i)).Get("yaml")
			return strings.Trim(key, "-")
		}
	}
	return ""
}

// usesIn gives the fields that are read in a piece of code, and the plan's functions that it names.
func usesIn(node ast.Node, info *types.Info, named map[types.Object]string) []string {
	var uses []string
	written := map[ast.Node]bool{}
	ast.Inspect(node, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.AssignStmt:
			for _, left := range node.Lhs {
				written[left] = true
			}
		case *ast.SelectorExpr:
			selection := info.Selections[node]
			if selection != nil && selection.Kind() == types.FieldVal && named[selection.Obj()] != "" && !written[node] {
				uses = append(uses, named[selection.Obj()])
			}
		case *ast.Ident:
			if name := nameOf(info.Uses[node]); name != "" {
				uses = append(uses, name)
			}
		}
		return true
	})
	return uses
}

// nameOf names a function of the plan's: func Load, func Plan.Client.
func nameOf(object types.Object) string {
	function, is := object.(*types.Func)
	if !is || function.Pkg() == nil || function.Pkg().Path() != plans {
		return ""
	}
	receiver := function.Signature().Recv()
	if receiver == nil {
		return "func " + function.Name()
	}
	of := receiver.Type()
	if pointer, is := of.(*types.Pointer); is {
		of = pointer.Elem()
	}
	owner, is := of.(*types.Named)
	if !is {
		return ""
	}
	return "func " + owner.Obj().Name() + "." + function.Name()
}
