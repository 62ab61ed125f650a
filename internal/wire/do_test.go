package wire_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/memnet"
	"github.com/checkride/checkride/internal/wire"
)

// plain lets the stage's edge be spoken to without TLS, where a test writes the bytes of the answer itself.
func plain(c *wire.Config) { c.Timeout = 5 * time.Second }

const plainOrigin = "http://edge.test:443"

// hear reads one request without body from a connection.
func hear(c net.Conn) string {
	var got []byte
	buffer := make([]byte, 4096)
	for !bytes.Contains(got, []byte("\r\n\r\n")) {
		n, err := c.Read(buffer)
		if err != nil {
			return string(got)
		}
		got = append(got, buffer[:n]...)
	}
	return string(got)
}

func TestWhatTheNetworkDoesIsAnExchange(t *testing.T) {
	say := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			hear(c)
			_, _ = io.WriteString(c, text)
		}
	}
	for name, one := range map[string]struct {
		answer func(net.Conn)
		want   wire.Failure
		status int
	}{
		"never":              {func(c net.Conn) { hear(c) }, wire.Timeout, 0},
		"never in the body":  {say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), wire.Timeout, 200},
		"slow":               {func(c net.Conn) { time.Sleep(4 * time.Second); say("HTTP/1.1 204 No Content\r\n\r\n")(c) }, wire.None, 204},
		"server error":       {say("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), wire.None, 503},
		"interim":            {say("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), wire.None, 200},
		"interim for ever":   {say(strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 50)), wire.Malformed, 0},
		"closed at once":     {func(c net.Conn) { _ = c.Close() }, wire.Reset, 0},
		"closed unanswered":  {func(c net.Conn) { hear(c); _ = c.Close() }, wire.Reset, 0},
		"reset":              {func(c net.Conn) { hear(c); c.(*memnet.Conn).Reset() }, wire.Reset, 0},
		"reset in the body":  {func(c net.Conn) { say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")(c); _ = c.Close() }, wire.Malformed, 200},
		"reset in a header":  {func(c net.Conn) { say("HTTP/1.1 200 OK\r\nContent-")(c); _ = c.Close() }, wire.Malformed, 0},
		"not HTTP":           {say("SSH-2.0-OpenSSH_9.9\r\n\r\n"), wire.Malformed, 0},
		"not chunks":         {say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzebra\r\n"), wire.Malformed, 200},
		"until it closes":    {func(c net.Conn) { say("HTTP/1.1 200 OK\r\n\r\nall")(c); _ = c.Close() }, wire.None, 200},
		"header flood":       {func(c net.Conn) { hear(c); flood(c, "HTTP/1.1 200 OK\r\n", "X-Flood: 0123456789\r\n") }, wire.Oversized, 0},
		"one endless header": {func(c net.Conn) { hear(c); flood(c, "HTTP/1.1 200 OK\r\nX-Flood: ", "0123456789") }, wire.Oversized, 0},
		"endless body":       {func(c net.Conn) { hear(c); flood(c, "HTTP/1.1 200 OK\r\n\r\n", "0123456789") }, wire.Oversized, 200},
		"endless chunks": {func(c net.Conn) {
			hear(c)
			flood(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "a\r\n0123456789\r\n")
		}, wire.Oversized, 200},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, plain)
				s.speak(t, func(c net.Conn) { one.answer(c) })
				start := time.Now()
				x := s.do(t, wire.Request{Origin: plainOrigin})
				if x.Failure != one.want || x.Status != one.status {
					t.Errorf("failure %q status %d (%s), want %q %d", x.Failure, x.Status, x.Detail, one.want, one.status)
				}
				if x.Failure != wire.None && x.Detail == "" {
					t.Error("the failure has no detail")
				}
				if !x.Fresh || x.Received.Before(x.Sent) || time.Since(start) > 5*time.Second {
					t.Errorf("fresh %v, sent %v, received %v, took %v", x.Fresh, x.Sent, x.Received, time.Since(start))
				}
				book := s.entries()
				if len(book) != 1 || book[0].Exchange.Failure != string(one.want) || book[0].Exchange.Status != one.status {
					t.Errorf("recorded %+v", book)
				}
			})
		})
	}
}

