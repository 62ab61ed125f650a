package plan

import (
	"reflect"
	"strings"
)

// Waiting gives the members of the cast that people have yet to make: registration is manual and they have no id.
func (p *Plan) Waiting() []string {
	if p.Registration.Mode != "manual" {
		return nil
	}
	var names []string
	for _, client := range p.Clients {
		if client.ID.Empty() {
			names = append(names, client.Name)
		}
	}
	return names
}

// Presets are the ways in which a line of an audit log can be read.
func Presets() []string {
	of, _ := reflect.TypeFor[LogSource]().FieldByName("Preset")
	return strings.Split(of.Tag.Get("words"), "|")
}
