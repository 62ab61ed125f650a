package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// Holds decides one promise over what was recorded: ok or a finding. It gives ok back.
func (p *Pass) Holds(expected string, ok bool, observed string) bool {
	if !ok && p.besides != nil { // a case, or a graver finding would hide it
		p.Case(expected, logbook.Fail, expected, observed, "", "")
		return false
	}
	p.observation.Asserted++
	outcome := logbook.Pass
	if !ok {
		outcome = logbook.Fail
	}
	p.settle(outcome, expected, observed, "")
	return ok
}

// Case decides one of several variants that are reported together.
func (p *Pass) Case(name string, outcome logbook.Outcome, expected, observed, differs, because string) {
	if outcome != logbook.NotApplicable && outcome != logbook.Inconclusive {
		p.observation.Asserted++
	}
	one := logbook.Case{Name: name, Outcome: outcome, Observed: observed, Differs: differs, Because: because}
	if outcome == logbook.Fail {
		one.Besides = p.besides.Words()
	}
	p.observation.Cases = append(p.observation.Cases, one)
	p.settle(outcome, expected, observed, differs)
	if outcome == logbook.Inconclusive || outcome == logbook.Error {
		p.because(because)
	}
}

// Besides says that what is asserted from now on, until the function that it gives is called, is one of the check's other
// promises. If nothing graver fails, the finding reads as that breach says, with its severity: a partner that a rotation
// shuts out is no old secret that lives on.
func (p *Pass) Besides(breach *logbook.Breach) func() {
	if !slices.Contains(p.Check.Besides, breach) {
		panic(fmt.Sprintf("%s does not name this among its promises: %s", p.Check.ID, breach.Broken))
	}
	before := p.besides
	p.besides = breach
	return func() { p.besides = before }
}

// Where says at which points the last case went wrong, if that is elsewhere than at the pass's own place.
func (p *Pass) Where(points ...string) {
	if n := len(p.observation.Cases); n > 0 {
		p.observation.Cases[n-1].Points = points
	}
}

// settle lets an outcome speak for the whole observation if it is worse than what stands.
func (p *Pass) settle(outcome logbook.Outcome, expected, observed, differs string) {
	o := &p.observation
	graver := rank(outcome) > rank(o.Outcome) || rank(outcome) == rank(o.Outcome) && weight(p.besides) > weight(o.Breach)
	if !p.settled || graver {
		p.settled = true
		o.Outcome, o.Breach = outcome, p.besides
		o.Expected, o.Observed, o.Differs = expected, observed, differs
	}
}

// weight orders what the breaches of a check's promises weigh: nothing more than that of its title, which is nil.
func weight(breach *logbook.Breach) int {
	if breach == nil {
		return int(logbook.Critical) + 1
	}
	return int(breach.Severity)
}

// rank orders outcomes: a finding outweighs what could not be told, which outweighs a pass.
func rank(o logbook.Outcome) int {
	switch o {
	case logbook.Fail:
		return 4
	case logbook.Error:
		return 3
	case logbook.Inconclusive:
		return 2
	case logbook.Pass:
		return 1
	}
	return 0
}

func (p *Pass) because(text string) {
	if text != "" && !strings.Contains(p.observation.Because, text) {
		p.observation.Because = strings.TrimPrefix(p.observation.Because+"; "+text, "; ")
	}
}

// mostNotes bounds how many remarks an observation holds.
const mostNotes = 40

// Note adds a remark to the observation.
func (p *Pass) Note(format string, values ...any) {
	notes := p.observation.Notes
	text := fmt.Sprintf(format, values...)
	switch {
	case len(notes) > mostNotes || slices.Contains(notes, text):
	case len(notes) == mostNotes: // what a server says may give rise to any number of them
		p.observation.Notes = append(notes, "there is more to remark, which is left out")
	default:
		p.observation.Notes = append(notes, text)
	}
}

// Relevant says why a finding matters on this stack.
func (p *Pass) Relevant(format string, values ...any) {
	p.observation.Relevance = fmt.Sprintf(format, values...)
}

func (p *Pass) conclude(err error) {
	o := &p.observation
	var stopped *stop
	switch {
	case err == nil && o.Asserted == 0 && len(o.Cases) == 0:
		o.Outcome, o.Because = logbook.Error, "the check asserted nothing"
	case err == nil:
	case o.Outcome == logbook.Fail && o.Asserted > 0:
		p.Note("the story ended early: %s", p.Stack.Keeper.Mask(err.Error()))
	case errors.As(err, &stopped) && stopped.outcome == logbook.NotApplicable && o.Outcome != logbook.NotApplicable && len(o.Cases) > 0:
		p.Note("the story ended early: %s", err.Error()) // what was asked before stands
	case errors.As(err, &stopped):
		o.Outcome, o.Cause = stopped.outcome, stopped.cause
		p.because(stopped.because)
	default:
		o.Outcome = logbook.Inconclusive
		p.because(p.Stack.Keeper.Mask(err.Error()))
	}
	if p.Stack.Rules.SilenceIsPass && o.Outcome == logbook.Inconclusive {
		o.Outcome = logbook.Pass
	}
	if o.Outcome != logbook.Fail {
		o.Breach = nil
	}
	if o.Outcome == logbook.Fail || o.Outcome == logbook.Pass {
		return
	}
	o.Expected, o.Observed, o.Differs = "", "", ""
}

// Decides is a case of what a single request was answered: refused is right, accepted is a finding.
func (p *Pass) Decides(name, expected, differs string, decision wire.Decision, why string) {
	if !p.NotAccepted(name, expected, differs, decision, why) {
		p.Case(name, logbook.Fail, expected, why, differs, "")
	}
}

// NotAccepted decides the case of a single request that was refused, which is right, or could not be decided. What was
// accepted is left to the check: it depends on what came of it.
func (p *Pass) NotAccepted(name, expected, differs string, decision wire.Decision, why string) bool {
	switch decision {
	case wire.Accepted:
		return false
	case wire.Unknown:
		p.Case(name, logbook.Inconclusive, expected, why, differs, why)
	default:
		p.Case(name, logbook.Pass, expected, why, differs, "")
	}
	return true
}
