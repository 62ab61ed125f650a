// Package compare holds one ride against another: staging against production, or this night against the last.
//
// Start with [Read], which takes from a book what is compared, and with [Of]. Both are made of logbooks alone, send
// nothing and never ask the clock. What was not decided in both rides is never called the same, and never different.
package compare

import (
	"cmp"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// Word is the result in a word. The zero value is [CannotTell]: what was not compared is not the same.
type Word uint8

const (
	CannotTell Word = iota // nothing is known to differ, but something that had to be compared could not be
	Same                   // all that both rides had to decide was decided, and decided alike
	Drift                  // something is known to differ
)

var words = [...]string{"cannot tell", "same", "drift"}

func (w Word) String() string { return words[w] }

// MarshalText writes the word: enums leave the program as words.
func (w Word) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// Weight is what a difference makes of the word. The zero value is [Noted].
type Weight uint8

const (
	Noted   Weight = iota // told, and nothing more
	Unknown               // the rides cannot be called the same
	Drifted               // the rides are not the same
)

var weights = [...]string{"noted", "unknown", "drift"}

func (w Weight) String() string { return weights[w] }

// MarshalText writes the weight as a word.
func (w Weight) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// Change is what became of a check at a place. The zero value is [Undecided].
type Change uint8

const (
	Undecided Change = iota // at least one of the rides could not tell, or did not test it
	Alike                   // decided, and decided alike
	New                     // fails in the second ride, and did not fail in the first
	Found                   // fails in the second ride, and the first could not tell: perhaps new, perhaps not
	Ended                   // fails in the first ride; in the second it holds, or does not apply any more
	Cases                   // fails in both, and in other cases
	Waiver                  // fails in both, and a waiver accepts it in one
	Applies                 // holds in one, and in the other the stack does not have what it is about
	Apart                   // only one of the rides had it on its roll: not comparable
)

var changes = [...]string{"undecided", "same", "new", "found", "ended", "other cases", "waived in one", "applies in one", "not comparable"}

func (c Change) String() string { return changes[c] }

// MarshalText writes the change as a word.
func (c Change) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Comparison is all that is told of two rides. Arrays of two hold the first ride's part and then the second's.
type Comparison struct {
	Word Word
	// Line is line one of every form: the word, and what it rests on.
	Line string
	// Sides are the rides.
	Sides [2]*Ride
	// Labels name them: by their environments, else by the names of their plans, where these differ; else before and after.
	Labels [2]string
	// Notices are what a reader must know of the books before he believes the rest: one of them is cut short.
	Notices []Notice
	Points  []Point
	// Findings are those that are new, found and ended, each the worst first.
	Findings []Finding
	// Checks are all that are not [Alike], in the order of the stages, each at each place.
	Checks    []Check
	Alike     verdict.Tally // the others, by their mark in the second ride
	Times     []Time        // that differ, the most grown first
	Timed     int           // how many measured times could be compared
	Plans     []Difference  // between the plans and what the rides were judged by
	Limits    int           // how many limits were compared
	Documents []Document    // of metadata

	cells   [2]map[place]*verdict.Cell // what was judged at the places that both rides have
	rolls   [2]map[string]string       // each check that a ride had on its roll -> why the plan leaves it out somewhere, or empty
	renamed map[string]string          // points of the first ride -> how the second calls them, where that is another name
}

// Notice is something about the books themselves.
type Notice struct {
	Text   string
	Detail string // may be empty
	Weight Weight
}

// Point is an authorization server, an enforcement point or a log that at least one of the rides has.
type Point struct {
	Kind  string    // as, point, log
	Names [2]string // empty: that ride has no such point
	Known bool      // whoever called said that it has no counterpart
	Cells int       // results at a point without counterpart, which were not compared
}

// Matched says that both rides have the point.
func (p Point) Matched() bool { return p.Names[0] != "" && p.Names[1] != "" }

// Name is how the point is called in what follows: as in the second ride, if it has it.
func (p Point) Name() string { return cmp.Or(p.Names[1], p.Names[0]) }

// weight of a point without counterpart: it may be the same as another of a different name, so nobody can tell.
func (p Point) weight() Weight {
	if p.Matched() || p.Known {
		return Noted
	}
	return Unknown
}

// Check is a check at a place in both rides.
type Check struct {
	Change Change
	Weight Weight
	Card   logbook.Card
	Point  string           // as [Point.Name]
	Cells  [2]*verdict.Cell // nil: that ride did not have it on its roll
	Why    string           // of what is not comparable
	Cases  [2][]string      // that fail in one ride alone
}

// Finding is what is new, or ended, of one cause.
type Finding struct {
	Change   Change // New, Found or Ended
	ID       string // the check's
	Severity logbook.Severity
	Blocking bool   // in the ride that has it
	Waived   bool   // in the ride that has it
	Headline string // one sentence, lower case, no full stop
	Points   []string
	Also     []string // other checks of the same cause
	Checks   []Check
}

// Time is a measured time that differs for certain: the two intervals do not overlap.
type Time struct {
	Check, Point, Name string
	Bounds             [2]logbook.Bound
	By                 time.Duration // at least by so much; negative where it became shorter
	Weight             Weight
}

// Difference is something that the plans say differently, or the rides were judged by.
type Difference struct {
	What   string    // limits.revocation.push; points.edge.revocation; profile
	Values [2]string // empty: nothing is said
	Weight Weight
}

// Document is a metadata document that at least one ride read.
type Document struct {
	Point   string
	Kind    string    // oauth-authorization-server, openid-configuration, oauth-protected-resource, metadata
	Digests [2]string // hex, of the bytes as the book has them; empty: not read
	State   string    // same bytes; same but for addresses; differs; not comparable
	Why     string    // of what is not comparable
	Weight  Weight
	Members []Member // that differ
}

// Member is a member of a metadata document that differs. Lists are compared as sets.
type Member struct {
	Name string      // mtls_endpoint_aliases.token_endpoint
	Only [2][]string // values that one of the documents has alone
}

// Exit is the exit code, as that of a verdict: 0 same, 3 drift, 4 cannot tell.
func (c *Comparison) Exit() int {
	switch c.Word {
	case Same:
		return 0
	case Drift:
		return 3
	}
	return 4
}

// Of compares two rides. The only error is an [ErrMapping].
func Of(first, second *Ride, mapping []Mapping) (*Comparison, error) {
	c := &Comparison{Sides: [2]*Ride{first, second}}
	points, err := match(first.Points, second.Points, mapping)
	if err != nil {
		return nil, err
	}
	c.Points, c.renamed = points, renames(points)
	c.Labels = labels(&first.Head, &second.Head)
	c.notices()
	for side := range c.Sides {
		c.judged(side)
	}
	c.checks()
	c.findings()
	c.times()
	c.plans()
	c.documents()
	c.Word = c.word()
	c.Line = c.line()
	return c, nil
}

// word applies the rules in their order: what is known to differ differs, whatever else is not known.
func (c *Comparison) word() Word {
	heaviest := Noted
	for _, w := range c.weights() {
		heaviest = max(heaviest, w)
	}
	switch {
	case heaviest == Drifted:
		return Drift
	case heaviest == Unknown, c.Alike.Total() == 0: // two rides that decided nothing in common have not shown anything
		return CannotTell
	}
	return Same
}

func (c *Comparison) weights() []Weight {
	var all []Weight
	for _, x := range c.Notices {
		all = append(all, x.Weight)
	}
	for _, x := range c.Points {
		all = append(all, x.weight())
	}
	for _, x := range c.Checks {
		all = append(all, x.Weight)
	}
	for _, x := range c.Times {
		all = append(all, x.Weight)
	}
	for _, x := range c.Plans {
		all = append(all, x.Weight)
	}
	for _, x := range c.Documents {
		all = append(all, x.Weight)
	}
	return all
}

const longestLabel = 24

// labels names the rides by what tells them apart.
func labels(first, second *logbook.Head) [2]string {
	short := func(pair [2]string) bool {
		return pair[0] != pair[1] && !slices.ContainsFunc(pair[:], func(s string) bool { return s == "" || len(s) > longestLabel })
	}
	environments := [2]string{first.Environment, second.Environment}
	names := [2]string{first.Name, second.Name}
	switch {
	case short(environments):
		return environments
	case short(names):
		return names
	case second.Started.Before(first.Started):
		return [2]string{"the first", "the second"}
	}
	return [2]string{"before", "after"}
}

// Nightly says that the second ride is a later one of the same plan: what it found is new, not another environment's.
func (c *Comparison) Nightly() bool { return c.Labels == [2]string{"before", "after"} }

func (c *Comparison) notices() {
	say := func(w Weight, text, detail string) { c.Notices = append(c.Notices, Notice{text, detail, w}) }
	for i, side := range c.Sides {
		switch {
		case side.Cut != "":
			say(Unknown, c.Labels[i]+": the logbook is not whole, and is compared as far as it goes", side.Cut)
		case side.End != nil && side.End.Interrupted != "":
			say(Unknown, c.Labels[i]+": the ride was stopped early", side.End.Interrupted)
		}
	}
	only := [2]string{verdict.List(c.Sides[0].Head.Only, 8), verdict.List(c.Sides[1].Head.Only, 8)}
	switch {
	case only[0] == only[1] && only[0] != "":
		say(Noted, "both are partial rides", only[0])
	default:
		for i := range only {
			if only[i] != "" {
				say(Noted, c.Labels[i]+": a partial ride", only[i])
			}
		}
	}
	if c.Sides[0].Head.Ride != "" && c.Sides[0].Head.Ride == c.Sides[1].Head.Ride {
		say(Noted, "both books are of the same ride", "")
	}
	if c.Labels == [2]string{"the first", "the second"} {
		say(Noted, "the second ride began before the first", "give the older one first, to read what is new")
	}
}
