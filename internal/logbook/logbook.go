// Package logbook is what happened: the stored stream of a ride, from which every verdict and every report is made.
//
// Start with [Entry], one line of the book, and with [Read], which gives the entries back. The package owns the words
// that everybody shares: [Stage], [Outcome], [Severity].
package logbook

import (
	"fmt"
	"time"
)

// Version is the major version of the format. A reader refuses a book of another major.
const Version = 1

// Stage is a step of a partner's life. Stages are ordered as in [Stages], in ids, folders and reports.
type Stage string

const (
	Discover     Stage = "discover"
	Register     Stage = "register"
	Authenticate Stage = "authenticate"
	Issue        Stage = "issue"
	Bind         Stage = "bind"
	Claims       Stage = "claims"
	Enforce      Stage = "enforce"
	Audit        Stage = "audit"
	Rotate       Stage = "rotate"
	Expire       Stage = "expire"
	Revoke       Stage = "revoke"
	Compromise   Stage = "compromise"
	Offboard     Stage = "offboard"
)

// Stages holds all stages in the order of a partner's life.
var Stages = []Stage{Discover, Register, Authenticate, Issue, Bind, Claims, Enforce, Audit, Rotate, Expire, Revoke, Compromise, Offboard}

// Order is the stage's place in [Stages]; unknown stages come last.
func (s Stage) Order() int {
	for i, known := range Stages {
		if s == known {
			return i
		}
	}
	return len(Stages)
}

// Outcome is the result of one check at one point. The zero value is [Inconclusive]: what was not decided is not a pass.
type Outcome uint8

const (
	Inconclusive  Outcome = iota // could not tell
	Pass                         // the promise holds
	Fail                         // the promise is broken
	NotApplicable                // the stack does not have what the check is about
	Error                        // the tool broke: never a pass and never a finding
)

var outcomeWords = [...]string{"inconclusive", "pass", "fail", "not applicable", "error"}

func (o Outcome) String() string {
	if int(o) < len(outcomeWords) {
		return outcomeWords[o]
	}
	return "inconclusive"
}

