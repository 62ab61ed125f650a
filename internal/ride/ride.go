// Package ride runs checks against a stack and writes the logbook.
//
// Start with [Run]. One goroutine per pass; seats bound who talks; the longest waits start first, so that a ride takes
// as long as its longest unavoidable wait and not the sum. Whatever happens, what was created is removed at the end.
package ride

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/audit"
	"github.com/checkride/checkride/internal/canary"
	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/ledger"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/profile"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// Config is what a ride needs.
type Config struct {
	Plan       *plan.Plan
	Catalogue  []*check.Check
	Only       []string // ids or patterns (revoke.*); empty: all
	At         []string // points; empty: all
	Write      func(logbook.Entry) error
	Ledger     string // file; what is created stands there before it is created
	StateDir   string // where the ledger's key is kept if the environment has none
	AllowExec  bool
	AllowHosts []string // host:port beside which nothing is dialled, given outside the plan; empty: the plan's hosts
	Dial       func(ctx context.Context, network, address string) (net.Conn, error)
	Listen     func(address string) (net.Listener, error) // for the plan's canary; nil: sockets
	Tool       string                                     // name and version
	Command    string                                     // as it was called, for the report
	Rules      Rules
	Concurrent int                                 // seats; 0: the plan's
	Disposable bool                                // stack and book are thrown away after the ride: nothing is removed, and no exchange is written
	NewKey     func(alg string) (oauth.Key, error) // makes key pairs; nil: new ones each time
	Parked     *Parked                             // the ride was parked and goes on; nil: it begins
}

// Rules of truth taken out, for tests that show what they are for. The zero value holds them all.
type Rules struct {
	check.Rules
	Cast          cast.Rules
	TrustDeletion bool // 19: a 204 is believed and nothing is tried at the end
}

// Result is what the caller of a ride may want to know beside the logbook.
type Result struct {
	ID     string
	Keeper *secret.Keeper
	Left   []string
}

// run is one ride under way.
type run struct {
	cfg    Config
	id     string
	keeper *secret.Keeper
	wire   *wire.Wire
	ledger *ledger.Ledger
	cast   *cast.Cast
	stack  *check.Stack
	logs   []*audit.Log
	start  time.Time
	lease  *lease
	canary *canary.Listener // nil: the plan has none

	unasked []string // checks that the profile leaves out

	mu       sync.Mutex
	writeErr error
}

// Run rides. An error means that the ride could not begin or that its book could not be written: it says nothing about
// the stack. A context that ends stops the ride, which then cleans up.
func Run(ctx context.Context, cfg Config) (Result, error) {
	r := &run{cfg: cfg, keeper: secret.NewKeeper(), start: time.Now()}
	defer r.close()
	err := r.prepare()
	if err != nil {
		return Result{ID: r.id, Keeper: r.keeper}, err
	}
	entries := r.roll()
	r.open(entries)
	r.passes(ctx, entries)
	left := r.finish(ctx)
	return Result{ID: r.id, Keeper: r.keeper, Left: left}, r.writeErr
}

