package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// frameEvery is the shortest time between two frames, on the ride's clock.
const frameEvery = 100 * time.Millisecond

// Live redraws a frame in place on a terminal while entries come in. It may be used by many goroutines.
type Live struct {
	mu    sync.Mutex
	out   io.Writer
	opts  Options
	state *progress
	lines int // of the frame on the screen
	drawn time.Duration
	any   bool
}

// NewLive draws on w, which must understand ANSI cursor movements.
func NewLive(w io.Writer, opts Options) *Live {
	return &Live{out: w, opts: opts, state: newProgress()}
}

// Write takes an entry and draws a frame if the last one is a tenth of a second old by the entries' own time.
func (l *Live) Write(e logbook.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state.add(e)
	if e.Card != nil || e.Due != nil || e.Head != nil {
		return nil // the roll comes at once; nothing moves yet
	}
	if l.any && e.At < l.drawn+frameEvery && e.End == nil {
		return nil
	}
	l.any, l.drawn = true, e.At
	return l.draw()
}

// Close wipes the frame, so that the summary takes its place.
func (l *Live) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := io.WriteString(l.out, l.wipe())
	l.lines = 0
	return err
}

// wipe moves to the frame's first line and clears all below.
func (l *Live) wipe() string {
	if l.lines == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r\x1b[J", l.lines)
}

func (l *Live) draw() error {
	frame := l.frame()
	_, err := io.WriteString(l.out, l.wipe()+frame)
	if err != nil {
		return fmt.Errorf("draw progress: %w", err)
	}
	l.lines = strings.Count(frame, "\n")
	return nil
}

// mostWatches is how many watches a frame shows, so that it fits on a small screen.
const mostWatches = 8

func (l *Live) frame() string {
	p := l.state
	s := &sheet{width: l.opts.width(), color: l.opts.Color}
	s.line(span{faint, pad("plan", 11)}, span{plain, p.head.Name})
	s.line(span{faint, pad("ride", 11)}, span{plain, fmt.Sprintf("%s, %s in %s%s", p.head.Ride, verdict.Count(p.running(), "check"), verdict.Count(len(p.stages()), "stage"), foreseen(p))})
	s.blank()
	longest := 0
	for _, c := range p.order {
		longest = max(longest, p.inStage(c.stage))
	}
	for _, stage := range p.stages() {
		l.stage(s, stage, min(longest, 30))
	}
	if len(p.watches) > 0 {
		s.blank()
		l.watches(s)
	}
	s.blank()
	s.line(span{plain, fmt.Sprintf("  %s after %s, %d per second", verdict.Count(p.requests, "request"), verdict.Time(p.now.Truncate(frameEvery)), p.rate)},
		span{faint, "        Ctrl-C once: stop and clean up"})
	return s.String()
}

func (p *progress) inStage(stage logbook.Stage) int {
	n := 0
	for _, c := range p.order {
		if c.stage == stage && len(c.due) > 0 {
			n++
		}
	}
	return n
}

func foreseen(p *progress) string {
	if p.head.LongestWait == 0 {
		return ""
	}
	return fmt.Sprintf(", about %s", verdict.Time(p.head.LongestWait))
}

type span struct {
	style style
	text  string
}

// line writes one line of the frame and cuts it at the width, for a wrapped line would break the redrawing.
func (s *sheet) line(spans ...span) {
	room := s.width - 1
	for _, sp := range spans {
		text := cut(visible(sp.text, ""), room)
		room -= len([]rune(text))
		s.WriteString(s.paint(sp.style, text))
	}
	s.blank()
}

var signs = map[verdict.Mark]span{
	verdict.Pass: {plain, "|"}, verdict.Fail: {red, "✕"}, verdict.Inconclusive: {amber, "?"}, verdict.Error: {amber, "!"},
	verdict.Missing: {amber, "?"}, verdict.Waived: {plain, "w"}, verdict.NotApplicable: {faint, "-"}, verdict.LeftOut: {faint, "-"},
}

// stage draws one sign for each check: | pass, ✕ fail, ? inconclusive, ! the tool broke, w waived, - not applicable,
// and a dot for a check that is not done.
func (l *Live) stage(s *sheet, stage logbook.Stage, width int) {
	spans := []span{{plain, "  " + pad(string(stage), 14)}}
	drawn := 0
	for _, c := range l.state.order {
		if c.stage != stage || len(c.due) == 0 || drawn == width {
			continue
		}
		drawn++
		sign, decided := signs[c.mark]
		if !decided || c.open > 0 && c.mark != verdict.Fail {
			sign = span{faint, "."}
		}
		spans = append(spans, sign)
	}
	spans = append(spans, span{plain, strings.Repeat(" ", width-drawn+2)}, span{plain, stageWords(l.state, stage)})
	s.line(spans...)
}

func stageWords(p *progress, stage logbook.Stage) string {
	t, open, watching := p.tally(stage)
	parts := []string{counted(t)}
	if watching > 0 {
		parts = append(parts, fmt.Sprintf("%d watching", watching))
	}
	if open > 0 {
		parts = append(parts, fmt.Sprintf("%d open", open))
	}
	if parts[0] == "" {
		parts = parts[1:]
	}
	return strings.Join(parts, ", ")
}

func (l *Live) watches(s *sheet) {
	all := slices.Clone(l.state.watches)
	slices.SortStableFunc(all, func(a, b *logbook.Watch) int { // what is still accepted first
		switch {
		case ended(a) == ended(b):
			return 0
		case ended(a):
			return 1
		}
		return -1
	})
	last := ""
	for i, w := range all {
		if i == mostWatches {
			s.line(span{faint, fmt.Sprintf("  and %d more watches", len(all)-mostWatches)})
			return
		}
		what := w.What
		if what == last {
			what = ""
		}
		last = w.What
		state, late := l.state.watchLine(w)
		st := plain
		if late {
			st = red
		}
		place := w.Point
		if w.Name != "" {
			place += " " + w.Name
		}
		s.line(span{plain, "  " + pad(what, 16)}, span{plain, pad(place, 20) + " "}, span{st, state})
	}
}
