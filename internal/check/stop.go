package check

import (
	"fmt"

	"github.com/checkride/checkride/internal/logbook"
)

// stop ends a story with an outcome that is neither pass nor finding.
type stop struct {
	outcome logbook.Outcome
	because string
	cause   string
}

func (s *stop) Error() string { return s.because }

// NotApplicable ends the story: the stack does not have what the check is about.
func NotApplicable(format string, values ...any) error {
	return &stop{outcome: logbook.NotApplicable, because: fmt.Sprintf(format, values...)}
}

// CannotTell ends the story: never a pass, never a finding.
func CannotTell(format string, values ...any) error {
	return &stop{outcome: logbook.Inconclusive, because: fmt.Sprintf(format, values...)}
}

// BecauseOf ends the story: another check's failure makes this one undecidable. One cause, one finding.
func BecauseOf(id, format string, values ...any) error {
	return &stop{outcome: logbook.Inconclusive, because: fmt.Sprintf(format, values...), cause: id}
}

// Broken says that the tool itself is at fault.
func Broken(format string, values ...any) error {
	return &stop{outcome: logbook.Error, because: fmt.Sprintf(format, values...)}
}