// flood says the first text and then the other for as long as somebody listens.
func flood(c net.Conn, first, again string) {
	_, err := io.WriteString(c, first)
	for err == nil {
		_, err = io.WriteString(c, strings.Repeat(again, 1000))
	}
}

func TestNobodyListens(t *testing.T) {
	s := open(t, nil)
	x := s.do(t, wire.Request{})
	if x.Failure != wire.Refused || len(s.entries()) != 1 {
		t.Errorf("%s %s, %d recorded", x.Failure, x.Detail, len(s.entries()))
	}
}

func TestHandshakesAreExchanges(t *testing.T) {
	ok := func(w http.ResponseWriter, _ *http.Request) {}
	demand := func(c *tls.Config) {
		c.ClientAuth = tls.RequireAndVerifyClientCert
		c.ClientCAs = trusted().pool
	}
	stranger := makeAuthority()
	for name, one := range map[string]struct {
		server func(*tls.Config)
		over   wire.Line
		want   wire.Failure
		detail string
	}{
		"no client certificate in TLS 1.3": {demand, wire.Line{}, wire.Alert, "certificate required"},
		"no client certificate in TLS 1.2": {func(c *tls.Config) { demand(c); c.MaxVersion = tls.VersionTLS12 }, wire.Line{}, wire.Alert, ""},
		"a stranger's certificate":         {demand, wire.Line{Certificate: stranger.issue(t, "stranger")}, wire.Alert, ""},
		"our certificate":                  {demand, wire.Line{Certificate: trusted().issue(t, "partner")}, wire.None, ""},
		"an old protocol":                  {func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, wire.Line{}, wire.Alert, "protocol version"},
		"another name":                     {nil, wire.Line{ServerName: "other.test"}, wire.Untrusted, "other.test"},
		"roots of somebody else":           {nil, wire.Line{Roots: x509.NewCertPool()}, wire.Untrusted, "a proxy's that inspects TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, nil)
				s.serve(t, ok, one.server)
				x := s.do(t, wire.Request{Over: one.over})
				if x.Failure != one.want || !strings.Contains(x.Detail, one.detail) {
					t.Errorf("failure %q, detail %q", x.Failure, x.Detail)
				}
				if book := s.entries(); len(book) != 1 || book[0].Exchange.Failure != string(one.want) {
					t.Errorf("recorded %+v", book)
				}
			})
		})
	}
}

func TestPlainServerBehindHTTPS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.speak(t, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096)) // the client's hello
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
			_ = c.Close()
		})
		if x := s.do(t, wire.Request{}); x.Failure != wire.Malformed {
			t.Errorf("%s %s", x.Failure, x.Detail)
		}
	})
}

func TestRequestsGoByteForByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, plain)
		got := make(chan string, 1)
		s.speak(t, func(c net.Conn) {
			got <- hear(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		})
		x := s.do(t, wire.Request{
			Origin: plainOrigin, Method: "gEt", Target: "/a/../b%2f;x=1?q=[1]#f",
			Header: []wire.Field{{Name: "x-ZULU", Value: "1"}, {Name: "Alpha_Beta", Value: "  kept "}, {Name: "X-Zulu", Value: "2"}},
			Over:   wire.Line{Fresh: true},
		})
		lines := strings.Split(<-got, "\r\n")
		parent := parentOf(t, lines[7])
		want := []string{
			"gEt /a/../b%2f;x=1?q=[1]#f HTTP/1.1",
			"Host: edge.test:443", "x-ZULU: 1", "Alpha_Beta:   kept ", "X-Zulu: 2",
			"User-Agent: checkride/test", "Accept-Encoding: identity",
			"traceparent: 00-0123456789abcdef0000000000000001-" + parent + "-01",
			"X-Request-ID: cr-0123456789abcdef-0000000000000001", "Connection: close", "", "",
		}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if x.Serial != 1 || x.Trace != "0123456789abcdef0000000000000001" {
			t.Errorf("serial %d, trace %s", x.Serial, x.Trace)
		}
		var names []string
		for _, f := range s.entries()[0].Exchange.Request.Header {
			names = append(names, f.Name)
		}
		if got := strings.Join(names[:4], " "); got != "Host x-ZULU Alpha_Beta X-Zulu" {
			t.Errorf("recorded order %s", got)
		}
	})
}

