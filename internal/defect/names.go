package defect

import (
	"fmt"
	"reflect"
	"sort"
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

// All gives the names of all switches, sorted.
func All() []string {
	var names []string
	of := reflect.TypeFor[Set]()
	for i := range of.NumField() {
		names = append(names, name(of.Field(i)))
	}
	sort.Strings(names)
	return names
}

// Parse turns names into a set. A duration is given as name=6s; a switch as its name alone.
func Parse(names ...string) (Set, error) {
	var set Set
	value := reflect.ValueOf(&set).Elem()
	for _, wanted := range names {
		key, text, given := strings.Cut(wanted, "=")
		field, ok := fieldOf(value, key)
		if !ok {
			return Set{}, fmt.Errorf("defect %q is not known; `checkride sandbox --help` lists them", key)
		}
		err := turnOn(field, key, text, given)
		if err != nil {
			return Set{}, err
		}
	}
	return set, nil
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

func turnOn(field reflect.Value, key, text string, given bool) error {
	if field.Type() != reflect.TypeFor[time.Duration]() {
		if given {
			return fmt.Errorf("defect %s is on or off; write %s alone", key, key)
		}
		field.SetBool(true)
		return nil
	}
	length, err := time.ParseDuration(text)
	if err != nil || length <= 0 {
		return fmt.Errorf("defect %s needs a length of time; write %s=6s", key, key)
	}
	field.SetInt(int64(length))
	return nil
}
