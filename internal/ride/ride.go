// Package ride runs checks against a stack and writes the logbook.
//
// Start with [Run]. One goroutine per pass; seats bound who talks; the longest waits start first, so that a ride takes
// as long as its longest unavoidable wait and not the sum. Whatever happens, what was created is removed at the end.
package ride

import (
	"context"
	"net"
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
	Disposable bool                                // stack and book are thrown away after the ride: nothing is removed, the ledger does not wait for the disk, and no exchange is written
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
	ctx, cancel := r.knock(ctx)
	defer cancel(nil)
	r.passes(ctx, entries)
	left := r.finish(ctx)
	return Result{ID: r.id, Keeper: r.keeper, Left: left}, r.writeErr
}
