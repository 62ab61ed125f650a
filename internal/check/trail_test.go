package check

import (
	"testing"

	"github.com/checkride/checkride/internal/wire"
)

// An application may answer 422 to the body of a call that was let in. A record with the status of the answer alone does
// not say the contrary.
func TestDecisionInARecord(t *testing.T) {
	for _, row := range []struct {
		fields   map[string]string
		answered int
		wanted   string
		want     string
	}{
		{map[string]string{"status": "422"}, 422, "allow", "allow"},
		{map[string]string{"status": "200"}, 200, "deny", "deny"},
		{map[string]string{"status": "403"}, 200, "allow", "deny"},
		{map[string]string{"status": "422", "decision": "deny"}, 422, "allow", "deny"},
		{map[string]string{"status": "200"}, 201, "allow", ""},
		{nil, 200, "allow", ""},
	} {
		got := decisionIn(row.fields, Step{Exchange: wire.Exchange{Status: row.answered}}, row.wanted)
		if got != row.want {
			t.Errorf("%v, answered %d: %q, want %q", row.fields, row.answered, got, row.want)
		}
	}
}
