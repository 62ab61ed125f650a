package main

// Rules of the output: what was asked for goes to stdout; progress goes to stdout with it, since it is replaced by or
// followed by the summary; errors, hints and what must be done next go to stderr. Colour and cursor movement only on a
// terminal, and no colour if NO_COLOR is set.

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"github.com/checkride/checkride/internal/folder"
	"github.com/checkride/checkride/internal/report"
)

// screen is where progress and summary go.
type screen struct {
	w    io.Writer
	live bool
	opts report.Options
}

// newScreen looks at stdout. The format is live, plain or empty for what fits.
func newScreen(w io.Writer, format string) (screen, error) {
	s := screen{w: w}
	file, isFile := w.(*os.File)
	terminal := isFile && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb"
	switch format {
	case "":
		s.live = terminal
	case "live":
		s.live = true
	case "plain":
	default:
		return s, misused("use --format live or --format plain", "the format %q is not known", format)
	}
	if terminal {
		width, _, err := term.GetSize(int(file.Fd()))
		if err == nil {
			s.opts.Width = width
		}
		s.opts.Rows = func() int {
			_, rows, _ := term.GetSize(int(file.Fd())) // 0 where nobody can be asked
			return rows
		}
	}
	_, silenced := os.LookupEnv("NO_COLOR")
	s.opts.Color = s.live && !silenced
	return s, nil
}

func (s screen) progress() folder.Progress {
	if s.live {
		return report.NewLive(s.w, s.opts)
	}
	return report.NewPlain(s.w)
}

// near shortens a path to one that starts here, if it lies below.
func near(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(here, absolute)
	if err != nil || !filepath.IsLocal(relative) {
		return path
	}
	return relative
}

// stateDir is where the key of the ledgers is kept: $XDG_STATE_HOME/checkride, else ~/.local/state/checkride.
func stateDir() (string, error) {
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("no place for the ledger's key: %w; set HOME, or XDG_STATE_HOME to a directory that stays", err)
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "checkride"), nil
}
