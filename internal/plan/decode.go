package plan

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A spot is where a value stands in the file.
type spot struct{ line, column int }

// A decoder walks the YAML tree along the Go types and collects what is wrong.
type decoder struct {
	*complaint
	at    map[string]spot // path by numbers (points.0.url) -> value
	lines map[string]int  // promise (points.edge.url) -> line of the key
	bad   map[string]bool // paths that are complained about already
}

// A place is a path by numbers, which is unique, and the promise, which speaks in names.
type place struct{ path, promise string }

func (p place) key(key string) place { return place{join(p.path, key), join(p.promise, key)} }

func (p place) item(i int, name string) place {
	number := strconv.Itoa(i)
	if name == "" {
		name = number
	}
	return place{join(p.path, number), join(p.promise, name)}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// value decodes one node into v, by v's type.
func (d *decoder) value(node *yaml.Node, v reflect.Value, f field, at place) {
	if node.Kind == yaml.AliasNode {
		d.bad[at.path] = true // inspect has said why
		return
	}
	d.at[at.path] = spot{node.Line, node.Column}
	if isNull(node) {
		d.fault(node, at, fmt.Sprintf("`%s` has no value", f.key), "give it a value"+such(f)+" or remove the key")
		return
	}
	switch v.Type() {
	case durationType, dateType, severityType, referenceType:
		d.notation(node, v, f, at)
		return
	case auditType:
		d.audit(node, v, f, at)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(node, v.Elem(), f, at)
	case reflect.Struct:
		d.object(node, v, f, at)
	case reflect.Slice:
		d.list(node, v, f, at)
	case reflect.Map:
		d.table(node, v, f, at)
	case reflect.Interface:
		free := d.free(node)
		if free != nil {
			v.Set(reflect.ValueOf(free))
		}
	default:
		d.scalar(node, v, f, at)
	}
}

// object decodes a mapping whose keys are known.
func (d *decoder) object(node *yaml.Node, v reflect.Value, f field, at place) {
	if node.Kind != yaml.MappingNode {
		d.wrongKind(node, f, at, "a mapping")
		return
	}
	fields := fieldsOf(v.Type())
	setDefaults(v)
	if d.full() {
		return
	}
	seen, meant := map[string]bool{}, map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" || seen[key.Value] {
			continue // inspect has said why
		}
		member, known := fieldByKey(fields, key.Value)
		if !known {
			meant[d.unknownKey(key, value, fields, at)] = true
			continue
		}
		seen[key.Value] = true
		inner := at.key(member.key)
		d.lines[inner.promise] = key.Line
		d.value(value, v.Field(member.index), member, inner)
	}
	for _, member := range fields {
		if member.need && !seen[member.key] && !meant[member.key] {
			d.missing(node, member, at)
		}
	}
}

// list decodes a list; where one value may stand for a list of one, it does.
func (d *decoder) list(node *yaml.Node, v reflect.Value, f field, at place) {
	if node.Kind != yaml.SequenceNode {
		if !f.single() || node.Kind != yaml.ScalarNode {
			d.wrongKind(node, f, at, "a list")
			return
		}
		node = &yaml.Node{Kind: yaml.SequenceNode, Line: node.Line, Column: node.Column, Content: []*yaml.Node{node}}
	}
	v.Set(reflect.MakeSlice(v.Type(), len(node.Content), len(node.Content)))
	item := f
	item.example = exampleItem(f.example)
	for i, child := range node.Content {
		inner := at.item(i, nameOf(child, v.Type().Elem()))
		_, taken := d.lines[inner.promise]
		if taken {
			inner = at.item(i, "")
		}
		if v.Type().Elem().Kind() == reflect.Struct {
			d.lines[inner.promise] = child.Line
		}
		d.value(child, v.Index(i), item, inner)
	}
}

// nameOf gives the name by which a member of a list is known.
func nameOf(node *yaml.Node, t reflect.Type) string {
	if t.Kind() != reflect.Struct || node.Kind != yaml.MappingNode {
		return ""
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		value := node.Content[i+1]
		if node.Content[i].Value == "name" && value.Kind == yaml.ScalarNode && legalName.MatchString(value.Value) {
			return value.Value
		}
	}
	return ""
}

// exampleItem gives the first member of an example that is a list.
func exampleItem(example string) string {
	item, found := strings.CutPrefix(example, "[")
	if !found || strings.ContainsAny(item, "{[") {
		return ""
	}
	item, _, _ = strings.Cut(strings.TrimSuffix(item, "]"), ",")
	return item
}

// table decodes a mapping whose keys are free.
func (d *decoder) table(node *yaml.Node, v reflect.Value, f field, at place) {
	if node.Kind != yaml.MappingNode {
		d.wrongKind(node, f, at, "a mapping")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" || v.MapIndex(reflect.ValueOf(key.Value)).IsValid() {
			continue // inspect has said why
		}
		inner := at.key(key.Value)
		d.lines[inner.promise] = key.Line
		item := f
		item.key, item.example = printable(key.Value), ""
		member := reflect.New(v.Type().Elem()).Elem()
		d.value(value, member, item, inner)
		if f.is == "headers" {
			d.header(value, f, key.Value, member.Interface().(Reference), inner)
		}
		v.SetMapIndex(reflect.ValueOf(key.Value), member)
	}
}

// audit decodes the word none or a list of sources.
func (d *decoder) audit(node *yaml.Node, v reflect.Value, f field, at place) {
	audit := v.Addr().Interface().(*Audit)
	if node.Kind == yaml.ScalarNode && node.Value == "none" {
		audit.None = true
		return
	}
	if node.Kind != yaml.SequenceNode {
		d.fault(node, at, fmt.Sprintf("`audit` wants a list of logs or the word none, not %s", kindOf(node)), "write `audit: none`, or `- {name: edge, file: edge.jsonl, covers: [edge]}` below it")
		return
	}
	d.list(node, reflect.ValueOf(&audit.Sources).Elem(), f, at)
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}
