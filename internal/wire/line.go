package wire

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// line is one open connection. One exchange uses it at a time.
type line struct {
	key    lineKey
	conn   net.Conn // the TLS connection, or the plain one
	meter  *meter
	reader *bufio.Reader
	asked  bool   // the server asked for a client certificate
	proxy  string // that it goes through, or empty
	heard  bool   // through the proxy the host itself was heard: it showed a good certificate, or answered without TLS
	used   int
	idle   time.Time
	life   time.Duration // how long the server said that it keeps the connection when it is idle; 0: it did not say
	watch  chan bool     // while idle: says once whether it is still good

	version, suite string              // of TLS; empty: it is plain
	chain          []*x509.Certificate // of the server
}

// lineKey tells connections of different kinds apart.
type lineKey struct {
	origin, address, name string
	certificate, lane     string
	roots                 *x509.CertPool
}

func (w *Wire) roots(to destination, over Line) *x509.CertPool {
	if over.Roots != nil {
		return over.Roots
	}
	return w.config.Roots[to.origin]
}

func (w *Wire) keyOf(to destination, over Line) lineKey {
	key := lineKey{origin: to.origin, address: to.dial, name: to.name, lane: over.Lane, roots: w.roots(to, over)}
	if over.Certificate != nil {
		key.certificate = thumbprint(over.Certificate)
	}
	return key
}

// thumbprint is the hex SHA-256 of the leaf.
func thumbprint(c *tls.Certificate) string {
	if len(c.Certificate) == 0 {
		return "empty"
	}
	sum := sha256.Sum256(c.Certificate[0])
	return hex.EncodeToString(sum[:])
}

// line gives a connection for one exchange, and whether it is a new one. A kept connection that has died while it was
// idle is not used: nothing was sent on it, so this is no second try.
func (w *Wire) line(ctx context.Context, to destination, over Line, deadline time.Time) (*line, bool, error) {
	key := w.keyOf(to, over)
	if !over.Fresh {
		if l := w.kept.take(key, w.config.Idle); l != nil {
			return l, false, nil
		}
	}
	l, err := w.open(ctx, to, over, deadline)
	if err != nil {
		return nil, true, err
	}
	l.key = key
	return l, true, nil
}

func (w *Wire) open(ctx context.Context, to destination, over Line, deadline time.Time) (*line, error) {
	raw, proxy, err := w.dial(ctx, to.dial, deadline)
	if err != nil {
		return nil, err
	}
	l := &line{conn: raw, proxy: proxy}
	if to.tls {
		config := w.tlsConfig(to, over, &l.asked)
		if proxy != "" {
			config.VerifyConnection = func(tls.ConnectionState) error { // called once the certificate was found good
				l.heard = true
				return nil
			}
		}
		state, err := l.handshake(ctx, raw, config, deadline)
		if err != nil {
			_ = raw.Close()
			return nil, l.blamed(err)
		}
		l.version, l.suite = tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite)
		l.chain = w.trust.chain(w.roots(to, over), state)
	}
	l.meter = &meter{from: l.conn}
	l.reader = bufio.NewReader(l.meter)
	return l, nil
}

// tlsConfig is made for each line. Nothing is resumed: a resumed session would carry the identity of an earlier
// certificate. Asked is set when the server asks for a certificate.
func (w *Wire) tlsConfig(to destination, over Line, asked *bool) *tls.Config {
	return &tls.Config{
		MinVersion:             or(over.Offer.Min, tls.VersionTLS12),
		MaxVersion:             over.Offer.Max,
		CipherSuites:           over.Offer.Suites,
		ServerName:             to.name,
		RootCAs:                w.trust.pool(w.roots(to, over)),
		NextProtos:             []string{"http/1.1"},
		SessionTicketsDisabled: true,
		CurvePreferences:       []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521},
		// A callback, so that the certificate is shown even when the server's list of CAs does not name its issuer.
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			*asked = true
			if over.Certificate != nil {
				return over.Certificate, nil
			}
			return &tls.Certificate{}, nil
		},
	}
}

func (l *line) handshake(ctx context.Context, raw net.Conn, config *tls.Config, deadline time.Time) (tls.ConnectionState, error) {
	if err := raw.SetDeadline(deadline); err != nil {
		return tls.ConnectionState{}, err
	}
	interrupt := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	defer interrupt()
	secured := tls.Client(raw, config)
	if err := secured.Handshake(); err != nil {
		return tls.ConnectionState{}, err
	}
	l.conn = secured
	return secured.ConnectionState(), nil
}

// meter stops reading at a limit, and tells whether anything was read.
type meter struct {
	from io.Reader
	left int64
	any  bool
}