func parentOf(t *testing.T, line string) string {
	t.Helper()
	parts := strings.Split(line, "-")
	if len(parts) != 4 || len(parts[2]) != 16 {
		t.Fatalf("no traceparent: %s", line)
	}
	return parts[2]
}

func TestWhatCannotBeBuiltIsAnError(t *testing.T) {
	s := open(t, nil)
	for name, r := range map[string]wire.Request{
		"header value": {Method: "GET", Target: "/", Header: []wire.Field{{Name: "A", Value: "b\r\nC: d"}}},
		"header name":  {Method: "GET", Target: "/", Header: []wire.Field{{Name: "A\n", Value: "b"}}},
		"nul":          {Method: "GET", Target: "/", Header: []wire.Field{{Name: "A", Value: "\x00"}}},
		"target":       {Method: "GET", Target: "/ HTTP/1.1\r\nX: y"},
		"method":       {Method: "GET / HTTP/1.1\r\n", Target: "/"},
		"two bodies":   {Method: "POST", Target: "/", Form: []wire.Field{}, Body: []byte("x")},
		"basic place":  {Method: "POST", Target: "/", Credentials: []wire.Credential{{In: wire.InForm, Basic: "id"}}},
		"no place":     {Method: "POST", Target: "/", Credentials: []wire.Credential{{Name: "x"}}},
		"alg and key":  {Method: "POST", Target: "/", Credentials: []wire.Credential{{In: wire.InForm, JWT: &wire.JWT{Header: map[string]any{"alg": "RS256"}, Key: ecKey(t)}}}},
	} {
		r.Origin = origin
		if _, err := s.Do(context.Background(), r); err == nil || errors.Is(err, wire.ErrNotAllowed) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for _, r := range []wire.Request{
		{Method: "GET", Target: "/", Origin: "https://other.test"},
		{Method: "GET", Target: "/", Origin: "https://edge.test:8443"},
		{Method: "GET", Target: "/", Origin: origin, Over: wire.Line{Address: "169.254.169.254:80"}},
	} {
		if _, err := s.Do(context.Background(), r); !errors.Is(err, wire.ErrNotAllowed) {
			t.Errorf("%s %s: error %v", r.Origin, r.Over.Address, err)
		}
	}
	for _, bad := range []string{"edge.test", "ftp://edge.test", "https://user@edge.test", "https://edge.test/path"} {
		if _, err := s.Do(context.Background(), wire.Request{Method: "GET", Target: "/", Origin: bad}); err == nil {
			t.Errorf("origin %s is taken", bad)
		}
	}
	if len(s.entries()) != 0 || s.Stats().Requests != 0 {
		t.Errorf("something was sent: %+v", s.Stats())
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		var calls atomic.Int32
		s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			http.Redirect(w, r, "https://elsewhere.test/", http.StatusFound)
		}, nil)
		x := s.do(t, wire.Request{})
		if x.Status != 302 || x.Header.Get("Location") != "https://elsewhere.test/" || calls.Load() != 1 {
			t.Errorf("status %d, %d calls", x.Status, calls.Load())
		}
	})
}

func TestCompressedAnswersStayBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bomb bytes.Buffer
		zip := gzip.NewWriter(&bomb)
		_, _ = zip.Write(make([]byte, 64<<20))
		_ = zip.Close()
		s := open(t, nil)
		s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "identity" {
				t.Errorf("we accept %q", r.Header.Get("Accept-Encoding"))
			}
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}, nil)
		if x := s.do(t, wire.Request{}); !bytes.Equal(x.Body, bomb.Bytes()) {
			t.Errorf("%d bytes, want %d", len(x.Body), bomb.Len())
		}
	})
}

func TestResetOnAKeptConnectionIsNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, plain)
		var requests atomic.Int32
		s.speak(t, func(c net.Conn) {
			hear(c)
			requests.Add(1)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			hear(c)
			requests.Add(1)
			c.(*memnet.Conn).Reset()
		})
		first := s.do(t, wire.Request{Origin: plainOrigin})
		second := s.do(t, wire.Request{Origin: plainOrigin})
		if first.Failure != wire.None || second.Failure != wire.Reset || second.Fresh || requests.Load() != 2 {
			t.Errorf("%s, then %s %s, fresh %v, %d requests seen", first.Failure, second.Failure, second.Detail, second.Fresh, requests.Load())
		}
	})
}

func TestAConnectionThatDiedIdleIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, plain)
		s.speak(t, func(c net.Conn) {
			hear(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			time.Sleep(time.Second)
			_ = c.Close()
		})
		for range 2 {
			if x := s.do(t, wire.Request{Origin: plainOrigin}); x.Failure != wire.None || !x.Fresh {
				t.Errorf("%s %s, fresh %v", x.Failure, x.Detail, x.Fresh)
			}
			time.Sleep(2 * time.Second)
		}
	})
}

// A server that says for how long it keeps a connection closes it just then: it is left alone before.
func TestAConnectionThatIsAboutToBeClosedIsNotUsed(t *testing.T) {
	for _, row := range []struct {
		told  string
		wait  time.Duration
		fresh bool
	}{
		{"Keep-Alive: timeout=5\r\n", 3 * time.Second, false},
		{"Keep-Alive: timeout=5\r\n", 4 * time.Second, true},
		{"Keep-Alive: max=100, timeout=\"5\"\r\n", 4 * time.Second, true},
		{"Keep-Alive: timeout=soon\r\n", 20 * time.Second, false},
		{"", 20 * time.Second, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, plain)
			s.speak(t, func(c net.Conn) {
				for hear(c) != "" {
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"+row.told+"Content-Length: 0\r\n\r\n")
				}
			})
			s.do(t, wire.Request{Origin: plainOrigin})
			time.Sleep(row.wait)
			if x := s.do(t, wire.Request{Origin: plainOrigin}); x.Failure != wire.None || x.Fresh != row.fresh {
				t.Errorf("%q after %v: %s %s, fresh %v", row.told, row.wait, x.Failure, x.Detail, x.Fresh)
			}
		})
	}
}

func TestLinesAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			name := "nobody"
			if len(r.TLS.PeerCertificates) > 0 {
				name = r.TLS.PeerCertificates[0].Subject.CommonName
			}
			_, _ = io.WriteString(w, name)
		}, func(c *tls.Config) { c.ClientAuth = tls.RequestClientCert })
		partner := wire.Line{Certificate: trusted().issue(t, "partner")}
		neighbour := wire.Line{Certificate: trusted().issue(t, "neighbour")}
		fresh := partner
		fresh.Fresh = true
		for i, one := range []struct {
			over  wire.Line
			who   string
			fresh bool
		}{
			{wire.Line{}, "nobody", true}, {partner, "partner", true}, {neighbour, "neighbour", true},
			{wire.Line{}, "nobody", false}, {partner, "partner", false}, {fresh, "partner", true}, {neighbour, "neighbour", false},
		} {
			if x := s.do(t, wire.Request{Over: one.over}); string(x.Body) != one.who || x.Fresh != one.fresh {
				t.Errorf("%d: %s on fresh %v, want %s on %v", i, x.Body, x.Fresh, one.who, one.fresh)
			}
		}
		if got := s.entries()[1].Exchange.ClientCert; !strings.HasPrefix(got, "CN=partner sha256:") {
			t.Errorf("recorded certificate %q", got)
		}
	})
}

func TestContextEndsAnExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, plain)
		s.speak(t, func(c net.Conn) { hear(c) })
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		x, err := s.Do(ctx, wire.Request{Method: "GET", Origin: plainOrigin, Target: "/"})
		if !errors.Is(err, context.DeadlineExceeded) || x.Failure != wire.Timeout || len(s.entries()) != 1 {
			t.Errorf("error %v, failure %s, %d recorded", err, x.Failure, len(s.entries()))
		}
		if _, err := s.Do(ctx, wire.Request{Method: "GET", Origin: plainOrigin, Target: "/"}); !errors.Is(err, context.DeadlineExceeded) || s.Stats().Requests != 1 {
			t.Errorf("with a context that is done: %v, %d sent", err, s.Stats().Requests)
		}
	})
}

func TestBreakerStopsAfterDeadControls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		for range 2 {
			s.do(t, wire.Request{Purpose: wire.Control})
		}
		s.do(t, wire.Request{Purpose: wire.Altered}) // does not count
		s.serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, nil)
		if x := s.do(t, wire.Request{Purpose: wire.Control}); x.Status != 500 {
			t.Fatalf("broke too early: %s %s", x.Failure, x.Detail)
		}
		_ = s.net.Close()
		for range 3 {
			if x := s.do(t, wire.Request{Purpose: wire.Control}); x.Failure == wire.Broke {
				t.Fatal("an answer has not reset the breaker")
			}
		}
		before := s.Stats().Requests
		x := s.do(t, wire.Request{Purpose: wire.Altered})
		if x.Failure != wire.Broke || s.Stats().Requests != before || x.Detail == "" {
			t.Errorf("%s %s, %d sent", x.Failure, x.Detail, s.Stats().Requests-before)
		}
		book := s.entries()
		if last := book[len(book)-1].Exchange; last.Failure != "broke" {
			t.Errorf("recorded %+v", last)
		}
		if x := s.do(t, wire.Request{Purpose: wire.Cleanup}); x.Failure != wire.Refused {
			t.Errorf("cleanup: %s", x.Failure)
		}
	})
}

func TestPaceAndProbesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(c *wire.Config) { c.Rate, c.Concurrency = 10, 2 })
		var mu sync.Mutex
		var order []string
		s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, r.URL.Path)
		}, nil)
		start := time.Now()
		var all sync.WaitGroup
		send := func(path string, purpose wire.Purpose) {
			all.Go(func() { s.do(t, wire.Request{Target: path, Purpose: purpose}) })
			synctest.Wait()
		}
		for range 20 {
			send("/bulk", wire.Setup)
		}
		send("/probe", wire.Probe)
		all.Wait()
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("21 requests at 10/s took %v", took)
		}
		if order[1] != "/probe" {
			t.Errorf("the probe waited behind bulk: %v", order)
		}
		if stats := s.Stats(); stats.PeakRate != 10 || stats.Requests != 21 || stats.Nodes[edge][edge] != 21 {
			t.Errorf("stats %+v", stats)
		}
	})
}

func TestTooManyRequestsPausesTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		calls := 0
		s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			if calls++; calls == 1 {
				w.Header().Set("Retry-After", "20")
				w.WriteHeader(http.StatusTooManyRequests)
			}
		}, nil)
		start := time.Now()
		first, second := s.do(t, wire.Request{}), s.do(t, wire.Request{})
		if first.Status != 429 || second.Status != 200 || time.Since(start) != 20*time.Second {
			t.Errorf("%d, then %d after %v", first.Status, second.Status, time.Since(start))
		}
	})
}

// A burst is held by no pace and by no pause, and what it is answered holds nobody else.
func TestBurstKnowsNoPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(c *wire.Config) { c.Rate, c.Concurrency = 1, 2 })
		var served []string
		s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			served = append(served, r.URL.Path)
			w.Header().Set("Retry-After", "20")
			w.WriteHeader(http.StatusTooManyRequests)
		}, nil)
		start := time.Now()
		for range 5 {
			s.do(t, wire.Request{Purpose: wire.Burst, Target: "/burst"})
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("a burst of 5 took %v", took)
		}
		s.do(t, wire.Request{Target: "/other"})
		if took := time.Since(start); took != 0 {
			t.Errorf("who is not of the burst waited %v for its 429", took)
		}
		late := make(chan struct{})
		go func() { s.do(t, wire.Request{Target: "/late"}); close(late) }()
		synctest.Wait()
		s.do(t, wire.Request{Purpose: wire.Burst, Target: "/last"})
		<-late
		if took := time.Since(start); took != 20*time.Second || served[len(served)-1] != "/late" {
			t.Errorf("the pause that a call was asked for took %v, and %v", took, served)
		}
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(c *wire.Config) { c.Concurrency = 3 })
		var now, most atomic.Int32
		s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
		}, nil)
		start := time.Now()
		var all sync.WaitGroup
		for range 9 {
			all.Go(func() { s.do(t, wire.Request{}) })
		}
		all.Wait()
		if most.Load() != 3 || time.Since(start) != 3*time.Second {
			t.Errorf("%d at once, %v", most.Load(), time.Since(start))
		}
	})
}

func TestNoSecretIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(c *wire.Config) { c.MaxBody = 4000 })
		const (
			bearer   = "a-bearer-token-of-some-length"
			password = "s3cr3t/with+special=chars&more"
			apiKey   = "key-0123456789"
			short    = "pin42"
			issued   = "issued-access-token-0001"
			reg      = "issued-registration-token-0002"
			client   = "issued-client-secret-0003"
			cookie   = "issued-session-cookie-0004"
			cut      = "issued-token-that-is-cut-0005"
		)
		var assertion atomic.Value
		s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			assertion.Store(r.Form.Get("client_assertion"))
			http.SetCookie(w, &http.Cookie{Name: "session", Value: cookie, HttpOnly: true})
			w.Header().Set("X-Echo", r.Header.Get("Authorization"))
			w.Header().Set("X-Issued", issued)
			if r.URL.Path == "/cut" {
				_, _ = io.WriteString(w, strings.Repeat(" ", 3980)+`{"access_token":"`+cut+strings.Repeat("x", 100)+`"}`)
				return
			}
			_ = json.NewEncoder(w).Encode(map[string]any{
				"access_token": issued, "a": []any{map[string]any{"registration_access_token": reg, "client_secret": client}},
				"echo": r.PostForm, "authorization": r.Header.Values("Authorization"), "key": r.Header.Get("X-Api-Key"),
			})
		}, nil)
		key := ecKey(t)
		x := s.do(t, wire.Request{
			Method: "POST", Form: []wire.Field{{Name: "grant_type", Value: "client_credentials"}},
			Credentials: []wire.Credential{
				{In: wire.InHeader, Prefix: "Bearer ", Text: s.keeper.Keep("token", bearer)},
				{In: wire.InHeader, Basic: "acme", Text: s.keeper.Keep("secret", password)},
				{In: wire.InHeader, Name: "X-Api-Key", Text: s.keeper.Keep("key", apiKey)},
				{In: wire.InQuery, Name: "pin", Text: s.keeper.Keep("pin", short)},
				{In: wire.InForm, Name: "client_secret", Text: s.keeper.Keep("secret", password)},
				{In: wire.InForm, Name: "client_assertion", JWT: &wire.JWT{Header: map[string]any{"alg": "ES256"}, Key: key}},
			},
		})
		s.do(t, wire.Request{Header: []wire.Field{{Name: "Authorization", Value: "Bearer nobody-has-kept-this"}}})
		s.do(t, wire.Request{Header: []wire.Field{{Name: "Authorization", Value: "Bearer tiny"}}})
		s.do(t, wire.Request{Target: "/cut"})
		if x.Secret("access_token").Reveal() != issued || x.Secret("client_secret").Reveal() != client || x.Secret("session").Reveal() != cookie {
			t.Errorf("discovered %v", []any{x.Secret("access_token"), x.Secret("client_secret"), x.Secret("session")})
		}
		if !bytes.Contains(x.Body, []byte(issued)) {
			t.Error("the body is not available to checks as it was")
		}
		all, err := json.Marshal(s.entries())
		if err != nil {
			t.Fatal(err)
		}
		made, _ := assertion.Load().(string)
		for _, value := range []string{bearer, password, apiKey, short, issued, reg, client, cookie, cut[:13], "nobody-has-kept-this", "YWNtZTpz"} {
			if bytes.Contains(all, []byte(value)) {
				t.Errorf("%q is recorded", value)
			}
		}
		for _, part := range strings.Split(made, ".")[1:] {
			if part != "" && bytes.Contains(all, []byte(part)) {
				t.Errorf("a part of the assertion is recorded")
			}
		}
		for _, want := range []string{`"Bearer [token 1]"`, `"Basic [basic 1]"`, `"Bearer [credential 1]"`, `"Bearer [unregistered]"`, `/?pin=[pin 1]`, `client_secret=[secret 1]`, `client_assertion=[assertion 1]`} {
			if !bytes.Contains(all, []byte(want)) {
				t.Errorf("%s is not recorded", want)
			}
		}
	})
}

