package wire_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/memnet"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

const (
	edge   = "edge.test:443"
	origin = "https://edge.test"
)

// authority signs certificates. It is made outside the bubbles, valid at any simulated time.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

// trusted gives the authority that the stage's origin trusts.
var trusted = sync.OnceValue(makeAuthority)

func makeAuthority() authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return authority{key, cert, pool}
}

func (a authority) issue(t *testing.T, name string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// stage is a wire with a network of its own and everything that it recorded.
type stage struct {
	*wire.Wire
	net    *memnet.Network
	keeper *secret.Keeper
	mu     sync.Mutex
	book   []logbook.Entry
}

func (s *stage) entries() []logbook.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]logbook.Entry(nil), s.book...)
}

// open makes a stage; config may change the defaults.
func open(t *testing.T, config func(*wire.Config)) *stage {
	t.Helper()
	s := &stage{net: memnet.New(), keeper: secret.NewKeeper()}
	c := wire.Config{
		Ride: "0123456789abcdef", Agent: "checkride/test", Keeper: s.keeper, Allow: []string{edge},
		Dial:  s.net.DialContext,
		Roots: map[string]*x509.CertPool{origin: trusted().pool},
		Record: func(e logbook.Entry) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.book = append(s.book, e)
		},
	}
	if config != nil {
		config(&c)
	}
	w, err := wire.New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.Wire = w
	t.Cleanup(func() {
		_ = w.Close()
		_ = s.net.Close()
	})
	return s
}

// serve answers at the edge over TLS; change may alter the TLS config.
func (s *stage) serve(t *testing.T, handler http.HandlerFunc, change func(*tls.Config)) {
	t.Helper()
	l, err := s.net.Listen(edge)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{*trusted().issue(t, "edge.test")}}
	if change != nil {
		change(config)
	}
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(tls.NewListener(l, config))
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
}

// speak answers each connection at the edge, without TLS, by a function.
func (s *stage) speak(t *testing.T, answer func(net.Conn)) {
	t.Helper()
	l, err := s.net.Listen(edge)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answer(c)
		}
	}()
}

func (s *stage) do(t *testing.T, r wire.Request) wire.Exchange {
	t.Helper()
	if r.Method == "" {
		r.Method = "GET"
	}
	if r.Target == "" {
		r.Target = "/"
	}
	if r.Origin == "" {
		r.Origin = origin
	}
	x, err := s.Do(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestClientCertificateOverAnHourAndAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(c *wire.Config) { c.Idle = 2 * time.Minute })
		s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
		}, func(c *tls.Config) { c.ClientAuth = tls.RequireAndVerifyClientCert; c.ClientCAs = trusted().pool })
		partner := trusted().issue(t, "partner")
		for i := range 61 {
			x := s.do(t, wire.Request{Over: wire.Line{Certificate: partner}})
			if string(x.Body) != "partner" || x.Failure != wire.None || x.TLS != "TLS 1.3" {
				t.Fatalf("minute %d: %q %s %s %s", i, x.Body, x.Failure, x.Detail, x.TLS)
			}
			if x.Fresh != (i == 0) {
				t.Errorf("minute %d: fresh is %v", i, x.Fresh)
			}
			time.Sleep(time.Minute)
		}
	})
}
