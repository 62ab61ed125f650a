// Package canary is a listener of the ride's own. It sees what a stack fetches because somebody named an address to it: a
// set of keys, a statement, a logo.
//
// Start with [Open] and [Listener.Lay]. Each bait has an address that cannot be guessed, so that who comes for it was
// told of it.
package canary

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// What a visitor may cost: whoever finds the port is nobody that the ride knows.
const (
	patience   = 5 * time.Second
	mostHeader = 64 << 10
	mostGuests = 32   // at once
	mostTold   = 1000 // fetches of one bait, and knocks
)

// Config is what a [Listener] needs.
type Config struct {
	Listen      func(address string) (net.Listener, error) // nil: TCP sockets
	Address     string                                     // host:port to listen at; port 0 lets the system choose
	URL         string                                     // where the stack reaches it: scheme, host and port; empty: the address itself
	Certificate *tls.Certificate                           // shown to who speaks TLS; nil: a self-signed one
}

// Listener answers for all baits. It speaks HTTP/1.1, with TLS or without, as the visitor begins. Close it.
type Listener struct {
	l      net.Listener
	origin url.URL
	tls    *tls.Config
	seats  chan struct{}
	joined sync.WaitGroup

	mu     sync.Mutex // held for computing only
	baits  map[string]*Bait
	guests map[net.Conn]bool
	knocks int
	turned int
	closed bool
}

// Bait is an address that nobody knows whom the ride did not tell, and a document that stands there.
type Bait struct {
	of       *Listener
	path     string
	document []byte
	knocks   int     // of the listener when it was laid
	turned   int     // and those who had turned away by then
	fetches  []Fetch // guarded by the listener's mu
}

// Fetch is one visit to a bait. Method and Agent are what the visitor said.
type Fetch struct {
	At            time.Time
	From          string // address and port
	Method, Agent string
	TLS           bool
}

// Open begins to listen.
func Open(config Config) (*Listener, error) {
	if config.Listen == nil {
		config.Listen = func(address string) (net.Listener, error) { return net.Listen("tcp", address) }
	}
	inner, err := config.Listen(config.Address)
	if err != nil {
		return nil, fmt.Errorf("canary: listen at %s: %w; name an address of this machine under canary.listen", config.Address, err)
	}
	l := &Listener{l: inner, seats: make(chan struct{}, mostGuests), baits: map[string]*Bait{}, guests: map[net.Conn]bool{}}
	err = l.describe(config)
	if err != nil {
		return nil, errors.Join(err, inner.Close())
	}
	l.joined.Go(l.accept)
	return l, nil
}

func (l *Listener) describe(config Config) error {
	where := config.URL
	if where == "" {
		where = "https://" + l.l.Addr().String()
	}
	origin, err := url.Parse(strings.TrimSuffix(where, "/"))
	if err != nil || origin.Host == "" {
		return fmt.Errorf("canary: %q is no absolute URL; write canary.url with scheme and host", where)
	}
	origin.Host = strings.TrimSuffix(origin.Host, map[string]string{"https": ":443", "http": ":80"}[origin.Scheme])
	l.origin = *origin
	certificate := config.Certificate
	if certificate == nil {
		certificate, err = selfSigned(origin.Hostname())
		if err != nil {
			return fmt.Errorf("canary: %w", err)
		}
	}
	l.tls = &tls.Config{Certificates: []tls.Certificate{*certificate}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}
	return nil
}

