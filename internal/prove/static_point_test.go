package prove

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
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

// signer is an operator's signer: it reads what it is told of a request and prints a header field.
const signer = `#!/bin/sh
input=$(cat)
member() { printf %s "$input" | sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
sum=$(printf '%s %s key of the %s' "$(member method)" "$(member url)" "$(member client)" | sha256sum | cut -d' ' -f1)
printf '{"X-Signature":"%s"}' "$sum"
`

// Points that take a password, or what a signer makes of each request: what needs tokens does not apply, the rest is
// tested.
func TestPointsThatTakeNoTokens(t *testing.T) {
	t.Parallel()
	borrowed := httptest.NewUnstartedServer(nil)
	borrowed.StartTLS()
	certificate, root := borrowed.TLS.Certificates[0], borrowed.Certificate()
	borrowed.Close()
	dir := t.TempDir()
	rootFile, script := filepath.Join(dir, "point-ca.pem"), filepath.Join(dir, "sign.sh")
	for name, file := range map[string]struct {
		text []byte
		mode os.FileMode
	}{rootFile: {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}), 0o600}, script: {[]byte(signer), 0o700}} {
		err := os.WriteFile(name, file.text, file.mode)
		if err != nil {
			t.Fatal(err)
		}
	}
	password := plan.Reference{Text: "file:" + filepath.Join(dir, "password")}
	err := os.WriteFile(filepath.Join(dir, "password"), []byte("password-of-the-partner"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(r *http.Request) string {
		sum := sha256.Sum256([]byte(r.Method + " https://example.com" + r.URL.Path + " key of the partner"))
		return hex.EncodeToString(sum[:])
	}
	for _, row := range []struct {
		name, credential string
		opens            func(r *http.Request) bool
		fails            []string
	}{
		{"basic", "basic", func(r *http.Request) bool {
			id, text, _ := r.BasicAuth()
			return id == "p-1" && text == "password-of-the-partner"
		}, nil},
		{"basic by its start", "basic", func(r *http.Request) bool {
			id, text, _ := r.BasicAuth()
			return id == "p-1" && strings.HasPrefix(text, "password")
		}, []string{"enforce.altered-key"}},
		{"basic of anybody", "basic", func(r *http.Request) bool { _, _, ok := r.BasicAuth(); return ok }, []string{"enforce.without-token"}},
		{"signed", "exec", func(r *http.Request) bool { return r.Header.Get("X-Signature") == signed(r) }, nil},
		{"signed by anybody", "exec", func(r *http.Request) bool { return r.Header.Get("X-Signature") != "" }, []string{"enforce.without-token"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			point := plan.Point{
				Name: "older", URL: "https://example.com", CA: plan.Reference{Text: "file:" + rootFile}, Credential: row.credential,
				TLSClient: "none", Addresses: []string{"example.com:443"},
				Operations: []plan.Operation{{Name: "list", Request: "GET /payments", AcceptedWhen: plan.Oracle{JSON: "/items"}, NonceAt: "json:/trace"}},
			}
			if row.credential == "exec" {
				point.Exec = []string{script}
			}
			setup := Setup{
				Catalogue: checks.Catalogue(), Only: []string{"enforce.*"}, AllowExec: true,
				Edit: func(p *plan.Plan) {
					p.Points, p.Audit, p.Grants = []plan.Point{point}, plan.Audit{None: true}, plan.Grants{}
					p.Clients = []plan.Client{{Name: "partner", ID: plan.Reference{Text: "p-1"}, Auth: "client_secret_basic", Secret: password, SenderConstraint: "none", May: []string{"read"}}}
				},
				Beside: func(network *memnet.Network) func() {
					listener, err := network.Listen("example.com:443")
					if err != nil {
						panic(err)
					}
					server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if !row.opens(r) {
							w.WriteHeader(http.StatusUnauthorized)
							return
						}
						echo(w, r)
					})}
					go func() {
						_ = server.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}}))
					}()
					return func() { _ = server.Close() }
				},
			}
			ridden(t, setup, func(t *testing.T, entries []logbook.Entry) { staticAlone(t, entries, row.fails) })
		})
	}
}

func staticAlone(t *testing.T, entries []logbook.Entry, fails []string) {
	t.Helper()
	found, passed := map[string]bool{}, 0
	for _, e := range entries {
		switch o := e.Observation; {
		case o == nil:
		case o.Outcome == logbook.Fail:
			found[o.Check] = true
		case o.Outcome == logbook.Error || strings.Contains(o.Because, "build the request"):
			t.Errorf("%s: %v %s", o.Check, o.Outcome, o.Because)
		case o.Outcome == logbook.Pass:
			passed++
		}
	}
	for _, id := range fails {
		if !found[id] {
			t.Errorf("%s did not fail", id)
		}
		delete(found, id)
	}
	if len(found) > 0 || passed == 0 {
		t.Errorf("also failed: %v; passed: %d", found, passed)
	}
}
