// Package folder rides and keeps all that a ride leaves on disk in one folder: the logbook as it grows, the ledger, and
// the reports that are made of them at the end.
//
// Start with [Make], which lays the folder, and with [Ride].
package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/checkride/checkride/internal/ledger"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/report"
	"github.com/checkride/checkride/internal/ride"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/verdict"
)

// Folder is the place of one ride's files.
type Folder struct{ Dir string }

// Logbook is the path of the stream of all that happened.
func (f Folder) Logbook() string { return filepath.Join(f.Dir, "logbook.jsonl") }

// Ledger is the path of what the ride created in the stack.
func (f Folder) Ledger() string { return filepath.Join(f.Dir, "ledger.jsonl") }

// HTML is the path of the report for people.
func (f Folder) HTML() string { return filepath.Join(f.Dir, "report.html") }

// JSON is the path of the report for programs.
func (f Folder) JSON() string { return filepath.Join(f.Dir, "report.json") }

// mostAtOnce bounds the rides that begin in one second in one place.
const mostAtOnce = 1000

// Make lays a new folder under a directory, named after the time: checkride-20261006-081428. It never takes one that is
// there already.
func Make(under string, now time.Time) (Folder, error) {
	err := os.MkdirAll(under, 0o755)
	if err != nil {
		return Folder{}, fmt.Errorf("folder for the ride: %w; give a place that can be written with --out", err)
	}
	name := filepath.Join(under, "checkride-"+now.UTC().Format("20060102-150405"))
	dir := name
	for n := 2; n <= mostAtOnce; n++ {
		err = os.Mkdir(dir, 0o700)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
		dir = name + "-" + strconv.Itoa(n)
	}
	if err != nil {
		return Folder{}, fmt.Errorf("folder for the ride: %w; give a place that can be written with --out", err)
	}
	return Folder{Dir: dir}, nil
}

// Of gives the folder of a book. A file of another name is none: all else in the folder would belong to another book.
func Of(book string) (Folder, error) {
	f := Folder{Dir: filepath.Dir(book)}
	if filepath.Base(book) != filepath.Base(f.Logbook()) {
		return f, fmt.Errorf("%q is not called %s, as the book of a ride's folder is", filepath.Base(book), filepath.Base(f.Logbook()))
	}
	return f, nil
}

// more opens the book for what follows in it, for nobody else at the same time. A last line that has lost its end, as by an
// editor, gets it: what follows must begin a line.
func (f Folder) more() (*os.File, error) {
	file, err := os.OpenFile(f.Logbook(), os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("logbook: %w", err)
	}
	err = ride.Alone(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("logbook: %w", err), file.Close())
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("logbook: %w", err), file.Close())
	}
	last := []byte{'\n'}
	if info.Size() > 0 {
		_, err = file.ReadAt(last, info.Size()-1)
	}
	if err == nil && last[0] != '\n' {
		_, err = file.WriteString("\n")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("logbook: %w", err), file.Close())
	}
	return file, nil
}

// Progress shows a ride while it lasts: [report.Live] or [report.Plain].
type Progress interface {
	Write(logbook.Entry) error
	Close() error
}

// Outcome is what came of a ride.
type Outcome struct {
	Ride    string
	Verdict verdict.Verdict
	Left    []ledger.Item // what is not proven removed, and what may have been created
	Keeper  *secret.Keeper
}

// Ride rides with a configuration, whose Write and Ledger it sets, and writes the reports. An error means that there is
// no whole outcome; what was written until then stays, and [Outcome.Left] says what may remain in the stack.
func Ride(ctx context.Context, cfg ride.Config, f Folder, progress Progress) (Outcome, error) {
	file, err := os.OpenFile(f.Logbook(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return Outcome{}, fmt.Errorf("logbook: %w", err)
	}
	return f.ride(ctx, cfg, file, logbook.NewWriter(file), progress)
}

// ride rides and closes the book's file.
func (f Folder) ride(ctx context.Context, cfg ride.Config, file *os.File, book *logbook.Writer, progress Progress) (Outcome, error) {
	defer file.Close()
	cfg.Ledger = f.Ledger()
	cfg.Write = func(entry logbook.Entry) error {
		err := book.Write(entry)
		_ = progress.Write(entry) // who watches may leave: the ride goes on, and the book is kept
		return err
	}
	result, err := ride.Run(ctx, cfg)
	_ = progress.Close()
	outcome := Outcome{Ride: result.ID, Keeper: result.Keeper}
	var unread error
	outcome.Left, unread = left(cfg, result.Keeper)
	err = errors.Join(err, file.Close(), unread)
	if err != nil {
		return outcome, err
	}
	outcome.Verdict, err = f.report()
	return outcome, err
}

// left reads from the ledger what the ride could not remove, with what may have come to be without an answer.
func left(cfg ride.Config, keeper *secret.Keeper) ([]ledger.Item, error) {
	_, err := os.Stat(cfg.Ledger)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	key, err := ledger.KeyFrom(os.LookupEnv, cfg.StateDir)
	if err != nil {
		return nil, err
	}
	return ledger.Read(cfg.Ledger, key, keeper)
}

func (f Folder) report() (verdict.Verdict, error) {
	src := logbook.File(f.Logbook())
	err := write(f.JSON(), func(w io.Writer) error { return report.JSON(w, src) })
	if err != nil {
		return verdict.Verdict{}, fmt.Errorf("JSON report: %w", err)
	}
	err = write(f.HTML(), func(w io.Writer) error { return report.HTML(w, src) })
	if err != nil {
		return verdict.Verdict{}, fmt.Errorf("HTML report: %w", err)
	}
	return verdict.Of(src)
}

// write makes a file whole or not at all.
func write(path string, content func(io.Writer) error) error {
	part, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name()) // once it has its name, there is nothing to remove
	err = errors.Join(content(part), part.Close())
	if err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}
