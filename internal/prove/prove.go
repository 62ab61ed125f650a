// Package prove rides every check against the healthy sandbox and against the sandbox with each defect: healthy must be
// quiet, and each defect must be caught by its check and by no check that does not declare it.
//
// Start with [Ride], one ride against one sandbox, and with [Matrix].
package prove

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/memnet"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/ride"
	"github.com/checkride/checkride/internal/sandbox"
)

// Setup is one ride against one sandbox on a network in memory.
type Setup struct {
	Dir       string
	Catalogue []*check.Check
	Defects   defect.Set
	Situation defect.Situation
	Timing    sandbox.Timing
	Rules     ride.Rules
	Only      []string
	Thrown    bool                                                // only outcomes matter: nothing is written, removed or waited for that has none
	Slow      time.Duration                                       // each read of the ride's connections takes this long
	Dialled   func(address string)                                // hears of each connection that the ride opens
	AllowExec bool                                                // the plan may run commands
	Edit      func(*plan.Plan)                                    // alters the sandbox's own plan
	Beside    func(*memnet.Network) (stop func())                 // what else stands on the network
	Around    func(component string, h http.Handler) http.Handler // alters what the sandbox's components hear and say
}

// Ride runs the sandbox, rides it and gives the logbook's entries.
func Ride(ctx context.Context, s Setup) ([]logbook.Entry, error) {
	network := memnet.New()
	defer network.Close()
	stack, err := sandbox.Start(sandbox.Config{Network: sandbox.Named(network), Dir: s.Dir, Defects: s.Defects, Situation: s.Situation, Timing: s.Timing, Around: s.Around})
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	defer stack.Close()
	if s.Beside != nil {
		defer s.Beside(network)()
	}
	p, err := plan.Load(stack.Plan())
	if err != nil {
		return nil, fmt.Errorf("the sandbox's plan: %w", err)
	}
	if s.Edit != nil {
		s.Edit(p)
	}
	if s.Thrown {
		s.Rules.Cast.NoSettling = true // nothing lags behind in such a sandbox
	}
	var entries []logbook.Entry
	_, err = ride.Run(ctx, ride.Config{
		Plan: p, Catalogue: s.Catalogue, Only: s.Only, Dial: heard(slowed(network.DialContext, s.Slow), s.Dialled), Listen: network.Listen, Tool: "checkride/proof", Rules: s.Rules,
		NewKey: newKey, Disposable: s.Thrown, AllowExec: s.AllowExec,
		Ledger: filepath.Join(s.Dir, "ledger.jsonl"), StateDir: s.Dir,
		Write: func(entry logbook.Entry) error { entries = append(entries, entry); return nil },
	})
	return entries, err
}

// slowed makes every read of the connections that it dials take some time.
func slowed(dial func(context.Context, string, string) (net.Conn, error), by time.Duration) func(context.Context, string, string) (net.Conn, error) {
	if by == 0 {
		return dial
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &slow{Conn: c, by: by}, nil
	}
}

// heard tells of every connection that is opened.
func heard(dial func(context.Context, string, string) (net.Conn, error), tell func(string)) func(context.Context, string, string) (net.Conn, error) {
	if tell == nil {
		return dial
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		tell(address)
		return dial(ctx, network, address)
	}
}

type slow struct {
	net.Conn
	by time.Duration
}

func (s *slow) Read(b []byte) (int, error) {
	time.Sleep(s.by) // and then look: who gave up meanwhile has lost what came
	return s.Conn.Read(b)
}
