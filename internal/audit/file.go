package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

const piece = 256 << 10

// file follows a growing file by its name. It keeps the file open, so that what was written just before a rotation is
// read too. Rotations between two reads are seen as one: what stood only in the middle file is lost.
type file struct {
	path string

	mu          sync.Mutex // held over reads of a file, which do not wait for anybody
	open        *os.File
	offset      int64
	lines       splitter
	whole       bool // an export: it will not grow, so what it ends with is a line
	buffer      []byte
	seen        bool
	rotations   int
	truncations int
}

// follow begins at the file's present end. A file that is not there yet is waited for, if there is a place for it.
func follow(name, path string, cfg Config) (*file, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(cfg.Dir, path)
	}
	f := &file{path: path}
	opened, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(filepath.Dir(path))
		if err == nil {
			return f, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open audit log %s: %w; does the plan name the right file?", name, err)
	}
	info, err := opened.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file; use exec to read from a stream")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open audit log %s at %s: %w", name, path, err), opened.Close())
	}
	f.open, f.seen, f.whole = opened, true, cfg.FromStart
	if !cfg.FromStart {
		f.offset = info.Size()
	}
	f.lines.reset(f.offset)
	return f, nil
}

func (f *file) repeats() bool { return false }

func (f *file) count(s *Stats) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s.Rotations, s.Truncations = f.rotations, f.truncations
}

func (f *file) read(ctx context.Context, emit func(line)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !f.seen:
		return fmt.Errorf("%s: %w", f.path, errMissing)
	case errors.Is(err, fs.ErrNotExist):
		return f.rest(ctx, emit) // a rotation is under way
	case err != nil:
		return err
	}
	if f.open != nil {
		mine, err := f.open.Stat()
		if err != nil {
			return err
		}
		if os.SameFile(mine, now) {
			return f.rest(ctx, emit)
		}
		err = f.rest(ctx, emit)
		if err != nil {
			return err
		}
		f.rotations++
		f.lines.flush(emit)
		err = f.open.Close()
		if err != nil {
			return err
		}
		f.open = nil
	}
	f.open, err = os.Open(f.path)
	if err != nil {
		f.open = nil
		return err
	}
	f.seen, f.offset = true, 0
	f.lines.reset(0)
	return f.rest(ctx, emit)
}

// rest reads from the offset to the size that the open file has now, so that a file that grows faster than we read ends
// the poll all the same.
func (f *file) rest(ctx context.Context, emit func(line)) error {
	if f.open == nil {
		return nil
	}
	info, err := f.open.Stat()
	if err != nil {
		return err
	}
	if info.Size() < f.offset {
		f.truncations++
		f.lines.flush(emit)
		f.offset = 0
		f.lines.reset(0)
	}
	if f.buffer == nil {
		f.buffer = make([]byte, piece)
	}
	for f.offset < info.Size() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n, err := f.open.ReadAt(f.buffer[:min(piece, info.Size()-f.offset)], f.offset)
		f.offset += int64(n)
		f.lines.feed(f.buffer[:n], emit)
		if errors.Is(err, io.EOF) {
			return nil // it was emptied while we read: the next poll sees that
		}
		if err != nil {
			return err
		}
	}
	if f.whole {
		f.lines.flush(emit)
	}
	return nil
}

func (f *file) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		return nil
	}
	err := f.open.Close()
	f.open = nil
	return err
}
