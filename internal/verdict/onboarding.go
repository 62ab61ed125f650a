package verdict

import (
	"fmt"
	"time"
)

// Waits says that the ride is parked: people have yet to make its clients.
func (v *Verdict) Waits() bool { return v.End == nil && v.Parked != nil && v.Parked.Resumed.IsZero() }

// ByHand tells what onboarding by hand took, from first contact to the clients' being there; empty where nobody had to
// do anything.
func (v *Verdict) ByHand() string {
	if v.Parked == nil || v.Parked.Resumed.IsZero() {
		return ""
	}
	steps := Count(v.Parked.Steps, "manual step")
	if !v.Parked.Counted {
		steps += " (one for each client: nobody counted)"
	}
	return fmt.Sprintf("%s by hand, %s", long(v.Parked.Resumed.Sub(v.Parked.Since)), steps)
}

// FirstCall tells how long it took from first contact to the partner's first accepted call; empty where no call was
// accepted.
func (v *Verdict) FirstCall() string {
	if v.End == nil || v.End.FirstCall <= 0 {
		return ""
	}
	return "accepted " + Time(v.End.FirstCall) + " after the ride began"
}

// Hooks tells what the operator's hooks did in the whole ride; empty where none was played.
func (v *Verdict) Hooks() string {
	if v.End == nil {
		return ""
	}
	played := 0
	for _, n := range v.End.Hooks {
		played += n
	}
	if played == 0 {
		return ""
	}
	return fmt.Sprintf("%d, played %s", len(v.End.Hooks), Count(played, "time"))
}

// long tells a length of time that people spend: 2 days 3 h, 5 h 10 min, 40 s.
func long(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day:
		return fmt.Sprintf("%s %d h", Count(int(d/day), "day"), int(d%day/time.Hour))
	case d >= time.Hour:
		return fmt.Sprintf("%d h %d min", int(d/time.Hour), int(d%time.Hour/time.Minute))
	case d >= time.Minute:
		return fmt.Sprintf("%d min", int(d/time.Minute))
	}
	return Time(d)
}
