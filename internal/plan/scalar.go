package plan

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

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
