// Package memnet is an in-memory network for proofs: buffered, deadline-aware, and closed as a whole. It starts no
// goroutine and every wait is on a sync.Cond, so it works inside a testing/synctest bubble.
//
// Start with [New] and [Network.Listen].
package memnet

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
)

// Network is a set of listeners that can be dialled by name. The zero value is not usable; call [New].
type Network struct {
	mu        sync.Mutex // held for computing only
	listeners map[string]*listener
	conns     map[*Conn]struct{}
	port      int // of the last dialling side
	closed    bool
}

// New gives an empty network.
func New() *Network {
	return &Network{
		listeners: map[string]*listener{},
		conns:     map[*Conn]struct{}{},
		port:      49151,
	}
}

// Addr is a host:port in the network, such as as.sandbox.test:443.
type Addr string

// Network is tcp, which is what the parties believe to speak.
func (Addr) Network() string { return "tcp" }

func (a Addr) String() string { return string(a) }

// Listen opens an address such as as.sandbox.test:443. An address that is taken is an error.
func (n *Network) Listen(host string) (net.Listener, error) {
	host = strings.ToLower(host)
	if _, _, err := net.SplitHostPort(host); err != nil {
		return nil, fmt.Errorf("listen at %q: %w", host, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: Addr(host), Err: net.ErrClosed}
	}
	if n.listeners[host] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: Addr(host), Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	l := &listener{network: n, addr: Addr(host)}
	l.change.L = &l.mu
	n.listeners[host] = l
	return l, nil
}

// DialContext connects to a listening address. Where nobody listens it fails with a *net.OpError around
// syscall.ECONNREFUSED. It never waits.
func (n *Network) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: Addr(address), Err: err}
	}
	refused := &net.OpError{Op: "dial", Net: network, Addr: Addr(address), Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	l, from := n.route(strings.ToLower(address))
	if l == nil {
		return nil, refused
	}
	up, down := newHalf(), newHalf()
	client := &Conn{network: n, local: from, remote: l.addr, in: down, out: up}
	server := &Conn{network: n, local: l.addr, remote: from, in: up, out: down}
	client.peer, server.peer = server, client
	if !n.add(client, server) || !l.offer(server) {
		client.Reset()
		return nil, refused
	}
	return client, nil
}

func (n *Network) route(address string) (*listener, Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.port++
	if n.port > 65535 {
		n.port = 49152
	}
	from := Addr(fmt.Sprintf("192.0.2.1:%d", n.port))
	return n.listeners[address], from
}

func (n *Network) add(conns ...*Conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return false
	}
	for _, c := range conns {
		n.conns[c] = struct{}{}
	}
	return true
}

func (n *Network) drop(c *Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, c)
}

// Close closes all listeners and connections. What is dialled afterwards is refused.
func (n *Network) Close() error {
	n.mu.Lock()
	n.closed = true
	var listeners []*listener
	for _, l := range n.listeners {
		listeners = append(listeners, l)
	}
	var conns []*Conn
	for c := range n.conns {
		conns = append(conns, c)
	}
	n.mu.Unlock()
	for _, l := range listeners {
		_ = l.Close()
	}
	for _, c := range conns {
		_ = c.Close()
	}
	return nil
}

type listener struct {
	network *Network
	addr    Addr
	mu      sync.Mutex
	change  sync.Cond
	backlog []*Conn
	closed  bool
}

func (l *listener) offer(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.backlog = append(l.backlog, c)
	l.change.Signal()
	return true
}

func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.backlog) == 0 && !l.closed {
		l.change.Wait()
	}
	if l.closed {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	}
	c := l.backlog[0]
	l.backlog = l.backlog[1:]
	return c, nil
}

// Close resets the connections that nobody has accepted yet.
func (l *listener) Close() error {
	l.network.mu.Lock()
	if l.network.listeners[string(l.addr)] == l {
		delete(l.network.listeners, string(l.addr))
	}
	l.network.mu.Unlock()
	l.mu.Lock()
	l.closed = true
	waiting := l.backlog
	l.backlog = nil
	l.change.Broadcast()
	l.mu.Unlock()
	for _, c := range waiting {
		c.Reset()
	}
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }
