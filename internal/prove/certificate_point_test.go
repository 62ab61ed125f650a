package prove

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/memnet"
	"github.com/checkride/checkride/internal/plan"
)

// A point that wants a client certificate and no token: what needs tokens does not apply, the rest is tested, and
// refusals in the TLS handshake count as refusals.
func TestAPointThatTakesCertificatesAlone(t *testing.T) {
	t.Parallel()
	// The test server's own key and certificate serve the point: they are good for example.com.
	borrowed := httptest.NewUnstartedServer(nil)
	borrowed.StartTLS()
	certificate, root := borrowed.TLS.Certificates[0], borrowed.Certificate()
	borrowed.Close()
	rootFile := filepath.Join(t.TempDir(), "point-ca.pem")
	err := os.WriteFile(rootFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		demand tls.ClientAuthType
		fails  string // the check that must fail, if one must
	}{
		{"verifies", tls.RequireAndVerifyClientCert, ""},
		{"takes any certificate", tls.RequireAnyClientCert, "enforce.without-token"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var partners *x509.CertPool
			setup := Setup{
				Catalogue: checks.Catalogue(), Only: []string{"enforce.*", "bind.*", "revoke.*", "expire.*", "offboard.token-outlives-client"},
				Edit: func(p *plan.Plan) {
					text, err := os.ReadFile(filepath.Join(p.Source.Dir, "partner-ca.pem"))
					if err != nil {
						panic(err)
					}
					partners.AppendCertsFromPEM(text)
					p.Points = []plan.Point{{
						Name: "strict", URL: "https://example.com", CA: plan.Reference{Text: "file:" + rootFile}, TokenFrom: "main", Credential: "mtls",
						TLSClient: "required", Revocation: "push", Addresses: []string{"example.com:443"},
						Operations: []plan.Operation{{Name: "list", Request: "GET /payments", AcceptedWhen: plan.Oracle{JSON: "/items"}, NonceAt: "json:/trace"}},
					}}
					p.Audit = plan.Audit{None: true}
				},
				Beside: func(network *memnet.Network) func() {
					partners = x509.NewCertPool()
					listener, err := network.Listen("example.com:443")
					if err != nil {
						panic(err)
					}
					server := &http.Server{Handler: http.HandlerFunc(echo), ErrorLog: log.New(io.Discard, "", 0)}
					go func() {
						_ = server.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: row.demand, ClientCAs: partners}))
					}()
					return func() { _ = server.Close() }
				},
			}
			ridden(t, setup, func(t *testing.T, entries []logbook.Entry) { certificatesAlone(t, entries, row.fails) })
		})
	}
}

func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"items": []string{}, "trace": strings.Split(r.Header.Get("Traceparent"), "-")[1]})
}

func certificatesAlone(t *testing.T, entries []logbook.Entry, fails string) {
	t.Helper()
	decided := false
	for _, e := range entries {
		o := e.Observation
		if o == nil || o.Point != "strict" {
			continue
		}
		switch {
		case o.Check == "enforce.without-token":
			decided = o.Outcome == logbook.Pass && fails == "" || o.Outcome == logbook.Fail && fails == o.Check
		case o.Check == "enforce.allowed-operations" && o.Outcome == logbook.Pass: // it says that the agreed call gets in, and no more
		case o.Outcome != logbook.NotApplicable && o.Outcome != logbook.Inconclusive:
			t.Errorf("%s: %v; expected %s; observed %s; because %s", o.Check, o.Outcome, o.Expected, o.Observed, o.Because)
		}
	}
	if !decided {
		t.Error("enforce.without-token does not tell a point that verifies certificates from one that takes any")
	}
}
