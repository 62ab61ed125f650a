package report

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// evidence is what the second pass over a book keeps: the exchanges and records that findings and open questions show,
// and the watches' ticks as runs. Its size grows with what is wrong, not with the ride.
type evidence struct {
	exchanges map[uint64]*dated
	records   map[uint64][]logbook.Record // by exchange
	tracks    map[trackKey]*track
	since     map[trackKey]time.Duration // t0 of each watch, on the ride's clock
	timed     map[uint64]trackKey        // exchanges of observations with times, of which controls are kept
	controls  map[string][]control       // by check
}

// control is a good request beside a watch.
type control struct {
	at       time.Duration
	point    string
	accepted bool
}

type dated struct {
	at time.Duration
	logbook.Exchange
}

type trackKey struct{ check, point, name string }

// track is the ticks of one watch.
type track struct {
	runs            []run
	probes, answers int // answers: accepted
}

// run is a stretch of ticks with the same decision.
type run struct {
	from, to time.Duration // of its first and last tick, on the ride's clock
	accepted bool
	unknown  bool
	probes   int
}

const (
	mostOfOne   = 8    // exchanges that one observation shows
	mostOfOpen  = 4    // and an inconclusive one
	mostCases   = 3    // failing cases whose exchanges are shown
	mostOfCase  = 4    // exchanges of each
	mostRecords = 6    // records of one exchange
	mostRuns    = 400  // of one watch: one that flaps more than this is drawn only so far
	mostOfBody  = 4096 // bytes
	mostOfWatch = 64   // exchanges of an observation with times, of which the telling ones are shown
)

// shown gives the serials of the exchanges that an observation shows: those of its failing cases, else its first and
// its last ones.
func shown(o *logbook.Observation, most int) []uint64 {
	var serials []uint64
	cases := 0
	for _, c := range o.Cases {
		if c.Outcome != logbook.Fail || len(c.Exchanges) == 0 || cases == mostCases {
			continue
		}
		cases++
		serials = append(serials, c.Exchanges[:min(len(c.Exchanges), mostOfCase)]...)
	}
	if len(serials) > 0 {
		return serials
	}
	if len(o.Exchanges) <= most {
		return o.Exchanges
	}
	return slices.Concat(o.Exchanges[:most/2], o.Exchanges[len(o.Exchanges)-most/2:])
}

// candidates are the exchanges among which those that are shown will be found.
func candidates(o *logbook.Observation, most int) []uint64 {
	if len(o.Bounds) > 0 {
		return o.Exchanges[:min(len(o.Exchanges), mostOfWatch)]
	}
	return shown(o, most)
}

// told gives the serials of the exchanges that tell an observation's story. For a watch: the last control before the
// withdrawal, the withdrawal, how it went on, and a control at the end.
func (ev *evidence) told(o *logbook.Observation, most int) []uint64 {
	if len(o.Bounds) == 0 {
		return shown(o, most)
	}
	all := slices.Sorted(slices.Values(candidates(o, most)))
	purpose := func(serial uint64, want string) bool {
		return ev.exchanges[serial] != nil && ev.exchanges[serial].Purpose == want
	}
	withdrawal := slices.IndexFunc(all, func(s uint64) bool { return purpose(s, "setup") })
	if withdrawal < 0 {
		return shown(o, most)
	}
	for i := withdrawal; i < len(all) && !purpose(all[i], "probe"); i++ {
		if purpose(all[i], "setup") {
			withdrawal = i // each watched token is withdrawn by itself: one tells the story
		}
	}
	var before, after, accepted, refused []uint64
	for i, s := range all {
		switch {
		case purpose(s, "control") && i < withdrawal:
			before = []uint64{s}
		case purpose(s, "control"):
			after = []uint64{s}
		case i > withdrawal && purpose(s, "probe") && ev.exchanges[s].Decision == "accepted":
			accepted = append(accepted, s)
		case i > withdrawal && purpose(s, "probe"):
			refused = append(refused, s)
		}
	}
	if len(accepted) > 2 {
		accepted = []uint64{accepted[0], accepted[len(accepted)-1]}
	}
	return slices.Concat(before, all[withdrawal:withdrawal+1], accepted, refused[:min(len(refused), 2)], after)
}

