package verdict

import (
	"strings"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

// Of two equally severe findings the one with a time leads, and what waits for it is told with it.
func TestTheMeasuredFindingLeads(t *testing.T) {
	never := logbook.Bound{Low: 2500 * time.Millisecond, Limit: 2 * time.Second, Never: true, Outcome: logbook.Fail}
	late := logbook.Bound{Low: 5 * time.Second, High: 6 * time.Second, Limit: 2 * time.Second, Outcome: logbook.Fail}
	r := newRide().
		card(logbook.Card{ID: "bind.without", Title: "a bound token is refused without its certificate", Severity: logbook.Critical}).
		card(logbook.Card{ID: "revoke.token", Title: "a revoked token is refused", Severity: logbook.Critical}).
		saw("bind.without", "edge", logbook.Fail).
		saw("revoke.token", "AS", logbook.Fail, bounds(late)).
		saw("revoke.token", "edge", logbook.Fail, bounds(never)).
		saw("revoke.token", "legacy", logbook.Fail, bounds(never)).
		saw("compromise.recovery", "legacy", logbook.Inconclusive, because("revoke.token", "it still opens"))
	v, err := Of(r.source())
	if err != nil {
		t.Fatal(err)
	}
	want := "NOT READY: 2 blocking; a revoked token still opens AS for 6 s and edge and legacy after 2.5 s, when the watch ended (limit 2 s)"
	if v.Line != want {
		t.Errorf("line one:\n%s\nwant\n%s", v.Line, want)
	}
	if got := v.Findings[1].Headline; got != "a bound token is accepted without its certificate at edge" {
		t.Errorf("the second is %q", got)
	}
	if w := v.Findings[0].Waiting; len(w) != 1 || w[0].Check != "compromise.recovery" || len(v.Findings[1].Waiting) != 0 {
		t.Errorf("waiting: %v", w)
	}
}

func TestBrokenTurnsTitles(t *testing.T) {
	for title, want := range map[string]string{
		"a wrong client secret gets no token":                           "a wrong client secret gets a token",
		"a certificate in a header field authenticates nobody":          "a certificate in a header field authenticates somebody",
		"all enforcement points decide the same about the same request": "all enforcement points decide differently about the same request",
		"a call without a token is refused":                             "a call without a token is accepted",
		"a client assertion gets a token once":                          "broken: a client assertion gets a token once",
	} {
		if got := broken(&logbook.Card{Title: title}); got != want {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
	if got := broken(&logbook.Card{Title: "x is refused", Broken: "x gets in"}); !strings.HasPrefix(got, "x gets in") {
		t.Errorf("the author's words are lost: %q", got)
	}
}
