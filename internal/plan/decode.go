package plan

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// deepest is how deep a plan may nest: the deepest key has nine levels, free client metadata a few more.
const deepest = 24

// longest is how many members a list or a mapping may have. It keeps a plan from a stranger cheap to judge.
const longest = 1000

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

func (d *decoder) fault(node *yaml.Node, at place, message, hint string) {
	d.bad[at.path] = true
	d.add(node.Line, node.Column, message, hint)
}

// inspect refuses what makes YAML say more than one sees: anchors, aliases, merge keys, tags, duplicate and
// composed keys. It says whether the tree is fit to be decoded.
func (d *decoder) inspect(node *yaml.Node, depth int) bool {
	if depth > deepest {
		d.add(node.Line, node.Column, fmt.Sprintf("nested deeper than %d levels", deepest), "a plan needs no more than ten: look for a missing line break or bracket")
		return false
	}
	if node.Kind == yaml.AliasNode {
		d.add(node.Line, node.Column, fmt.Sprintf("alias *%s is not allowed in a plan", printable(node.Value)), "write the value out: each promise must stand on its own line")
		return true
	}
	if len(node.Content) > 2*longest || node.Kind == yaml.SequenceNode && len(node.Content) > longest {
		d.add(node.Line, node.Column, fmt.Sprintf("more than %d members", longest), "no stack needs as many: split the plan")
		return false
	}
	if node.Anchor != "" {
		d.add(node.Line, node.Column, fmt.Sprintf("anchor &%s is not allowed in a plan", printable(node.Anchor)), "remove it and write the value out where it is needed")
	}
	if node.Style&yaml.TaggedStyle != 0 {
		d.add(node.Line, node.Column, fmt.Sprintf("tag %s is not allowed in a plan", printable(node.Tag)), "remove the tag")
	}
	if node.Kind == yaml.MappingNode {
		d.inspectKeys(node)
	}
	for _, child := range node.Content {
		if !d.inspect(child, depth+1) {
			return false
		}
	}
	return true
}

func (d *decoder) inspectKeys(node *yaml.Node) {
	first := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		switch {
		case key.Kind == yaml.AliasNode:
			continue
		case key.Kind != yaml.ScalarNode:
			d.add(key.Line, key.Column, "a key must be a word", "remove the ? or the brackets")
			continue
		case key.Value == "<<" && key.Tag == "!!merge":
			d.add(key.Line, key.Column, "merge key << is not allowed in a plan", "write the keys out: each promise must stand on its own line")
			continue
		}
		line, twice := first[key.Value]
		if twice {
			d.add(key.Line, key.Column, fmt.Sprintf("key `%s` is there twice, first in line %d", printable(key.Value), line), "remove one of them")
			continue
		}
		first[key.Value] = key.Line
	}
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
		if !member.need || seen[member.key] || meant[member.key] {
			continue
		}
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
}

