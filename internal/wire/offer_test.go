package wire_test

import (
	"crypto/tls"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/checkride/checkride/internal/wire"
)

// A handshake offers what it is told to, and what is learned of the server in it stands in the exchange.
func TestOffer(t *testing.T) {
	answer := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
	request := func(offer wire.Offer) wire.Request {
		return wire.Request{Method: "GET", Origin: origin, Target: "/", Over: wire.Line{Fresh: true, Offer: offer}}
	}
	old := wire.Offer{Min: tls.VersionTLS10, Max: tls.VersionTLS11}
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.serve(t, answer, func(c *tls.Config) { c.MinVersion = tls.VersionTLS12; c.ClientAuth = tls.RequestClientCert })
		x := s.do(t, request(wire.Offer{}))
		if x.Status != http.StatusNoContent || x.TLS != "TLS 1.3" || !x.Asked || len(x.Chain) != 2 {
			t.Errorf("got %d over %s, asked %v, a chain of %d", x.Status, x.TLS, x.Asked, len(x.Chain))
		}
		x = s.do(t, request(old))
		if x.Failure != wire.Alert {
			t.Errorf("TLS 1.1 gives %q (%s), want an alert", x.Failure, x.Detail)
		}
		x = s.do(t, request(wire.Offer{Min: tls.VersionTLS12, Max: tls.VersionTLS12, Suites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}}))
		if x.Failure != wire.Alert {
			t.Errorf("RC4 gives %q (%s), want an alert", x.Failure, x.Detail)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.serve(t, answer, func(c *tls.Config) { c.MinVersion = tls.VersionTLS10 })
		x := s.do(t, request(old))
		if x.Status != http.StatusNoContent || x.TLS != "TLS 1.1" || x.Asked {
			t.Errorf("got %d over %s, asked %v", x.Status, x.TLS, x.Asked)
		}
	})
}
