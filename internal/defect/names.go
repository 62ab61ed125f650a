package defect

import (
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Names gives the names of the switches that are on, as in JSON and on the command line, sorted.
func (s Set) Names() []string {
	var names []string
	value := reflect.ValueOf(s)
	for i := range value.NumField() {
		if !value.Field(i).IsZero() {
			names = append(names, name(value.Type().Field(i)))
		}
	}
	sort.Strings(names)
	return names
}

// With gives both sets' defects together. It says no where both switch the same one.
func (s Set) With(other Set) (Set, bool) {
	both := reflect.ValueOf(&s).Elem()
	more := reflect.ValueOf(other)
	for i := range more.NumField() {
		switch {
		case more.Field(i).IsZero():
		case !both.Field(i).IsZero():
			return Set{}, false
		default:
			both.Field(i).Set(more.Field(i))
		}
	}
	return s, true
}

// All gives the names of all defects, sorted.
func All() []string { return namesOf(reflect.TypeFor[Set]()) }

// Situations gives the names of all situations, sorted.
func Situations() []string { return namesOf(reflect.TypeFor[Situation]()) }

func namesOf(switches reflect.Type) []string {
	var names []string
	for i := range switches.NumField() {
		names = append(names, name(switches.Field(i)))
	}
	sort.Strings(names)
	return names
}

// Parse turns names into a set. A duration is given as name=6s; a switch as its name alone.
func Parse(names ...string) (Set, error) {
	var set Set
	err := parse("defect", reflect.ValueOf(&set).Elem(), names)
	if err != nil {
		return Set{}, err
	}
	return set, nil
}

// ParseSituation turns names into a situation: waf, lagging_replicas=500ms, rate_limit=20.
func ParseSituation(names ...string) (Situation, error) {
	var situation Situation
	err := parse("situation", reflect.ValueOf(&situation).Elem(), names)
	if err != nil {
		return Situation{}, err
	}
	return situation, nil
}

// parse sets the fields of a struct by their names; kind is what they are called in an error.
func parse(kind string, switches reflect.Value, names []string) error {
	for _, wanted := range names {
		key, text, given := strings.Cut(wanted, "=")
		field, ok := fieldOf(switches, key)
		if !ok {
			return fmt.Errorf("%s %q is not known; `checkride sandbox --help` lists them", kind, key)
		}
		err := turnOn(field, kind+" "+key, key, text, given)
		if err != nil {
			return err
		}
	}
	return nil
}

func fieldOf(value reflect.Value, key string) (reflect.Value, bool) {
	for i := range value.NumField() {
		if name(value.Type().Field(i)) == key {
			return value.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func name(field reflect.StructField) string {
	word, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return word
}

func turnOn(field reflect.Value, what, key, text string, given bool) error {
	switch field.Interface().(type) {
	case bool:
		if given {
			return fmt.Errorf("%s is on or off; write %s alone", what, key)
		}
		field.SetBool(true)
	case time.Duration:
		length, err := time.ParseDuration(text)
		if err != nil || length <= 0 {
			return fmt.Errorf("%s needs a length of time; write %s=6s", what, key)
		}
		field.SetInt(int64(length))
	default:
		n, err := strconv.Atoi(text)
		if err != nil || n <= 0 {
			return fmt.Errorf("%s needs a number; write %s=20", what, key)
		}
		field.SetInt(int64(n))
	}
	return nil
}
