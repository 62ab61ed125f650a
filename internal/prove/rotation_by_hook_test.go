package prove

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/memnet"
	"github.com/checkride/checkride/internal/plan"
)

// Given clients have no configuration endpoint: the operator's hooks rotate their secret, key and certificate. The checks
// of rotation pass on a healthy stack and see the same bugs as with clients of the ride's own, and whoever plays the
// client afterwards still can.
func TestGivenClientsAreRotatedByHooks(t *testing.T) {
	for _, row := range []struct {
		method, check string
		twin          defect.Set
	}{
		{"client_secret_basic", "rotate.old-secret", defect.Set{OldSecretWorks: true}},
		{"private_key_jwt", "rotate.removed-key", defect.Set{OldKeyWorks: true}},
		{"self_signed_tls_client_auth", "rotate.retired-certificate", defect.Set{OldCertificateWorks: true}},
	} {
		for want, defects := range map[logbook.Outcome]defect.Set{logbook.Pass: {}, logbook.Fail: row.twin} {
			t.Run(row.method+" "+want.String(), func(t *testing.T) {
				t.Parallel()
				o := newOperator(t)
				setup := Setup{
					Dir: o.dir, Catalogue: checks.Catalogue(), Defects: defects, Only: []string{row.check, "offboard.suspended-client"},
					Beside: func(network *memnet.Network) func() {
						o.give(o.client(network), row.method)
						return func() {}
					},
					Edit: func(p *plan.Plan) {
						p.Registration = plan.Registration{Mode: "given", Server: "main"}
						p.Clients = slices.DeleteFunc(p.Clients, func(c plan.Client) bool { return c.Name == "neighbour" })
						c := &p.Clients[slices.IndexFunc(p.Clients, func(c plan.Client) bool { return c.Name == "partner" })]
						c.ID, c.Auth, c.Metadata = plan.Reference{Text: o.ids["partner"]}, row.method, nil
						c.May = []string{"read", "fail_auth", "rotate", "disable"}
						switch row.method {
						case "client_secret_basic":
							c.Secret = plan.Reference{Text: "file:given-secret.txt"}
						case "private_key_jwt":
							c.Key = plan.Reference{Text: "file:given.key"}
						}
						c.Certificate = &plan.Certificate{Cert: plan.Reference{Text: "file:given.pem"}, Key: plan.Reference{Text: "file:given.key"}}
						c.SenderConstraint = "none"
					},
				}
				ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
					for id, outcome := range map[string]logbook.Outcome{row.check: want, "offboard.suspended-client": logbook.Pass} {
						i := slices.IndexFunc(entries, func(e logbook.Entry) bool { return e.Observation != nil && e.Observation.Check == id })
						if i < 0 {
							t.Errorf("%s did not run", id)
							continue
						}
						if x := entries[i].Observation; x.Outcome != outcome {
							t.Errorf("%s: %v, want %v; observed %s; because %s; notes %v", id, x.Outcome, outcome, x.Observed, x.Because, x.Notes)
						}
					}
				})
			})
		}
	}
}

// give registers a partner by a method and writes down what proves it.
func (o *operator) give(client *http.Client, method string) {
	access, err := os.ReadFile(filepath.Join(o.dir, "operator-iat.txt"))
	if err != nil {
		o.t.Error(err)
	}
	certificate, err := cast.SelfSigned("given")
	if err != nil {
		o.t.Error(err)
		return
	}
	der, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		o.t.Error(err)
	}
	metadata := map[string]any{
		"client_name": "given partner", "organization": "acme", "token_endpoint_auth_method": method,
		"grant_types": []string{"client_credentials"}, "scope": "payments:read",
	}
	if method != "client_secret_basic" {
		metadata["jwks"] = map[string]any{"keys": []any{cast.CertificateJWK(certificate)}}
	}
	body, err := json.Marshal(metadata)
	if err != nil {
		o.t.Error(err)
	}
	request, err := http.NewRequest(http.MethodPost, "https://as.sandbox.test/register", bytes.NewReader(body))
	if err != nil {
		o.t.Error(err)
		return
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+string(access))
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	o.do(client, request, &made)
	o.ids["partner"] = made.ID
	for name, content := range map[string][]byte{
		"given-secret.txt": []byte(made.Secret),
		"given.pem":        pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}),
		"given.key":        pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
	} {
		err = os.WriteFile(filepath.Join(o.dir, name), content, 0o600)
		if err != nil {
			o.t.Error(err)
		}
	}
}
