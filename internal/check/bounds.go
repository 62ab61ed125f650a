package check

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// judge turns the bounds into outcomes. Beside each refusal the twin must live. That something was accepted too late
// stands for itself.
func (p *Pass) judge(ctx context.Context, w Withdrawal, watches []*watch) error {
	dead := p.lives(ctx, w)
	beside := map[*plan.Point]error{}
	for _, other := range w.Beside {
		if dead != nil || p.Stack.Rules.NoTwin {
			break
		}
		err := p.Opens(ctx, other)
		if err != nil {
			beside[other.Point] = CannotTell("%s is refused too, so it was not the withdrawal that was seen: %v", other.Name, err)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, one := range watches {
		if one.kept != nil {
			p.evidence(*one.kept, Answer{Decision: wire.Accepted})
		}
		p.bound(w, one, cmp.Or(dead, beside[one.call.Point]))
	}
	if w.Cached != "" && remembered(watches) {
		p.observation.Cause = w.Cached
	}
	return nil
}

// remembered says that all that lived on too long had been used before, each at a point that refused in time what it had
// never seen.
func remembered(watches []*watch) bool {
	failed := false
	for _, one := range watches {
		if one.bound.Outcome != logbook.Fail {
			continue
		}
		failed = true
		fresh := slices.ContainsFunc(watches, func(other *watch) bool {
			return !other.used && other.call.Point == one.call.Point && other.bound.Outcome == logbook.Pass
		})
		if !one.used || !fresh {
			return false
		}
	}
	return failed
}

// lives proves that it was the withdrawal that was seen: the sibling lives, and so does somebody else. The control after.
func (p *Pass) lives(ctx context.Context, w Withdrawal) error {
	if p.Stack.Rules.NoTwin {
		return nil
	}
	if w.Alive != nil {
		err := p.Opens(ctx, *w.Alive)
		if err != nil {
			return CannotTell("somebody else's good call died too, so it was an outage: %v", err)
		}
	}
	if w.Sibling != nil && !p.Stack.Rules.ExpiryCounts {
		err := p.Opens(ctx, *w.Sibling)
		if ends := TokenExpires(*w.Sibling); err != nil && !ends.IsZero() && !time.Now().Before(ends) {
			return CannotTell("the unrevoked twin expired before the watch was over, so nothing shows that the client lives on; raise the token's life or lower limits.patience")
		}
		if err != nil {
			return CannotTell("the unrevoked twin of the same client died too, so the whole client went: %v", err)
		}
	}
	return nil
}

func (p *Pass) bound(w Withdrawal, one *watch, dead error) {
	b := &one.bound
	if !one.lastAccepted.IsZero() {
		b.Low = max(0, one.lastAccepted.Sub(one.done))
	}
	if one.firstRefused.IsZero() {
		b.Never = true
	} else {
		b.High = one.firstRefused.Sub(one.sent)
	}
	if p.Stack.Rules.TimesArePoints && !b.Never {
		b.Low = b.High
	}
	expires := time.Time{}
	if w.Expires != nil {
		expires = w.Expires(one.call)
	}
	b.Expired = !expires.IsZero() && !b.Never && one.firstRefused.After(expires.Add(-p.Limits.ClockSkew.D()))
	if p.Stack.Rules.ExpiryCounts {
		b.Expired = false
	}
	if one.asked > 0 {
		b.Control = fmt.Sprintf("%s accepted, %d of %d", w.beside(one.call.Point).Name, one.open, one.asked)
	}
	expected := fmt.Sprintf("refused within %v", w.Limit)
	switch {
	case b.Probes == 0:
		b.Outcome = logbook.Inconclusive
		p.Case(one.name, b.Outcome, expected, "", "", "it was not probed")
	case b.Accepted == 0 && b.Never:
		b.Outcome = logbook.Inconclusive
		p.Case(one.name, b.Outcome, expected, "", "", "no probe was decided: "+one.why)
	case b.Low > w.Limit:
		b.Outcome = logbook.Fail
		p.Case(one.name, b.Outcome, expected, b.Describe(), "", "")
	case dead != nil:
		b.Outcome = logbook.Inconclusive
		p.Case(one.name, b.Outcome, expected, "", "", dead.Error())
	case one.outage != "" && b.Never:
		b.Outcome = logbook.Inconclusive
		p.Case(one.name, b.Outcome, expected, "", "", one.outage)
	case b.Expired && b.High > w.Limit:
		b.Outcome = logbook.Fail
		p.Case(one.name, b.Outcome, expected, b.Describe(), "", "")
	case one.unheld:
		b.Outcome = logbook.Inconclusive
		p.Case(one.name, b.Outcome, expected, b.Describe(), "", "it was refused, and then for too long it could not be told: "+one.why)
	case !b.Never && b.High <= w.Limit:
		b.Outcome = logbook.Pass
		p.Case(one.name, b.Outcome, expected, b.Describe(), "", "")
	default:
		b.Outcome = logbook.Inconclusive
		p.Case(one.name, b.Outcome, expected, b.Describe(), "", "the bounds lie on both sides of the limit: "+b.Describe())
	}
	if one.call.Point != nil {
		p.Where(one.call.Point.Name)
		if one.call.Point.Name != p.Name {
			b.Point = one.call.Point.Name
		}
	}
	p.observation.Bounds = append(p.observation.Bounds, *b)
}
