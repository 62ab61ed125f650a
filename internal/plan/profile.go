package plan

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/checkride/checkride/internal/profile"
)

// Profiles gives the profiles of the plan, added up.
func (p *Plan) Profiles() profile.Set { return profile.Of(p.Profile...) }

// Lowered is a limit of which the plan promises more than its profile allows.
type Lowered struct {
	Promise string // limits.token_lifetime
	Said    Duration
	Most    Duration // what is judged
	Profile string
	Why     string
}

func (l Lowered) String() string {
	return fmt.Sprintf("the plan promises %s, and the profile %s allows at most %s, which is what is judged: %s", l.Said, l.Profile, l.Most, l.Why)
}

// endless are the limits of which 0 means that there is none.
var endless = []string{"limits.secret_lifetime"}

// lower holds the limits to the profile's ceilings. What the file itself promises beyond one is remembered, so that its
// reader is told; a default is lowered without a word.
func (p *Plan) lower() {
	set := p.Profiles()
	for _, promise := range slices.Sorted(maps.Keys(p.Limits.Promises())) {
		ceiling, by, found := set.Ceiling(promise)
		limit := limitAt(reflect.ValueOf(&p.Limits).Elem(), "limits", promise)
		if !found || limit == nil || limit.D() <= ceiling.Most && (*limit > 0 || !slices.Contains(endless, promise)) {
			continue
		}
		if p.Source.Lines[promise] > 0 {
			p.Source.Lowered = append(p.Source.Lowered, Lowered{Promise: promise, Said: *limit, Most: Duration(ceiling.Most), Profile: by, Why: ceiling.Why})
		}
		*limit = Duration(ceiling.Most)
	}
}

// limitAt finds the limit of a promise, or nil.
func limitAt(limits reflect.Value, path, promise string) *Duration {
	for _, f := range fieldsOf(limits.Type()) {
		key := join(path, f.key)
		switch member := limits.Field(f.index).Addr().Interface().(type) {
		case *Duration:
			if key == promise {
				return member
			}
		case *RevocationLimits:
			found := limitAt(reflect.ValueOf(member).Elem(), key, promise)
			if found != nil {
				return found
			}
		}
	}
	return nil
}

// profile complains of what a profile forbids: a ride could not be ready by it, whatever the stack does.
func (r *rules) profile() {
	set := r.plan.Profiles()
	allowed := set.Demands.ClientAuth
	hint := "write one of " + wordList(allowed) + ", or choose another profile"
	if len(allowed) == 0 {
		hint = "name profiles that have a way to authenticate in common"
	}
	for i, c := range r.plan.Clients {
		if c.Name == "partner" && allowed != nil && !slices.Contains(allowed, c.Auth) {
			r.wrong(fmt.Sprintf("clients.%d.auth", i), fmt.Sprintf("the profile %s lets no client authenticate by %s", set, printable(c.Auth)), hint)
		}
	}
}

// lintProfile says what the plan lacks of what its profile demands.
func lintProfile(p *Plan, say sayer) {
	for _, l := range p.Source.Lowered {
		say(l.Promise, "%s", l)
	}
	set := p.Profiles()
	d := set.Demands
	partner, _ := p.Client("partner")
	if d.SenderConstraint && partner.SenderConstraint == "none" {
		say("clients.partner", "the profile %s demands tokens that are bound to their client, and the partner's sender_constraint is none", set)
	}
	a := p.Agreement
	if d.ReviewEvery > 0 && a.Review == nil {
		say("agreement", "no review, and the profile %s wants one at least every %s", set, Duration(d.ReviewEvery))
	}
	if d.ReviewEvery > 0 && a.Review != nil && a.Review.Every.D() > d.ReviewEvery {
		say("agreement.review", "it is reviewed every %s, and the profile %s wants that at least every %s", a.Review.Every, set, Duration(d.ReviewEvery))
	}
	if d.OwnScopes && (len(partner.Scopes) == 0 || len(a.Unentitled) == 0) {
		say("agreement", "the profile %s wants scopes of the partner's own: name its scopes, and in unentitled_scopes those that it must not get", set)
	}
	if d.Window && !a.Window {
		say("agreement", "the profile %s wants access that is just in time, and the agreement has no window", set)
	}
	if p.Catalogue != "" && p.Catalogue != profile.Current {
		say("catalogue", "the plan pins %s, and this program has %s: checks that came since are shown and not scored", p.Catalogue, profile.Current)
	}
}