func TestBodiesAreCappedAfterMasking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("0123456789", 10_000))
		}, nil)
		s.do(t, wire.Request{})
		got := s.entries()[0].Exchange.Response
		if len(got.Body) != 64<<10 || got.Size != 100_000 || len(got.SHA256) != 64 {
			t.Errorf("kept %d of %d, %s", len(got.Body), got.Size, got.SHA256)
		}
	})
}

func TestUnrecordedIsRecordedByItsSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.serve(t, func(http.ResponseWriter, *http.Request) {}, nil)
		x := s.do(t, wire.Request{Unrecorded: true})
		if len(s.entries()) != 0 {
			t.Fatal("it is recorded")
		}
		s.Record(x, "accepted")
		if got := s.entries()[0].Exchange; got.Decision != "accepted" || got.Serial != x.Serial || got.URL != origin+"/" {
			t.Errorf("recorded %+v", got)
		}
	})
}

func TestSerialsIncreaseAndRecordIsNeverConcurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inside atomic.Int32
		serials := map[uint64]bool{}
		s := open(t, func(c *wire.Config) {
			c.Record = func(e logbook.Entry) {
				if inside.Add(1) != 1 {
					t.Error("two calls of Record at once")
				}
				time.Sleep(time.Millisecond) // a slow writer must not hang the bubble
				serials[e.Exchange.Serial] = true
				inside.Add(-1)
			}
		})
		s.serve(t, func(http.ResponseWriter, *http.Request) {}, nil)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { s.do(t, wire.Request{}) })
		}
		all.Wait()
		for i := range 20 {
			if !serials[uint64(i+1)] {
				t.Errorf("no exchange %d", i+1)
			}
		}
	})
}

func TestAssertionsVerifyWithAnotherLibrary(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for alg, key := range map[string]crypto.Signer{"ES256": ecKey(t), "PS256": rsaKey, "RS256": rsaKey, "EdDSA": edKey} {
		t.Run(alg, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, nil)
				var got []string
				s.serve(t, func(w http.ResponseWriter, r *http.Request) { got = append(got, r.FormValue("client_assertion")) }, nil)
				r := wire.Request{Method: "POST", Credentials: []wire.Credential{{In: wire.InForm, Name: "client_assertion", JWT: &wire.JWT{
					Header: map[string]any{"alg": alg, "typ": "JWT"}, Key: key, Life: 5 * time.Minute, Clock: time.Hour, Omit: []string{"iat"},
					Claims: map[string]any{"aud": "https://as.test/<>", "nbf": wire.FromNow(-time.Minute)},
				}}}}
				s.do(t, r)
				s.do(t, r)
				var ids []string
				for _, text := range got {
					token, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
					if err != nil {
						t.Fatal(err)
					}
					claims, err := token.Verify(key.Public())
					if err != nil {
						t.Fatal(err)
					}
					var all map[string]any
					if err := json.Unmarshal(claims, &all); err != nil {
						t.Fatal(err)
					}
					now := float64(time.Now().Unix() + 3600)
					if all["exp"] != now+300 || all["nbf"] != now-60 || all["iat"] != nil || all["aud"] != "https://as.test/<>" {
						t.Errorf("claims %s at %v", claims, now)
					}
					ids = append(ids, all["jti"].(string))
				}
				if len(ids) != 2 || ids[0] == ids[1] || len(ids[0]) != 32 {
					t.Errorf("jti %v", ids)
				}
			})
		})
	}
}

