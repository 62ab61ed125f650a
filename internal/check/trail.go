package check

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/audit"
	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// Step is something that the ride did and of which an audit log must tell.
type Step struct {
	Name     string // for people: a token grant
	Exchange wire.Exchange
	Denied   bool   // it was refused
	Who      string // as the log names the caller; empty: it showed nothing by which it could be named
}

// NamedInLogs gives how the logs of the pass's place name a member, and lets them keep records that name it although
// they carry no marker. It must be called before the steps are taken.
func (p *Pass) NamedInLogs(member *cast.Member) string {
	name := p.nameOf(member)
	for _, log := range p.Stack.Logs[p.Name] {
		log.Watch(name)
	}
	return name
}

func (p *Pass) nameOf(member *cast.Member) string {
	if p.Point != nil && p.Point.Identity[member.Role] != "" {
		return p.Point.Identity[member.Role]
	}
	return member.ID()
}

// Tells asserts that the logs that cover the pass's place tell of each step, a case for each: within the agreed delay
// there is a record, there is one of its kind, and it says what was decided. What else it lacks of a complete record is
// told with it. A record of the contrary is a breach of its own, [audit.Misrecorded], which the check names among its
// promises. Logs that show nothing of this ride at all prove nothing: the source cannot be reached.
func (p *Pass) Tells(ctx context.Context, steps ...Step) error { return p.tells(ctx, false, steps) }

// TellsOnce asserts what [Pass.Tells] does, and reads the logs for as long as a record may take to arrive: a second record
// of a step may come late. That there is one is a breach of its own, too ([audit.Repeated]).
func (p *Pass) TellsOnce(ctx context.Context, steps ...Step) error { return p.tells(ctx, true, steps) }

func (p *Pass) tells(ctx context.Context, linger bool, steps []Step) error {
	logs := p.Stack.Logs[p.Name]
	if len(logs) == 0 {
		return NotApplicable("no audit log covers %s", p.Name)
	}
	p.stand()
	found, err := p.records(ctx, logs, linger, steps)
	if err != nil {
		return err
	}
	err = p.sit(ctx)
	if err != nil {
		return err
	}
	if silent(logs) && !slices.ContainsFunc(found, func(m []audit.Match) bool { return len(m) > 0 }) {
		return CannotTell("%s: nothing of this ride in it; is it the right source, and does it log X-Request-ID or traceparent?", names(logs))
	}
	for i, step := range steps {
		p.judgeRecords(step, found[i], names(logs), linger)
	}
	return nil
}

// silent says that no log has shown a line with the ride's marker.
func silent(logs []*audit.Log) bool {
	return !slices.ContainsFunc(logs, func(l *audit.Log) bool { return l.Stats().Marked > 0 })
}

func names(logs []*audit.Log) string {
	all := make([]string, len(logs))
	for i, log := range logs {
		all[i] = log.Name()
	}
	return "audit log " + strings.Join(all, ", ")
}

// records polls the logs until one of them tells of each step, or the agreed delay has passed since the last one. All
// steps share the wait. Who lingers polls until that delay has passed, whatever was found.
func (p *Pass) records(ctx context.Context, logs []*audit.Log, linger bool, steps []Step) ([][]audit.Match, error) {
	var until time.Time
	for _, step := range steps {
		for _, log := range logs {
			if due := step.Exchange.Received.Add(p.Limits.LogDelay.D() + log.Delay()); due.After(until) {
				until = due
			}
		}
	}
	for pause := 100 * time.Millisecond; ; pause = min(pause*3/2, 2*time.Second) {
		var unread error
		for _, log := range logs {
			err := log.Poll(ctx)
			if err != nil {
				unread = err
			}
		}
		found, missing := p.find(logs, steps)
		left := time.Until(until)
		if !missing && (!linger || left <= 0) {
			return found, nil
		}
		if left <= 0 {
			if unread != nil {
				return nil, CannotTell("%v", unread)
			}
			return found, nil
		}
		err := cast.Sleep(ctx, min(pause, left))
		if err != nil {
			return nil, err
		}
	}
}

// find gives the records of each step over all logs, and whether a step has none.
func (p *Pass) find(logs []*audit.Log, steps []Step) ([][]audit.Match, bool) {
	all, missing := make([][]audit.Match, len(steps)), false
	for i, step := range steps {
		for _, log := range logs {
			all[i] = append(all[i], p.findIn(log, step)...)
		}
		missing = missing || len(all[i]) == 0
	}
	return all, missing
}

