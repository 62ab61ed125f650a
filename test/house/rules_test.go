package house

import (
	"go/ast"
	"go/format"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// rule is one rule about single files. It carries an example of what it forbids and of what it must leave alone.
type rule struct {
	name, why string
	faults    func(source) []string // each begins with a line number, or with what is wrong
	bad, good example
}

type example struct{ path, text string }

var rules = []rule{
	{
		name: "names that say something", why: "util, helper, common, misc, types, manager and base say nothing; name the domain",
		faults: emptyNames,
		bad:    example{"internal/wire/helpers_test.go", "package wire\n"},
		good:   example{"internal/wire/database.go", "package wire\n"},
	},
	{
		name: "checks speak no HTTP", why: "a check's author writes no HTTP: the verbs of check.Pass do, so that evidence, masking and controls come with it",
		faults: func(s source) []string {
			if !within(s.folder(), "internal/checks") {
				return nil
			}
			return importsAny(s, "net/http")
		},
		bad:  example{"internal/checks/revoke/a.go", "package revoke\n\nimport \"net/http\"\n\nvar _ = http.StatusOK\n"},
		good: example{"internal/checks/revoke/a.go", "package revoke\n\nimport \"context\"\n\nvar _ = context.TODO\n"},
	},
	{
		name: "checks do not know each other", why: "a check must be readable, movable and removable by itself; what two share becomes a verb",
		faults: siblingChecks,
		bad:    example{"internal/checks/revoke/a.go", "package revoke\n\nimport \"" + Module + "/internal/checks/offboard\"\n\nvar _ = offboard.A\n"},
		good:   example{"internal/checks/all.go", "package checks\n\nimport \"" + Module + "/internal/checks/offboard\"\n\nvar _ = offboard.A\n"},
	},
	{
		name: "readers do no input or output", why: "a verdict and a report are made of the logbook alone: same book, same bytes, tomorrow too",
		faults: func(s source) []string {
			if s.isTest() || !within(s.folder(), "internal/verdict") && !within(s.folder(), "internal/compare") && !within(s.folder(), "internal/report") {
				return nil
			}
			return append(importsAny(s, "net", "net/http", "os", "os/exec"), calls(s, "time", "Now")...)
		},
		bad:  example{"internal/verdict/a.go", "package verdict\n\nimport \"time\"\n\nvar _ = time.Now()\n"},
		good: example{"internal/verdict/a.go", "package verdict\n\nimport \"time\"\n\nvar _ = time.Second\n"},
	},
	{
		name: "secrets are revealed in three places", why: "only wire, forge and ledger need the secret itself; all else passes it on as it is",
		faults: reveals,
		bad:    example{"internal/report/a.go", "package report\n\nfunc show(t text) string { return t.Reveal() }\n"},
		good:   example{"internal/wire/a.go", "package wire\n\nfunc show(t text) string { return t.Reveal() }\n"},
	},
	{
		name: "no init", why: "what happens at import cannot be seen, ordered or tested",
		faults: func(s source) []string {
			return declared(s, func(f *ast.FuncDecl) bool { return f.Recv == nil && f.Name.Name == "init" })
		},
		bad:  example{"internal/wire/a.go", "package wire\n\nfunc init() {}\n"},
		good: example{"internal/wire/a.go", "package wire\n\nfunc (w wire) init() {}\n"},
	},
	{
		name: "no blank imports", why: "registration by import is a hidden list; keep an explicit one. The standard library's own are its own",
		faults: blankImports,
		bad:    example{"internal/checks/a.go", "package checks\n\nimport _ \"" + Module + "/internal/checks/revoke\"\n"},
		good:   example{"internal/report/a.go", "package report\n\nimport _ \"embed\"\n"},
	},
	{
		name: "no exit below the command", why: "an error travels to cmd, which alone knows the exit codes",
		faults: func(s source) []string {
			if s.file == nil || s.isTest() || s.file.Name.Name == "main" {
				return nil
			}
			return slices.Concat(calls(s, "os", "Exit"), calls(s, "log", "Fatal"), calls(s, "log", "Fatalf"), calls(s, "log", "Fatalln"))
		},
		bad:  example{"internal/wire/a.go", "package wire\n\nimport \"log\"\n\nfunc f() { log.Fatal(1) }\n"},
		good: example{"cmd/checkride/main.go", "package main\n\nimport \"os\"\n\nfunc main() { os.Exit(1) }\n"},
	},
	{
		name: "no bare returns", why: "one reads at the return what is given back",
		faults: bareReturns,
		bad:    example{"internal/wire/a.go", "package wire\n\nfunc f() (n int, err error) { return }\n"},
		good:   example{"internal/wire/a.go", "package wire\n\nfunc f() (int, error) {\n\tdefer func() { return }()\n\treturn 0, nil\n}\n"},
	},
	{
		name: "exported names are explained", why: "a doc comment says what the name does not: shapes, units, errors, the clause that asks",
		faults: undocumented,
		bad:    example{"internal/wire/a.go", "package wire\n\nfunc Do() {}\n"},
		good:   example{"internal/wire/a.go", "package wire\n\n// Kind is a kind.\ntype Kind string\n\nconst (\n\tA Kind = \"a\"\n\tB Kind = \"b\"\n)\n\nfunc (k Kind) String() string { return \"\" }\n\n// Do does.\nfunc Do() {}\n"},
	},
	{
		name: "formatted", why: "run gofmt -w",
		faults: func(s source) []string {
			if s.file == nil {
				return nil
			}
			formatted, err := format.Source([]byte(s.text))
			if err != nil || string(formatted) == s.text {
				return nil
			}
			return []string{" gofmt would change it"}
		},
		bad:  example{"internal/wire/a.go", "package wire\nfunc  f() {}\n"},
		good: example{"internal/wire/a.go", "package wire\n\nfunc f() {}\n"},
	},
	{
		name: "no path of a machine", why: "the project must work wherever it is laid",
		faults: lines(regexp.MustCompile(`(^|[^A-Za-z0-9_.~})-])/(work|root|tmp|home/[a-z]+)/`)),
		bad:    example{"docs/a.md", "see /tmp" + "/report.html\n"},
		good:   example{"docs/a.md", "see https://example.test/tmp/report.html and /usr/lib/nginx\n"},
	},
	{
		name: "no package registry", why: "where packages come from is the business of the machine that builds",
		faults: lines(regexp.MustCompile(`proxy\.golang\.org|registry\.npmjs\.org|deb\.debian\.org|pypi\.org`)),
		bad:    example{"package-lock.json", `"resolved": "https://registry.npmjs` + `.org/x"` + "\n"},
		good:   example{"package-lock.json", `"version": "9.13.3"` + "\n"},
	},
	{
		name: "a TODO has a reason", why: "write TODO(what it waits for): what is to be done",
		faults: todos,
		bad:    example{"internal/wire/a.go", "package wire\n\n// TODO" + " later\n"},
		good:   example{"internal/wire/a.go", "package wire\n\n// TODO(until Go has raw HTTP/2 frames): send them\n"},
	},
}

var empty = regexp.MustCompile(`^(utils?|helpers?|common|misc|types|managers?|base)$`)

func emptyNames(s source) []string {
	var faults []string
	parts := strings.Split(s.path, "/")
	last := len(parts) - 1
	parts[last] = strings.TrimSuffix(strings.TrimSuffix(parts[last], path.Ext(parts[last])), "_test")
	if s.file != nil {
		parts = append(parts, strings.TrimSuffix(s.file.Name.Name, "_test"))
	}
	for _, part := range parts {
		if empty.MatchString(part) {
			faults = append(faults, " the name "+part)
		}
	}
	return faults
}

func siblingChecks(s source) []string {
	const catalogue = "internal/checks/"
	stage, ours := strings.CutPrefix(s.folder(), catalogue)
	if !ours {
		return nil
	}
	var faults []string
	for _, imported := range s.imports() {
		to, ok := strings.CutPrefix(imported, Module+"/"+catalogue)
		if ok && to != stage {
			faults = append(faults, " imports "+imported)
		}
	}
	return faults
}

func importsAny(s source, banned ...string) []string {
	var faults []string
	for _, imported := range s.imports() {
		if slices.Contains(banned, imported) {
			faults = append(faults, " imports "+imported)
		}
	}
	return faults
}

func blankImports(s source) []string {
	if s.file == nil {
		return nil
	}
	var faults []string
	for _, spec := range s.file.Imports {
		first, _, _ := strings.Cut(strings.Trim(spec.Path.Value, `"`), "/")
		if spec.Name != nil && spec.Name.Name == "_" && strings.Contains(first, ".") {
			faults = append(faults, s.at(spec)+"blank import of "+spec.Path.Value)
		}
	}
	return faults
}

// calls finds uses of a function of a package that is imported under its own name.
func calls(s source, pkg, name string) []string {
	return inspect(s, func(node ast.Node) string {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok || selector.Sel.Name != name {
			return ""
		}
		left, ok := selector.X.(*ast.Ident)
		if !ok || left.Name != pkg {
			return ""
		}
		return pkg + "." + name
	})
}

func reveals(s source) []string {
	if s.isTest() {
		return nil
	}
	for _, allowed := range []string{"internal/wire", "internal/forge", "internal/ledger", "internal/secret"} {
		if within(s.folder(), allowed) {
			return nil
		}
	}
	return inspect(s, func(node ast.Node) string {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok || selector.Sel.Name != "Reveal" {
			return ""
		}
		return "a secret is revealed"
	})
}

func declared(s source, bad func(*ast.FuncDecl) bool) []string {
	return inspect(s, func(node ast.Node) string {
		f, ok := node.(*ast.FuncDecl)
		if !ok || !bad(f) {
			return ""
		}
		return "func " + f.Name.Name
	})
}

// bareReturns finds returns without values in functions that give some. A function within a function is looked at by itself.
func bareReturns(s source) []string {
	return inspect(s, func(node ast.Node) string {
		var kind *ast.FuncType
		var body *ast.BlockStmt
		switch node := node.(type) {
		case *ast.FuncDecl:
			kind, body = node.Type, node.Body
		case *ast.FuncLit:
			kind, body = node.Type, node.Body
		}
		if body == nil || kind.Results == nil {
			return ""
		}
		said := ""
		ast.Inspect(body, func(inner ast.Node) bool {
			statement, ok := inner.(*ast.ReturnStmt)
			if ok && len(statement.Results) == 0 {
				said = "a bare return in line " + s.at(statement)
			}
			_, nested := inner.(*ast.FuncLit)
			return !nested
		})
		return said
	})
}

// fixed are methods whose meaning the standard library fixes.
var fixed = []string{
	"String", "GoString", "Format", "LogValue", "Error", "Unwrap", "Is", "As", "MarshalText", "UnmarshalText", "MarshalJSON", "UnmarshalJSON",
	"MarshalYAML", "UnmarshalYAML", "Len", "Less", "Swap", "Read", "Write", "Close", "ServeHTTP", "RoundTrip",
}

func undocumented(s source) []string {
	if s.file == nil || s.isTest() || s.file.Name.Name == "main" {
		return nil
	}
	var faults []string
	for _, decl := range s.file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Doc == nil && decl.Name.IsExported() && !hiddenReceiver(decl) && (decl.Recv == nil || !slices.Contains(fixed, decl.Name.Name)) {
				faults = append(faults, s.at(decl)+decl.Name.Name+" has no doc comment")
			}
		case *ast.GenDecl:
			faults = append(faults, undocumentedSpecs(s, decl)...)
		}
	}
	return faults
}