func TestSignHookWinsAndNoKeyMeansNoSignature(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		var got []string
		s.serve(t, func(w http.ResponseWriter, r *http.Request) { got = append(got, r.Header.Get("Authorization")) }, nil)
		send := func(j *wire.JWT) {
			s.do(t, wire.Request{Credentials: []wire.Credential{{In: wire.InHeader, Prefix: "Bearer ", JWT: j}}})
		}
		send(&wire.JWT{Header: map[string]any{"alg": "none"}})
		send(&wire.JWT{Header: map[string]any{"alg": "ES256"}, Key: ecKey(t), Sign: func([]byte) ([]byte, error) { return []byte("forged"), nil }})
		if !strings.HasSuffix(got[0], ".") || !strings.HasSuffix(got[1], ".Zm9yZ2Vk") {
			t.Errorf("got %q", got)
		}
	})
}

func TestJSONPointersAndDepth(t *testing.T) {
	x := wire.Exchange{Body: []byte(`{"keys":[{"kid":"a"},{"kid":"b"}],"a/b":{"~":1},"":true,"no":null}`)}
	for pointer, want := range map[string]any{"/keys/1/kid": "b", "/a~1b/~0": 1.0, "/": true, "/no": nil} {
		if got, found := x.JSON(pointer); !found || got != want {
			t.Errorf("%s gives %v, %v", pointer, got, found)
		}
	}
	for _, pointer := range []string{"/keys/2", "/keys/01", "/keys/-", "/x", "keys", "/keys/0/kid/z"} {
		if got, found := x.JSON(pointer); found {
			t.Errorf("%s gives %v", pointer, got)
		}
	}
	nested := wire.Exchange{Body: []byte(strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000))}
	if _, found := nested.JSON(""); found {
		t.Error("10,000 nested arrays are parsed")
	}
	var v any
	if err := nested.Decode(&v); !errors.Is(err, wire.ErrTooDeep) {
		t.Errorf("error %v", err)
	}
	quoted := wire.Exchange{Body: []byte(`"` + strings.Repeat("[", 200) + `\""`)}
	if _, found := quoted.JSON(""); !found {
		t.Error("brackets in a string count as depth")
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 10, 6, 8, 0, 0, 0, time.UTC)
	for field, want := range map[string]time.Duration{"120": 2 * time.Minute, now.Add(time.Minute).Format(http.TimeFormat): time.Minute, "": -1, "-1": -1, "soon": -1} {
		x := wire.Exchange{Received: now, Header: http.Header{"Retry-After": {field}}}
		got, given := x.RetryAfter()
		if given != (want >= 0) || given && got != want {
			t.Errorf("%q gives %v, %v", field, got, given)
		}
	}
}

func TestNewRefusesWhatItCannotUse(t *testing.T) {
	s := open(t, nil)
	for _, c := range []wire.Config{{Ride: "short", Keeper: s.keeper}, {Ride: "0123456789abcdef"}} {
		if _, err := wire.New(c); err == nil {
			t.Errorf("taken: %+v", fmt.Sprint(c.Ride))
		}
	}
	_ = s.Close()
	if _, err := s.Do(context.Background(), wire.Request{Method: "GET", Origin: origin, Target: "/"}); !errors.Is(err, wire.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

var _ wire.Doer = (*wire.Wire)(nil)

func TestOverRealSockets(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	address := server.Listener.Addr().String()
	s := open(t, func(c *wire.Config) { c.Dial, c.Allow = nil, []string{address} })
	for i := range 5 {
		x := s.do(t, wire.Request{Origin: server.URL, Over: wire.Line{Roots: roots, ServerName: "example.com"}})
		if string(x.Body) != address || x.Fresh != (i == 0) || x.Remote != address {
			t.Errorf("%d: %q %s %s on fresh %v", i, x.Body, x.Failure, x.Detail, x.Fresh)
		}
	}
	server.CloseClientConnections()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
