package verdict

import (
	"testing"
	"time"
)

func TestLongTimesAreToldAsPeopleDo(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		40 * time.Second: "40 s", 10 * time.Minute: "10 min", 5*time.Hour + 10*time.Minute: "5 h 10 min",
		24 * time.Hour: "1 day 0 h", 51 * time.Hour: "2 days 3 h",
	} {
		if got := long(d); got != want {
			t.Errorf("%v reads %q, want %q", d, got, want)
		}
	}
}
