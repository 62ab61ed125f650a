package docs

import (
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/checkride/checkride/internal/logbook"
)

// Comments are what the source says beside the values.
type Comments struct {
	Check  map[string]string // id -> the comment over the check, as Markdown
	Defect map[string]string // name -> the comment beside the switch
}

// ReadComments reads the source below a module's root.
func ReadComments(root string) (Comments, error) {
	c := Comments{Check: map[string]string{}, Defect: map[string]string{}}
	for _, stage := range logbook.Stages {
		files, err := filepath.Glob(filepath.Join(root, "internal", "checks", string(stage), "*.go"))
		if err != nil {
			return c, err
		}
		for _, path := range files {
			file, err := parse(path)
			if err != nil {
				return c, err
			}
			c.checks(file)
		}
	}
	file, err := parse(filepath.Join(root, "internal", "defect", "defect.go"))
	if err != nil {
		return c, err
	}
	c.defects(file)
	return c, nil
}

func parse(path string) (*ast.File, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("read comments: %w", err)
	}
	return file, nil
}

// checks takes the comments over variables that hold a check.
func (c Comments) checks(file *ast.File) {
	for _, declaration := range file.Decls {
		general, is := declaration.(*ast.GenDecl)
		if !is || general.Tok != token.VAR {
			continue
		}
		for _, spec := range general.Specs {
			value, is := spec.(*ast.ValueSpec)
			if !is || len(value.Names) != 1 || len(value.Values) != 1 {
				continue
			}
			written := value.Doc
			if written == nil {
				written = general.Doc
			}
			id := idOf(value.Values[0])
			if id != "" && written != nil {
				c.Check[id] = markdown(value.Names[0].Name, written.Text())
			}
		}
	}
}

// idOf gives the ID of a literal &check.Check{ID: "..."}, or nothing.
func idOf(value ast.Expr) string {
	id := ""
	ast.Inspect(value, func(node ast.Node) bool {
		pair, is := node.(*ast.KeyValueExpr)
		if !is || id != "" {
			return id == ""
		}
		key, named := pair.Key.(*ast.Ident)
		text, literal := pair.Value.(*ast.BasicLit)
		if named && literal && key.Name == "ID" && text.Kind == token.STRING {
			unquoted, err := strconv.Unquote(text.Value)
			if err == nil {
				id = unquoted
			}
		}
		return true
	})
	return id
}

// markdown turns a doc comment into Markdown. The name of the variable, with which comments begin, says nothing to a
// reader of the page.
func markdown(name, text string) string {
	rest, named := strings.CutPrefix(text, name+" ")
	if named {
		text = "This check " + rest
	}
	var p comment.Parser
	printer := comment.Printer{DocLinkURL: func(*comment.DocLink) string { return "" }}
	return string(printer.Markdown(p.Parse(text)))
}

// defects takes the comments beside the switches.
func (c Comments) defects(file *ast.File) {
	ast.Inspect(file, func(node ast.Node) bool {
		field, is := node.(*ast.Field)
		if !is || field.Tag == nil || field.Comment == nil {
			return true
		}
		tag, err := strconv.Unquote(field.Tag.Value)
		if err != nil {
			return true
		}
		name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		c.Defect[name] = strings.TrimSpace(field.Comment.Text())
		return true
	})
}
