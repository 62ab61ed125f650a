package sandbox

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
)

// Network is where the sandbox listens and dials.
type Network interface {
	// Listen opens a listener for a component such as edge.sandbox.test:443, and tells the host:port under which it is
	// dialled.
	Listen(name string) (net.Listener, string, error)
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Hosts is an in-memory network, whose listeners are dialled by the name that they were opened with.
type Hosts interface {
	Listen(host string) (net.Listener, error)
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Named lets a sandbox listen on an in-memory network.
func Named(h Hosts) Network { return named{h} }

type named struct{ Hosts }

func (n named) Listen(name string) (net.Listener, string, error) {
	l, err := n.Hosts.Listen(name)
	return l, name, err
}

// loopback is sockets at 127.0.0.1, at ports that the system chooses.
type loopback struct{ net.Dialer }

func (*loopback) Listen(string) (net.Listener, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	return l, l.Addr().String(), nil
}

// origin is the host:port in a URL, without the scheme's own port.
func origin(scheme, address string) string {
	if scheme == "https" {
		address = strings.TrimSuffix(address, ":443")
	}
	if scheme == "http" {
		address = strings.TrimSuffix(address, ":80")
	}
	return scheme + "://" + address
}

// servers are all that listen. Close joins their connections and handlers.
type servers struct {
	all      []*http.Server
	serving  sync.WaitGroup
	conns    sync.WaitGroup
	handlers sync.WaitGroup
}

// serve starts a server; it speaks TLS when config is not nil. Assign may be nil.
func (s *servers) serve(l net.Listener, h http.Handler, config *tls.Config, assign func(context.Context, net.Conn) context.Context) {
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.handlers.Add(1)
			defer s.handlers.Done()
			h.ServeHTTP(w, r)
		}),
		TLSConfig:   config,
		ConnContext: assign,
		ConnState:   s.track,
		ErrorLog:    log.New(io.Discard, "", 0), // refused handshakes are what testers come for
	}
	s.all = append(s.all, server)
	s.serving.Go(func() {
		if config == nil {
			_ = server.Serve(l)
			return
		}
		_ = server.ServeTLS(l, "", "")
	})
}

func (s *servers) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.conns.Done()
	}
}

func (s *servers) close() error {
	var all []error
	for _, server := range s.all {
		all = append(all, server.Close())
	}
	s.serving.Wait()
	s.conns.Wait()
	s.handlers.Wait()
	return errors.Join(all...)
}

// dialled counts the connections that the sandbox itself opened, so that Close can join them.
type dialled struct {
	network Network
	open    sync.WaitGroup
}

func (d *dialled) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.network.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.open.Add(1)
	return &counted{Conn: conn, done: sync.OnceFunc(d.open.Done)}, nil
}

type counted struct {
	net.Conn
	done func()
}

func (c *counted) Close() error {
	defer c.done()
	return c.Conn.Close()
}
