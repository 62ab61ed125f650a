package plan

import (
	"reflect"
	"strings"
)

// A field is what the tags of a member say.
type field struct {
	key     string
	doc     string
	example string
	absent  string // the default, in the plan's notation
	words   []string
	need    bool
	is      string
	index   int
	of      reflect.Type
}

func (f field) secret() bool { return f.is == "secret" }

// single says that one value may stand for a list of one: a status code, and a word where a single one is the default.
func (f field) single() bool {
	return f.of.Kind() == reflect.Slice && (f.of.Elem().Kind() == reflect.Int || f.absent != "")
}

// fieldsOf gives the keys of a struct in the order in which they are declared.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		member := t.Field(i)
		key := member.Tag.Get("yaml")
		if key == "" || key == "-" {
			continue
		}
		f := field{
			key:     key,
			doc:     member.Tag.Get("doc"),
			example: member.Tag.Get("example"),
			absent:  member.Tag.Get("default"),
			need:    member.Tag.Get("need") == "yes",
			is:      member.Tag.Get("is"),
			index:   i,
			of:      member.Type,
		}
		words := member.Tag.Get("words")
		if words != "" {
			f.words = strings.Split(words, "|")
		}
		fields = append(fields, f)
	}
	return fields
}

func fieldByKey(fields []field, key string) (field, bool) {
	for _, f := range fields {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

func keysOf(fields []field) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}

// structOf gives the struct under a member's pointer, list or map, if there is one that is written as a mapping.
func structOf(t reflect.Type) (reflect.Type, bool) {
	for {
		switch {
		case t == auditType:
			t = logSourceType
		case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map:
			t = t.Elem()
		case t.Kind() == reflect.Struct && t != dateType && t != referenceType:
			return t, true
		default:
			return nil, false
		}
	}
}

var (
	planType      = reflect.TypeFor[Plan]()
	auditType     = reflect.TypeFor[Audit]()
	logSourceType = reflect.TypeFor[LogSource]()
	dateType      = reflect.TypeFor[Date]()
	referenceType = reflect.TypeFor[Reference]()
	durationType  = reflect.TypeFor[Duration]()
	severityType  = reflect.TypeFor[Severity]()
)

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
