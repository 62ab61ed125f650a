// Package profile is how strict a partner is ridden: which checks are required, how severe their failures are, how much
// time a plan may promise, and what else must be true. It is data; it knows no check but by its id.
//
// Start with [Of], which adds up the profiles that a plan names, and with the table in table.go. [Since] says in which
// version of the catalogue a check came, so that a plan can pin one.
package profile

import (
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

// Place is what a profile makes of a check. The zero value leaves it out.
type Place uint8

const (
	LeftOut  Place = iota // not ridden, unless it is asked for by name
	Shown                 // ridden and shown; it never blocks, and its absence is only named
	Required              // it blocks if it is severe enough, and undecided it keeps the verdict from being ready
)

var placeWords = [...]string{"left out", "shown", "required"}

func (p Place) String() string { return placeWords[p] }

// Profile is one of the profiles that a plan may name.
type Profile struct {
	Name string
	For  string // for which partners
	Text string // what it is about, for people; paragraphs
	Adds string // the profile that it builds on; empty: none
	// Low is where checks of low severity stand; all others are required by the profile that adds to none. Raises and
	// Places say otherwise by name.
	Low      Place
	Raises   []Raise
	Places   []Placing
	Ceilings []Ceiling
	Demands  Demands
}

// Raise makes a failure at least this severe. A check that is raised above low is required.
type Raise struct {
	Check    string // id, or a stage as stage.*
	Severity logbook.Severity
	Why      string
}

// Placing puts a check elsewhere than the rule does.
type Placing struct {
	Check string // id, or a stage as stage.*
	Place Place
	Why   string
}

// Ceiling is the most that a limit of the plan may be. What the plan promises beyond it is not judged: the ceiling is.
type Ceiling struct {
	Promise string // limits.token_lifetime
	Most    time.Duration
	Why     string
}

// Demands are what checks and the plan's advice ask a profile. The zero value demands nothing; adding two takes the
// stricter of each.
type Demands struct {
	SenderConstraint   bool          // access tokens are bound to their client: mTLS (RFC 8705) or DPoP (RFC 9449)
	ClientAuth         []string      // the only methods by which a client may authenticate; nil: any, empty: none
	SigningAlgorithms  []string      // the only algorithms of JWTs (JWA names); nil: any asymmetric one, empty: none
	AudienceIssuerOnly bool          // a client assertion's aud is the issuer's identifier alone, as a string
	AheadAccepted      time.Duration // iat and nbf as far in the future must be accepted; 0: not said
	ReviewEvery        time.Duration // the agreement is reviewed at least as often; 0: need not be
	OwnScopes          bool          // the agreement names the partner's scopes, and which it must not get
	Window             bool          // access is just in time
}

// Set is the sum of the profiles that a plan names.
type Set struct {
	names   []string
	members []*Profile
	Demands Demands
}

// Names gives the profiles' names, the weakest first.
func Names() []string {
	var all []string
	for i := range profiles {
		all = append(all, profiles[i].Name)
	}
	return all
}

// All gives the profiles, the weakest first.
func All() []Profile { return slices.Clone(profiles) }

// Default is the profile of a plan that names none.
const Default = "baseline"

// Of adds up profiles. What a profile builds on comes with it; unknown names are left away, and no name is [Default].
// Hygiene adds to another, so alone it adds to the default.
func Of(names ...string) Set {
	var s Set
	s.names = slices.Clone(names)
	if len(names) == 0 {
		s.names = []string{Default}
	}
	wanted := map[string]bool{}
	for _, name := range s.names {
		for name != "" && !wanted[name] {
			wanted[name] = true
			name = byName(name).Adds
		}
	}
	for i := range profiles {
		if p := &profiles[i]; wanted[p.Name] {
			s.members = append(s.members, p)
			s.Demands = s.Demands.and(p.Demands)
		}
	}
	return s
}

func byName(name string) Profile {
	i := slices.IndexFunc(profiles, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return Profile{}
	}
	return profiles[i]
}

// Names gives the names as the plan has them.
func (s Set) Names() []string { return slices.Clone(s.names) }

func (s Set) String() string { return strings.Join(s.names, ", ") }

// Judgement is what a set of profiles makes of a check.
type Judgement struct {
	Place    Place
	Severity logbook.Severity // the catalogue's, or what a profile raises it to
	Why      string           // why it is not as the rule and the catalogue have it; empty: it is
}

// Judge says what becomes of a check that the catalogue gives this severity.
func (s Set) Judge(id string, severity logbook.Severity) Judgement {
	j := Judgement{Severity: severity}
	for _, p := range s.members {
		for _, raise := range p.Raises {
			if names(raise.Check, id) && raise.Severity > j.Severity {
				j.Severity, j.Why = raise.Severity, raise.Why
			}
		}
	}
	for _, p := range s.members {
		place, why := p.place(id, j.Severity)
		if place > j.Place {
			j.Place = place
			if why != "" {
				j.Why = why
			}
		}
	}
	return j
}

// place is the rule, and what stands against it by name.
func (p *Profile) place(id string, severity logbook.Severity) (Place, string) {
	for _, placing := range p.Places {
		if names(placing.Check, id) {
			return placing.Place, placing.Why
		}
	}
	switch {
	case severity <= logbook.Low:
		return p.Low, ""
	case p.Adds == "":
		return Required, ""
	}
	return LeftOut, "" // what it builds on has the rule
}

// names says whether a pattern of the table names a check.
func names(pattern, id string) bool {
	stage, all := strings.CutSuffix(pattern, "*")
	return pattern == id || all && strings.HasPrefix(id, stage)
}

// Ceiling gives the strictest ceiling of a promise, and the profile that sets it.
func (s Set) Ceiling(promise string) (Ceiling, string, bool) {
	var strictest Ceiling
	by := ""
	for _, p := range s.members {
		for _, c := range p.Ceilings {
			if c.Promise == promise && (by == "" || c.Most < strictest.Most) {
				strictest, by = c, p.Name
			}
		}
	}
	return strictest, by, by != ""
}

// and takes the stricter of each demand.
func (d Demands) and(other Demands) Demands {
	return Demands{
		SenderConstraint:   d.SenderConstraint || other.SenderConstraint,
		ClientAuth:         common(d.ClientAuth, other.ClientAuth),
		SigningAlgorithms:  common(d.SigningAlgorithms, other.SigningAlgorithms),
		AudienceIssuerOnly: d.AudienceIssuerOnly || other.AudienceIssuerOnly,
		AheadAccepted:      max(d.AheadAccepted, other.AheadAccepted),
		ReviewEvery:        least(d.ReviewEvery, other.ReviewEvery),
		OwnScopes:          d.OwnScopes || other.OwnScopes,
		Window:             d.Window || other.Window,
	}
}

// common gives what both lists allow. A nil list allows all; lists that have nothing in common allow nothing, which is an
// empty list and not a nil one.
func common(a, b []string) []string {
	switch {
	case a == nil:
		return slices.Clone(b)
	case b == nil:
		return slices.Clone(a)
	}
	both := []string{}
	for _, word := range a {
		if slices.Contains(b, word) {
			both = append(both, word)
		}
	}
	return both
}

// least is the smaller of two, of which 0 says nothing.
func least(a, b time.Duration) time.Duration {
	switch {
	case a == 0:
		return b
	case b == 0:
		return a
	}
	return min(a, b)
}
