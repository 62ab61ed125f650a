// Package verdict judges a ride from its logbook alone: ready, not ready, or cannot tell.
//
// Start with [Of] and [Verdict]. Of does no I/O but to read its source and never asks the clock, so the same book gives
// the same verdict tomorrow. The order of the observations in the book does not matter.
package verdict

import (
	"fmt"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

// Word is the verdict in a word. The zero value is [CannotTell]: what was not judged is not ready.
type Word uint8

const (
	CannotTell Word = iota // something that was required was not decided, or the book is not whole
	Ready                  // within the scope that the plan declares
	NotReady               // at least one finding blocks
)

var words = [...]string{"cannot tell", "ready", "not ready"}

func (w Word) String() string { return words[w] }

// MarshalText writes the word: enums leave the program as words.
func (w Word) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// Mark is the judgement of a cell: a check at a point. The zero value is [NotAsked].
type Mark uint8

const (
	NotAsked      Mark = iota // not on the roll
	LeftOut                   // on the roll, but not run, for the reason that the roll gives
	NotApplicable             // the stack does not have what the check is about
	Pass                      // the promise holds
	Waived                    // fails, and a waiver that had not expired when the ride began accepts it
	Inconclusive              // ran and could not tell
	Missing                   // due, and the book has no result
	Error                     // the tool broke
	Fail                      // the promise is broken
	marks
)

var markWords = [marks]string{"not asked", "not tested", "not applicable", "pass", "waived", "inconclusive", "missing", "error", "fail"}

func (m Mark) String() string { return markWords[m] }

// MarshalText writes the mark as a word.
func (m Mark) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// Marks lists the marks as reports count them.
var Marks = []Mark{Pass, Fail, Inconclusive, Missing, Error, Waived, NotApplicable, LeftOut}

// Tally counts by mark.
type Tally [marks]int

// Total is the number of all that were asked.
func (t Tally) Total() int {
	n := 0
	for _, count := range t[LeftOut:] {
		n += count
	}
	return n
}

// Verdict is all that the reports say, but for the exchanges and records that they show as evidence.
type Verdict struct {
	Word Word
	// Line is line one of every report: the word, what blocks, the worst of it, and what was not tested.
	Line string
	// Sentence is the line without its word; empty if the word says it all.
	Sentence string
	Head     logbook.Head
	End      *logbook.End // nil: the book was cut short
	// Cut says how the book ends too early; empty if it is whole.
	Cut      string
	Findings []Finding // what blocks first, then worst first, of the equally severe those with times first, then in the order of the stages and by check
	Blocking int       // how many of them block
	Apart    int       // how many of them are not scored
	Unsure   []Group   // inconclusive, error and missing, in the order of the stages
	Required int       // how many checks are undecided though the verdict needs them
	Gaps     []Gap     // what the plan declares as not tested
	Untested []Group   // left out without being declared
	Absent   []Group   // not applicable
	Waivers  []Waiver  // every waiver of the plan, used or not
	Expired  []logbook.Exclusion
	Points   []logbook.Point // the columns: as in the plan, then those that only the book knows
	Stages   []Stage
	Checks   Tally // each check by its worst mark
	Cells    Tally // each check at each point
	Odd      Odd
	Promises []Promise
	Notes    []logbook.Note
	Removals []logbook.Removal
	// Parked is how people onboarded its clients by hand; nil: nobody had to. It waits as long as Resumed is zero.
	Parked   *logbook.Parked
	Attached []logbook.Attached // exports that were added after the ride
	// What names what a check's watches watch: revoked token.
	What map[string]string
	// Last is the time of the last entry, since the ride's start.
	Last time.Duration
}

// Finding is a cause: a check that fails, over all points, and with what fails because of it.
type Finding struct {
	ID        string // the check's id
	Number    int    // 1 is the worst
	Card      logbook.Card
	Severity  logbook.Severity // the highest of the check and of all that is folded under it
	Blocking  bool
	Headline  string // one sentence, lower case, no full stop
	Points    []string
	Seen      []Cell          // a failing cell for each of Points
	Also      []Cell          // failures of other checks that name this one as their cause
	Waiting   []Cell          // what could not be decided because of it
	Elsewhere []Cell          // what the same check saw at the other points
	Breach    *logbook.Breach // what the headline says is broken; nil: the promise of the card
	Besides   []string        // what else is broken, each with its places
}

// Apart says why a finding does not count: its check came after the version of the catalogue that the plan pins, or the
// plan's profile only shows it. Empty: it counts.
func (f *Finding) Apart() string {
	cells := slices.Concat(f.Seen, f.Also)
	switch {
	case slices.ContainsFunc(cells, func(c Cell) bool { return c.scored() }):
		return ""
	case slices.ContainsFunc(cells, func(c Cell) bool { return !c.Card.NotScored }):
		return "only shown"
	}
	return "not scored"
}

// scored says that the plan's profile and its pinned catalogue let the cell's failure count.
func (c *Cell) scored() bool { return !c.Card.Shown && !c.Card.NotScored }

// AlsoChecks are the ids of the checks that fail of the same cause.
func (f *Finding) AlsoChecks() []string {
	var ids []string
	for _, c := range f.Also {
		if len(ids) == 0 || ids[len(ids)-1] != c.Check {
			ids = append(ids, c.Check)
		}
	}
	return ids
}

// Cell is a check at a point, judged.
type Cell struct {
	Check, Point string
	Card         logbook.Card
	Mark         Mark
	Required     bool // the verdict needs it
	Declared     bool // the plan declares it as out of scope
	Gap          string
	Because      string
	Cause        string // id of the check whose failure stands behind this one
	Finding      int    // number of the finding that it belongs to; 0: none
	Promise      string // the plan's key that is judged
	Line         int    // of the promise in the plan; 0: unknown
	Observation  *logbook.Observation
	Waiver       *logbook.Exclusion // why it is Waived
	Lapsed       *logbook.Exclusion // a waiver that would apply had it not expired
}

// counts says that the cell keeps the verdict from being ready although it does not fail.
func (c *Cell) counts() bool { return c.Required && !c.Declared && c.undecided() }

func (c *Cell) undecided() bool {
	return c.Mark == Inconclusive || c.Mark == Missing || c.Mark == Error || c.Mark == LeftOut
}

// Group is one check at the points where it has the same mark for the same reason.
type Group struct {
	Check    string
	Card     logbook.Card
	Mark     Mark
	Because  string
	Cause    string
	Finding  int // number of the finding that is the cause; 0: none
	Required bool
	Declared bool
	Points   []string
	Cells    []Cell
}

// Gap is something that the plan declares as not tested.
type Gap struct {
	Name   string // audit (no access)
	Reason string
	Owner  string
	Until  time.Time // zero: the plan gives no date
	Checks []string
	Points []string
}

// Waiver is an accepted failure of the plan and what the ride made of it.
type Waiver struct {
	logbook.Exclusion
	State string // used, expired, not needed: passes, stale: matches nothing
	Cells []Cell // the failures that it covers, or would cover had it not expired
}

// Stage is a part of the matrix.
type Stage struct {
	Stage    logbook.Stage
	Checks   Tally
	Points   []Tally // as Verdict.Points
	Blocking bool    // one of its failures blocks
	Rows     []Row
}

// Row is a check in the matrix.
type Row struct {
	Card    logbook.Card
	Mark    Mark   // the worst of its cells
	Finding int    // number of the finding that it belongs to
	Cells   []Cell // as Verdict.Points; Mark is NotAsked where the check was not due
	Odd     int    // index of the point that differs alone from all others; -1: none
}

// Odd is the column that stands alone most often, among the checks that at least three points decided.
type Odd struct {
	Point string // empty: no point stands out
	Alone int
	Of    int
	Each  []Alone // every point that was counted, in the order of the columns
}

// Alone is how often a point differs alone from all others.
type Alone struct {
	Point string
	Times int
}

// Promise is a limit of the plan and whether it was kept.
type Promise struct {
	Key    string // limits.revocation.push
	Value  string // 10s
	Line   int
	Mark   Mark // NotAsked: no check of this ride judges it
	Checks []string
	Broken []string // points
}

// Exit is the exit code of the verdict, the same for every format.
func (v *Verdict) Exit() int {
	switch v.Word {
	case Ready:
		return 0
	case NotReady:
		return 3
	}
	return 4
}

// Command runs one check of this ride's plan again; point may be empty.
func (v *Verdict) Command(check string, points []string) string {
	plan := v.Head.Plan
	if plan == "" {
		plan = "plan.yaml"
	}
	command := fmt.Sprintf("checkride run %s --only %s", quote(plan), quote(check))
	if len(points) == 1 && points[0] != "" {
		command += " --at " + quote(points[0])
	}
	return command
}

// Of judges a book. A book that is cut short is judged as far as it goes and is never ready; any other fault of the
// source is an error.
func Of(src logbook.Source) (Verdict, error) {
	b, err := gather(src)
	if err != nil {
		return Verdict{}, err
	}
	return b.judge(), nil
}
