package verdict

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

type place struct{ check, point string }

// book is what the judge keeps of a logbook: nothing that grows with the number of exchanges.
type book struct {
	head     logbook.Head
	headed   bool
	end      *logbook.End
	cut      string
	cards    map[string]logbook.Card
	roll     map[place]logbook.Due
	seen     map[place]*logbook.Observation
	what     map[string]string
	notes    []logbook.Note
	removals []logbook.Removal
	last     time.Duration
	parked   *logbook.Parked
	attached []logbook.Attached
}

func gather(src logbook.Source) (*book, error) {
	b := &book{
		cards: map[string]logbook.Card{},
		roll:  map[place]logbook.Due{},
		seen:  map[place]*logbook.Observation{},
		what:  map[string]string{},
	}
	for e, err := range src() {
		if errors.Is(err, logbook.ErrCut) {
			b.cut = err.Error()
			break
		}
		if err != nil {
			return nil, fmt.Errorf("judge the ride: %w", err)
		}
		b.add(e)
	}
	switch {
	case b.end != nil || b.cut != "":
	case b.parked != nil && b.parked.Resumed.IsZero():
		b.cut = fmt.Sprintf("parked since %s: people have yet to make %s", b.parked.Since.Format("2006-01-02 15:04"), List(b.parked.Clients, 3))
	default:
		b.cut = "the logbook has no last entry"
	}
	return b, nil
}

func (b *book) add(e logbook.Entry) {
	b.last = max(b.last, e.At)
	switch {
	case e.Head != nil:
		b.head, b.headed = *e.Head, true
	case e.Card != nil:
		b.cards[e.Card.ID] = *e.Card
	case e.Due != nil:
		b.roll[place{e.Due.Check, e.Due.Point}] = *e.Due
	case e.Observation != nil:
		at := place{e.Observation.Check, e.Observation.Point}
		if worse(e.Observation, b.seen[at]) {
			b.seen[at] = e.Observation
		}
	case e.Watch != nil:
		if known := b.what[e.Watch.Check]; e.Watch.What != "" && (known == "" || e.Watch.What < known) {
			b.what[e.Watch.Check] = e.Watch.What
		}
	case e.Note != nil:
		b.notes = append(b.notes, *e.Note)
	case e.Removal != nil:
		b.removals = append(b.removals, *e.Removal)
	case e.End != nil:
		b.end = e.End
	case e.Parked != nil:
		b.parked = e.Parked
	case e.Attached != nil:
		b.attached = append(b.attached, *e.Attached)
	}
}

// weight orders two results of one check at one point. A check may have run again, as when a log is attached the next
// day: a decision replaces an inconclusive result, but no later attempt turns a failure into a pass.
var weight = map[logbook.Outcome]int{logbook.Inconclusive: 0, logbook.NotApplicable: 1, logbook.Pass: 2, logbook.Error: 3, logbook.Fail: 4}

func worse(a, b *logbook.Observation) bool {
	if b == nil {
		return true
	}
	order := cmp.Compare(weight[a.Outcome], weight[b.Outcome])
	if order == 0 { // any order will do that does not depend on the order in the book
		x, errA := json.Marshal(a)
		y, errB := json.Marshal(b)
		if errA == nil && errB == nil {
			order = bytes.Compare(x, y)
		}
	}
	return order > 0
}

// card gives a check's card; a check without one keeps its id, and its stage is that of the id.
func (b *book) card(check string) logbook.Card {
	card, ok := b.cards[check]
	if !ok {
		card = logbook.Card{ID: check, Title: check}
	}
	if card.Stage == "" {
		stage, _, _ := strings.Cut(check, ".")
		card.Stage = logbook.Stage(stage)
	}
	return card
}

// cells judges every check at every point that is on the roll or in the book.
func (b *book) cells() []Cell {
	places := maps.Clone(b.roll)
	for at := range b.seen {
		if _, due := places[at]; !due {
			places[at] = logbook.Due{Check: at.check, Point: at.point}
		}
	}
	var all []Cell
	for at, due := range places {
		all = append(all, b.cell(at, due))
	}
	follow(all)
	return all
}

func (b *book) cell(at place, due logbook.Due) Cell {
	c := Cell{
		Check: at.check, Point: at.point, Card: b.card(at.check), Required: due.Required, Gap: due.Gap,
		Promise: due.Promise, Line: b.head.Lines[due.Promise], Observation: b.seen[at],
	}
	c.Declared = due.Declared || live(b.head.Scope, at, b.head.Started) != nil
	o := c.Observation
	switch {
	case o != nil:
		c.Mark, c.Because = result(o)
		c.Cause = o.Cause
	case due.LeftOut != "":
		c.Mark, c.Because = LeftOut, due.LeftOut
	default:
		c.Mark, c.Because = Missing, "the logbook has no result"
	}
	if c.Mark == Fail {
		c.Waiver = live(b.head.Waivers, at, b.head.Started)
		if c.Waiver != nil {
			c.Mark = Waived
		} else {
			c.Lapsed = lapsed(b.head.Waivers, at)
		}
	}
	return c
}

// MarkOf judges one observation by itself, for live progress; only [Of] sees the whole.
func MarkOf(head *logbook.Head, o *logbook.Observation) (Mark, string) {
	mark, because := result(o)
	if mark == Fail && live(head.Waivers, place{o.Check, o.Point}, head.Started) != nil {
		mark = Waived
	}
	return mark, because
}

// result is an observation's mark. A pass must have asserted something, and nothing that it sums up may contradict it:
// the tool's own failure is an outcome of its own, never a finding and never a pass.
func result(o *logbook.Observation) (Mark, string) {
	switch o.Outcome {
	case logbook.Fail:
		return Fail, o.Because
	case logbook.NotApplicable:
		return NotApplicable, o.Because
	case logbook.Error:
		return Error, o.Because
	case logbook.Pass:
		if o.Asserted <= 0 {
			return Error, "the check passed without asserting anything"
		}
		for _, c := range o.Cases {
			if c.Outcome == logbook.Fail {
				return Error, fmt.Sprintf("the check passed although its case %q fails", c.Name)
			}
		}
		for _, bound := range o.Bounds {
			if bound.Outcome == logbook.Fail {
				return Error, fmt.Sprintf("the check passed although its bound %q is over the limit", bound.Name)
			}
		}
		return Pass, ""
	}
	return Inconclusive, o.Because
}

// matches says whether an exclusion covers a check at a point. A pattern is an id, a stage with ".*", or "*".
func matches(x *logbook.Exclusion, at place) bool {
	if x.Point != "" && x.Point != at.point {
		return false
	}
	prefix, wild := strings.CutSuffix(x.Check, "*")
	return x.Check == at.check || wild && strings.HasPrefix(at.check, prefix)
}

// live gives the first exclusion that covers the place and had not expired when the ride began. An exclusion without a
// date of expiry covers nothing: an exception for ever is a hole that nobody looks at.
func live(all []logbook.Exclusion, at place, started time.Time) *logbook.Exclusion {
	for i := range all {
		if matches(&all[i], at) && started.Before(all[i].Expires) {
			return &all[i]
		}
	}
	return nil
}

func lapsed(all []logbook.Exclusion, at place) *logbook.Exclusion {
	i := slices.IndexFunc(all, func(x logbook.Exclusion) bool { return matches(&x, at) })
	if i < 0 {
		return nil
	}
	return &all[i]
}
