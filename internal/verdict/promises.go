package verdict

import (
	"maps"
	"slices"

	"github.com/checkride/checkride/internal/logbook"
)

func promises(head *logbook.Head, cells []Cell) []Promise {
	byKey := map[string]*Promise{}
	of := func(key string) *Promise {
		p := byKey[key]
		if p == nil {
			p = &Promise{Key: key, Value: head.Limits[key], Line: head.Lines[key]}
			byKey[key] = p
		}
		return p
	}
	for key := range head.Limits {
		of(key)
	}
	for _, c := range cells {
		keys := map[string]bool{c.Promise: true}
		if c.Observation != nil {
			for _, bound := range c.Observation.Bounds {
				keys[bound.Limited] = true
			}
		}
		delete(keys, "")
		for key := range keys {
			p := of(key)
			p.Mark = max(p.Mark, c.Mark)
			if !slices.Contains(p.Checks, c.Check) {
				p.Checks = append(p.Checks, c.Check)
			}
			if c.Mark == Fail && !slices.Contains(p.Broken, c.Point) {
				p.Broken = append(p.Broken, c.Point)
			}
		}
	}
	var all []Promise
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		all = append(all, *byKey[key])
	}
	return all
}
