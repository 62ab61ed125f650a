package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/defect"
)

// situationNames gives the names of all situations, as in JSON.
func situationNames() []string {
	var names []string
	of := reflect.TypeFor[defect.Situation]()
	for i := range of.NumField() {
		names = append(names, jsonName(of.Field(i)))
	}
	return names
}

func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

// parseSituations turns names into a situation: waf, lagging_replicas=500ms, rate_limit=20.
func parseSituations(names []string) (defect.Situation, error) {
	var situation defect.Situation
	value := reflect.ValueOf(&situation).Elem()
	for _, wanted := range names {
		name, text, _ := strings.Cut(wanted, "=")
		set := false
		for i := range value.NumField() {
			if jsonName(value.Type().Field(i)) != name {
				continue
			}
			set = true
			err := turn(value.Field(i), text)
			if err != nil {
				return defect.Situation{}, fmt.Errorf("situation %s: %w", name, err)
			}
		}
		if !set {
			return defect.Situation{}, fmt.Errorf("situation %q is not known", name)
		}
	}
	return situation, nil
}

func turn(field reflect.Value, text string) error {
	switch field.Interface().(type) {
	case bool:
		if text != "" {
			return fmt.Errorf("is on or off; write it alone")
		}
		field.SetBool(true)
	case time.Duration:
		length, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("needs a length of time; write it as =500ms")
		}
		field.SetInt(int64(length))
	default:
		n, err := strconv.Atoi(text)
		if err != nil || n <= 0 {
			return fmt.Errorf("needs a number; write it as =20")
		}
		field.SetInt(int64(n))
	}
	return nil
}