func (r *run) prepare() error {
	marker := make([]byte, 8)
	_, err := rand.Read(marker)
	if err != nil {
		return err
	}
	hexed := hex.EncodeToString(marker)
	r.name(hexed)
	err = r.sameStack()
	if err != nil {
		return err
	}
	p := r.cfg.Plan
	resolver := plan.Resolver{Dir: p.Source.Dir, AllowExec: r.cfg.AllowExec, Env: os.LookupEnv, Keeper: r.keeper}
	allowed, err := r.allowed()
	if err != nil {
		return err
	}
	r.lease, err = take(r.cfg.StateDir, allowed, r.id)
	if err != nil {
		return err
	}
	roots, err := rootsOf(p, resolver)
	if err != nil {
		return err
	}
	r.wire, err = wire.New(wire.Config{
		Ride: hexed, Agent: r.cfg.Tool + " (ride " + r.id + ")", Keeper: r.keeper, Record: r.exchanges(), Since: r.start,
		Allow: allowed, Dial: r.cfg.Dial, Roots: roots, Rate: p.Pace.RequestsPerSecond, Concurrency: p.Pace.Concurrency, Timeout: p.Pace.Timeout.D(),
	})
	if err != nil {
		return err
	}
	key, err := ledger.KeyFrom(os.LookupEnv, r.cfg.StateDir)
	if err != nil {
		return err
	}
	r.ledger, err = ledger.Open(r.cfg.Ledger, key, r.keeper)
	if err != nil {
		return err
	}
	r.cast, err = cast.New(cast.Config{
		Plan: p, Do: r.wire, Keeper: r.keeper, Resolver: resolver, Ledger: r.ledger, Ride: r.id, Rules: r.cfg.Rules.Cast, NewKey: r.cfg.NewKey, Witness: r.wire.Witness,
		Note: func(note logbook.Note) { r.record(logbook.Entry{At: time.Since(r.start), Note: &note}) },
	})
	if err != nil {
		return err
	}
	r.canary, err = openCanary(p, resolver, r.cfg.Listen)
	if err != nil {
		return err
	}
	covered, err := r.openLogs(hexed)
	if err != nil {
		return err
	}
	seats := r.cfg.Concurrent
	if seats == 0 {
		seats = max(p.Pace.Concurrency, 1)
	}
	r.stack = &check.Stack{
		Plan: p, Cast: r.cast, Do: r.wire, Keeper: r.keeper, Resolver: resolver, Logs: covered, Record: r.record, Keep: r.wire.Record,
		Since: r.start, Seats: check.NewSeats(seats), Watches: check.NewSeats(watchSeats(p.Pace.RequestsPerSecond)), Rules: r.cfg.Rules.Rules,
		Canary: r.canary,
	}
	return nil
}

// exchanges is where exchanges are written; nil: nowhere.
func (r *run) exchanges() func(logbook.Entry) {
	if r.cfg.Disposable {
		return nil
	}
	return r.record
}

// name gives the ride its id. One that was parked keeps it, and its clients' names with it.
func (r *run) name(marker string) {
	r.id = r.start.UTC().Format("20060102-150405") + "-" + marker[:4]
	if r.cfg.Parked != nil {
		r.id = r.cfg.Parked.Ride
	}
}

// watchSeats is how many watches may probe side by side without making each other late: 0.6 · rate · interval.
func watchSeats(rate float64) int {
	if rate <= 0 {
		return 1000
	}
	return max(1, int(0.6*rate*0.25))
}

func (r *run) allowed() ([]string, error) {
	hosts, err := r.cfg.Plan.Hosts()
	if err != nil {
		return nil, err
	}
	if len(r.cfg.AllowHosts) == 0 {
		return hosts, nil
	}
	for _, host := range hosts {
		if !slices.Contains(r.cfg.AllowHosts, host) {
			return nil, fmt.Errorf("the plan names %s, which is not among the allowed hosts; add it to --allow-host or take it out of the plan", host)
		}
	}
	return hosts, nil
}

// rootsOf gives the roots that each origin's certificate must chain to.
func rootsOf(p *plan.Plan, resolver plan.Resolver) (plan.Roots, error) {
	roots := plan.Roots{}
	for name, server := range p.AuthorizationServers {
		at := server.Endpoints
		err := roots.Add(resolver, "authorization_servers."+name, server.CA, server.Issuer, at.Metadata, at.Token, at.Registration, at.Introspection, at.Revocation, at.JWKS)
		if err != nil {
			return nil, err
		}
	}
	for _, point := range p.Points {
		err := roots.Add(resolver, "points."+point.Name, point.CA, point.URL, point.Origin)
		if err != nil {
			return nil, err
		}
	}
	if other := p.OtherEnvironment; other != nil {
		err := roots.Add(resolver, "other_environment", other.CA, other.Issuer)
		if err != nil {
			return nil, err
		}
	}
	return roots, roots.AddHooks(resolver, p.Hooks)
}

