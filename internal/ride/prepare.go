package ride

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/audit"
	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/ledger"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

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
	proxy, err := cast.Proxy(p, resolver)
	if err != nil {
		return err
	}
	r.wire, err = wire.New(wire.Config{
		Ride: hexed, Agent: r.cfg.Tool + " (ride " + r.id + ")", Keeper: r.keeper, Record: r.exchanges(), Since: r.start,
		Allow: allowed, Dial: r.cfg.Dial, Proxy: proxy, Roots: roots, Rate: p.Pace.RequestsPerSecond, Concurrency: p.Pace.Concurrency, Timeout: p.Pace.Timeout.D(),
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
	if r.cfg.Disposable {
		r.ledger.Flimsy()
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
		Since: r.start, Seats: check.NewSeats(seats), Watches: check.NewSeats(watchSeats(p.Pace.RequestsPerSecond)), Baits: check.NewSeats(1), Rules: r.cfg.Rules.Rules,
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
	dials, err := r.cfg.Plan.Dials()
	if err != nil {
		return nil, err
	}
	for _, host := range dials {
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
