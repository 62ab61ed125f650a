package folder

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/attach"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/verdict"
)

// Attach adds an audit export to a ride's book, writes the reports anew and gives the verdict. What stood in the book
// stays: the new lines follow it, in one piece.
func (f Folder) Attach(ctx context.Context, export plan.LogSource, at time.Time) (verdict.Verdict, error) {
	file, err := f.more()
	if err != nil {
		return verdict.Verdict{}, err
	}
	defer file.Close()
	entries, err := attach.Read(ctx, logbook.File(f.Logbook()), export, at)
	if err != nil {
		return verdict.Verdict{}, err
	}
	var more bytes.Buffer
	book := logbook.Continue(&more)
	for _, entry := range entries {
		err := book.Write(entry)
		if err != nil {
			return verdict.Verdict{}, err
		}
	}
	_, err = file.Write(more.Bytes())
	if err != nil {
		return verdict.Verdict{}, fmt.Errorf("logbook: %w", err)
	}
	err = file.Close()
	if err != nil {
		return verdict.Verdict{}, fmt.Errorf("logbook: %w", err)
	}
	return f.report()
}
