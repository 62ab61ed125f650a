package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// largest is the biggest plan that is read, in bytes.
const largest = 1 << 20

// An Option changes how a plan is judged.
type Option func(*judgement)

type judgement struct{ now time.Time }

// At judges dates as of now; the clock is asked when it is not given.
func At(now time.Time) Option { return func(j *judgement) { j.now = now } }

func judge(options []Option) judgement {
	var j judgement
	for _, option := range options {
		option(&j)
	}
	if j.now.IsZero() {
		j.now = time.Now()
	}
	return j
}

// Load reads the plan in a file. What is wrong with the plan comes as [Errors].
func Load(path string, options ...Option) (*Plan, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, largest+1))
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	return Parse(path, filepath.Dir(path), text, options...)
}

// Parse reads a plan from text. The name is what errors call the file; references to files are relative to dir.
func Parse(name, dir string, text []byte, options ...Option) (*Plan, error) {
	file := &complaint{file: name}
	root := file.document(text)
	if root == nil {
		return nil, file.err()
	}
	d := &decoder{complaint: file, at: map[string]spot{}, lines: map[string]int{}, bad: map[string]bool{}}
	if !d.inspect(root, 0) {
		return nil, file.err()
	}
	p := &Plan{}
	if root.Kind != yaml.MappingNode {
		d.wrongKind(root, field{of: planType}, place{}, "a mapping")
		return nil, file.err()
	}
	d.object(root, reflect.ValueOf(p).Elem(), field{of: planType}, place{})
	digest := sha256.Sum256(text)
	p.Source = Source{
		File:    name,
		Dir:     dir,
		Text:    string(text),
		Digest:  hex.EncodeToString(digest[:]),
		Lines:   d.lines,
		Servers: serverNames(root),
	}
	r := &rules{decoder: d, plan: p, now: judge(options).now}
	p.derive(d)
	r.check()
	err := file.err()
	if err != nil {
		return nil, err
	}
	return p, nil
}

// document gives the root mapping of the only document, or nil and a complaint.
func (c *complaint) document(text []byte) *yaml.Node {
	if len(text) > largest {
		c.add(1, 1, "the plan is larger than 1 MiB", "keep bodies in files of their own: body: file:PATH")
		return nil
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	c.lines = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	line, column, character := unreadable(text)
	if character != "" {
		c.add(line, column, character+" is not allowed", "save the plan as plain UTF-8 text")
		return nil
	}
	stream := yaml.NewDecoder(bytes.NewReader(text))
	var first yaml.Node
	err := stream.Decode(&first)
	if errors.Is(err, io.EOF) || err == nil && (len(first.Content) == 0 || isNull(first.Content[0])) {
		c.add(1, 1, "the plan is empty", "begin with `name: what is tested`; checkride demo shows a whole one")
		return nil
	}
	if err != nil {
		c.syntax(err)
		return nil
	}
	c.onlyOne(stream)
	return first.Content[0]
}

// onlyOne complains about a second document: half a plan that nobody reads is a promise that nobody keeps.
func (c *complaint) onlyOne(stream *yaml.Decoder) {
	var second yaml.Node
	err := stream.Decode(&second)
	switch {
	case errors.Is(err, io.EOF):
	case err != nil:
		c.syntax(err)
	default:
		c.add(second.Line, max(second.Column, 1), "a second document begins here", "a plan is one document: remove the line --- and what follows")
	}
}

// syntax complains in the place where the YAML breaks.
func (c *complaint) syntax(err error) {
	var broken *yaml.LoadError
	if !errors.As(err, &broken) {
		c.add(1, 1, "not YAML: "+printable(err.Error()), "correct the file")
		return
	}
	line, column := broken.Mark.Line, broken.Mark.Column
	hint := "correct the YAML here or just above"
	switch {
	case line > len(c.lines) || line == 0:
		line = max(len(c.lines), 1)
		column = utf8.RuneCountInString(c.lines[line-1]) + 1
		hint = "the file ends here: close what is open, or look whether the end is missing"
	case strings.Contains(broken.Message, "alphabetic or numeric"):
		hint = "put a * or & that is meant as text in quotes: \"*\""
	case strings.Contains(broken.Message, "cannot start any token"):
		hint = "indent with spaces, not tabs, and put text that begins with @, ` or % in quotes"
	case strings.Contains(broken.Message, "mapping values are not allowed"):
		hint = "put text with a colon in quotes, and look at the indentation"
	}
	c.add(line, column, "not YAML: "+printable(broken.Message), hint)
}

// unreadable finds the first byte or character that no plan has.
func unreadable(text []byte) (line, column int, character string) {
	line, column = 1, 1
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size <= 1:
			return line, column, fmt.Sprintf("byte 0x%02x, which is no UTF-8,", text[i])
		case r < ' ' && r != '\n' && r != '\t' && r != '\r', r == 0x7f, r >= 0x80 && r < 0xa0, r == '\ufeff', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return line, column, fmt.Sprintf("character %U", r)
		case r == '\u2028', r == '\u2029', r == '\r' && (i+1 == len(text) || text[i+1] != '\n'):
			// YAML breaks lines here and editors do not: the places of promises would be wrong.
			return line, column, fmt.Sprintf("line break %U", r)
		case r == '\n':
			line, column = line+1, 0
		}
		column++
		i += size
	}
	return 0, 0, ""
}

// serverNames gives the keys of authorization_servers in the file's order.
func serverNames(root *yaml.Node) []string {
	var names []string
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != "authorization_servers" || root.Content[i+1].Kind != yaml.MappingNode {
			continue
		}
		for j := 0; j+1 < len(root.Content[i+1].Content); j += 2 {
			names = append(names, root.Content[i+1].Content[j].Value)
		}
	}
	return names
}

// Servers gives the names of the authorization servers: in the file's order, then others by name.
func (p *Plan) Servers() []string {
	var names, others []string
	for _, name := range p.Source.Servers {
		_, there := p.AuthorizationServers[name]
		if there && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for name := range p.AuthorizationServers {
		if !slices.Contains(names, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return append(names, others...)
}

// Client gives a member of the cast by name.
func (p *Plan) Client(name string) (Client, bool) {
	for _, c := range p.Clients {
		if c.Name == name {
			return c, true
		}
	}
	return Client{}, false
}

// Registers says whether the ride can make clients of its own.
func (p *Plan) Registers() bool { return p.Registration.Mode == "dcr" || p.Registration.Mode == "hook" }

// Promises gives every limit by its promise, in the plan's notation: limits.revocation.push -> 10s.
func (l Limits) Promises() map[string]string {
	promises := map[string]string{}
	collect(reflect.ValueOf(l), "limits", promises)
	return promises
}

func collect(v reflect.Value, path string, promises map[string]string) {
	for _, f := range fieldsOf(v.Type()) {
		switch member := v.Field(f.index).Interface().(type) {
		case Duration:
			promises[join(path, f.key)] = member.String()
		case RevocationLimits:
			collect(reflect.ValueOf(member), join(path, f.key), promises)
		}
	}
}
