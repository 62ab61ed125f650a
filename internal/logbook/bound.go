package logbook

import (
	"fmt"
	"time"
)

// Describe says what was measured, for people: refused after [14.8, 15.0] s.
func (b Bound) Describe() string {
	switch {
	case b.Never:
		return fmt.Sprintf("not refused while it was watched, still accepted after %s s", seconds(b.Low))
	case b.Expired:
		return fmt.Sprintf("accepted until it expired, [%s, %s] s", seconds(b.Low), seconds(b.High))
	case b.Accepted == 0:
		return fmt.Sprintf("refused within %s s", seconds(b.High))
	}
	return fmt.Sprintf("refused after [%s, %s] s", seconds(b.Low), seconds(b.High))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()) }