func selfSigned(host string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// Lay puts out a document under an address of its own.
func (l *Listener) Lay(document []byte) *Bait {
	b := &Bait{of: l, path: "/" + strings.ToLower(rand.Text()), document: document}
	l.mu.Lock()
	defer l.mu.Unlock()
	b.knocks, b.turned = l.knocks, l.turned
	l.baits[b.path] = b
	return b
}

// Host is the host under which the stack reaches the listener, without a port.
func (l *Listener) Host() string { return l.origin.Hostname() }

// Knocks counts the visitors since the bait was laid that spoke and never came to name an address: they did not like the
// certificate, spoke no HTTP, or came while too many others were there. They may have been after another bait.
func (b *Bait) Knocks() int {
	b.of.mu.Lock()
	defer b.of.mu.Unlock()
	return b.of.knocks - b.knocks
}

// TurnedAway counts the visitors since the bait was laid that connected and left without a word: not even the beginning of a
// handshake. So does a client that looks at the address only when it is connected to it.
func (b *Bait) TurnedAway() int {
	b.of.mu.Lock()
	defer b.of.mu.Unlock()
	return b.of.turned - b.turned
}

// URL is the bait's address, as the plan says that the stack reaches it.
func (b *Bait) URL() string { return b.of.origin.String() + b.path }

// Plainly is the bait's address with http. It is another one only where the plan gives an https URL, and leads here only
// if nothing that speaks TLS alone stands between.
func (b *Bait) Plainly() string {
	plain := b.of.origin
	if plain.Scheme == "https" && plain.Port() == "" {
		plain.Host += ":443"
	}
	plain.Scheme = "http"
	return plain.String() + b.path
}

// Fetches gives the visits so far, the oldest first.
func (b *Bait) Fetches() []Fetch {
	b.of.mu.Lock()
	defer b.of.mu.Unlock()
	return append([]Fetch(nil), b.fetches...)
}

// Close ends the listener and waits for its visitors' ends.
func (l *Listener) Close() error {
	l.mu.Lock()
	l.closed = true
	for guest := range l.guests {
		_ = guest.Close()
	}
	l.mu.Unlock()
	err := l.l.Close()
	l.joined.Wait()
	return err
}

func (l *Listener) accept() {
	for {
		guest, err := l.l.Accept()
		if err != nil {
			return
		}
		select {
		case l.seats <- struct{}{}:
		default: // too many at once: none of them is turned into memory, and who it was is not known
			_ = guest.Close()
			l.knocked()
			continue
		}
		if !l.enter(guest) {
			_ = guest.Close()
			return
		}
		l.joined.Go(func() {
			l.receive(guest)
			_ = guest.Close()
			l.mu.Lock()
			delete(l.guests, guest)
			l.mu.Unlock()
			<-l.seats
		})
	}
}

func (l *Listener) enter(guest net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.guests[guest] = true
	return true
}

// receive answers one request and ends the connection.
func (l *Listener) receive(guest net.Conn) {
	err := guest.SetDeadline(time.Now().Add(patience))
	if err != nil {
		return
	}
	first := bufio.NewReader(guest)
	begin, err := first.Peek(1)
	if err != nil {
		l.silent(err)
		return
	}
	line, secure := net.Conn(&peeked{Conn: guest, from: first}), begin[0] == 0x16 // a TLS handshake record: RFC 8446 §5.1
	if secure {
		spoken := tls.Server(line, l.tls)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		err = spoken.HandshakeContext(ctx)
		if err != nil {
			l.knocked()
			return
		}
		line = spoken
	}
	request, err := http.ReadRequest(bufio.NewReader(io.LimitReader(line, mostHeader)))
	if err != nil {
		l.knocked()
		return
	}
	document, found := l.visited(request, Fetch{At: time.Now(), From: guest.RemoteAddr().String(), Method: request.Method, Agent: request.UserAgent(), TLS: secure})
	status := "200 OK"
	if !found {
		status, document = "404 Not Found", nil
	}
	_, err = fmt.Fprintf(line, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, len(document), document)
	if err != nil || !secure {
		return
	}
	_ = line.Close() // says goodbye in TLS
}

func (l *Listener) knocked() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.knocks = min(l.knocks+1, mostTold)
}

// silent counts who said nothing: it turned away, or was still there when we lost patience.
func (l *Listener) silent(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		l.knocked()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turned = min(l.turned+1, mostTold)
}

func (l *Listener) visited(request *http.Request, fetch Fetch) ([]byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	bait := l.baits[request.URL.Path]
	if bait == nil {
		return nil, false
	}
	if len(bait.fetches) < mostTold {
		bait.fetches = append(bait.fetches, fetch)
	}
	return bait.document, true
}

// peeked is a connection of which the beginning has been looked at.
type peeked struct {
	net.Conn
	from *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.from.Read(b) }