// thing names a mapping for people.
func thing(at place) string {
	if at.promise == "" {
		return "the plan"
	}
	return "`" + at.promise + "`"
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

func soundsSecret(key string) bool {
	key = strings.ToLower(key)
	for _, part := range []string{"secret", "passw", "token", "key", "credential"} {
		if strings.Contains(key, part) {
			return true
		}
	}
	return false
}

func (d *decoder) hideAll(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && (Reference{Text: node.Value}).Scheme() == "" {
		d.hide(node.Value)
	}
	for _, child := range node.Content {
		d.hideAll(child)
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

// free decodes what has no known type: client metadata.
func (d *decoder) free(node *yaml.Node) any {
	switch node.Kind {
	case yaml.MappingNode:
		table := map[string]any{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			table[node.Content[i].Value] = d.free(node.Content[i+1])
		}
		return table
	case yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, child := range node.Content {
			list[i] = d.free(child)
		}
		return list
	case yaml.ScalarNode:
		return freeScalar(node)
	}
	return nil
}

func freeScalar(node *yaml.Node) any {
	switch node.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return node.Value == "true"
	case "!!int":
		n, err := strconv.ParseInt(node.Value, 10, 64)
		if err == nil {
			return n
		}
	case "!!float":
		x, err := strconv.ParseFloat(node.Value, 64)
		if err == nil && x-x == 0 { // no infinity: JSON has none
			return x
		}
	}
	return node.Value
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

// notation decodes what has a notation of its own.
func (d *decoder) notation(node *yaml.Node, v reflect.Value, f field, at place) {
	if node.Kind != yaml.ScalarNode {
		d.wrongKind(node, f, at, "one value")
		return
	}
	switch target := v.Addr().Interface().(type) {
	case *Duration:
		if strings.HasPrefix(node.Value, "-") {
			d.fault(node, at, fmt.Sprintf("`%s` is negative", f.key), "write 0s for: at once")
			return
		}
		duration, err := parseDuration(node.Value)
		if err != nil {
			d.fault(node, at, fmt.Sprintf("`%s`: %s", f.key, printable(err.Error())), "write it as 10s, 5m, 1h30m or 90d")
			return
		}
		*target = duration
	case *Date:
		date, err := parseDate(node.Value)
		if err != nil {
			d.fault(node, at, fmt.Sprintf("`%s`: %s", f.key, printable(err.Error())), "write a day as 2027-01-31, or an instant as 2027-01-31T18:00:00Z")
			return
		}
		*target = date
	case *Severity:
		severity, err := parseSeverity(node.Value)
		if err != nil {
			d.fault(node, at, fmt.Sprintf("`%s` cannot be %q", f.key, printable(node.Value)), suggest(node.Value, severityWords))
			return
		}
		*target = severity
	case *Reference:
		*target = Reference{Text: node.Value, Line: node.Line}
		d.reference(node, *target, f, at)
	}
}

var legalEnv = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reference refuses literal secrets and names of files that look like a value.
func (d *decoder) reference(node *yaml.Node, r Reference, f field, at place) {
	if f.secret() && r.Scheme() == "" {
		d.hide(r.Text)
		d.fault(node, at, fmt.Sprintf("`%s` is a secret and stands in the plan itself", f.key), "write env:NAME or file:PATH, and change the secret if the plan was shared")
		return
	}
	scheme, rest, _ := strings.Cut(r.Text, ":")
	switch {
	case scheme == "env" && !legalEnv.MatchString(rest):
		d.fault(node, at, fmt.Sprintf("`%s`: env: wants the name of a variable", f.key), "write env:NAME, with letters, digits and _")
	case r.Text == "":
		d.fault(node, at, fmt.Sprintf("`%s` is empty", f.key), "give it a value"+such(f)+" or remove the key")
	case r.Scheme() == "" && (r.Text == "file:" || r.Text == "exec:"):
		d.fault(node, at, fmt.Sprintf("`%s`: %s wants something after the colon", f.key, r.Text), "write file:PATH or exec:COMMAND")
	case f.is == "pem" && r.Scheme() == "" && !strings.Contains(r.Text, "-----BEGIN "):
		d.fault(node, at, fmt.Sprintf("`%s` is neither a reference nor PEM", f.key), "write file:PATH or env:NAME")
	}
}

// credentialHeaders are header fields whose value nobody may read in a plan.
var credentialHeaders = []string{"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "apikey", "x-auth-token"}

func (d *decoder) header(node *yaml.Node, f field, name string, r Reference, at place) {
	if !slices.Contains(credentialHeaders, strings.ToLower(name)) || r.Scheme() != "" || r.Empty() {
		return
	}
	d.hideAll(node)
	d.fault(node, at, fmt.Sprintf("the header field %s is a secret and stands in the plan itself", printable(name)), "write env:NAME or file:PATH for the whole value")
}

// scalar decodes text, numbers, yes and no.
func (d *decoder) scalar(node *yaml.Node, v reflect.Value, f field, at place) {
	if node.Kind != yaml.ScalarNode {
		d.wrongKind(node, f, at, scalarName(v.Kind()))
		return
	}
	switch v.Kind() {
	case reflect.String:
		tag := node.ShortTag()
		if tag != "!!str" && tag != "!!timestamp" {
			d.fault(node, at, fmt.Sprintf("`%s` wants text, not %s", f.key, kindOf(node)), "put it in quotes: \""+printable(node.Value)+"\"")
			return
		}
		v.SetString(node.Value)
		d.text(node, f, at)
	case reflect.Bool:
		if node.ShortTag() != "!!bool" || (node.Value != "true" && node.Value != "false") {
			d.fault(node, at, fmt.Sprintf("`%s` wants true or false, not %s", f.key, kindOf(node)), "write true or false")
			return
		}
		v.SetBool(node.Value == "true")
	case reflect.Int:
		n, err := strconv.ParseInt(node.Value, 10, 32)
		if err != nil || node.ShortTag() != "!!int" || strconv.FormatInt(n, 10) != node.Value {
			d.wrongKind(node, f, at, "a whole number")
			return
		}
		v.SetInt(n)
		d.number(node, float64(n), f, at)
	case reflect.Float64:
		x, err := strconv.ParseFloat(node.Value, 64)
		tag := node.ShortTag()
		if err != nil || (tag != "!!int" && tag != "!!float") || x-x != 0 {
			d.wrongKind(node, f, at, "a number")
			return
		}
		v.SetFloat(x)
		d.number(node, x, f, at)
	}
}

func (d *decoder) number(node *yaml.Node, n float64, f field, at place) {
	switch {
	case n < 0:
		d.fault(node, at, fmt.Sprintf("`%s` is negative", f.key), "write 0 or more")
	case f.is == "status" && (n < 100 || n > 599):
		d.fault(node, at, fmt.Sprintf("%v is no HTTP status code", n), "write one from 100 to 599")
	}
}

// text checks that text has the form that its key demands.
func (d *decoder) text(node *yaml.Node, f field, at place) {
	if len(f.words) > 0 {
		if !slices.Contains(f.words, node.Value) {
			d.fault(node, at, fmt.Sprintf("`%s` cannot be %q", f.key, printable(node.Value)), suggest(node.Value, f.words))
		}
		return
	}
	if node.Value == "" && f.is != "placeholders" {
		d.fault(node, at, fmt.Sprintf("`%s` is empty", f.key), "give it a value"+such(f)+" or remove the key")
		return
	}
	check, found := forms[f.is]
	if !found {
		return
	}
	message, hint := check(node.Value)
	if message != "" {
		d.fault(node, at, fmt.Sprintf("`%s` %s", f.key, printable(message)), hint)
	}
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

func scalarName(kind reflect.Kind) string {
	switch kind {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return "text"
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

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
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

// walkTypes calls visit for every key that a plan may have; lists and maps add nothing to the path.
func walkTypes(t reflect.Type, path string, visit func(path string, f field)) {
	for _, f := range fieldsOf(t) {
		inner := join(path, f.key)
		visit(inner, f)
		nested, found := structOf(f.of)
		if found {
			walkTypes(nested, inner, visit)
		}
	}
}

// setDefaults fills the members of a struct that have a default, and of the structs in it.
func setDefaults(v reflect.Value) {
	for _, f := range fieldsOf(v.Type()) {
		member := v.Field(f.index)
		switch {
		case f.absent != "":
			setDefault(member, f.absent)
		case member.Kind() == reflect.Struct && f.of != auditType && f.of != dateType && f.of != referenceType:
			setDefaults(member)
		}
	}
}

// setDefault reads a default from its tag. A tag that cannot be read leaves the zero value; a test reads them all.
func setDefault(v reflect.Value, text string) {
	switch target := v.Addr().Interface().(type) {
	case *Duration:
		*target, _ = parseDuration(text)
	case *Severity:
		*target, _ = parseSeverity(text)
	case *string:
		*target = text
	case *[]string:
		*target = []string{text}
	case *bool:
		*target = text == "true"
	case *int:
		*target, _ = strconv.Atoi(text)
	case *float64:
		*target, _ = strconv.ParseFloat(text, 64)
	}
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
