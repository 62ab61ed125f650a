package report

import (
	"iter"
	"reflect"

	"github.com/checkride/checkride/internal/logbook"
)

// cleaned gives a source whose every string is made visible, so that no template can forget it. Exchanges, ticks and
// records pass as they are, for most of them are dropped: who keeps one cleans it with [clean].
func cleaned(src logbook.Source) logbook.Source {
	return func() iter.Seq2[logbook.Entry, error] {
		return func(yield func(logbook.Entry, error) bool) {
			for e, err := range src() {
				if err == nil && e.Exchange == nil && e.Tick == nil && e.Record == nil {
					e = clean(e)
				}
				if !yield(e, err) {
					return
				}
			}
		}
	}
}

// clean copies a value with all its strings made visible; newlines and tabs stay.
func clean[T any](value T) T {
	out := reflect.New(reflect.TypeFor[T]()).Elem()
	cleanInto(out, reflect.ValueOf(value))
	return out.Interface().(T)
}

func cleanInto(to, from reflect.Value) {
	switch from.Kind() {
	case reflect.String:
		to.SetString(visible(from.String(), "\n\t"))
	case reflect.Pointer:
		if !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			cleanInto(to.Elem(), from.Elem())
		}
	case reflect.Slice:
		if !from.IsNil() {
			to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
			for i := range from.Len() {
				cleanInto(to.Index(i), from.Index(i))
			}
		}
	case reflect.Map:
		if !from.IsNil() {
			to.Set(reflect.MakeMapWithSize(from.Type(), from.Len()))
			for _, key := range from.MapKeys() {
				k, v := reflect.New(key.Type()).Elem(), reflect.New(from.Type().Elem()).Elem()
				cleanInto(k, key)
				cleanInto(v, from.MapIndex(key))
				to.SetMapIndex(k, v)
			}
		}
	case reflect.Struct:
		to.Set(from) // unexported fields, as those of time.Time
		for i := range from.NumField() {
			if from.Type().Field(i).IsExported() {
				cleanInto(to.Field(i), from.Field(i))
			}
		}
	default:
		to.Set(from)
	}
}
