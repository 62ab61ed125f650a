package ride

import (
	"path/filepath"
	"slices"
	"strconv"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/profile"
)

// record writes an entry. The first error ends the ride at the next pass: a ride without a book proves nothing.
func (r *run) record(entry logbook.Entry) {
	switch {
	case entry.Observation != nil:
		r.clean(entry.Observation)
	case entry.Note != nil:
		entry.Note.Text = r.text(entry.Note.Text)
	case entry.Removal != nil:
		entry.Removal.Detail = r.text(entry.Removal.Detail)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writeErr != nil {
		return
	}
	r.writeErr = r.cfg.Write(entry)
}

func (r *run) broken() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writeErr != nil
}

// open writes the head, the cards, the roll, and what is decided already.
func (r *run) open(lines []*line) {
	r.record(logbook.Entry{Head: r.head(lines)})
	r.resumed()
	seen := map[string]bool{}
	for _, at := range lines {
		if !seen[at.check.ID] {
			seen[at.check.ID] = true
			r.record(logbook.Entry{Card: at.card})
		}
	}
	for _, at := range lines {
		r.record(logbook.Entry{Due: at.due})
	}
	for _, at := range lines { // after the roll: who reads along must know what is due before anything is decided
		if at.na != "" {
			r.record(logbook.Entry{Observation: &logbook.Observation{Check: at.check.ID, Point: at.name, Outcome: logbook.NotApplicable, Because: at.na}})
		}
	}
	if proxy := r.cfg.Plan.ProxyHost(); proxy != "" {
		r.record(logbook.Entry{Note: &logbook.Note{About: "proxy", Text: "every connection goes through the proxy " + proxy + ", but for those to this machine and those of commands"}})
	}
	for _, l := range r.cfg.Plan.Source.Lowered {
		r.record(logbook.Entry{Note: &logbook.Note{About: "profile", Text: l.Promise + ": " + l.String()}})
	}
}

func (r *run) head(lines []*line) *logbook.Head {
	p := r.cfg.Plan
	head := &logbook.Head{
		Ride: r.id, Started: r.start.UTC(), Tool: r.cfg.Tool, Name: p.Name, Environment: p.Environment, Partner: cast.Partner, Owner: p.Agreement.Owner,
		Plan: filepath.Base(p.Source.File), PlanText: r.keeper.Mask(p.Source.Text), PlanDigest: p.Source.Digest, Lines: p.Source.Lines, Limits: p.Limits.Promises(),
		Blocks: logbook.Severity(p.Blocks), Profile: p.Profiles().Names(), Catalogue: profile.Current, Pinned: p.Catalogue, Unasked: r.unasked, Command: r.cfg.Command, Only: append(slices.Clone(r.cfg.Only), r.cfg.At...), LongestWait: foreseen(lines, p.Limits),
	}
	head.Purpose = p.Agreement.Purpose
	if a := p.Authorization; a != nil {
		head.Permission = &logbook.Permission{Ticket: a.Ticket, Approver: a.Approver, Until: a.Until.Time}
	}
	for _, name := range p.Servers() {
		head.Points = append(head.Points, logbook.Point{Name: name, Kind: "as", URL: p.AuthorizationServers[name].Issuer})
	}
	for _, point := range p.Points {
		limit, _ := p.Limits.Revocation.For(point.Revocation)
		head.Points = append(head.Points, logbook.Point{
			Name: point.Name, Kind: "point", URL: point.URL, Credential: point.Credential, Revocation: point.Revocation, Limit: limit, Nodes: len(point.Addresses),
		})
	}
	head.Scope, head.Waivers = exclusions(p.OutOfScope, "out_of_scope", p.Source.Lines), exclusions(p.Waivers, "waivers", p.Source.Lines)
	return head
}

func exclusions(given []plan.Exclusion, place string, lines map[string]int) []logbook.Exclusion {
	var all []logbook.Exclusion
	for i, e := range given {
		all = append(all, logbook.Exclusion{Check: e.Check, Point: e.Point, Reason: e.Reason, Owner: e.Owner, Expires: e.Expires.Time, Line: lines[place+"."+strconv.Itoa(i)]})
	}
	return all
}
