package wire_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/checkride/checkride/internal/wire"
)

const (
	proxyAt  = "proxy.test:3128"
	password = "correct horse battery"
)

// proxied makes a stage whose every connection goes through a proxy: one that is opened to anything else fails the test.
func proxied(t *testing.T, change func(*stage, *wire.Config), answer func(s *stage, c net.Conn, r *http.Request), certificate ...tls.Certificate) *stage {
	t.Helper()
	s := &stage{}
	opened := open(t, func(c *wire.Config) {
		dial := c.Dial
		c.Proxy = &wire.Proxy{Address: proxyAt}
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address != proxyAt {
				t.Errorf("%s was dialled, past the proxy", address)
			}
			return dial(ctx, network, address)
		}
		s.keeper = c.Keeper
		if change != nil {
			change(s, c)
		}
	})
	l, err := opened.net.Listen(proxyAt)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	if len(certificate) > 0 {
		l = tls.NewListener(l, &tls.Config{Certificates: certificate})
	}
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err == nil {
					answer(opened, c, r)
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = opened.Close()
		_ = opened.net.Close()
		all.Wait()
	})
	return opened
}

// leads opens the tunnel that was asked for.
func leads(s *stage, c net.Conn, r *http.Request) {
	host, err := s.net.DialContext(context.Background(), "tcp", r.Host)
	if err != nil {
		_, _ = io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		return
	}
	defer host.Close()
	_, _ = io.WriteString(c, "HTTP/1.1 200 Connection established\r\nContent-Length: 17\r\n\r\n")
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(host, c); _ = host.Close() })
	both.Go(func() { _, _ = io.Copy(c, host); _ = c.Close() })
	both.Wait()
}

func says(text string) func(*stage, net.Conn, *http.Request) {
	return func(_ *stage, c net.Conn, _ *http.Request) { _, _ = io.WriteString(c, text) }
}

// Kept lines, fresh ones, and those to a replica go through the proxy, and the exchange is that with the host behind it.
func TestProxyLeadsToTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var asked []string
		s := proxied(t, func(_ *stage, c *wire.Config) {
			c.Allow = append(c.Allow, "replica.test:8443")
			c.Proxy.Credentials = c.Keeper.Keep("x", "rider:"+password)
		}, func(s *stage, c net.Conn, r *http.Request) {
			mu.Lock()
			asked = append(asked, r.Method+" "+r.RequestURI+" "+r.Header.Get("Proxy-Authorization"))
			mu.Unlock()
			if r.Host == "replica.test:8443" {
				r.Host = edge
			}
			leads(s, c, r)
		})
		s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Proxy-Authorization") != "" {
				t.Error("the proxy's credentials went to the host")
			}
			_, _ = io.WriteString(w, "hello, "+password)
		}, nil)
		get := wire.Request{Method: "GET", Origin: origin, Target: "/"}
		fresh, replica := get, get
		fresh.Over.Fresh = true
		replica.Over = wire.Line{Fresh: true, Address: "replica.test:8443"}
		for _, r := range []wire.Request{get, get, fresh, replica} {
			x := s.do(t, r)
			if x.Status != 200 || x.TLS != "TLS 1.3" || !strings.HasSuffix(x.Remote, " through "+proxyAt) {
				t.Errorf("%d %s %s %q from %s", x.Status, x.Failure, x.Detail, x.TLS, x.Remote)
			}
		}
		const basic = " Basic cmlkZXI6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5"
		want := []string{"CONNECT edge.test:443" + basic, "CONNECT edge.test:443" + basic, "CONNECT replica.test:8443" + basic}
		if strings.Join(asked, "\n") != strings.Join(want, "\n") {
			t.Errorf("the proxy was asked for %q", asked)
		}
		book, err := json.Marshal(s.entries())
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(book, []byte(password)) || bytes.Contains(book, []byte("cmlkZXI6")) {
			t.Error("the proxy's password stands in the book")
		}
	})
}

// A proxy may itself be spoken to over TLS; the host's own TLS lies within.
func TestProxyOverTLS(t *testing.T) {
	certificate := trusted().issue(t, "proxy.test")
	for name, row := range map[string]struct {
		roots *x509.CertPool
		want  wire.Failure
	}{"trusted": {trusted().pool, wire.None}, "of an unknown authority": {x509.NewCertPool(), wire.Proxied}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := proxied(t, func(_ *stage, c *wire.Config) { c.Proxy.TLS, c.Proxy.Roots = true, row.roots }, leads, *certificate)
				s.serve(t, func(http.ResponseWriter, *http.Request) {}, nil)
				for range 2 { // the second one over the line that was kept
					x := s.do(t, wire.Request{Method: "GET", Origin: origin, Target: "/"})
					if x.Failure != row.want || (x.Status == 200) != (row.want == wire.None) {
						t.Errorf("%d, %q: %s", x.Status, x.Failure, x.Detail)
					}
				}
			})
		})
	}
}

