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
}

const (
	mostOfOne    = 8   // exchanges that one observation shows
	mostOfOpen   = 4   // and an inconclusive one
	mostCases    = 3   // failing cases whose exchanges are shown
	mostOfCase   = 4   // exchanges of each
	mostRecords  = 6   // records of one exchange
	mostRuns     = 400 // of one watch: one that flaps more than this is drawn only so far
	mostBodySign = 4096
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

func gatherEvidence(src logbook.Source, v *verdict.Verdict) (*evidence, error) {
	ev := &evidence{exchanges: map[uint64]*dated{}, records: map[uint64][]logbook.Record{}, tracks: map[trackKey]*track{}, since: map[trackKey]time.Duration{}}
	listed := map[uint64]bool{} // records that an observation names
	want := func(cells []verdict.Cell, most int) {
		for _, c := range cells {
			if c.Observation == nil {
				continue
			}
			for _, serial := range shown(c.Observation, most) {
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

func (ev *evidence) add(e logbook.Entry, listed map[uint64]bool) {
	switch {
	case e.Exchange != nil:
		if _, wanted := ev.exchanges[e.Exchange.Serial]; wanted {
			ev.exchanges[e.Exchange.Serial] = &dated{e.At, clean(*e.Exchange)}
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
		return
	}
	if n < mostRuns {
		tr.runs = append(tr.runs, run{at, at, t.Accepted, t.Unknown})
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
