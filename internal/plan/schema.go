package plan

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// Schema gives the JSON Schema (2020-12) of a plan, for editors. It is made from the same tags as the decoder; what only
// the whole plan shows is not in it.
func Schema() []byte {
	defs := map[string]any{}
	root := objectSchema(planType, defs)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "checkride plan"
	root["description"] = "A stack under test, the partner, the agreement, the limits and what is out of scope. Secrets are given by reference."
	root["$defs"] = defs
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("plan: the schema is not plain data: %v", err)) // made of maps and texts alone
	}
	return append(text, '\n')
}

type schema = map[string]any

func objectSchema(t reflect.Type, defs schema) schema {
	properties := schema{}
	required := []string{}
	for _, f := range fieldsOf(t) {
		properties[f.key] = fieldSchema(f, defs)
		if f.need {
			required = append(required, f.key)
		}
	}
	s := schema{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func fieldSchema(f field, defs schema) schema {
	s := typeSchema(f.of, f, defs)
	s["description"] = f.doc
	if f.absent != "" {
		s["default"] = value(f.absent)
	}
	if f.example != "" {
		s["examples"] = []any{value(f.example)}
	}
	return s
}

// value reads the notation of a tag as data.
func value(text string) any {
	var node yaml.Node
	err := yaml.Unmarshal([]byte(text), &node)
	if err != nil || len(node.Content) == 0 {
		return text
	}
	return (&decoder{}).free(node.Content[0])
}

func typeSchema(t reflect.Type, f field, defs schema) schema {
	switch t {
	case durationType:
		return schema{"type": "string", "pattern": durationPattern, "minLength": 2}
	case dateType:
		return schema{"type": "string", "pattern": `^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt].+)?$`}
	case severityType:
		return schema{"type": "string", "enum": severityWords}
	case referenceType:
		return referenceSchema(f)
	case auditType:
		return schema{"oneOf": []any{schema{"const": "none"}, schema{"type": "array", "items": typeSchema(logSourceType, f, defs)}}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeSchema(t.Elem(), f, defs)
	case reflect.Struct:
		name := t.Name()
		_, known := defs[name]
		if !known {
			defs[name] = schema{} // holds the place
			defs[name] = objectSchema(t, defs)
		}
		return schema{"$ref": "#/$defs/" + name}
	case reflect.Slice:
		items := typeSchema(t.Elem(), f, defs)
		list := schema{"type": "array", "items": items}
		if f.single() {
			return schema{"oneOf": []any{items, list}}
		}
		return list
	case reflect.Map:
		return mapSchema(t, f, defs)
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Int:
		if f.is == "status" {
			return schema{"type": "integer", "minimum": 100, "maximum": 599}
		}
		return schema{"type": "integer", "minimum": 0}
	case reflect.Float64:
		return schema{"type": "number", "minimum": 0}
	case reflect.String:
		return textSchema(f)
	}
	return schema{}
}

func mapSchema(t reflect.Type, f field, defs schema) schema {
	item := f
	item.words = nil
	if f.is == "names" || f.is == "headers" || f.is == "plainheaders" {
		item.is = ""
	}
	s := schema{"type": "object", "additionalProperties": true}
	if t.Elem().Kind() != reflect.Interface {
		s["additionalProperties"] = typeSchema(t.Elem(), item, defs)
	}
	switch {
	case f.is == "names":
		s["propertyNames"] = schema{"pattern": legalName.String()}
	case t.Elem() == reflect.TypeFor[Hook]():
		s["propertyNames"] = schema{"enum": HookNames}
	}
	return s
}

func referenceSchema(f field) schema {
	switch f.is {
	case "secret":
		return schema{"type": "string", "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|exec:.+)$"}
	case "pem":
		return schema{"type": "string", "pattern": "^(env:|file:|exec:)|-----BEGIN "}
	}
	return schema{"type": []string{"string", "number", "boolean"}, "minLength": 1}
}

// textPatterns are those forms that a pattern can tell.
func textPatterns() map[string]string {
	return map[string]string{
		"name":    legalName.String(),
		"base":    "^https?://[^/?#]+/?$",
		"own":     "^https?://[^/?#]+/?$",
		"url":     "^https?://[^/]",
		"issuer":  "^https?://[^/?]+[^?]*$",
		"proxy":   "^(none|https?://[^/?#@]+/?)$",
		"request": "^[A-Z]+ /\\S*$",
		"call":    "^[A-Z]+ https?://\\S+$",
		"pointer": "^/",
		"spot":    "^(json:/|header:.)",
		"targets": "^/\\S*$",
		"digest":  "^[0-9a-f]{64}$",
		"pattern": `^(\*|[a-z]+\.(\*|[a-z0-9]+(-[a-z0-9]+)*))$`,
	}
}

func textSchema(f field) schema {
	s := schema{"type": "string"}
	if len(f.words) > 0 {
		s["enum"] = f.words
		return s
	}
	pattern, found := textPatterns()[f.is]
	switch {
	case found:
		s["pattern"] = pattern
	case f.is != "placeholders":
		s["minLength"] = 1
	}
	return s
}

// typeWord names a member's type for people.
func typeWord(f field) string {
	switch f.of {
	case durationType:
		return "duration"
	case dateType:
		return "date"
	case severityType:
		return "one of low, medium, high, critical"
	case auditType:
		return "list, or none"
	case referenceType:
		return referenceWord(f)
	}
	item := f
	switch f.of.Kind() {
	case reflect.Pointer, reflect.Struct:
		return "mapping"
	case reflect.Slice:
		item.of = f.of.Elem()
		if item.of.Kind() == reflect.Int {
			return "status code, or a list of them"
		}
		if f.single() {
			return typeWord(item) + ", or a list of them"
		}
		return "list of " + pluralOf(item)
	case reflect.Map:
		return "mapping by name"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "whole number"
	case reflect.Float64:
		return "number"
	}
	if len(f.words) > 0 {
		return "one of " + wordList(f.words)
	}
	switch f.is {
	case "url", "base", "own", "issuer", "origin":
		return "URL"
	case "name":
		return "name"
	}
	return "text"
}

func referenceWord(f field) string {
	switch f.is {
	case "secret":
		return "reference"
	case "pem":
		return "reference, or PEM"
	}
	return "text, or reference"
}

func pluralOf(item field) string {
	switch {
	case item.of.Kind() == reflect.Struct:
		return "mappings"
	case len(item.words) > 0:
		return wordList(item.words)
	}
	return "texts"
}

func wordList(words []string) string {
	text := ""
	for i, word := range words {
		if i > 0 {
			text += ", "
		}
		text += strconv.Quote(word)[1 : len(word)+1]
	}
	return text
}
