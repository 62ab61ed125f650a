package logbook

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync"
)

// MaxLine is the longest line of a book in bytes, its newline not counted. Two bodies of 64 KiB fit even when every
// byte of them must be escaped.
const MaxLine = 1 << 20

var (
	// ErrCut says that the book ends within a line: its writer was killed. All entries before the cut are good.
	ErrCut = errors.New("the logbook is cut")
	// ErrVersion says that the book is of another major version of the format.
	ErrVersion = errors.New("unknown version of the logbook format")
)

// Fault is an error with its place in the book.
type Fault struct {
	Line int   // 1 is the first
	Byte int64 // where the line begins, from 0
	Err  error
}

func (f *Fault) Error() string {
	return fmt.Sprintf("logbook: line %d, byte %d: %v", f.Line, f.Byte, f.Err)
}

func (f *Fault) Unwrap() error { return f.Err }

// preamble is the first line of every book.
type preamble struct {
	V *int `json:"v"`
}

// Writer appends entries as JSON lines. Each entry reaches the underlying writer in one call and is not buffered, so a
// killed ride loses no more than the line that it was writing. It may be used by many goroutines.
type Writer struct {
	mu     sync.Mutex
	out    io.Writer
	line   bytes.Buffer
	failed error
}

// NewWriter writes the book's first line; if that fails, every Write returns the failure.
func NewWriter(w io.Writer) *Writer {
	book := &Writer{out: w}
	_, err := fmt.Fprintf(w, "{\"v\":%d}\n", Version)
	if err != nil {
		book.failed = fmt.Errorf("logbook: write the first line: %w", err)
	}
	return book
}

// Continue appends to a book that has its first line already.
func Continue(w io.Writer) *Writer { return &Writer{out: w} }

// Write appends one entry. After a failed write the book may end in half a line, so all later writes fail as well. An
// entry that a reader would refuse as too long is refused here, and the book stays good.
func (w *Writer) Write(e Entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		return w.failed
	}
	w.line.Reset()
	enc := json.NewEncoder(&w.line) // ends the line by itself
	enc.SetEscapeHTML(false)
	err := enc.Encode(e)
	if err != nil {
		return fmt.Errorf("logbook: encode entry: %w", err)
	}
	if w.line.Len()-1 > MaxLine {
		return fmt.Errorf("logbook: an entry of %d bytes is longer than a line may be (%d); keep less of its body", w.line.Len()-1, MaxLine)
	}
	_, err = w.out.Write(w.line.Bytes())
	if err != nil {
		w.failed = fmt.Errorf("logbook: write entry: %w", err)
		return w.failed
	}
	return nil
}

// Read gives the entries of a book in its order. Lines of kinds that this version does not know are skipped. The first
// error ends the sequence and is a [*Fault]: a garbled line, a line that is too long, an unknown version ([ErrVersion]),
// or, after all good entries, a last line that was cut ([ErrCut]).
func Read(r io.Reader) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		lines := &lineReader{in: bufio.NewReaderSize(r, 64<<10)}
		err := checkVersion(lines)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for {
			line, err := lines.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Entry{}, err)
				return
			}
			var e Entry
			err = json.Unmarshal(line, &e)
			if err != nil {
				yield(Entry{}, lines.fault(err))
				return
			}
			if e.empty() {
				continue
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func checkVersion(lines *lineReader) error {
	line, err := lines.next()
	if errors.Is(err, io.EOF) {
		return &Fault{Line: 1, Err: fmt.Errorf("%w: it is empty, so not even its first line was written", ErrCut)}
	}
	if err != nil {
		return err
	}
	var first preamble
	err = json.Unmarshal(line, &first)
	if err != nil || first.V == nil {
		if lines.cut {
			return lines.fault(errors.New("in its first line"))
		}
		return lines.fault(fmt.Errorf("not a logbook: the first line must be {\"v\":%d}", Version))
	}
	if *first.V != Version {
		return lines.fault(fmt.Errorf("%w: %d, and this program reads %d; use the program that wrote it", ErrVersion, *first.V, Version))
	}
	return nil
}

// empty says that the entry is of a kind that this version does not know.
func (e *Entry) empty() bool {
	return e.Head == nil && e.Card == nil && e.Due == nil && e.Exchange == nil && e.Tick == nil && e.Record == nil &&
		e.Watch == nil && e.Observation == nil && e.Note == nil && e.Removal == nil && e.End == nil && e.Parked == nil && e.Attached == nil
}

// lineReader knows where it is, so that an error can say so.
type lineReader struct {
	in    *bufio.Reader
	line  []byte
	no    int   // of the current line
	start int64 // of the current line
	after int64 // of the line after it
	cut   bool  // the current line has no newline
}

// next gives the next line that is not blank, without its newline; io.EOF after the last. The bytes are good until the
// next call.
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.read()
		if err != nil || len(bytes.TrimSpace(line)) > 0 {
			return line, err
		}
	}
}

func (l *lineReader) read() ([]byte, error) {
	l.line = l.line[:0]
	l.no++
	l.start = l.after
	for {
		part, err := l.in.ReadSlice('\n')
		l.after += int64(len(part))
		if len(l.line)+len(part) > MaxLine+1 {
			return nil, l.fault(fmt.Errorf("the line is longer than %d bytes", MaxLine))
		}
		l.line = append(l.line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(l.line) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			l.cut = true // still good if it is whole but for its newline
			return l.line, nil
		case err != nil:
			return nil, l.fault(err)
		}
		return l.line[:len(l.line)-1], nil
	}
}

func (l *lineReader) fault(err error) error {
	if l.cut {
		err = fmt.Errorf("%w within its last line: %w", ErrCut, err)
	}
	return &Fault{Line: l.no, Byte: l.start, Err: err}
}

// Source gives a book's entries from the start each time that it is called, so that a reader may take two passes and
// keep little in memory.
type Source func() iter.Seq2[Entry, error]

// File reads the book at path; the file is opened anew for each pass.
func File(path string) Source {
	return func() iter.Seq2[Entry, error] {
		return func(yield func(Entry, error) bool) {
			f, err := os.Open(path)
			if err != nil {
				yield(Entry{}, fmt.Errorf("open the logbook: %w", err))
				return
			}
			defer f.Close()
			for e, err := range Read(f) {
				if !yield(e, err) {
					return
				}
			}
		}
	}
}

// Entries is a book in memory.
func Entries(entries []Entry) Source {
	return func() iter.Seq2[Entry, error] {
		return func(yield func(Entry, error) bool) {
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}
