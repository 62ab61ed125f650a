// Package check is what a check is, and the verbs in which its author writes it. It holds no checks.
//
// Start with [Check], a value that holds all that is known about a promise before it is tried, and with [Pass], which is
// handed to its story at each point. The rules of truth are held here and not by the authors: controls around every
// refusal, the one difference, bounds instead of times, who refused, and that nothing undecided is a pass.
package check

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/profile"
)

// At says where a check runs.
type At uint8

const (
	EveryPoint  At = iota // at each enforcement point
	HomeServer            // at the authorization server where partners are registered
	EverySource           // at each point and server that an audit log covers
	WholeStack            // once, over all points
	EveryDoor             // at each enforcement point, and at the authorization server where partners are registered
)

// Column is the point's name under which checks over the whole stack are reported.
const Column = "stack"

// Right is what a check does to its partner. A check that takes a right gets a partner of its own; where clients are
// given, the plan must allow it (clients.partner.may).
type Right string

const (
	Nothing      Right = ""
	FailAuth     Right = "fail_auth"
	RevokeTokens Right = "revoke_tokens"
	Rotate       Right = "rotate"
	Disable      Right = "disable"
	Delete       Right = "delete"
)

// Damage orders rights by how much they break: where a given client is all there is, the worst comes last.
func (r Right) Damage() int {
	for i, known := range []Right{Nothing, FailAuth, RevokeTokens, Rotate, Disable, Delete} {
		if r == known {
			return i
		}
	}
	return 0
}

// Harm is a class of what a check may do to the stack. All but the first are opt-in.
type Harm string

const (
	Harmless     Harm = ""
	SharedImpact Harm = "shared-impact" // AS signing key, CRL, realm
	Lockout      Harm = "lockout"       // a client of the ride's own is tried with wrong secrets until it is locked
	Load         Harm = "load"          // many requests in a short time
)

// Check is one promise about the stack.
type Check struct {
	ID            string // stage.words-with-hyphens
	Title         string // the promise, as a sentence
	Broken        string // how it reads when it is broken, without the place; empty where the title turns by itself (is refused)
	Why           string
	Fix           string
	Refs          []frameworks.Ref
	Rows          []string // the catalogue rows that it plays, wholly or in part: L-RV-09
	Severity      logbook.Severity
	At            At
	Needs         []Need
	Takes         Right
	AnyCredential bool // holds at points that take no bearer tokens, too
	Alone         bool // touches the whole authorization server: comes after all others, one at a time
	Harm          Harm
	Besides       []*logbook.Breach               // what else it promises, of lesser weight; see [Pass.Besides]
	Waits         func(plan.Limits) time.Duration // the longest single wait; nil: none
	Promise       func(point *plan.Point) string  // the plan's key that is judged: limits.revocation.push; nil: none
	Twin          defect.Set                      // the sandbox defect which must break this check
	Also          []defect.Set                    // twins of others that it rightly catches too
	Any           bool                            // a comparator: may be broken by any defect
	Follows       []string                        // ids or patterns (bind.*): where one of these fails too, this failure has the same cause and is folded under it
	Run           func(ctx context.Context, p *Pass) error
}

// Stage is the first part of the id.
func (c *Check) Stage() logbook.Stage {
	stage, _, _ := strings.Cut(c.ID, ".")
	return logbook.Stage(stage)
}

// Card is what the logbook keeps of a check.
func (c *Check) Card() *logbook.Card {
	card := &logbook.Card{ID: c.ID, Stage: c.Stage(), Title: c.Title, Broken: c.Broken, Why: c.Why, Fix: c.Fix, Severity: c.Severity, Follows: c.Follows, Twin: strings.Join(c.Twin.Names(), ", "), Since: profile.Since(c.ID)}
	for _, ref := range c.Refs {
		card.Refs = append(card.Refs, logbook.Reference{ID: ref.ID, Title: ref.Title, URL: ref.URL})
	}
	return card
}

var legalID = regexp.MustCompile(`^[a-z]+\.[a-z]+(-[a-z]+)*$`)

// Matches says whether a pattern names the check: its id, or the beginning of it and a star, as in revoke.*.
func (c *Check) Matches(pattern string) bool {
	start, star := strings.CutSuffix(pattern, "*")
	return pattern == c.ID || star && strings.HasPrefix(c.ID, start)
}

// Validate says what is wrong with a catalogue: every check has a legal and unique id, card, fix, references that are
// known, a twin and a story.
func Validate(catalogue []*Check) []error {
	var wrong []error
	seen := map[string]bool{}
	complain := func(c *Check, format string, values ...any) {
		wrong = append(wrong, fmt.Errorf("check %s: "+format, append([]any{c.ID}, values...)...))
	}
	for _, c := range catalogue {
		if !legalID.MatchString(c.ID) || c.Stage().Order() >= len(logbook.Stages) {
			complain(c, "the id is not stage.words-with-hyphens")
		}
		if seen[c.ID] {
			complain(c, "the id stands twice")
		}
		seen[c.ID] = true
		for name, text := range map[string]string{"Title": c.Title, "Why": c.Why, "Fix": c.Fix} {
			if text == "" {
				complain(c, "%s is empty", name)
			}
		}
		if c.Severity < logbook.Low || c.Severity > logbook.Critical {
			complain(c, "has no severity")
		}
		if len(c.Refs) == 0 {
			complain(c, "has no reference; a demand of our own says frameworks.House()")
		}
		for _, ref := range c.Refs {
			if !frameworks.Known(ref) {
				complain(c, "reference %s is not in the tables", ref.ID)
			}
		}
		if len(c.Twin.Names()) == 0 {
			complain(c, "has no twin: no defect of the sandbox proves that it can fail")
		}
		if c.Run == nil {
			complain(c, "has no story")
		}
		for _, besides := range c.Besides {
			if besides.Broken == "" || besides.Why == "" || besides.Fix == "" || besides.Severity < logbook.Low || besides.Severity > c.Severity {
				complain(c, "the breach %q lacks why or fix, or is graver than the check itself", besides.Broken)
			}
		}
	}
	return wrong
}