// Whatever a proxy does, it is no answer of the host and no refusal: it names the proxy, and says what to do.
func TestHostileProxies(t *testing.T) {
	for name, row := range map[string]struct {
		answer func(*stage, net.Conn, *http.Request)
		detail string
	}{
		"asks for a password":         {says("HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate, Basic realm=x\r\n\r\n"), "proxy_credentials"},
		"asks for something else":     {says("HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\n\r\n"), "not Basic"},
		"refuses":                     {says("HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!"), "opens no tunnel to edge.test:443 (403)"},
		"redirects":                   {says("HTTP/1.1 302 Found\r\nLocation: https://login.test/\r\n\r\n"), "(302)"},
		"switches":                    {says("HTTP/1.1 101 Switching Protocols\r\n\r\n"), "(101)"},
		"closes":                      {says(""), "gives no HTTP answer"},
		"speaks no HTTP":              {says("220 ready\r\n"), "gives no HTTP answer"},
		"sends a header without end":  {says("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 200<<10)), "more bytes than we read"},
		"sends interim answers":       {says(strings.Repeat("HTTP/1.1 102 Wait\r\n\r\n", 20)), "interim"},
		"says nothing":                {func(_ *stage, c net.Conn, _ *http.Request) { _, _ = io.Copy(io.Discard, c) }, "gives no HTTP answer"},
		"speaks first in the tunnel":  {says("HTTP/1.1 200 OK\r\n\r\n<h1>Welcome</h1>"), "before it was spoken to"},
		"closes the tunnel":           {says("HTTP/1.1 200 OK\r\n\r\n"), "before that host had shown who it is"},
		"speaks no TLS in the tunnel": {after("HTTP/1.1 401 Unauthorized\r\n\r\n"), "before that host had shown who it is"},
		"sends an alert":              {after("\x15\x03\x01\x00\x02\x02\x28"), "before that host had shown who it is"},
		"inspects TLS":                {inspects, "unless it is a proxy's that inspects TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := proxied(t, nil, row.answer)
				x := s.do(t, wire.Request{Method: "GET", Origin: origin, Target: "/", Over: wire.Line{Fresh: true}})
				if x.Failure != wire.Proxied || x.Status != 0 || !strings.Contains(x.Detail, proxyAt) || !strings.Contains(x.Detail, row.detail) {
					t.Errorf("%q, status %d: %s", x.Failure, x.Status, x.Detail)
				}
			})
		})
	}
}

// after opens a tunnel and answers in it whatever the first bytes are.
func after(text string) func(*stage, net.Conn, *http.Request) {
	return func(_ *stage, c net.Conn, _ *http.Request) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		_, _ = c.Read(make([]byte, 1))
		_, _ = io.WriteString(c, text)
	}
}

// inspects ends TLS in the tunnel with a certificate of an authority of its own: the authority's own will do.
func inspects(_ *stage, c net.Conn, _ *http.Request) {
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{inspector()}}).Handshake()
}

var inspector = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(3), DNSNames: []string{"edge.test"}, NotAfter: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}
	nobody := makeAuthority()
	der, err := x509.CreateCertificate(rand.Reader, template, nobody.cert, key.Public(), nobody.key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// Where nobody listens at the proxy's address, or it is not lent a password, that is the proxy's fault and not the host's.
func TestProxyIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(c *wire.Config) { c.Proxy = &wire.Proxy{Address: proxyAt} })
		x := s.do(t, wire.Request{Method: "GET", Origin: origin, Target: "/"})
		if x.Failure != wire.Proxied || !strings.Contains(x.Detail, "the proxy "+proxyAt+" is not reached") {
			t.Errorf("%q: %s", x.Failure, x.Detail)
		}
	})
	s := open(t, nil)
	_, err := wire.New(wire.Config{Ride: "0123456789abcdef", Keeper: s.keeper, Proxy: &wire.Proxy{Address: proxyAt, Credentials: s.keeper.Keep("x", "no colon here")}})
	if err == nil || strings.Contains(err.Error(), "colon") {
		t.Errorf("credentials without a colon: %v", err)
	}
}

// Who stops the ride while a proxy dawdles gets his own reason back, and no fault of the proxy.
func TestProxyIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := proxied(t, nil, func(_ *stage, c net.Conn, _ *http.Request) { _, _ = io.Copy(io.Discard, c) })
		enough := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			synctest.Wait()
			cancel(enough)
		}()
		x, err := s.Do(ctx, wire.Request{Method: "GET", Origin: origin, Target: "/"})
		if !errors.Is(err, enough) || x.Failure != wire.Timeout {
			t.Errorf("%v, %q", err, x.Failure)
		}
	})
}

// This machine is dialled directly: a proxy would look for it at its own.
func TestThisMachineIsDialledDirectly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dialled []string
		s := open(t, func(c *wire.Config) {
			c.Allow, c.Proxy = []string{"127.0.0.1:80", "localhost:80", "[::1]:80", "127.0.0.1.test:80"}, &wire.Proxy{Address: proxyAt}
			c.Dial = func(_ context.Context, _, address string) (net.Conn, error) {
				dialled = append(dialled, address)
				return nil, errors.New("nobody")
			}
		})
		for _, at := range []string{"127.0.0.1", "localhost", "[::1]", "127.0.0.1.test"} {
			s.do(t, wire.Request{Method: "GET", Origin: "http://" + at, Target: "/"})
		}
		if got := strings.Join(dialled, " "); got != "127.0.0.1:80 localhost:80 [::1]:80 "+proxyAt {
			t.Errorf("dialled %s", got)
		}
	})
}