func (r *run) openLogs(marker string) (map[string][]*audit.Log, error) {
	covered := map[string][]*audit.Log{}
	for _, source := range r.cfg.Plan.Audit.Sources {
		log, err := audit.Open(source, audit.Config{Ride: marker, Dir: r.cfg.Plan.Source.Dir, Keeper: r.keeper, AllowExec: r.cfg.AllowExec})
		if err != nil {
			return nil, fmt.Errorf("audit.%s: %w", source.Name, err)
		}
		r.logs = append(r.logs, log)
		for _, place := range source.Covers {
			covered[place] = append(covered[place], log)
		}
	}
	return covered, nil
}

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

// line is one line of the roll: a check at a place.
type line struct {
	check *check.Check
	name  string
	point *plan.Point
	due   *logbook.Due
	card  *logbook.Card
	run   bool
	na    string // not applicable, for this reason
}

// roll lists each check at each place where it is due, with the reason if it is left out.
func (r *run) roll() []*line {
	var lines []*line
	for _, c := range r.cfg.Catalogue {
		if !wanted(c, r.cfg.Only) {
			continue
		}
		if len(r.cfg.Only) == 0 && r.cfg.Plan.Profiles().Judge(c.ID, c.Severity).Place == profile.LeftOut { // what is asked for by name is ridden
			r.unasked = append(r.unasked, c.ID)
			continue
		}
		for _, at := range r.places(c) {
			if len(r.cfg.At) > 0 && !slices.Contains(r.cfg.At, at.name) {
				continue
			}
			at.check, at.card = c, r.card(c)
			at.due = r.due(c, at)
			lines = append(lines, at)
		}
	}
	return lines
}

func wanted(c *check.Check, patterns []string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, c.Matches)
}

func (r *run) places(c *check.Check) []*line {
	p := r.cfg.Plan
	switch c.At {
	case check.HomeServer:
		return []*line{{name: r.cast.HomeServer()}}
	case check.WholeStack:
		return []*line{{name: check.Column}}
	case check.EverySource:
		return r.sources()
	}
	var lines []*line
	for i := range p.Points {
		lines = append(lines, &line{name: p.Points[i].Name, point: &p.Points[i]})
	}
	if c.At == check.EveryDoor {
		lines = append(lines, &line{name: r.cast.HomeServer()})
	}
	return lines
}

func (r *run) sources() []*line {
	p := r.cfg.Plan
	if p.Audit.None || len(p.Audit.Sources) == 0 {
		return []*line{{name: check.Column}}
	}
	var names []string
	for _, source := range p.Audit.Sources {
		names = append(names, source.Covers...)
	}
	slices.Sort(names)
	var lines []*line
	for _, name := range slices.Compact(names) {
		at := &line{name: name}
		for i := range p.Points {
			if p.Points[i].Name == name {
				at.point = &p.Points[i]
			}
		}
		lines = append(lines, at)
	}
	return lines
}

// card is what the plan's profile and its pinned catalogue make of a check.
func (r *run) card(c *check.Check) *logbook.Card {
	p := r.cfg.Plan
	card := c.Card()
	judged := p.Profiles().Judge(c.ID, c.Severity)
	if judged.Severity != c.Severity {
		card.Severity, card.Usual = judged.Severity, c.Severity
	}
	card.Shown, card.Placed = judged.Place != profile.Required, judged.Why
	card.NotScored = !profile.Scored(c.ID, p.Catalogue)
	return card
}

