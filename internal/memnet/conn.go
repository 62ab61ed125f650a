package memnet

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// window is how many bytes a half holds before a writer waits, as TCP's does: an endless body must not fill memory.
const window = 256 << 10

// Conn is one side of a connection. It is a net.Conn that can also be reset.
type Conn struct {
	network       *Network
	local, remote Addr
	peer          *Conn
	in, out       *half
}

// half is one direction of a connection.
type half struct {
	mu     sync.Mutex
	change sync.Cond
	data   []byte
	taken  int  // of data, by readers
	ended  bool // by the writing side: what is held can still be read
	gone   bool // closed by the reading side
	reset  bool
	read   deadline
	write  deadline
}

type deadline struct {
	past  bool
	turn  int // of the timer that counts
	timer *time.Timer
}

// kept is the largest buffer that a half keeps for what is written next: most writes are small, and there are many.
const kept = 8 << 10

// held is how many bytes wait to be read.
func (h *half) held() int { return len(h.data) - h.taken }

// put holds p, in the place of what was taken where there is no other room.
func (h *half) put(p []byte) {
	if len(h.data)+len(p) > cap(h.data) {
		h.data, h.taken = h.data[:copy(h.data, h.data[h.taken:])], 0
	}
	h.data = append(h.data, p...)
}

// take reads what fits into p.
func (h *half) take(p []byte) int {
	n := copy(p, h.data[h.taken:])
	h.taken += n
	switch {
	case h.held() > 0:
	case cap(h.data) > kept:
		h.drop()
	default:
		h.data, h.taken = h.data[:0], 0
	}
	return n
}

func (h *half) drop() { h.data, h.taken = nil, 0 }

func newHalf() *half {
	h := &half{}
	h.change.L = &h.mu
	return h
}

// Read waits for data. At the end it gives io.EOF, after a reset ECONNRESET, after the deadline os.ErrDeadlineExceeded.
func (c *Conn) Read(p []byte) (int, error) {
	h := c.in
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.reset:
			return 0, c.failed("read", os.NewSyscallError("read", syscall.ECONNRESET))
		case h.gone:
			return 0, c.failed("read", net.ErrClosed)
		case h.read.past:
			return 0, c.failed("read", os.ErrDeadlineExceeded)
		case len(p) == 0:
			return 0, nil
		case h.held() > 0:
			n := h.take(p)
			h.change.Broadcast()
			return n, nil
		case h.ended:
			return 0, io.EOF
		}
		h.change.Wait()
	}
}

// Write waits while the window is full.
func (c *Conn) Write(p []byte) (int, error) {
	h := c.out
	h.mu.Lock()
	defer h.mu.Unlock()
	written := 0
	for {
		switch {
		case h.reset:
			return written, c.failed("write", os.NewSyscallError("write", syscall.ECONNRESET))
		case h.ended:
			return written, c.failed("write", net.ErrClosed)
		case h.gone:
			return written, c.failed("write", os.NewSyscallError("write", syscall.EPIPE))
		case h.write.past:
			return written, c.failed("write", os.ErrDeadlineExceeded)
		}
		if n := min(len(p), window-h.held()); n > 0 {
			h.put(p[:n])
			p = p[n:]
			written += n
			h.change.Broadcast()
		}
		if len(p) == 0 {
			return written, nil
		}
		h.change.Wait()
	}
}

func (c *Conn) failed(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// Close ends both directions. The peer can still read what was written before.
func (c *Conn) Close() error {
	c.network.drop(c)
	c.in.end(func(h *half) { h.gone = true; h.drop(); h.read.stop() })
	c.out.end(func(h *half) { h.ended = true; h.write.stop() })
	return nil
}

// CloseWrite ends the outgoing direction only.
func (c *Conn) CloseWrite() error {
	c.out.end(func(h *half) { h.ended = true })
	return nil
}

// Reset drops the connection as a TCP RST does: what was written and not read is lost, and both sides fail with
// ECONNRESET.
func (c *Conn) Reset() {
	c.network.drop(c)
	c.network.drop(c.peer)
	lose := func(h *half) { h.reset = true; h.drop(); h.read.stop(); h.write.stop() }
	c.in.end(lose)
	c.out.end(lose)
}

func (h *half) end(how func(*half)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	how(h)
	h.change.Broadcast()
}

// LocalAddr is the listening address, or 192.0.2.1:port on the dialling side.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the peer's LocalAddr: distinct for each node.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	c.in.until(&c.in.read, t)
	c.out.until(&c.out.write, t)
	return nil
}

// SetReadDeadline wakes a reader that waits already.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.until(&c.in.read, t)
	return nil
}

// SetWriteDeadline wakes a writer that waits already.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.until(&c.out.write, t)
	return nil
}

func (h *half) until(d *deadline, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d.stop()
	d.turn++
	d.past = false
	if t.IsZero() || h.reset {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.past = true
		h.change.Broadcast()
		return
	}
	turn := d.turn
	d.timer = time.AfterFunc(wait, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if d.turn == turn {
			d.past = true
			h.change.Broadcast()
		}
	})
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
