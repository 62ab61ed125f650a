package plan

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

func (d *decoder) fault(node *yaml.Node, at place, message, hint string) {
	d.bad[at.path] = true
	d.add(node.Line, node.Column, message, hint)
}

// thing names a mapping for people.
func thing(at place) string {
	if at.promise == "" {
		return "the plan"
	}
	return "`" + at.promise + "`"
}

func (d *decoder) missing(node *yaml.Node, member field, at place) {
	hint := "add `" + member.key + "`"
	if member.example != "" {
		hint = fmt.Sprintf("add `%s: %s`", member.key, member.example)
	}
	if len(member.words) > 0 {
		hint += ", one of: " + strings.Join(member.words, ", ")
	}
	d.bad[at.key(member.key).path] = true
	d.add(node.Line, node.Column, fmt.Sprintf("%s has no `%s`", thing(at), member.key), hint)
}

// unknownKey gives the key that was probably meant, so that it is not said to be missing too.
func (d *decoder) unknownKey(key, value *yaml.Node, fields []field, at place) string {
	if d.full() {
		return ""
	}
	keys := keysOf(fields)
	meant, found := closest(key.Value, keys)
	hint := "allowed here: " + strings.Join(keys, ", ")
	elsewhere := placesOf(key.Value)
	switch {
	case found:
		hint = fmt.Sprintf("did you mean `%s`?", meant)
		d.bad[at.key(meant).path] = true
	case len(elsewhere) > 0:
		hint = fmt.Sprintf("`%s` belongs to %s", key.Value, strings.Join(elsewhere, " or "))
	}
	d.bad[at.key(key.Value).path] = true
	if member, known := fieldByKey(fields, meant); known && member.secret() || soundsSecret(key.Value) {
		d.hideAll(value)
	}
	where := ""
	if at.promise != "" {
		where = " in " + thing(at)
	}
	d.add(key.Line, key.Column, fmt.Sprintf("unknown key `%s`%s", printable(key.Value), where), hint)
	return meant
}

func (d *decoder) wrongKind(node *yaml.Node, f field, at place, wanted string) {
	if f.secret() {
		d.hideAll(node)
	}
	hint := ""
	switch {
	case wanted == "a list" && node.Kind == yaml.ScalarNode && !f.secret() && f.of.Elem().Kind() == reflect.String:
		hint = fmt.Sprintf("write `%s: [%s]`", f.key, printable(node.Value))
	case f.example != "":
		hint = fmt.Sprintf("for example: `%s: %s`", f.key, f.example)
	case f.absent != "":
		hint = fmt.Sprintf("for example: `%s: %s`", f.key, f.absent)
	default:
		inner, found := structOf(f.of)
		if found {
			hint = "with the keys " + strings.Join(keysOf(fieldsOf(inner)), ", ")
		}
	}
	name := f.key
	if name == "" {
		name = "the plan"
	} else {
		name = "`" + name + "`"
	}
	d.fault(node, at, fmt.Sprintf("%s wants %s, not %s", name, wanted, kindOf(node)), hint)
}

// kindOf names what stands in the file.
func kindOf(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch node.ShortTag() {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!null":
		return "nothing"
	}
	return "text"
}

func such(f field) string {
	switch {
	case len(f.words) > 0:
		return " (" + strings.Join(f.words, ", ") + ")"
	case f.example != "":
		return " such as " + f.example
	}
	return ""
}

// placesOf tells where a key is at home.
func placesOf(key string) []string {
	homes := map[string]bool{}
	walkTypes(planType, "", func(path string, f field) {
		if f.key == key && path != key {
			homes["`"+strings.TrimSuffix(path, "."+key)+"`"] = true
		}
	})
	return slices.Sorted(maps.Keys(homes))
}

// printable keeps control characters of a file out of a terminal, and messages short.
func printable(text string) string {
	runes := []rune(text)
	if len(runes) > widest {
		runes = append(runes[:widest-1], '…')
	}
	for i, r := range runes {
		if r < ' ' || !strconv.IsPrint(r) {
			runes[i] = '?'
		}
	}
	return string(runes)
}