// undocumentedSpecs looks at one const, var or type declaration. A group may be explained as a whole, and the values of an
// enumeration are explained at their type.
func undocumentedSpecs(s source, decl *ast.GenDecl) []string {
	if decl.Doc != nil {
		return nil
	}
	var faults []string
	enumeration := false
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && spec.Doc == nil && spec.Comment == nil {
				faults = append(faults, s.at(spec)+spec.Name.Name+" has no doc comment")
			}
		case *ast.ValueSpec:
			enumeration = enumeration || spec.Type != nil
			for _, name := range spec.Names {
				if name.IsExported() && spec.Doc == nil && spec.Comment == nil && !enumeration {
					faults = append(faults, s.at(spec)+name.Name+" has no doc comment")
				}
			}
		}
	}
	return faults
}

func hiddenReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return false
	}
	kind := f.Recv.List[0].Type
	for {
		switch inner := kind.(type) {
		case *ast.StarExpr:
			kind = inner.X
		case *ast.IndexExpr:
			kind = inner.X
		case *ast.IndexListExpr:
			kind = inner.X
		case *ast.Ident:
			return !inner.IsExported()
		default:
			return false
		}
	}
}

var (
	anyTodo  = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)
	goodTodo = regexp.MustCompile(`\bTODO\([^)]{4,}\): \S`)
)