func (p *Pass) findIn(log *audit.Log, step Step) []audit.Match {
	matches := log.Find(step.Exchange.Trace, "")
	if len(matches) == 0 && step.Who != "" && log.Stats().Marked == 0 {
		path, _, _ := strings.Cut(step.Exchange.Request.Target, "?")
		skew := p.Limits.ClockSkew.D()
		matches = log.FindWeak(audit.Hint{
			Client: step.Who, Method: step.Exchange.Request.Method, Path: path,
			From: step.Exchange.Sent.Add(-skew), To: time.Now().Add(skew),
		})
	}
	return matches
}

func (p *Pass) judgeRecords(step Step, matches []audit.Match, where string, once bool) {
	expected := "a record, with what was decided"
	if once {
		expected = "exactly one record, with what was decided"
	}
	if len(matches) == 0 {
		p.Case(step.Name, logbook.Fail, expected, fmt.Sprintf("no record within %v in %s", p.Limits.LogDelay.D(), where), "", "")
		return
	}
	for _, match := range matches {
		p.keep(step.Exchange, match)
		if match.Key.Weak() {
			p.Note("%s: matched only by client and time; log X-Request-ID or traceparent", match.Source)
		}
	}
	best := mostComplete(matches)
	count, missing := audit.Score(best.Fields)
	observed := fmt.Sprintf("%d of 8 points of a complete record", count)
	if len(missing) > 0 {
		observed += ", missing: " + strings.Join(missing, ", ")
	}
	wanted, other := "allow", "deny"
	if step.Denied {
		wanted, other = other, wanted
	}
	says := func(decision string) bool {
		return slices.ContainsFunc(matches, func(m audit.Match) bool { return decisionIn(m.Fields, step, wanted) == decision })
	}
	switch twice := p.repeated(matches); {
	case says(other) && !says(wanted):
		defer p.Besides(audit.Misrecorded)()
		p.Case(step.Name, logbook.Fail, expected, "recorded as "+other, "", "")
	case twice != "" && once:
		defer p.Besides(audit.Repeated)()
		p.Case(step.Name, logbook.Fail, expected, twice, "", "")
	default:
		if twice != "" {
			p.Note("%s: %s", step.Name, twice)
		}
		if !says(wanted) {
			p.Note("%s: the record does not say what was decided", step.Name)
		}
		if step.Denied && step.Who != "" && best.Fields["partner"] == "" {
			p.Note("%s: the record of the refusal does not name the caller", step.Name)
		}
		p.Case(step.Name, logbook.Pass, expected, observed, "", "")
	}
}

func mostComplete(matches []audit.Match) audit.Match {
	return slices.MaxFunc(matches, func(a, b audit.Match) int {
		first, _ := audit.Score(a.Fields)
		second, _ := audit.Score(b.Fields)
		return first - second
	})
}

// decisionIn is allow, deny or empty. Where a record holds only a status, that of the answer says what the answer said: an
// application may answer 422 to a body when the call was let in. Else 4xx and 5xx are refusals.
func decisionIn(fields map[string]string, step Step, wanted string) string {
	switch status := fields["status"]; {
	case fields["decision"] == "allow" || fields["decision"] == "deny":
		return fields["decision"]
	case status != "" && status == strconv.Itoa(step.Exchange.Status):
		return wanted
	case strings.HasPrefix(status, "4") || strings.HasPrefix(status, "5"):
		return "deny"
	}
	return ""
}

// repeated says that one log tells of a step more than once in the same words. Deliveries of one record, by its
// producer's id, are one (rule 17); without ids, equal lines may be deliveries too.
func (p *Pass) repeated(matches []audit.Match) string {
	seen := map[string]audit.Match{}
	for _, match := range matches {
		key := strings.Join([]string{match.Source, match.Fields["component"], match.Fields["action"], match.Fields["decision"]}, "\n")
		first, known := seen[key]
		seen[key] = match
		switch {
		case match.Copies > 1 && p.Stack.Rules.NoDedupe:
			return fmt.Sprintf("%d records in audit log %s", match.Copies, match.Source)
		case !known || match.Key.Weak():
		case match.ID == "" && first.Text == match.Text:
			p.Note("%s: the line came twice; without ids of records a second delivery cannot be told from a second record", match.Source)
		default:
			return "two records of the same kind in audit log " + match.Source
		}
	}
	return ""
}
