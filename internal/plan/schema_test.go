package plan

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	err = compiler.AddResource("plan.schema.json", document)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("plan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// asData reads YAML as an editor does.
func asData(t *testing.T, text string) any {
	t.Helper()
	var node yaml.Node
	err := yaml.Unmarshal([]byte(text), &node)
	if err != nil {
		t.Fatal(err)
	}
	return (&decoder{}).free(node.Content[0])
}

func TestSchemaTakesWhatLoadTakes(t *testing.T) {
	compiled := compileSchema(t)
	for name, text := range map[string]string{"example": string(Example()), "small": small, "audit none": small + "audit: none\n"} {
		err := compiled.Validate(asData(t, text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaRefusesWhatLoadRefuses(t *testing.T) {
	compiled := compileSchema(t)
	for name, text := range map[string]string{
		"unknown key":        with("revocation: introspect", "revokation: introspect"),
		"unknown key on top": small + "colour: red\n",
		"word":               with("revocation: introspect", "revocation: never"),
		"missing":            with("name: small\n", ""),
		"duration":           small + "limits: {patience: 5}\n",
		"literal secret":     with("scopes: [read]", "secret: hunter2"),
		"hook":               small + "hooks: {suspnd: {exec: [a]}}\n",
		"audit":              small + "audit: nothing\n",
		"pattern":            small + "waivers: [{check: revoke, reason: r, owner: o, expires: 2027-01-01}]\n",
		"status":             with("GET /items", "GET /items, accepted_when: {status: [20]}"),
		"server":             with("{main:", "{Main:"),
	} {
		_, err := parse(text)
		if err == nil {
			t.Errorf("%s: Load takes it", name)
		}
		err = compiled.Validate(asData(t, text))
		if err == nil {
			t.Errorf("%s: the schema takes it", name)
		}
	}
}

// Every key has its sentence, and each example and default is one that the schema of its key takes.
func TestEveryKeyIsDocumented(t *testing.T) {
	markdown := string(Markdown())
	reached := map[reflect.Type]bool{planType: true}
	walkTypes(planType, "", func(path string, f field) {
		nested, found := structOf(f.of)
		if found {
			reached[nested] = true
		}
		if !strings.HasSuffix(f.doc, ".") || strings.Count(f.doc, ". ") > 0 {
			t.Errorf("%s: doc %q is not one sentence", path, f.doc)
		}
		if !strings.Contains(markdown, f.doc) {
			t.Errorf("%s: not in the docs", path)
		}
		defs := schema{}
		s := fieldSchema(f, defs)
		s["$defs"] = defs
		s["$ref"], _ = s["$ref"].(string)
		if s["$ref"] == "" {
			delete(s, "$ref")
		}
		compiler := jsonschema.NewCompiler()
		err := compiler.AddResource("field.json", plainData(s))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		compiled, err := compiler.Compile("field.json")
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, text := range []string{f.example, f.absent} {
			if text == "" {
				continue
			}
			err := compiled.Validate(value(text))
			if err != nil {
				t.Errorf("%s: %q: %v", path, text, err)
			}
		}
	})
	for t2 := range reached {
		for i := range t2.NumField() {
			member := t2.Field(i)
			if member.Tag.Get("doc") == "" || member.Tag.Get("yaml") == "" {
				t.Errorf("%s.%s: no doc or yaml tag", t2, member.Name)
			}
			is := member.Tag.Get("is")
			_, form := forms[is]
			known := form || strings.Contains(" secret pem status names headers plainheaders ", " "+is+" ")
			if is != "" && !known {
				t.Errorf("%s.%s: unknown form %q", t2, member.Name, is)
			}
		}
	}
}

// plainData makes of Go slices what a JSON reader would give.
func plainData(v any) any {
	switch x := v.(type) {
	case map[string]any:
		table := map[string]any{}
		for key, member := range x {
			table[key] = plainData(member)
		}
		return table
	case []any:
		list := make([]any, len(x))
		for i, member := range x {
			list[i] = plainData(member)
		}
		return list
	case []string:
		list := make([]any, len(x))
		for i, member := range x {
			list[i] = member
		}
		return list
	}
	return v
}

func TestMarkdownHoldsHooksAndExample(t *testing.T) {
	markdown := string(Markdown())
	for _, name := range HookNames {
		if hookMeaning(name) == "" || !strings.Contains(markdown, fmt.Sprintf("| `%s` | %s |", name, hookMeaning(name))) {
			t.Errorf("hook %s is not documented", name)
		}
	}
	_, after, found := strings.Cut(markdown, "```yaml\n")
	if !found {
		t.Fatal("no example")
	}
	text, _, _ := strings.Cut(after, "```\n")
	mustParse(t, text)
	for _, line := range strings.Split(markdown, "\n") {
		if strings.HasPrefix(line, "| `") && !strings.Contains(line, "hook") && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 6 && strings.Count(line, "|") != 3 {
			t.Errorf("broken table row: %s", line)
		}
	}
}