func todos(s source) []string {
	if s.file == nil {
		return nil
	}
	var faults []string
	for _, group := range s.file.Comments {
		for _, comment := range group.List {
			if anyTodo.MatchString(comment.Text) && !goodTodo.MatchString(comment.Text) {
				faults = append(faults, s.at(comment)+comment.Text)
			}
		}
	}
	return faults
}

// lines finds lines of any file that a pattern matches. Sums of modules are left alone.
func lines(pattern *regexp.Regexp) func(source) []string {
	return func(s source) []string {
		if strings.HasSuffix(s.path, ".sum") {
			return nil
		}
		var faults []string
		number := 0
		for line := range strings.Lines(s.text) {
			number++
			if pattern.MatchString(line) {
				faults = append(faults, strconv.Itoa(number)+": "+strings.TrimSpace(pattern.FindString(line)))
			}
		}
		return faults
	}
}

// inspect walks a Go file; say gives what is wrong with a node, or nothing.
func inspect(s source, say func(ast.Node) string) []string {
	if s.file == nil {
		return nil
	}
	var faults []string
	ast.Inspect(s.file, func(node ast.Node) bool {
		if node == nil {
			return false
		}
		said := say(node)
		if said != "" {
			faults = append(faults, s.at(node)+said)
		}
		return true
	})
	return faults
}
