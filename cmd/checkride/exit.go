package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"unicode"
)

// Exit codes, the same for every command and every format. A pipeline stops a release on 3, and somebody looks at 4.
const (
	exitReady      = 0 // ready, or the command did what was asked; of two rides: they are the same
	exitBroke      = 1 // the tool broke: it says nothing about the stack
	exitMisuse     = 2 // a wrong flag, argument, plan or file: nothing was sent
	exitNotReady   = 3 // a promise that blocks is broken; of two rides: they drift apart
	exitCannotTell = 4 // something required was not decided, or something could not be cleaned up
)

// misuse is an error of whoever called: exit 2. The hint says what to do next.
type misuse struct {
	err  error
	hint string
}

func (m *misuse) Error() string { return m.err.Error() }

func (m *misuse) Unwrap() error { return m.err }

func misused(hint, format string, values ...any) error {
	return &misuse{err: fmt.Errorf(format, values...), hint: hint}
}

// ended carries an exit code when all is said already.
type ended struct{ code int }

func (e *ended) Error() string { return fmt.Sprintf("exit %d", e.code) }

// fault is a panic: a mistake in checkride itself. What the panic said is not shown unless the Go runtime said it, for
// it may hold a secret.
type fault struct {
	what  string
	stack []byte
}

func (f *fault) Error() string { return "a mistake in checkride itself: " + f.what }

// guard turns a panic into a fault.
func guard(run func() error) error {
	var err error
	func() {
		defer func() {
			value := recover()
			if value != nil {
				err = &fault{what: masked(value), stack: debug.Stack()}
			}
		}()
		err = run()
	}()
	return err
}

// masked says of a panic what cannot hold a secret.
func masked(value any) string {
	said, is := value.(runtime.Error)
	if is {
		return said.Error()
	}
	return fmt.Sprintf("panic with a %T", value)
}

// exitCode says how the program ends.
func exitCode(err error) int {
	var end *ended
	var wrong *misuse
	switch {
	case err == nil:
		return exitReady
	case errors.As(err, &end):
		return end.code
	case errors.As(err, &wrong):
		return exitMisuse
	}
	return exitBroke
}

// complain writes an error to stderr: lower case, no full stop, "checkride:" in front, then a hint.
func complain(w io.Writer, err error) {
	var end *ended
	if err == nil || errors.As(err, &end) {
		return
	}
	fmt.Fprintf(w, "checkride: %s\n", visible(strings.TrimSpace(err.Error())))
	var wrong *misuse
	if errors.As(err, &wrong) && wrong.hint != "" {
		fmt.Fprintf(w, "checkride: hint: %s\n", visible(wrong.hint))
	}
	var broken *fault
	if errors.As(err, &broken) {
		fmt.Fprintf(w, "checkride: hint: report this with the lines below; they hold no secrets\n\n%s", broken.stack)
	}
}

// visible takes out of a text what a terminal would obey: names of files and what stands in a book are strangers' words.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