func (r *run) due(c *check.Check, at *line) *logbook.Due {
	p := r.cfg.Plan
	due := &logbook.Due{Check: c.ID, Point: at.name, Required: at.card.Severity >= logbook.Severity(p.Blocks) && !at.card.Shown && !at.card.NotScored}
	if c.Promise != nil {
		due.Promise = c.Promise(at.point)
	}
	if excluded, ok := p.Excluded(c.ID, at.name, r.start); ok {
		due.LeftOut, due.Declared = fmt.Sprintf("out of scope: %s (%s, until %s)", excluded.Reason, excluded.Owner, excluded.Expires.Format(time.DateOnly)), true
		due.Gap = fmt.Sprintf("%s (%s)", excluded.Check, excluded.Reason)
		return due
	}
	if c.Harm != check.Harmless && p.Authorization != nil && p.Authorization.Until.Past(r.start) {
		due.LeftOut, due.Gap = fmt.Sprintf("not tested: is of the class %s, and the authorization ended on %s", c.Harm, p.Authorization.Until), string(c.Harm)+" (not authorized)"
		return due
	}
	missing, reason, gap := c.Lacks(p, at.point)
	switch missing {
	case check.Absent:
		at.na, due.Required = reason, false
	case check.Gap:
		due.LeftOut, due.Gap = "not tested: "+reason, gap
	case check.DeclaredGap:
		due.LeftOut, due.Gap, due.Declared = "not tested: "+reason, gap, true
	case check.Present:
		if longest := p.LongestWait.D(); c.Waits != nil && longest > 0 && c.Waits(p.Limits) > longest {
			due.LeftOut, due.Gap, due.Declared = fmt.Sprintf("not tested: would wait %v, longer than longest_wait %v", c.Waits(p.Limits), longest), c.ID+" (too long)", true
			return due
		}
		at.run = true
	}
	return due
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

func foreseen(lines []*line, limits plan.Limits) time.Duration {
	var longest time.Duration
	for _, at := range lines {
		if at.run && at.check.Waits != nil {
			longest = max(longest, at.check.Waits(limits))
		}
	}
	return longest
}

// passes runs the roll: first all that disturb nobody, side by side; then, where a given client is all there is, what
// harms it, the worst last; then what touches the whole authorization server, one at a time (rule 14). After each that
// harms a given client nobody relies on the tokens that it had before.
func (r *run) passes(ctx context.Context, lines []*line) {
	var together, apart []*line
	for _, at := range lines {
		switch {
		case !at.run:
		case at.check.Alone || r.harmsGiven(at.check):
			apart = append(apart, at)
		default:
			together = append(together, at)
		}
	}
	r.together(ctx, together)
	sort.SliceStable(apart, func(i, j int) bool {
		a, b := apart[i].check, apart[j].check
		if a.Alone != b.Alone {
			return b.Alone
		}
		return a.Takes.Damage() < b.Takes.Damage()
	})
	for _, at := range apart {
		r.pass(ctx, at)
		if r.harmsGiven(at.check) {
			r.cast.ForgetTokens()
		}
	}
}

// harmsGiven says that a check takes something from a client that it shares with others. Revoking a token is not among
// it: each such check revokes tokens that it asked for itself.
func (r *run) harmsGiven(c *check.Check) bool {
	return !r.cast.Makes(cast.Partner) && c.Takes != check.Nothing && c.Takes != check.RevokeTokens
}

func (r *run) together(ctx context.Context, lines []*line) {
	wait := func(at *line) time.Duration {
		if at.check.Waits == nil {
			return 0
		}
		return at.check.Waits(r.cfg.Plan.Limits)
	}
	sort.SliceStable(lines, func(i, j int) bool { return wait(lines[i]) > wait(lines[j]) })
	var all sync.WaitGroup
	for _, at := range lines {
		if r.stack.Seats.Take(ctx) != nil { // starts are taken in this order: a seat is free before the next begins
			break
		}
		r.stack.Seats.Leave()
		all.Add(1)
		go func() {
			defer all.Done()
			r.pass(ctx, at)
		}()
	}
	all.Wait()
}

func (r *run) pass(ctx context.Context, at *line) {
	if ctx.Err() != nil || r.broken() {
		return
	}
	observation := check.NewPass(r.stack, at.check, at.name, at.point).Run(ctx)
	if ctx.Err() != nil && observation.Outcome != logbook.Fail && observation.Outcome != logbook.Pass {
		observation.Outcome, observation.Because = logbook.Inconclusive, "the ride was stopped"
	}
	r.record(logbook.Entry{At: time.Since(r.start), Observation: &observation})
}

// finish has removed what was created, and closes the book. A stopped ride cleans up all the same.
func (r *run) finish(ctx context.Context) []string {
	interrupted := ""
	if ctx.Err() != nil {
		interrupted = "stopped: " + context.Cause(ctx).Error()
	}
	created := r.cast.Created()
	left := r.remove(ctx, created["certificates"])
	r.staying()
	r.remarks()
	stats := r.wire.Stats()
	end := &logbook.End{
		Finished: time.Now().UTC(), Took: time.Since(r.start), LongestWait: r.stack.LongestWait(), Requests: int(stats.Requests), PeakRate: stats.PeakRate,
		PeakMemory: peakMemory(), Created: created, Left: left, Interrupted: interrupted, Budget: r.cast.Budget(),
		FirstCall: r.stack.FirstCall(), Hooks: r.cast.Hooks(),
	}
	if len(left) > 0 {
		end.LeftCommand = "checkride cleanup " + r.cfg.Ledger
	}
	r.record(logbook.Entry{At: time.Since(r.start), End: end})
	return left
}

// remove removes what was created, tries it, and gives what is left.
func (r *run) remove(ctx context.Context, made int) []string {
	if r.cfg.Disposable {
		return nil
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	var left []string
	for _, removal := range r.cast.Clean(clean) {
		if r.cfg.Rules.TrustDeletion {
			removal.Gone = true
		}
		r.record(logbook.Entry{At: time.Since(r.start), Removal: &removal})
		if !removal.Gone {
			left = append(left, removal.Kind+" "+removal.Name)
		}
	}
	if removal := r.stack.TryTokens(clean); removal != nil {
		r.record(logbook.Entry{At: time.Since(r.start), Removal: removal})
	}
	if made > 0 {
		certificates := &logbook.Removal{
			Kind: "certificates", Name: fmt.Sprintf("(%d) of the test CA", made), Gone: true, Tried: true,
			Detail: "each was shown once more by its client after the client's removal; they expire within two days",
		}
		if len(left) > 0 {
			certificates.Name, certificates.Gone = "of the clients that are left", false
		}
		r.record(logbook.Entry{At: time.Since(r.start), Removal: certificates})
	}
	return left
}

func (r *run) close() {
	for _, log := range r.logs {
		_ = log.Close()
	}
	if r.canary != nil {
		_ = r.canary.Close()
	}
	if r.wire != nil {
		r.wire.Close()
	}
	if r.ledger != nil {
		_ = r.ledger.Close()
	}
	r.lease.end()
}

// peakMemory is the process's largest resident set so far where the system tells it, else what the runtime took.
func peakMemory() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) == 3 && fields[0] == "VmHWM:" {
				kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
				if err == nil {
					return kilobytes << 10
				}
			}
		}
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.Sys)
}

// Preview says what a ride would do, without sending anything.
func Preview(cfg Config) ([]logbook.Due, time.Duration, error) {
	r := &run{cfg: cfg, keeper: secret.NewKeeper(), start: time.Now()}
	made, err := cast.New(cast.Config{Plan: cfg.Plan, Keeper: r.keeper, Resolver: plan.Resolver{Dir: cfg.Plan.Source.Dir, AllowExec: cfg.AllowExec, Env: os.LookupEnv, Keeper: r.keeper}})
	if err != nil {
		return nil, 0, errors.Join(errors.New("the plan cannot be ridden"), err)
	}
	r.cast = made
	lines := r.roll()
	var dues []logbook.Due
	for _, at := range lines {
		if at.na != "" {
			at.due.LeftOut = "not applicable: " + at.na
		}
		dues = append(dues, *at.due)
	}
	for _, id := range r.unasked {
		dues = append(dues, logbook.Due{Check: id, LeftOut: "the profile " + cfg.Plan.Profiles().String() + " does not ask for it"})
	}
	return dues, foreseen(lines, cfg.Plan.Limits), nil
}
