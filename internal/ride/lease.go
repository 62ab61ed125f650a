package ride

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// errHeld says that another ride holds the lease.
var errHeld = errors.New("held")

// lease keeps two rides from one stack: each would take the other's suspensions, rate limits and rotated keys for what
// the stack does. It lives in the state directory of one user on one machine, and ends with the process.
type lease struct{ file *os.File }

// Alone takes a lock on an open file for this process, which ends with the file. An error: somebody else has it.
func Alone(file *os.File) error {
	err := lock(file)
	if errors.Is(err, errHeld) {
		return fmt.Errorf("another checkride writes %s now; wait until it has ended", filepath.Base(file.Name()))
	}
	return err
}

// take takes the lease of the stack that is made of these hosts, for a ride. Without a state directory there is none.
func take(dir string, hosts []string, ride string) (*lease, error) {
	if dir == "" {
		return &lease{}, nil
	}
	err := os.MkdirAll(dir, 0o700)
	if err != nil {
		return nil, fmt.Errorf("lease: %w; give a state directory that can be written", err)
	}
	hosts = slices.Clone(hosts)
	slices.Sort(hosts)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(hosts), "\n")))
	path := filepath.Join(dir, "lease-"+hex.EncodeToString(sum[:8]))
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lease: %w; give a state directory that can be written", err)
	}
	err = lock(file)
	if errors.Is(err, errHeld) {
		other, _ := os.ReadFile(path)
		_ = file.Close()
		return nil, fmt.Errorf("another ride (%s) rides this stack now, and each would take the other's doings for the stack's; wait until it has ended", strings.TrimSpace(string(other)))
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lease: lock %s: %w", path, err)
	}
	err = errors.Join(file.Truncate(0), writeAt(file, ride+"\n"))
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lease: %w", err)
	}
	return &lease{file: file}, nil
}

func writeAt(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
}

// end gives the lease back. The file stays: removing it would let two rides hold two files of one name.
func (l *lease) end() {
	if l != nil && l.file != nil {
		_ = l.file.Close()
	}
}
