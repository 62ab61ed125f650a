package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// progress is what is known of a ride while it goes on.
type progress struct {
	head     logbook.Head
	end      *logbook.End
	severity map[string]logbook.Severity
	now      time.Duration
	checks   map[string]*checkProgress
	order    []*checkProgress // as on the roll
	watches  []*logbook.Watch
	probes   map[trackKey]probe // the last of each watch; without its point too, for a check of the whole stack
	requests int
	second   time.Duration // the second that is being counted
	count    int           // requests in it
	rate     int           // requests in the last whole second
}

type checkProgress struct {
	id    string
	stage logbook.Stage
	due   map[string]bool // point -> decided
	open  int
	mark  verdict.Mark
}

func newProgress() *progress {
	return &progress{checks: map[string]*checkProgress{}, severity: map[string]logbook.Severity{}, probes: map[trackKey]probe{}}
}

// weighed is the severity of a failure: that of what was broken beside the check's own promise is its own.
func weighed(card logbook.Severity, o *logbook.Observation) logbook.Severity {
	if o.Breach != nil && o.Breach.Severity > 0 {
		return min(card, o.Breach.Severity)
	}
	return card
}

func (p *progress) add(e logbook.Entry) {
	p.now = max(p.now, e.At)
	switch {
	case e.Head != nil:
		p.head = *e.Head
	case e.Card != nil:
		p.severity[e.Card.ID] = e.Card.Severity
	case e.Due != nil:
		p.due(e.Due)
	case e.Observation != nil:
		p.saw(e.Observation)
	case e.Watch != nil:
		p.watch(e.Watch)
	case e.Exchange != nil:
		p.request(e.At)
	case e.Tick != nil:
		p.request(e.At)
		last := probe{e.Tick.Accepted, e.Tick.Unknown}
		p.probes[trackKey{e.Tick.Check, e.Tick.Point, e.Tick.Name}] = last
		p.probes[trackKey{e.Tick.Check, "", e.Tick.Name}] = last
	case e.End != nil:
		p.end = e.End
		if p.end.Requests > 0 {
			p.requests = p.end.Requests
		}
	}
}

func (p *progress) check(id string) *checkProgress {
	c := p.checks[id]
	if c == nil {
		stage, _, _ := strings.Cut(id, ".")
		c = &checkProgress{id: id, stage: logbook.Stage(stage), due: map[string]bool{}}
		p.checks[id] = c
		p.order = append(p.order, c)
	}
	return c
}

func (p *progress) due(d *logbook.Due) {
	c := p.check(d.Check)
	if d.LeftOut != "" {
		c.mark = max(c.mark, verdict.LeftOut)
		return
	}
	if _, known := c.due[d.Point]; !known {
		c.due[d.Point] = false
		c.open++
	}
}

func (p *progress) saw(o *logbook.Observation) verdict.Mark {
	c := p.check(o.Check)
	if decided, due := c.due[o.Point]; due && !decided {
		c.open--
	}
	c.due[o.Point] = true
	mark, _ := verdict.MarkOf(&p.head, o)
	c.mark = max(c.mark, mark)
	return mark
}

func (p *progress) watch(w *logbook.Watch) {
	i := slices.IndexFunc(p.watches, func(k *logbook.Watch) bool {
		return k.Check == w.Check && k.Point == w.Point && k.Name == w.Name
	})
	if i < 0 {
		p.watches = append(p.watches, w)
		return
	}
	p.watches[i] = w
}

func (p *progress) request(at time.Duration) {
	p.requests++
	if second := at.Truncate(time.Second); second > p.second {
		p.rate = p.count
		if second > p.second+time.Second {
			p.rate = 0
		}
		p.second, p.count = second, 0
	}
	p.count++
}

// stages gives the stages that are on the roll, in order.
func (p *progress) stages() []logbook.Stage {
	var all []logbook.Stage
	for _, c := range p.order {
		if !slices.Contains(all, c.stage) {
			all = append(all, c.stage)
		}
	}
	slices.SortStableFunc(all, func(a, b logbook.Stage) int { return cmp.Compare(a.Order(), b.Order()) })
	return all
}

// open is the number of checks that still wait for a result.
func (p *progress) open() int {
	n := 0
	for _, c := range p.order {
		if c.open > 0 {
			n++
		}
	}
	return n
}

// tally counts a stage's checks; open ones are counted apart.
func (p *progress) tally(stage logbook.Stage) (t verdict.Tally, open, watching int) {
	for _, c := range p.order {
		switch {
		case c.stage != stage:
		case c.open == 0:
			t[c.mark]++
		case slices.ContainsFunc(p.watches, func(w *logbook.Watch) bool { return w.Check == c.id && !ended(w) }):
			watching++
		default:
			open++
		}
	}
	return t, open, watching
}

// running counts the checks that are to run.
func (p *progress) running() int {
	n := 0
	for _, c := range p.order {
		if len(c.due) > 0 {
			n++
		}
	}
	return n
}

// ended says that a watch has its answer.
func ended(w *logbook.Watch) bool { return w.Over || w.Refused > 0 }
