package rotate

import (
	"testing"
	"time"
)

// How long an answer may be kept is the longest that any of its readers may take it to be.
func TestKeptFor(t *testing.T) {
	date := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, one := range []struct {
		control, expires string
		age              time.Duration
		said             bool
	}{
		{"", "", 0, false},
		{"public", "", 0, false},
		{"public, max-age=300", "", 5 * time.Minute, true},
		{"max-age=10, s-maxage=3600", "", time.Hour, true},
		{`MAX-AGE="60"`, "", time.Minute, true},
		{"no-store, max-age=60", "", 0, true},
		{"no-cache", "", 0, true},
		{"max-age=-1", "", 0, false},
		{"max-age=99999999999999999999", "", 0, false},
		{"", "Sun, 01 Nov 2026 13:00:00 GMT", time.Hour, true},
		{"", "Sun, 01 Nov 2026 11:00:00 GMT", 0, true},
		{"", "0", 0, true},
		{"max-age=1", "Sun, 01 Nov 2026 13:00:00 GMT", time.Second, true},
	} {
		age, said := keptFor(one.control, one.expires, date)
		if age != one.age || said != one.said {
			t.Errorf("%q, %q: %v %v, want %v %v", one.control, one.expires, age, said, one.age, one.said)
		}
	}
}
