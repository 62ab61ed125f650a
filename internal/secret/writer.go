package secret

import (
	"bytes"
	"io"
	"sync"
)

// Writer masks what is written through it. It hands on whole lines only, so that no secret is split between two
// writes; Flush hands on an unfinished last line.
type Writer struct {
	keeper *Keeper
	mu     sync.Mutex
	to     io.Writer
	open   []byte // the line that is not finished yet
}

// Writer gives a writer that masks on the way to w. It may be used concurrently; call Flush or Close at the end.
func (k *Keeper) Writer(w io.Writer) *Writer { return &Writer{keeper: k, to: w} }

// Write takes all of p. The error is that of the writer behind.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = append(w.open, p...)
	end := bytes.LastIndexByte(w.open, '\n') + 1
	if end == 0 {
		return len(p), nil
	}
	whole := w.keeper.MaskBytes(w.open[:end])
	_, err := w.to.Write(whole)
	w.open = append(w.open[:0], w.open[end:]...)
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush hands on the unfinished line.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.open) == 0 {
		return nil
	}
	_, err := w.to.Write(w.keeper.MaskBytes(w.open))
	w.open = w.open[:0]
	return err
}

// Close flushes. It does not close the writer behind.
func (w *Writer) Close() error { return w.Flush() }
