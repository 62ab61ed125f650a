// Package attach adds an audit export to the book of a ride that has ended, and judges what it tells of the ride.
//
// Start with [Read]. Where a ride could not see a log, its audit checks were left out; the export of the next day decides
// them over every exchange that stands in the book. What needs the ride's secrets can not be decided any more: the ride
// has forgotten them.
package attach

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/audit"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// The checks that an export decides.
const (
	Steps     = "audit.steps-logged"
	Refusals  = "audit.refusals-logged"
	Lifecycle = "audit.lifecycle-logged"
	Secrets   = "audit.no-secrets"
)

// stack is the place of the roll at which audit checks stand when a plan has no log.
const stack = "stack"

// ErrForeign says that an export holds nothing of the ride.
var ErrForeign = errors.New("nothing of this ride stands in it")

// ErrAgain says that the same export was attached for the same places before.
var ErrAgain = errors.New("this export is attached already")

// Read reads an export, a file of log lines, and gives the entries that it adds to a book: what was attached, the lines
// of the roll that can now be decided, and their observations. At is the time of attaching.
func Read(ctx context.Context, book logbook.Source, export plan.LogSource, at time.Time) ([]logbook.Entry, error) {
	told, err := gather(book, export.Covers)
	if err != nil {
		return nil, err
	}
	found, err := open(ctx, export, told.ride)
	if err != nil {
		return nil, err
	}
	defer found.log.Close()
	stats := found.log.Stats()
	if stats.Marked == 0 {
		return nil, fmt.Errorf("%w: no line of %s carries its marker (%s, in X-Request-ID and traceparent)", ErrForeign, found.name, told.ride)
	}
	for _, before := range told.attached {
		if before.SHA256 == found.digest && slices.Equal(before.Covers, export.Covers) {
			return nil, fmt.Errorf("%w, as %s", ErrAgain, before.Source)
		}
	}
	if stats.Dropped > 0 {
		return nil, fmt.Errorf("%s holds %d records of the ride more than can be kept in mind, so what it lacks cannot be told; export the records of the ride alone, each once", found.name, stats.Dropped)
	}
	j := &judge{told: told, found: found, at: told.last}
	j.add(logbook.Entry{Attached: &logbook.Attached{
		Source: export.Name, File: found.name, SHA256: found.digest, Covers: export.Covers, At: at.UTC(), Lines: stats.Lines, Marked: stats.Marked,
	}})
	for _, place := range export.Covers {
		j.place(place)
	}
	return j.entries, nil
}

// told is what the book says of the ride, as far as a log should say it too.
type told struct {
	ride    string // the marker
	places  []string
	homes   map[string]string        // by point: the origin at which it answers
	dues    map[string][]logbook.Due // by check
	steps   map[string][]step        // by place
	covered map[string]bool
	last    time.Duration

	attached []logbook.Attached
}

// step is an exchange of which a log should tell.
type step struct {
	kind   string
	denied bool
	trace  string
	serial uint64
	at     time.Duration
	status int    // of the answer
	what   string // for people: GET https://edge.example/payments
}

// The kinds of steps, as they read in a report.
const (
	calls    = "accepted calls"
	grants   = "token grants"
	refused  = "refused calls"
	denied   = "refused token requests"
	changes  = "updates and deletions of clients"
	deciding = 16 // hex digits of a ride's marker in a trace id
)

func gather(book logbook.Source, covers []string) (*told, error) {
	t := &told{homes: map[string]string{}, dues: map[string][]logbook.Due{}, steps: map[string][]step{}, covered: map[string]bool{}}
	servers := map[string]bool{}
	ended := false
	for entry, err := range book() {
		if err != nil {
			return nil, err
		}
		t.last = max(t.last, entry.At)
		switch {
		case entry.Head != nil:
			for _, point := range entry.Head.Points {
				t.places = append(t.places, point.Name)
				servers[point.Name] = point.Kind == "as"
				if point.Kind == "point" {
					t.homes[point.Name] = origin(point.URL)
				}
			}
		case entry.Due != nil:
			t.due(*entry.Due)
		case entry.Exchange != nil:
			t.exchange(entry.At, entry.Exchange, covers, servers[entry.Exchange.Point])
		case entry.Attached != nil:
			t.attached = append(t.attached, *entry.Attached)
		case entry.End != nil:
			ended = true
		}
	}
	if !ended {
		return nil, errors.New("the ride has not ended, so what its logs should tell is not known")
	}
	for _, place := range covers {
		if !slices.Contains(t.places, place) {
			return nil, fmt.Errorf("the ride has no place %q; it has %q", place, t.places)
		}
	}
	if t.ride == "" {
		return nil, errors.New("the ride has sent nothing, so there is nothing to find")
	}
	return t, nil
}

