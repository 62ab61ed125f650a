package folder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/ride"
)

// Sheet is the path of what people are to make by hand while a ride is parked.
func (f Folder) Sheet() string { return filepath.Join(f.Dir, "onboarding.json") }

// Park opens the book of a ride that waits for people, and writes down what they are to make.
func Park(cfg ride.Config, f Folder) (logbook.Parked, error) {
	file, err := os.OpenFile(f.Logbook(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return logbook.Parked{}, fmt.Errorf("logbook: %w", err)
	}
	defer file.Close()
	cfg.Write = logbook.NewWriter(file).Write
	parked, sheets, err := ride.Park(cfg, filepath.Base(f.Sheet()))
	if err != nil {
		return parked, err
	}
	err = write(f.Sheet(), func(w io.Writer) error {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		out.SetEscapeHTML(false)
		return out.Encode(sheets)
	})
	if err != nil {
		return parked, fmt.Errorf("sheet of what is to be made: %w", err)
	}
	return parked, file.Close()
}

// legalRide is how rides are named.
var legalRide = regexp.MustCompile(`^[0-9]{8}-[0-9]{6}-[0-9a-f]{4}$`)

// ErrNotParked says that a ride does not wait for people.
var ErrNotParked = errors.New("the ride is not parked")

// Waits reads how a parked ride stands. An error that wraps [ErrNotParked]: it went on already, or never waited.
func Waits(path string) (ride.Parked, error) {
	var found ride.Parked
	parked := false
	for entry, err := range logbook.File(path)() {
		if err != nil {
			return found, err
		}
		switch {
		case entry.Head != nil:
			found.Ride, found.Head = entry.Head.Ride, *entry.Head
			if !legalRide.MatchString(found.Ride) { // it goes into names and header fields
				return found, fmt.Errorf("the logbook names the ride %q, which is no name of a ride; take the book that checkride wrote", found.Ride)
			}
		case entry.Parked != nil:
			found.Parked, parked = *entry.Parked, entry.Parked.Resumed.IsZero()
		}
	}
	if !parked && !found.Resumed.IsZero() {
		return found, fmt.Errorf("%w: it went on at %s; checkride report tells what came of it", ErrNotParked, found.Resumed.Format("2006-01-02 15:04"))
	}
	if !parked {
		return found, fmt.Errorf("%w: only rides whose plan says registration.mode manual wait", ErrNotParked)
	}
	return found, nil
}

// Resume goes on with a parked ride in its own book. Of two who do so at the same time, the second is refused.
func Resume(ctx context.Context, cfg ride.Config, f Folder, progress Progress) (Outcome, error) {
	file, err := f.more()
	if err != nil {
		return Outcome{}, err
	}
	_, err = Waits(f.Logbook()) // somebody else may have resumed it since the caller asked
	if err != nil {
		return Outcome{}, errors.Join(err, file.Close())
	}
	return f.ride(ctx, cfg, file, logbook.Continue(file), progress)
}
