package ride

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
)

// A Sheet is what people need to know to make one client by hand: its role, and client metadata (RFC 7591 §2).
type Sheet struct {
	Client   string         `json:"client"`
	Metadata map[string]any `json:"metadata"`
}

// Park opens the book of a ride whose clients people have yet to make, and gives what is to be made. The name of the file
// that will hold it stands in the book. Nothing is sent. The ride goes on by [Run] with Config.Parked.
func Park(cfg Config, sheet string) (logbook.Parked, []Sheet, error) {
	r := &run{cfg: cfg, keeper: secret.NewKeeper(), start: time.Now()}
	marker := make([]byte, 8)
	_, err := rand.Read(marker)
	if err != nil {
		return logbook.Parked{}, nil, err
	}
	r.name(hex.EncodeToString(marker))
	p := cfg.Plan
	resolver := plan.Resolver{Dir: p.Source.Dir, AllowExec: cfg.AllowExec, Env: os.LookupEnv, Keeper: r.keeper}
	r.cast, err = cast.New(cast.Config{Plan: p, Keeper: r.keeper, Resolver: resolver, Ride: r.id})
	if err != nil {
		return logbook.Parked{}, nil, fmt.Errorf("the plan cannot be ridden: %w", err)
	}
	parked := logbook.Parked{Since: r.start.UTC(), Clients: p.Waiting(), Plan: p.Source.File, Sheet: sheet}
	var sheets []Sheet
	for _, role := range parked.Clients {
		metadata, err := r.cast.Sheet(role)
		if err != nil {
			return logbook.Parked{}, nil, err
		}
		sheets = append(sheets, Sheet{Client: role, Metadata: metadata})
	}
	r.record(logbook.Entry{Head: r.head(nil)})
	r.record(logbook.Entry{Parked: &parked})
	return parked, sheets, r.writeErr
}

// Parked is a ride that goes on: its id, how it stood, and what it was to ride.
type Parked struct {
	Ride string
	Head logbook.Head
	logbook.Parked
}

// sameStack says whether a ride that goes on rides what it was parked for: else its book would tell of two stacks.
func (r *run) sameStack() error {
	if r.cfg.Parked == nil {
		return nil
	}
	before, now := r.cfg.Parked.Head, r.head(nil)
	if before.Name != now.Name || before.Environment != now.Environment {
		return fmt.Errorf("the ride was parked for %q (%s), and the plan is of %q (%s); begin another ride", before.Name, before.Environment, now.Name, now.Environment)
	}
	for _, place := range before.Points {
		there := slices.ContainsFunc(now.Points, func(p logbook.Point) bool {
			return p.Name == place.Name && p.Kind == place.Kind && p.URL == place.URL
		})
		if !there {
			return fmt.Errorf("the ride was parked for %q at %q, which the plan has no more; begin another ride", place.Name, place.URL)
		}
	}
	return nil
}

// resumed closes the wait in the book.
func (r *run) resumed() {
	if r.cfg.Parked == nil {
		return
	}
	parked := r.cfg.Parked.Parked
	parked.Resumed = r.start.UTC()
	if !parked.Counted {
		parked.Steps = len(parked.Clients)
	}
	r.record(logbook.Entry{Parked: &parked})
}

// staying notes that what people made by hand is not the ride's to remove.
func (r *run) staying() {
	if r.cfg.Plan.Registration.Mode != "manual" {
		return
	}
	for _, client := range r.cfg.Plan.Clients {
		r.record(logbook.Entry{At: time.Since(r.start), Note: &logbook.Note{
			About: "cleanup", Point: r.cast.HomeServer(), Text: "the " + client.Name + " was made by hand and stays; remove it where it was made once it is not needed",
		}})
	}
}
