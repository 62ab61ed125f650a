package prove

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/memnet"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/verdict"
)

const proxyAt = "proxy.sandbox.test:3128"

func throughProxy(p *plan.Plan) { p.Proxy = "http://" + proxyAt }

// tunnels stands on the network as an HTTP proxy. What it answers to CONNECT is up to status; at 200 it leads on.
func tunnels(t *testing.T, status string) func(*memnet.Network) func() {
	return func(network *memnet.Network) func() {
		l, err := network.Listen(proxyAt)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		all.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				all.Go(func() {
					defer c.Close()
					r, err := http.ReadRequest(bufio.NewReader(c))
					if err != nil || r.Method != http.MethodConnect {
						return
					}
					host, err := network.DialContext(context.Background(), "tcp", r.Host)
					if err != nil {
						_, _ = io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
						return
					}
					defer host.Close()
					_, _ = io.WriteString(c, "HTTP/1.1 "+status+"\r\n\r\n")
					if !strings.HasPrefix(status, "200") {
						return
					}
					var both sync.WaitGroup
					both.Go(func() { _, _ = io.Copy(host, c); _ = host.Close() })
					both.Go(func() { _, _ = io.Copy(c, host); _ = c.Close() })
					both.Wait()
				})
			}
		})
		return func() {
			_ = l.Close()
			_ = network.Close()
			all.Wait()
		}
	}
}

// A whole ride through a proxy opens no connection past it, finds nothing in a healthy stack, and leaves open only what a
// proxy hides: whether it was the host that refused old TLS.
func TestRideThroughAProxy(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	past := map[string]bool{}
	setup := Setup{Catalogue: checks.Catalogue(), Only: only(), Edit: throughProxy, Beside: tunnels(t, "200 OK"), Dialled: func(address string) {
		mu.Lock()
		defer mu.Unlock()
		if address != proxyAt {
			past[address] = true
		}
	}}
	ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
		for _, e := range entries {
			o := e.Observation
			if o != nil && o.Outcome != logbook.Pass && o.Outcome != logbook.NotApplicable && o.Check != "discover.only-current-tls" {
				t.Errorf("%s at %s: %v, %s %s", o.Check, o.Point, o.Outcome, o.Because, o.Observed)
			}
			if o != nil && o.Check == "discover.only-current-tls" && (o.Outcome != logbook.Inconclusive || !strings.Contains(o.Because, "the proxy "+proxyAt)) {
				t.Errorf("%s: %v, %s", o.Check, o.Outcome, o.Because)
			}
		}
	})
	if len(past) > 0 {
		t.Errorf("dialled past the proxy: %v", past)
	}
}

// Behind a proxy that lets nothing through the ride ends before anything is tried, and says why.
func TestProxyThatRefusesStopsTheRide(t *testing.T) {
	t.Parallel()
	judged(t, Setup{Catalogue: checks.Catalogue(), Edit: throughProxy, Beside: tunnels(t, "403 Forbidden")}, func(t *testing.T, v *verdict.Verdict) {
		if v.Word != verdict.CannotTell || !strings.Contains(v.Line, "the proxy "+proxyAt+" opens no tunnel") {
			t.Errorf("%v: %s", v.Word, v.Line)
		}
		if v.End == nil || v.End.Requests > 2 || len(v.End.Hooks) > 0 || len(v.End.Left) > 0 {
			t.Errorf("the ride ends with %+v", v.End)
		}
	})
}
