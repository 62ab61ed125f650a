package memnet_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/checkride/checkride/internal/memnet"
)

// pair gives both sides of a connection, dialling side first.
func pair(t *testing.T, n *memnet.Network) (net.Conn, net.Conn) {
	t.Helper()
	l, err := n.Listen("api.test:443")
	if err != nil {
		t.Fatal(err)
	}
	client, err := n.DialContext(t.Context(), "tcp", "API.test:443")
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestDialWhereNobodyListens(t *testing.T) {
	n := memnet.New()
	defer n.Close()
	_, err := n.DialContext(t.Context(), "tcp", "nobody.test:1")
	var op *net.OpError
	if !errors.As(err, &op) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v", err)
	}
	if _, err := n.Listen("no-port"); err == nil {
		t.Error("an address without port is listened at")
	}
	l, err := n.Listen("a.test:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Listen("a.test:1"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("an address is taken twice: %v", err)
	}
	waiting, err := n.DialContext(t.Context(), "tcp", "a.test:1")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if _, err := waiting.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a connection that nobody accepted: %v", err)
	}
	if _, err := n.DialContext(t.Context(), "tcp", "a.test:1"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the listener's close: %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept after close: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.DialContext(cancelled, "tcp", "a.test:1"); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is done: %v", err)
	}
}

func TestCloseAndReset(t *testing.T) {
	n := memnet.New()
	defer n.Close()
	client, server := pair(t, n)
	if _, err := client.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	got, err := io.ReadAll(server)
	if err != nil || string(got) != "last words" {
		t.Errorf("after the peer's close: %q, %v", got, err)
	}
	if _, err := server.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write to a closed peer: %v", err)
	}
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after own close: %v", err)
	}

	other := memnet.New()
	defer other.Close()
	client, server = pair(t, other)
	if _, err := server.Write([]byte("lost")); err != nil {
		t.Fatal(err)
	}
	server.(*memnet.Conn).Reset()
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read after a reset: %v", err)
	}
	if _, err := client.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("write after a reset: %v", err)
	}
}

func TestDeadlinesInSimulatedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		defer n.Close()
		client, server := pair(t, n)
		start := time.Now()
		_ = client.SetReadDeadline(start.Add(time.Minute))
		_, err := client.Read(make([]byte, 1))
		var timeout net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(start) != time.Minute {
			t.Errorf("read: %v after %v", err, time.Since(start))
		}
		_ = client.SetWriteDeadline(time.Now().Add(time.Hour))
		written, err := client.Write(make([]byte, 1<<20)) // more than the window
		if !errors.Is(err, os.ErrDeadlineExceeded) || written == 0 || written == 1<<20 {
			t.Errorf("write: %d bytes, %v", written, err)
		}
		// A deadline that is taken back does not fire, and one in the past wakes a reader that waits.
		_ = server.SetReadDeadline(time.Now().Add(time.Second))
		_ = server.SetReadDeadline(time.Time{})
		time.Sleep(time.Minute)
		if n, err := server.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("read without deadline: %d, %v", n, err)
		}
		_ = client.SetReadDeadline(time.Time{})
		woken := make(chan error)
		go func() {
			_, err := client.Read(make([]byte, 1))
			woken <- err
		}()
		synctest.Wait()
		_ = client.SetReadDeadline(time.Unix(1, 0))
		if err := <-woken; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("woken with %v", err)
		}
	})
}

func TestManyBytesPassTheWindow(t *testing.T) {
	n := memnet.New()
	defer n.Close()
	client, server := pair(t, n)
	sent := make([]byte, 3<<20)
	_, _ = rand.Read(sent)
	failed := make(chan error, 1)
	go func() {
		_, err := server.Write(sent)
		_ = server.Close()
		failed <- err
	}()
	got, err := io.ReadAll(client)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes, %v", len(got), len(sent), err)
	}
	if err := <-failed; err != nil {
		t.Error(err)
	}
}

func TestNetworkCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		l, err := n.Listen("a.test:1")
		if err != nil {
			t.Fatal(err)
		}
		client, err := n.DialContext(t.Context(), "tcp", "a.test:1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Accept(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 2)
		go func() { _, err := l.Accept(); ended <- err }()
		go func() { _, err := client.Read(make([]byte, 1)); ended <- err }()
		synctest.Wait()
		_ = n.Close()
		for range 2 {
			if err := <-ended; err == nil {
				t.Error("something goes on after the network's close")
			}
		}
	})
}

// certificates gives a server's and a client's certificate and the pool that both chain to. The client's ends an hour
// after the simulated clock's start, 2000-01-01.
func certificates(t *testing.T) (tls.Certificate, tls.Certificate, *x509.CertPool) {
	t.Helper()
	pool := x509.NewCertPool()
	issue := func(name string, until time.Time) tls.Certificate {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
			NotBefore: time.Unix(0, 0), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		pool.AddCert(leaf)
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	}
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return issue("api.test", start.AddDate(9, 0, 0)), issue("partner", start.Add(time.Hour)), pool
}

func TestACallAMinuteUntilTheClientCertificateExpires(t *testing.T) {
	serverCert, clientCert, pool := certificates(t)
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		defer n.Close()
		l, err := n.Listen("api.test:443")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
		})}
		config := &tls.Config{Certificates: []tls.Certificate{serverCert}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = server.Serve(tls.NewListener(l, config))
		}()
		transport := &http.Transport{
			DialContext: n.DialContext, DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{clientCert}},
		}
		client := &http.Client{Transport: transport}
		for minute := range 62 {
			response, err := client.Get("https://api.test/")
			if expired := minute > 60; expired != (err != nil) {
				t.Fatalf("minute %d: %v", minute, err)
			}
			if err == nil {
				_ = response.Body.Close()
			}
			time.Sleep(time.Minute)
		}
		_ = server.Close()
		<-served
	})
}
