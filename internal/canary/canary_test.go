package canary_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/checkride/checkride/internal/canary"
	"github.com/checkride/checkride/internal/memnet"
)

// A bait is served over http and https and tells who came; who asks for anything else, or for nothing, is no fetch.
func TestBait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		defer network.Close()
		l, err := canary.Open(canary.Config{Listen: network.Listen, Address: "canary.sandbox.test:443"})
		if err != nil {
			t.Fatal(err)
		}
		bait, other := l.Lay([]byte(`{"keys":[]}`)), l.Lay(nil)
		client := &http.Client{Transport: &http.Transport{
			DialContext: network.DialContext, DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		}}
		for _, address := range []string{bait.URL(), bait.Plainly()} {
			answer, err := client.Get(address)
			if err != nil {
				t.Fatal(address, err)
			}
			body, err := io.ReadAll(answer.Body)
			if err != nil || string(body) != `{"keys":[]}` {
				t.Errorf("%s: %q, %v", address, body, err)
			}
			_ = answer.Body.Close()
		}
		answer, err := client.Get(bait.URL() + "x")
		if err != nil || answer.StatusCode != http.StatusNotFound {
			t.Errorf("%v, %v", answer, err)
		}
		strict := &http.Client{Transport: &http.Transport{DialContext: network.DialContext}}
		_, err = strict.Get(bait.URL())
		if err == nil {
			t.Error("a certificate that nobody signed is trusted")
		}
		synctest.Wait()
		fetches := bait.Fetches()
		if len(fetches) != 2 || !fetches[0].TLS || fetches[1].TLS || !strings.HasPrefix(fetches[0].Agent, "Go-http-client") {
			t.Errorf("%+v", fetches)
		}
		if len(other.Fetches()) != 0 || bait.Knocks() != 1 || l.Host() != "canary.sandbox.test" {
			t.Errorf("%v, %d knocks, host %s", other.Fetches(), bait.Knocks(), l.Host())
		}
		hasty, err := network.DialContext(t.Context(), "tcp", "canary.sandbox.test:443")
		if err != nil {
			t.Fatal(err)
		}
		_ = hasty.Close()
		synctest.Wait()
		if bait.TurnedAway() != 1 || bait.Knocks() != 1 || l.Lay(nil).TurnedAway() != 0 {
			t.Errorf("who connects and leaves: %d turned away, %d knocks", bait.TurnedAway(), bait.Knocks())
		}
		silent, err := network.DialContext(t.Context(), "tcp", "canary.sandbox.test:443")
		if err != nil {
			t.Fatal(err)
		}
		slow, err := network.DialContext(t.Context(), "tcp", "canary.sandbox.test:443")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // whoever says nothing for longer than we wait has not turned away
		if bait.TurnedAway() != 1 || bait.Knocks() != 3 {
			t.Errorf("who says nothing: %d turned away, %d knocks", bait.TurnedAway(), bait.Knocks())
		}
		_ = slow.Close()
		last, err := network.DialContext(t.Context(), "tcp", "canary.sandbox.test:443")
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		err = l.Close() // does not wait for whoever says nothing
		if err != nil {
			t.Error(err)
		}
		_, _ = silent.Close(), last.Close()
	})
}

// Where the system chooses the port, the address is told with it; a URL of the plan is taken as it is.
func TestWhere(t *testing.T) {
	l, err := canary.Open(canary.Config{Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	host, port, err := net.SplitHostPort(strings.TrimPrefix(l.Lay(nil).URL()[:strings.LastIndex(l.Lay(nil).URL(), "/")], "https://"))
	if err != nil || host != "127.0.0.1" || port == "0" {
		t.Errorf("%s:%s, %v", host, port, err)
	}
	behind, err := canary.Open(canary.Config{Address: "127.0.0.1:0", URL: "https://tester.example:443/"})
	if err != nil {
		t.Fatal(err)
	}
	defer behind.Close()
	bait := behind.Lay(nil)
	if !strings.HasPrefix(bait.URL(), "https://tester.example/") || !strings.HasPrefix(bait.Plainly(), "http://tester.example:443/") {
		t.Errorf("%s, %s", bait.URL(), bait.Plainly())
	}
	_, err = canary.Open(canary.Config{Address: "127.0.0.1:0", URL: "tester.example"})
	if err == nil {
		t.Error("a URL without a host is taken")
	}
}
