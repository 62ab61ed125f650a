package wire_test

import (
	"crypto/x509"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/checkride/checkride/internal/wire"
)

// A server's certificate that was verified is good for what it was verified for, and for nothing else.
func TestWhatIsKnownOfACertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, nil)
		for range 2 {
			for name, one := range map[string]struct {
				over wire.Line
				good bool
			}{
				"its roots and its name": {wire.Line{}, true},
				"another name":           {wire.Line{ServerName: "other.test"}, false},
				"other roots":            {wire.Line{Roots: x509.NewCertPool()}, false},
			} {
				one.over.Fresh = true
				x := s.do(t, wire.Request{Over: one.over})
				if one.good && (x.Status != http.StatusNoContent || len(x.Chain) != 2) {
					t.Errorf("%s: %d, a chain of %d, %s %s", name, x.Status, len(x.Chain), x.Failure, x.Detail)
				}
				if !one.good && x.Failure != wire.Untrusted {
					t.Errorf("%s: %d, failure %q, want untrusted", name, x.Status, x.Failure)
				}
			}
		}
	})
}