// due keeps the roll of the audit checks; a later line replaces an earlier one.
func (t *told) due(due logbook.Due) {
	if !strings.HasPrefix(due.Check, "audit.") {
		return
	}
	t.dues[due.Check] = slices.DeleteFunc(t.dues[due.Check], func(d logbook.Due) bool { return d.Point == due.Point })
	t.dues[due.Check] = append(t.dues[due.Check], due)
}

func (t *told) exchange(at time.Duration, x *logbook.Exchange, covers []string, server bool) {
	if t.ride == "" && len(x.Trace) > deciding {
		t.ride = x.Trace[:deciding]
	}
	if !slices.Contains(covers, x.Point) || x.Status == 0 { // a refused handshake carries no id that a log could hold
		return
	}
	kind, refusal := kindOf(x, server)
	if kind == "" || t.elsewhere(x) {
		return
	}
	t.steps[x.Point] = append(t.steps[x.Point], step{
		kind: kind, denied: refusal, trace: x.Trace, serial: x.Serial, at: at, status: x.Status, what: x.Method + " " + x.URL,
	})
}

// elsewhere says whether an exchange of a check at a point went past it, as to the upstream behind it: the point has not
// seen it, and its log cannot tell of it.
func (t *told) elsewhere(x *logbook.Exchange) bool {
	home := t.homes[x.Point]
	return home != "" && origin(x.URL) != home
}

// origin is scheme, host and port of a URL; empty if it has none.
func origin(address string) string {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" {
		return ""
	}
	return strings.ToLower(parsed.Scheme + "://" + parsed.Host)
}

// kindOf says of which kind a step is, and whether it was refused. What is neither clearly let through nor clearly
// refused, and what a log need not tell, is of no kind.
func kindOf(x *logbook.Exchange, server bool) (string, bool) {
	good := x.Status >= 200 && x.Status < 300
	// What a proxy in front of the server refuses, for its form or its rate, the server's log need not tell.
	bad := (x.Status == 400 || x.Status == 401 || x.Status == 403) && strings.Contains(x.Response.Body, `"error"`)
	if !server {
		switch x.Decision {
		case "accepted":
			return calls, false
		case "refused":
			return refused, true
		}
		return "", false
	}
	switch {
	case x.Method == "POST" && strings.Contains(x.Request.Body, "grant_type=") && good:
		return grants, false
	case x.Method == "POST" && strings.Contains(x.Request.Body, "grant_type=") && bad:
		return denied, true
	case (x.Method == "PUT" || x.Method == "DELETE") && good:
		return changes, false
	}
	return "", false
}

// judge makes the entries.
type judge struct {
	told    *told
	found   *export
	at      time.Duration
	entries []logbook.Entry
}

func (j *judge) add(entry logbook.Entry) {
	entry.At = j.at
	j.entries = append(j.entries, entry)
}

func (j *judge) place(place string) {
	steps := j.told.steps[place]
	j.decide(Steps, place, steps, calls, grants)
	j.decide(Refusals, place, steps, refused, denied)
	j.decide(Lifecycle, place, steps, changes)
	j.secrets(place)
}

// decide judges one check at one place by all steps of its kinds.
func (j *judge) decide(check, place string, steps []step, kinds ...string) {
	var cases []logbook.Case
	var breaches []*logbook.Breach // of the cases that fail; nil: a record is missing
	for _, kind := range kinds {
		of := slices.DeleteFunc(slices.Clone(steps), func(s step) bool { return s.kind != kind })
		if len(of) == 0 {
			continue
		}
		one, breach := j.tells(kind, of, check == Steps)
		cases = append(cases, one)
		if one.Outcome == logbook.Fail {
			breaches = append(breaches, breach)
		}
	}
	if len(cases) == 0 || !j.due(check, place) {
		return
	}
	expected := "a record for each, with what was decided"
	if check == Steps {
		expected = "exactly one record for each, with what was decided"
	}
	observation := logbook.Observation{
		Check: check, Point: place, Outcome: logbook.Pass, Expected: expected, Breach: gravest(breaches), Asserted: len(cases), Cases: cases,
		Notes: []string{"judged by the attached export " + j.found.name + ", over all exchanges of the ride"},
	}
	var seen []string
	for _, c := range cases {
		seen = append(seen, c.Name+": "+c.Observed)
		if c.Outcome == logbook.Fail {
			observation.Outcome = logbook.Fail
			observation.Exchanges = append(observation.Exchanges, c.Exchanges...)
		}
	}
	observation.Observed = strings.Join(seen, "; ")
	j.add(logbook.Entry{Observation: &observation})
}

// due puts a check at a place on the roll, as it stands there or elsewhere, and says whether it is one of the ride's. Where
// a plan has no log, audit checks stand at the whole stack: that line is answered by the places.
func (j *judge) due(check, place string) bool {
	known := j.told.dues[check]
	if len(known) == 0 {
		return false
	}
	due := known[0]
	for _, d := range known {
		if d.Point == place {
			due = d
		}
	}
	due.Point, due.LeftOut, due.Gap, due.Declared = place, "", "", false
	j.add(logbook.Entry{Due: &due})
	for _, d := range known {
		if d.Point == stack && d.LeftOut != "" {
			j.add(logbook.Entry{Observation: &logbook.Observation{
				Check: check, Point: stack, Outcome: logbook.NotApplicable, Because: "judged place by place, by exports that were attached",
			}})
		}
	}
	return true
}

