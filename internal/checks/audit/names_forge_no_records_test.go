package audit

import "testing"

func TestForgedLineStandsAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, line string
		want       bool
	}{
		{"as it was written", forgedLine + " 0123 allow", true},
		{"with what a shipper puts before it", "2026-10-06T08:14:28Z as-1 app[7]: " + forgedLine + " 0123 allow", true},
		{"encoded", `{"client_name":"checkride 20261006-081428-ab12\r\n` + forgedLine + ` 0123"}`, false},
		{"of another matter", `{"client_id":"c-1"}`, false},
	} {
		if got := standsAlone(c.line); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
