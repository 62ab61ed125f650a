package check

import (
	"time"
)

// interval between two probes: fine at first, a twentieth of what has passed later (rule 8).
func interval(elapsed time.Duration) time.Duration { return max(250*time.Millisecond, elapsed/20) }

// lead is how long before the limit the decisive probe is sent, so that its answer is there in time, on a busy machine
// too. What is still accepted then is asked again just after the limit.
func lead(limit time.Duration) time.Duration { return min(limit/5, time.Second) }

// ahead is the lead of a watch, the greater the later answers come. A repeated one is probed as near to the limit as its
// answers allow.
func (o *watch) ahead(w Withdrawal) time.Duration {
	usual := lead(w.Limit)
	if w.near {
		usual /= 8
	}
	return min(max(usual, 3*time.Duration(o.slowest.Load())), w.Limit/2)
}

// late keeps how long after its time an answer came.
func (o *watch) late(by time.Duration) {
	for {
		known := o.slowest.Load()
		if int64(by) <= known || o.slowest.CompareAndSwap(known, int64(by)) {
			return
		}
	}
}

// schedule sets when the credential is probed next. The dense one goes by the interval, with a probe just before the
// limit, one just after it and one when patience ends; the others are shot at these moments alone.
func (o *watch) schedule(now time.Time, w Withdrawal, patience time.Duration) {
	ahead := o.ahead(w)
	// What is refused counts from the sending of the withdrawal, and what is accepted from its confirmation. Where answers
	// come late, what is still accepted is asked at the usual time, too.
	moments := []time.Time{
		o.sent.Add(w.Limit - ahead), o.sent.Add(w.Limit - lead(w.Limit)), o.done.Add(w.Limit + ahead/2), o.done.Add(w.Limit + patience),
	}
	for o.moment < len(moments) && !moments[o.moment].After(o.probed) {
		o.moment++
	}
	if o.dense {
		o.next = now.Add(interval(now.Sub(o.done)))
		o.bound.Interval = interval(now.Sub(o.done))
	}
	if o.moment < len(moments) {
		exact := moments[o.moment]
		if !o.dense || exact.Before(o.next) && o.firstRefused.IsZero() {
			o.next = exact
		}
	}
}

func (o *watch) over(limit, patience time.Duration) bool {
	return !o.probed.Before(o.done.Add(limit + patience))
}

// conclude decides a credential. Of the dense one the refusals must have held long enough to exclude flapping: twice
// the time that it took, a second at least, the limit at most, and at each known node. What was not decided meanwhile
// is no refusal; when it goes on for too long, the watch ends and nothing is proven.
func (o *watch) conclude(limit, patience time.Duration) {
	if o.firstRefused.IsZero() {
		o.decided = o.over(limit, patience)
		// Past its limit the finding stands, and what is still asked is how long it lasts.
		o.dense = o.dense || o.lastAccepted.After(o.done.Add(limit))
		return
	}
	o.bound.Held = o.lastRefused.Sub(o.firstRefused)
	hold := min(max(2*o.firstRefused.Sub(o.done), time.Second), max(limit, time.Second))
	held := !o.dense || o.bound.Held >= hold && o.refusals >= o.nodes
	o.unheld = !held && o.probed.Sub(o.firstRefused) > 2*hold+patience
	o.decided = held || o.unheld
}