// gravest gives the breach that weighs most: nothing more than the promise of the check's title, which is nil.
func gravest(breaches []*logbook.Breach) *logbook.Breach {
	if len(breaches) == 0 || slices.Contains(breaches, nil) {
		return nil
	}
	return slices.MaxFunc(breaches, func(a, b *logbook.Breach) int { return int(a.Severity) - int(b.Severity) })
}

// tells looks for the records of steps of one kind. That no step has two is asserted of those of which once says so.
func (j *judge) tells(kind string, steps []step, once bool) (logbook.Case, *logbook.Breach) {
	c := logbook.Case{Name: kind, Outcome: logbook.Pass}
	wanted, other := "allow", "deny"
	if steps[0].denied {
		wanted, other = other, wanted
	}
	var missing, wrong, twice []step
	unsaid := 0
	for _, s := range steps {
		records := j.found.log.Find(s.trace, "")
		decisions := decided(records, s.status, wanted)
		switch {
		case len(records) == 0:
			missing = append(missing, s)
		case decisions[other] && !decisions[wanted]:
			wrong = append(wrong, s)
		case once && repeated(records):
			twice = append(twice, s)
		case !decisions[wanted]:
			unsaid++
		}
	}
	c.Observed = fmt.Sprintf("%d of %d left one", len(steps)-len(missing), len(steps))
	if unsaid > 0 {
		c.Observed += fmt.Sprintf(", %d without what was decided", unsaid)
	}
	var breaches []*logbook.Breach
	for _, fault := range []struct {
		says   string
		steps  []step
		breach *logbook.Breach
	}{{"left none", missing, nil}, {"recorded as " + other, wrong, audit.Misrecorded}, {"left two of the same kind", twice, audit.Repeated}} {
		if len(fault.steps) == 0 {
			continue
		}
		c.Outcome = logbook.Fail
		breaches = append(breaches, fault.breach)
		c.Observed += fmt.Sprintf(", %d %s, the first %s after %v", len(fault.steps), fault.says, fault.steps[0].what, fault.steps[0].at.Round(time.Millisecond))
		c.Exchanges = append(c.Exchanges, fault.steps[0].serial)
	}
	if n := len(missing); n > 0 && n < len(steps) && missing[0].serial == steps[len(steps)-n].serial {
		c.Observed += "; all of them are the last ones, so the export may end before the ride did"
	}
	breach := gravest(breaches)
	c.Besides = breach.Words()
	return c, breach
}

// decided gives what the records say was decided: allow, deny. Where a record holds only a status, that of the answer says
// what the answer said, and else 4xx and 5xx are refusals and 2xx are not.
func decided(records []audit.Match, answered int, wanted string) map[string]bool {
	says := map[string]bool{}
	for _, record := range records {
		status := record.Fields["status"]
		switch {
		case record.Fields["decision"] != "":
			says[record.Fields["decision"]] = true
		case status != "" && status == strconv.Itoa(answered):
			says[wanted] = true
		case strings.HasPrefix(status, "2"):
			says["allow"] = true
		case strings.HasPrefix(status, "4"), strings.HasPrefix(status, "5"):
			says["deny"] = true
		}
	}
	return says
}

// repeated says that a step is told twice in the same words. Deliveries of one record, by its producer's id, are one
// already; without ids equal lines may be deliveries, too.
func repeated(records []audit.Match) bool {
	seen := map[string]audit.Match{}
	for _, record := range records {
		key := strings.Join([]string{record.Fields["component"], record.Fields["action"], record.Fields["decision"]}, "\n")
		first, known := seen[key]
		if known && (record.ID != "" || first.Text != record.Text) {
			return true
		}
		seen[key] = record
	}
	return false
}

// secrets can still find what shows itself as one. That there is none cannot be told any more.
func (j *judge) secrets(place string) {
	if j.found.tokens == 0 {
		j.add(logbook.Entry{Note: &logbook.Note{
			About: "audit", Point: place, Text: "the attached export holds no whole JWT; whether it holds another secret of the ride cannot be told after its end, when they are forgotten",
		}})
		return
	}
	if !j.due(Secrets, place) {
		return
	}
	j.add(logbook.Entry{Observation: &logbook.Observation{
		Check: Secrets, Point: place, Outcome: logbook.Fail, Expected: "no line holds a token", Asserted: 1,
		Observed: fmt.Sprintf("%d lines of %s hold a whole JWT, the first at byte %d", j.found.tokens, j.found.name, j.found.firstToken),
	}})
}
