//go:build unix

package ride

import (
	"errors"
	"os"
	"syscall"
)

// lock takes an exclusive lock on a file without waiting. The system ends it with the process.
func lock(file *os.File) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errHeld
	}
	return err
}
