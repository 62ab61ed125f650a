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

// wipe clears the frame's lines one by one and moves to the first. To clear all below at once would be shorter, but at
// the top of a screen some terminals (tmux) then keep what was there as history.
func (l *Live) wipe() string {
	if l.lines == 0 {
		return ""
	}
	return l.up() + strings.Repeat("\x1b[K\n", l.lines) + l.up()
}

// up moves to the frame's first line.
func (l *Live) up() string {
	if l.lines == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r", l.lines)
}

// draw writes the frame over the last one, and clears what is left of that.
func (l *Live) draw() error {
	frame := l.frame(l.rows())
	_, err := io.WriteString(l.out, l.up()+strings.ReplaceAll(frame, "\n", "\x1b[K\n")+"\x1b[J")
	if err != nil {
		return fmt.Errorf("draw progress: %w", err)
	}
	l.lines = strings.Count(frame, "\n")
	return nil
}

// rows is the height of the terminal: a frame that is higher cannot be redrawn in place.
func (l *Live) rows() int {
	if l.opts.Rows != nil {
		if rows := l.opts.Rows(); rows > 0 {
			return rows
		}
	}
	return usualRows
}

// usualRows is taken where nobody can be asked.
const usualRows = 40

func (l *Live) frame(rows int) string {
	p := l.state
	s := &sheet{width: l.opts.width(), color: l.opts.Color}
	s.line(span{faint, pad("plan", 11)}, span{plain, p.head.Name})
	s.line(span{faint, pad("ride", 11)}, span{plain, fmt.Sprintf("%s, %s%s", p.head.Ride, verdict.Count(p.running(), "check"), foreseen(p))})
	s.blank()
	const around = 6 // lines beside stages and watches, and one for the cursor
	room := rows - around
	room -= l.stages(s, room)
	if len(p.watches) > 0 && room > 1 {
		s.blank()
		l.watches(s, room-2)
	}
	s.blank()
	s.line(span{plain, fmt.Sprintf("  %s after %s, %s per second", verdict.Count(p.requests, "request"), verdict.Time(p.now.Truncate(frameEvery)), verdict.Number(int64(p.rate)))},
		span{faint, "     Ctrl-C once: stop and clean up"})
	return s.String()
}

// stages writes a line for each stage; where the screen is too low for all, only for those that are not done with
// nothing but passes. It gives the number of lines.
func (l *Live) stages(s *sheet, room int) int {
	p := l.state
	longest := 0
	for _, c := range p.order {
		longest = max(longest, p.inStage(c.stage))
	}
	all := p.stages()
	if len(all) > room {
		all = slices.DeleteFunc(all, func(stage logbook.Stage) bool {
			t, open, watching := p.tally(stage)
			return open+watching == 0 && t[verdict.Pass] == t.Total()
		})
		all = all[:max(min(len(all), room), 0)]
	}
	for _, stage := range all {
		l.stage(s, stage, min(longest, 30))
	}
	return len(all)
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
	return fmt.Sprintf(", longest wait about %s", verdict.Time(p.head.LongestWait))
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

// watches writes a line for each check and point whose trust is still watched or outlived its limit, as far as there is
// room.
func (l *Live) watches(s *sheet, room int) {
	shown, quiet := l.state.groups()
	rows := len(shown)
	if rows > room {
		rows = max(room-1, 0)
	}
	what, place := 16, 8
	for _, g := range shown[:rows] {
		what, place = max(what, len([]rune(g.what))+2), max(place, len([]rune(g.point))+2)
	}
	what, place = min(what, max(s.width-66, 16), 40), min(place, 18)
	last := ""
	for _, g := range shown[:rows] {
		name := g.what
		if name == last {
			name = ""
		}
		last = g.what
		state, limit := g.say(l.state.now)
		st := plain
		if g.late(l.state.now) {
			st = red
		}
		s.line(span{plain, "  " + pad(cut(name, what-1), what)}, span{plain, pad(cut(g.point, place-1), place)}, span{st, pad(state, 29) + limit})
	}
	more := ""
	if n := len(shown) - rows; n > 0 {
		more = fmt.Sprintf("%d more watched", n)
	}
	if quiet > 0 && more != "" {
		more += ", "
	}
	if quiet > 0 {
		more += fmt.Sprintf("%d refused in time", quiet)
	}
	if more != "" && room > 0 {
		s.line(span{faint, "  " + more})
	}
}