// MarshalText writes the outcome as a word: enums leave the program as words.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads the word back and refuses unknown ones.
func (o *Outcome) UnmarshalText(text []byte) error {
	for i, word := range outcomeWords {
		if word == string(text) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("unknown outcome %q", text)
}

// Severity says how much a broken promise matters. The zero value is not a severity.
type Severity uint8

const (
	Low Severity = iota + 1
	Medium
	High
	Critical
)

var severityWords = [...]string{"", "low", "medium", "high", "critical"}

func (s Severity) String() string {
	if int(s) < len(severityWords) {
		return severityWords[s]
	}
	return ""
}

// MarshalText writes the severity as a word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word back and refuses unknown ones.
func (s *Severity) UnmarshalText(text []byte) error {
	for i, word := range severityWords {
		if word == string(text) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("unknown severity %q (low, medium, high, critical)", text)
}

// Entry is one line of a logbook. Exactly one member is set, but for At, which every line has: the time since the
// ride's start on the monotonic clock.
type Entry struct {
	At          time.Duration `json:"at_ns"`
	Head        *Head         `json:"head,omitempty"`        // the first entry
	Card        *Card         `json:"card,omitempty"`        // what a check promises; before the roll
	Due         *Due          `json:"due,omitempty"`         // the roll: one line per check and point
	Exchange    *Exchange     `json:"exchange,omitempty"`    // one request and its answer
	Tick        *Tick         `json:"tick,omitempty"`        // a probe of a watch of which only the decision is kept
	Record      *Record       `json:"record,omitempty"`      // a record of an audit log that belongs to an exchange
	Watch       *Watch        `json:"watch,omitempty"`       // a watch's state, for live progress
	Observation *Observation  `json:"observation,omitempty"` // a check's outcome at a point
	Note        *Note         `json:"note,omitempty"`        // something that the reader of a report should know
	Removal     *Removal      `json:"removal,omitempty"`     // something that the ride created and what became of it
	End         *End          `json:"end,omitempty"`         // the last entry of the ride; a book without it was cut short
	Parked      *Parked       `json:"parked,omitempty"`      // the ride waits for people, or went on
	Attached    *Attached     `json:"attached,omitempty"`    // an audit export that was added after the ride
}

// Head opens the book: all that a verdict and a report need to know about the plan.
type Head struct {
	Ride        string            `json:"ride"` // 20261006-081428-7c41
	Started     time.Time         `json:"started"`
	Tool        string            `json:"tool"` // checkride and its version
	Name        string            `json:"name"` // of the plan
	Environment string            `json:"environment"`
	Partner     string            `json:"partner,omitempty"`
	Owner       string            `json:"owner,omitempty"`
	Purpose     string            `json:"purpose,omitempty"` // of the access
	Permission  *Permission       `json:"authorization,omitempty"`
	Plan        string            `json:"plan"`             // file name
	PlanText    string            `json:"plan_text"`        // secrets are references, so the text holds none
	PlanDigest  string            `json:"plan_sha256"`      // hex
	Lines       map[string]int    `json:"lines,omitempty"`  // promise (limits.revocation.push) -> line of the plan
	Limits      map[string]string `json:"limits,omitempty"` // promise -> value, as "10s"
	Blocks      Severity          `json:"blocks"`
	Profile     []string          `json:"profile,omitempty"`   // the plan's; an old book has none
	Catalogue   string            `json:"catalogue,omitempty"` // the version that the tool has
	Pinned      string            `json:"pinned,omitempty"`    // the version by which the plan is judged, if it says one
	Unasked     []string          `json:"unasked,omitempty"`   // checks that the profile leaves out: they are not on the roll
	Points      []Point           `json:"points"`
	Scope       []Exclusion       `json:"out_of_scope,omitempty"`
	Waivers     []Exclusion       `json:"waivers,omitempty"`
	LongestWait time.Duration     `json:"longest_wait_ns"` // the longest single wait that was foreseen
	Command     string            `json:"command,omitempty"`
	Only        []string          `json:"only,omitempty"` // a partial ride: the ids or patterns that were asked for
}

// Permission is who allowed the ride to do more than harmless things.
type Permission struct {
	Ticket   string    `json:"ticket"`
	Approver string    `json:"approver"`
	Until    time.Time `json:"until"`
}

// Point is a column of the report: an authorization server, an enforcement point or an audit log.
type Point struct {
	Name       string        `json:"name"`
	Kind       string        `json:"kind"` // as, point, log
	URL        string        `json:"url,omitempty"`
	Credential string        `json:"credential,omitempty"`
	Revocation string        `json:"revocation,omitempty"` // introspect, push, expiry
	Limit      time.Duration `json:"limit_ns,omitempty"`   // of revocation
	Nodes      int           `json:"nodes,omitempty"`      // addresses given in the plan; 0: unknown
}

// Exclusion is a declared gap (out_of_scope) or an accepted failure (waiver).
type Exclusion struct {
	Check   string    `json:"check"` // id or pattern: rotate.*
	Point   string    `json:"point,omitempty"`
	Reason  string    `json:"reason"`
	Owner   string    `json:"owner"`
	Expires time.Time `json:"expires"`
	Line    int       `json:"line,omitempty"`
}

// Card is what a check promises, as it stood on the day of the ride.
type Card struct {
	ID       string      `json:"id"`
	Stage    Stage       `json:"stage"`
	Title    string      `json:"title"`            // the promise: a revoked token is refused
	Broken   string      `json:"broken,omitempty"` // how it reads when it is broken; else a reader turns the title
	Why      string      `json:"why"`
	Fix      string      `json:"fix"`
	Severity Severity    `json:"severity"`
	Refs     []Reference `json:"refs"`
	Twin     string      `json:"twin"`            // the sandbox defect that proves the check
	Since    string      `json:"since,omitempty"` // the version of the catalogue in which the check came
	// What the plan's profile made of the check. An old book says nothing: the check is required, and as severe as it says.
	Usual     Severity `json:"usual_severity,omitempty"` // the catalogue's, where the profile raises it
	Shown     bool     `json:"shown,omitempty"`          // its failures never block, and undecided it is only named
	NotScored bool     `json:"not_scored,omitempty"`     // it came after the version of the catalogue that the plan pins
	Placed    string   `json:"placed,omitempty"`         // why the profile makes of it what it does, where the rule does not say
	Follows   []string `json:"follows,omitempty"`        // ids or patterns: where one of these fails too, this failure has the same cause
}

// Reference names a clause of a standard or an entry of a list. A reference says "relates to", never "complies with".
type Reference struct {
	ID    string `json:"id"` // RFC 7009 §2.1
	Title string `json:"title,omitempty"`
	URL   string `json:"url,omitempty"`
}

// Due is a line of the roll: this check is due at this point. Left out means that it will not run, for this reason.
type Due struct {
	Check    string `json:"check"`
	Point    string `json:"point"`
	Required bool   `json:"required"`           // its absence or inconclusive outcome matters to the verdict
	LeftOut  string `json:"left_out,omitempty"` // why it does not run
	Declared bool   `json:"declared,omitempty"` // the plan itself declares this gap
	Gap      string `json:"gap,omitempty"`      // short name of the gap for line one: audit (no access)
	Promise  string `json:"promise,omitempty"`  // the plan's key that is judged: limits.revocation.push
}

// Observation is the outcome of one check at one point.
type Observation struct {
	Check     string        `json:"check"`
	Point     string        `json:"point"`
	Outcome   Outcome       `json:"outcome"`
	Expected  string        `json:"expected,omitempty"`
	Observed  string        `json:"observed,omitempty"`
	Differs   string        `json:"differs,omitempty"`   // the one difference between control and altered request
	Because   string        `json:"because,omitempty"`   // why it is inconclusive, not applicable or an error
	Cause     string        `json:"cause,omitempty"`     // id of the check whose failure stands behind this one
	Relevance string        `json:"relevance,omitempty"` // why it matters on this stack
	Breach    *Breach       `json:"breach,omitempty"`    // how it was broken, where that is not what the card says
	Weak      bool          `json:"weak,omitempty"`      // acceptance was told by the answer's shape alone
	Notes     []string      `json:"notes,omitempty"`
	Cases     []Case        `json:"cases,omitempty"`
	Bounds    []Bound       `json:"bounds,omitempty"`
	Openings  []Opening     `json:"openings,omitempty"`
	Exchanges []uint64      `json:"exchanges,omitempty"` // serials, in the order of the story
	Records   []uint64      `json:"records,omitempty"`
	Took      time.Duration `json:"took_ns,omitempty"`
	Asserted  int           `json:"asserted"` // how many assertions were decided; none is an error
}

// Breach is a second promise of a check, as it reads when that one is broken and the card's is not: never graver than it.
type Breach struct {
	Broken   string   `json:"broken"`
	Why      string   `json:"why"`
	Fix      string   `json:"fix"`
	Severity Severity `json:"severity"`
}

// Words are what tells one breach from another; those of the card's own promise are empty.
func (b *Breach) Words() string {
	if b == nil {
		return ""
	}
	return b.Broken
}

// Case is one of the variants that an observation sums up: one header name of sixty, one forged token of nine.
type Case struct {
	Name      string   `json:"name"`
	Outcome   Outcome  `json:"outcome"`
	Observed  string   `json:"observed,omitempty"`
	Differs   string   `json:"differs,omitempty"`
	Because   string   `json:"because,omitempty"`
	Exchanges []uint64 `json:"exchanges,omitempty"`
	Points    []string `json:"points,omitempty"`  // where it went wrong, if that is another place than the observation's
	Besides   string   `json:"besides,omitempty"` // the words of the breach that it is, if it failed and that is not what the card says
}

// Bound is a measured latency: the truth lies in [Low, High]. Times count from the withdrawal of trust.
type Bound struct {
	Name     string        `json:"name"`            // what was watched: warm, primed, cold, young
	Point    string        `json:"point,omitempty"` // where, if elsewhere than the observation is
	Low      time.Duration `json:"low_ns"`
	High     time.Duration `json:"high_ns"` // zero with Never
	Limit    time.Duration `json:"limit_ns"`
	Interval time.Duration `json:"interval_ns"` // between two probes, at the end
	Held     time.Duration `json:"held_ns"`     // how long it was watched after the first refusal
	Never    bool          `json:"never"`       // not refused while it was watched
	Expired  bool          `json:"expired"`     // it ended with the token's own expiry
	Flapped  int           `json:"flapped,omitempty"`
	Probes   int           `json:"probes"`
	Accepted int           `json:"accepted"`
	Control  string        `json:"control,omitempty"` // "sibling accepted, 99 of 99"
	Outcome  Outcome       `json:"outcome"`
	Limited  string        `json:"promise,omitempty"` // limits.revocation.push
}

// Opening is how soon after a rotation the new credential was accepted at a place: the truth is at most After.
type Opening struct {
	What  string        `json:"what"` // the new secret
	At    string        `json:"at"`
	After time.Duration `json:"after_ns"`        // from the answer to the rotation
	Never bool          `json:"never,omitempty"` // still refused then
	Limit time.Duration `json:"limit_ns"`
}

// Exchange is one request and its answer as recorded, masked: the atom of evidence.
type Exchange struct {
	Serial     uint64        `json:"serial"`
	Trace      string        `json:"trace"` // the traceparent's trace id
	Check      string        `json:"check,omitempty"`
	Point      string        `json:"point"`
	Purpose    string        `json:"purpose"` // control, altered, setup, probe, baseline, cleanup
	Who        string        `json:"who,omitempty"`
	Method     string        `json:"method"`
	URL        string        `json:"url"`
	Request    Message       `json:"request"`
	Status     int           `json:"status,omitempty"`
	Response   Message       `json:"response"`
	Failure    string        `json:"failure,omitempty"` // timeout, reset, alert, refused, untrusted, oversized, malformed, broke, command, proxy
	Detail     string        `json:"detail,omitempty"`
	Remote     string        `json:"remote,omitempty"`
	Fresh      bool          `json:"fresh"` // the connection was opened for this exchange
	TLS        string        `json:"tls,omitempty"`
	ClientCert string        `json:"client_cert,omitempty"` // subject and SHA-256, or empty
	Took       time.Duration `json:"took_ns"`
	Decision   string        `json:"decision,omitempty"` // accepted, refused, odd refusal, unknown
}

// Message is one side of an exchange. Body holds at most 64 KiB; Size and SHA256 are those of the whole masked body.
type Message struct {
	Header []Field `json:"header,omitempty"`
	Body   string  `json:"body,omitempty"`
	Size   int64   `json:"size"`
	SHA256 string  `json:"sha256,omitempty"`
}

// Field is a header field, in its order.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Tick is a probe whose exchange is not kept.
type Tick struct {
	Check    string `json:"check"`
	Point    string `json:"point"`
	Name     string `json:"name"` // of the watch: warm, primed, cold, young, sibling
	Accepted bool   `json:"accepted"`
	Unknown  bool   `json:"unknown,omitempty"` // neither accepted nor refused
}

// Watch tells how a watch stands, for live progress, and when it began, for the timeline: once when it begins and once
// when it ends. Its verdict does not need it.
type Watch struct {
	Check   string        `json:"check"`
	Point   string        `json:"point"`
	Name    string        `json:"name"`
	What    string        `json:"what"`     // revoked token, deleted client: "a" + What + "still opens" + Point must be a sentence
	Since   time.Duration `json:"since_ns"` // t0: when trust was withdrawn, since the ride\'s start
	Limit   time.Duration `json:"limit_ns"`
	Refused time.Duration `json:"refused_ns,omitempty"` // how long after t0 it was refused; zero: not yet, or never
	Until   time.Duration `json:"until_ns,omitempty"`   // when the watch ends at the latest, since the ride\'s start
	Over    bool          `json:"over"`                 // refused after its limit, or the watch ended and it was never refused
}

// Record is a line of an audit log that was matched to an exchange.
type Record struct {
	Serial   uint64            `json:"serial"` // of the record in this book
	Exchange uint64            `json:"exchange"`
	Source   string            `json:"source"`
	Key      string            `json:"key"` // which correlation matched: trace, request id, client and time
	Text     string            `json:"text"`
	Fields   map[string]string `json:"fields,omitempty"` // time, partner, action, decision, reason, origin, resource
	Offset   int64             `json:"offset"`
	Delay    time.Duration     `json:"delay_ns"`
}

// Note is something that the reader of a report should know: calibration, nodes seen, a budget that was used up.
type Note struct {
	About string `json:"about"` // calibration, nodes, budget, settle, proxy
	Point string `json:"point,omitempty"`
	Text  string `json:"text"`
}

// Removal is something that the ride created in the stack and what became of it.
type Removal struct {
	Kind   string `json:"kind"` // client, token, certificate
	Name   string `json:"name"`
	Server string `json:"server,omitempty"`
	Gone   bool   `json:"gone"`  // removed, and tried: it does not work any more
	Tried  bool   `json:"tried"` // its end was proven by use
	Detail string `json:"detail,omitempty"`
}

// End closes the book.
type End struct {
	Finished     time.Time      `json:"finished"`
	Took         time.Duration  `json:"took_ns"`
	LongestWait  time.Duration  `json:"longest_wait_ns"` // the longest single wait that was really waited
	Requests     int            `json:"requests"`
	PeakRate     int            `json:"peak_rate"`         // most requests within one second
	PeakMemory   int64          `json:"peak_memory"`       // bytes, of the process
	Created      map[string]int `json:"created,omitempty"` // clients, tokens, certificates
	Left         []string       `json:"left,omitempty"`    // what could not be removed, by name
	LeftCommand  string         `json:"left_command,omitempty"`
	Interrupted  string         `json:"interrupted,omitempty"` // why the ride was stopped early
	Budget       []string       `json:"budget,omitempty"`      // tokens 45 of 400
	WitnessNotes []string       `json:"witness_notes,omitempty"`

	FirstCall time.Duration  `json:"first_call_ns,omitempty"` // from the ride's start to the partner's first accepted call at a point; zero: there was none
	Hooks     map[string]int `json:"hooks,omitempty"`         // how often each of the operator's hooks was played
}
