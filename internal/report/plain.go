package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// heartbeat is how long plain output may be silent on the ride's clock: CI systems kill what looks dead.
const heartbeat = 30 * time.Second

// Plain writes lines for a CI system: no colour, no cursor movement. A line when a stage ends, when something does not
// pass or has measured a time, and every 30 s while only waits are left. It may be used by many goroutines.
type Plain struct {
	mu      sync.Mutex
	out     io.Writer
	state   *progress
	begun   bool
	said    map[logbook.Stage]bool
	reasons map[string]bool // given in full already
	last    time.Duration
	removed []logbook.Removal
}

// NewPlain writes on w.
func NewPlain(w io.Writer) *Plain {
	return &Plain{out: w, state: newProgress(), reasons: map[string]bool{}, said: map[logbook.Stage]bool{}}
}

// Write takes an entry and writes the lines that follow from it.
func (p *Plain) Write(e logbook.Entry) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.add(e)
	if e.Head != nil || e.Card != nil || e.Due != nil {
		return nil
	}
	var lines []string
	if !p.begun {
		p.begun = true
		head := &p.state.head
		lines = append(lines, fmt.Sprintf("ride %s: %s; %s%s", head.Ride, head.Name, verdict.Count(p.state.running(), "check"), foreseen(p.state)))
	}
	switch {
	case e.Observation != nil:
		lines = append(lines, p.observation(e.Observation)...)
	case e.Removal != nil:
		p.removed = append(p.removed, *e.Removal)
	case e.End != nil:
		lines = append(lines, p.ended(e.End)...)
	}
	if len(lines) == 0 && e.At >= p.last+heartbeat {
		lines = append(lines, fmt.Sprintf("waiting: %s open, %s so far", verdict.Count(p.state.open(), "check"), verdict.Count(p.state.requests, "request")))
	}
	return p.say(e.At, lines)
}

// Close has nothing to undo.
func (p *Plain) Close() error { return nil }

func (p *Plain) say(at time.Duration, lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	p.last = at
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&b, "%s %s\n", p.state.head.Started.Add(at).UTC().Format(time.TimeOnly), visible(line, ""))
	}
	_, err := io.WriteString(p.out, b.String())
	if err != nil {
		return fmt.Errorf("write progress: %w", err)
	}
	return nil
}

func (p *Plain) observation(o *logbook.Observation) []string {
	var lines []string
	mark, because := verdict.MarkOf(&p.state.head, o)
	if mark != verdict.Pass && mark != verdict.NotApplicable {
		what := cmp.Or(o.Observed, failing(o), because)
		if bound, found := verdict.WorstBound(o); found {
			what = measured(&bound) + ", limit " + verdict.Time(bound.Limit)
		}
		if mark == verdict.Inconclusive || mark == verdict.Error {
			what = p.reason(because)
		}
		line := strings.ToUpper(mark.String()) + " " + o.Check
		if severity := weighed(p.state.severity[o.Check], o).String(); mark == verdict.Fail && severity != "" {
			line = fmt.Sprintf("FAIL %s %s", severity, o.Check)
		}
		if o.Point != "" {
			line += " at " + o.Point
		}
		if what != "" {
			line += ": " + what
		}
		lines = append(lines, line)
	}
	if line := slowest(o); line != "" {
		lines = append(lines, line)
	}
	stage := p.state.check(o.Check).stage
	_, open, watching := p.state.tally(stage)
	if open+watching == 0 && !p.said[stage] {
		p.said[stage] = true
		lines = append(lines, fmt.Sprintf("%s: %s", stage, stageWords(p.state, stage)))
	}
	return lines
}

// reason gives a reason in full once; one cause can leave many checks undecided.
func (p *Plain) reason(because string) string {
	const long = 80
	if len(because) > long && p.reasons[because] {
		return "for the same reason"
	}
	p.reasons[because] = true
	return because
}

// slowest tells the longest time that a check measured, where all were within their limits.
func slowest(o *logbook.Observation) string {
	if o.Outcome != logbook.Pass || len(o.Bounds) == 0 {
		return ""
	}
	b := slices.MaxFunc(o.Bounds, func(a, b logbook.Bound) int { return cmp.Compare(a.High, b.High) })
	line := o.Check
	if o.Point != "" {
		line += " at " + o.Point
	}
	line += ": " + measured(&b)
	if b.Limit > 0 {
		line += ", limit " + verdict.Time(b.Limit)
	}
	return line
}

func (p *Plain) ended(end *logbook.End) []string {
	v := &verdict.Verdict{End: end, Removals: p.removed}
	text, _ := cleanup(v)
	lines := []string{"cleanup: " + text}
	if end.Interrupted != "" {
		lines = append(lines, "stopped early: "+end.Interrupted)
	}
	return append(lines, fmt.Sprintf("ended after %s, %s", verdict.Time(end.Took), verdict.Count(end.Requests, "request")))
}
