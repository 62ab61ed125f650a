package plan

import (
	"reflect"
	"strconv"
)

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