func gatherEvidence(src logbook.Source, v *verdict.Verdict) (*evidence, error) {
	ev := &evidence{
		exchanges: map[uint64]*dated{}, records: map[uint64][]logbook.Record{}, tracks: map[trackKey]*track{},
		since: map[trackKey]time.Duration{}, timed: map[uint64]trackKey{}, controls: map[string][]control{},
	}
	listed := map[uint64]bool{} // records that an observation names
	want := func(cells []verdict.Cell, most int) {
		for _, c := range cells {
			if c.Observation == nil {
				continue
			}
			for _, serial := range candidates(c.Observation, most) {
				ev.exchanges[serial] = nil
			}
			for _, serial := range c.Observation.Records {
				listed[serial] = true
			}
		}
	}
	for i := range v.Findings {
		want(v.Findings[i].Seen, mostOfOne)
	}
	for i := range v.Unsure {
		want(v.Unsure[i].Cells, mostOfOpen)
	}
	ev.time(v)
	for e, err := range src() {
		if errors.Is(err, logbook.ErrCut) {
			break // the verdict has said so
		}
		if err != nil {
			return nil, fmt.Errorf("gather the evidence: %w", err)
		}
		ev.add(e, listed)
	}
	return ev, nil
}

// time notes the exchanges of all observations with times.
func (ev *evidence) time(v *verdict.Verdict) {
	for _, stage := range v.Stages {
		for _, row := range stage.Rows {
			for _, c := range row.Cells {
				if c.Observation == nil || len(c.Observation.Bounds) == 0 {
					continue
				}
				for _, serial := range candidates(c.Observation, mostOfOne) {
					ev.timed[serial] = trackKey{check: c.Check, point: c.Point, name: c.Observation.Bounds[0].Name}
				}
			}
		}
	}
}

func (ev *evidence) add(e logbook.Entry, listed map[uint64]bool) {
	switch {
	case e.Exchange != nil:
		if _, wanted := ev.exchanges[e.Exchange.Serial]; wanted {
			ev.exchanges[e.Exchange.Serial] = &dated{e.At, clean(*e.Exchange)}
		}
		if of, timed := ev.timed[e.Exchange.Serial]; timed && e.Exchange.Purpose == "control" {
			ev.controls[of.check] = append(ev.controls[of.check], control{e.At, e.Exchange.Point, e.Exchange.Decision == "accepted"})
		}
	case e.Record != nil:
		_, wanted := ev.exchanges[e.Record.Exchange]
		of := ev.records[e.Record.Exchange]
		if (wanted || listed[e.Record.Serial]) && len(of) < mostRecords {
			ev.records[e.Record.Exchange] = append(of, clean(*e.Record))
		}
	case e.Watch != nil:
		key := trackKey{e.Watch.Check, e.Watch.Point, e.Watch.Name}
		if _, known := ev.since[key]; !known {
			ev.since[key] = e.Watch.Since
		}
	case e.Tick != nil:
		ev.tick(e.At, e.Tick)
	}
}

func (ev *evidence) tick(at time.Duration, t *logbook.Tick) {
	key := trackKey{t.Check, t.Point, t.Name}
	tr := ev.tracks[key]
	if tr == nil {
		tr = &track{}
		ev.tracks[key] = tr
	}
	tr.probes++
	if t.Accepted {
		tr.answers++
	}
	n := len(tr.runs)
	if n > 0 && tr.runs[n-1].accepted == t.Accepted && tr.runs[n-1].unknown == t.Unknown {
		tr.runs[n-1].to = at
		tr.runs[n-1].probes++
		return
	}
	if n < mostRuns {
		tr.runs = append(tr.runs, run{from: at, to: at, accepted: t.Accepted, unknown: t.Unknown, probes: 1})
	}
}

// start is t0 of a watch on the ride's clock. A watch that says nothing shares the start of its check's others.
func (ev *evidence) start(key trackKey) (time.Duration, bool) {
	if t0, known := ev.since[key]; known {
		return t0, true
	}
	var first time.Duration
	found := false
	for k, t0 := range ev.since {
		if k.check == key.check && (!found || t0 < first) {
			first, found = t0, true
		}
	}
	return first, found
}