var errLimit = errors.New("more bytes than we read")

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errLimit
	}
	if int64(len(p)) > m.left {
		p = p[:m.left]
	}
	n, err := m.from.Read(p)
	m.left -= int64(n)
	m.any = m.any || n > 0
	return n, err
}

// pool holds the kept connections that are not in use. While a connection is idle a goroutine waits for its end.
type pool struct {
	mu     sync.Mutex // held for computing only
	idle   map[lineKey][]*line
	swept  time.Time
	closed bool
}

func newPool() *pool { return &pool{idle: map[lineKey][]*line{}} }

// put keeps a connection for the next exchange of its kind, and drops those that were idle for too long.
func (p *pool) put(l *line, oldest time.Duration) {
	p.sweep(oldest)
	l.idle = time.Now()
	l.watch = make(chan bool, 1)
	l.meter.left = 1 << 10
	_ = l.conn.SetDeadline(time.Time{})
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		_ = l.conn.Close()
		return
	}
	go func() {
		_, err := l.reader.Peek(1)
		l.watch <- errors.Is(err, os.ErrDeadlineExceeded)
	}()
	p.idle[l.key] = append(p.idle[l.key], l)
	p.mu.Unlock()
}

// sweep drops what was idle for too long. A ride has many kinds of connections, so it looks now and then and not each time.
func (p *pool) sweep(oldest time.Duration) {
	var old []*line
	p.mu.Lock()
	if time.Since(p.swept) < oldest/4 {
		p.mu.Unlock()
		return
	}
	p.swept = time.Now()
	for key, lines := range p.idle {
		young := 0
		for young < len(lines) && time.Since(lines[young].idle) >= oldest {
			young++ // the one that was used longest ago stands first
		}
		old = append(old, lines[:young]...)
		p.idle[key] = lines[young:]
		if young == len(lines) {
			delete(p.idle, key)
		}
	}
	p.mu.Unlock()
	for _, l := range old {
		_ = l.conn.Close()
		<-l.watch
	}
}

// take gives the kept connection that was used last and is still good, or nil. One that the server is about to close is not
// used: its end and our request would cross, and nobody could tell whether the request was heard.
func (p *pool) take(key lineKey, oldest time.Duration) *line {
	for {
		p.mu.Lock()
		lines := p.idle[key]
		if len(lines) == 0 {
			p.mu.Unlock()
			return nil
		}
		l := lines[len(lines)-1]
		p.idle[key] = lines[:len(lines)-1]
		p.mu.Unlock()
		young := time.Since(l.idle) < oldest && (l.life == 0 || time.Since(l.idle) < l.life*3/4)
		if l.wake() && young {
			return l
		}
		_ = l.conn.Close()
	}
}

// wake ends the watching. It says false when the peer has closed the connection or has said something unasked.
func (l *line) wake() bool {
	_ = l.conn.SetReadDeadline(time.Unix(1, 0))
	good := <-l.watch
	_ = l.conn.SetReadDeadline(time.Time{})
	return good
}

// close closes the idle connections and waits for their watchers.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = map[lineKey][]*line{}
	p.mu.Unlock()
	for _, lines := range idle {
		for _, l := range lines {
			_ = l.conn.Close()
			<-l.watch
		}
	}
}

// classify gives the failure that an error of the network stands for. Quiet says that not one byte of an answer had
// come.
func classify(err error, quiet bool) (Failure, string) {
	var op *net.OpError
	var name *net.DNSError
	var record tls.RecordHeaderError
	var verify *tls.CertificateVerificationError
	var timeout net.Error
	var proxy *proxyError
	switch {
	case errors.As(err, &proxy):
		return Proxied, proxy.Error() + issuedBy(err)
	case errors.Is(err, errLimit):
		return Oversized, err.Error()
	case errors.As(err, &verify):
		return Untrusted, verify.Error() + issuedBy(err)
	case errors.As(err, &op) && op.Op == "remote error": // how crypto/tls names an alert of the peer
		return Alert, op.Err.Error()
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Timeout, err.Error()
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.As(err, &name):
		return Refused, err.Error()
	case errors.As(err, &record):
		return Malformed, "not a TLS server: " + err.Error()
	case ended(err) && quiet:
		return Reset, err.Error()
	case ended(err):
		return Malformed, "the answer was cut short: " + err.Error()
	}
	return Malformed, err.Error()
}

// issuedBy names who issued a certificate that is not trusted: the CA that the plan lacks, or a proxy that inspects TLS.
func issuedBy(err error) string {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &verify) || len(verify.UnverifiedCertificates) == 0 || !errors.As(verify.Err, &unknown) {
		return ""
	}
	return fmt.Sprintf("; it was issued by %q: name that CA in the plan (ca), unless it is a proxy's that inspects TLS, which must leave the stack alone", verify.UnverifiedCertificates[0].Issuer)
}

// ended says that the connection is gone.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED)
}
