package prove

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/memnet"
	"github.com/checkride/checkride/internal/plan"
)

// operator is whoever runs the sandbox: it makes and looks after clients without the ride.
type operator struct {
	t   *testing.T
	dir string
	ids map[string]string // by role
	end []string          // the names of the clients that are there when the ride is over
}

func (o *operator) client(network *memnet.Network) *http.Client {
	pem, err := os.ReadFile(filepath.Join(o.dir, "ca.pem"))
	if err != nil {
		o.t.Error(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &http.Client{Transport: &http.Transport{
		DialContext: network.DialContext, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{RootCAs: roots, CurvePreferences: []tls.CurveID{tls.X25519}},
	}}
}

// beside registers the two partners before the ride, and looks who is there after it.
func (o *operator) beside(roles ...string) func(*memnet.Network) func() {
	return func(network *memnet.Network) func() {
		for _, role := range roles {
			o.register(o.client(network), role)
		}
		return func() { o.end = o.names(o.client(network)) }
	}
}

func (o *operator) register(client *http.Client, role string) {
	access, err := os.ReadFile(filepath.Join(o.dir, "operator-iat.txt"))
	if err != nil {
		o.t.Error(err)
	}
	body, err := json.Marshal(map[string]any{
		"client_name": "given " + role, "token_endpoint_auth_method": "tls_client_auth",
		"grant_types":                []string{"client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, // as the plan says
		"tls_client_auth_subject_dn": "CN=" + role + ".partners.example,O=" + map[string]string{"partner": "acme", "neighbour": "globex"}[role], "scope": map[string]string{"partner": "payments:read", "neighbour": "payments:read payments:write archive:read"}[role],
		"tls_client_certificate_bound_access_tokens": true, "organization": map[string]string{"partner": "acme", "neighbour": "globex"}[role],
	})
	if err != nil {
		o.t.Error(err)
	}
	request, err := http.NewRequest(http.MethodPost, "https://as.sandbox.test/register", bytes.NewReader(body))
	if err != nil {
		o.t.Error(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+string(access))
	var made struct {
		ID string `json:"client_id"`
	}
	o.do(client, request, &made)
	if made.ID == "" {
		o.t.Errorf("%s was not registered", role)
	}
	o.ids[role] = made.ID
}

func (o *operator) names(client *http.Client) []string {
	request, err := http.NewRequest(http.MethodGet, "http://management.sandbox.test/clients?name=", nil)
	if err != nil {
		o.t.Error(err)
	}
	var found struct {
		Clients []struct {
			Name string `json:"client_name"`
		} `json:"clients"`
	}
	o.do(client, request, &found)
	var names []string
	for _, c := range found.Clients {
		names = append(names, c.Name)
	}
	return names
}

func (o *operator) do(client *http.Client, request *http.Request, into any) {
	response, err := client.Do(request)
	if err != nil {
		o.t.Error(err)
		return
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode > 299 {
		o.t.Errorf("%s %s: %s %s %v", request.Method, request.URL, response.Status, body, err)
		return
	}
	err = json.Unmarshal(body, into)
	if err != nil {
		o.t.Error(err)
	}
}

// given makes the plan one of given clients.
func (o *operator) given(may ...string) func(*plan.Plan) {
	return func(p *plan.Plan) {
		p.Registration = plan.Registration{Mode: "given", Server: "main"}
		withoutQuotas(p)
		for i := range p.Clients {
			c := &p.Clients[i]
			if id := o.ids[c.Name]; id != "" {
				c.ID, c.Auth, c.May, c.Metadata = plan.Reference{Text: id}, "tls_client_auth", may, nil
			}
		}
	}
}

func newOperator(t *testing.T) *operator {
	return &operator{t: t, dir: t.TempDir(), ids: map[string]string{}}
}

// A ride with given clients finds nothing wrong with a healthy stack, whatever it may do to them: what comes after the
// deletion of the only partner could not tell, because of that.
func TestGivenClientsThatMayBeHarmed(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	setup := Setup{Dir: o.dir, Catalogue: checks.Catalogue(), Beside: o.beside("partner", "neighbour"), Edit: o.given("read", "fail_auth", "revoke_tokens", "rotate", "disable", "delete")}
	ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
		count := map[logbook.Outcome]int{}
		deleted := 0
		for _, e := range entries {
			x := e.Observation
			if x == nil {
				continue
			}
			count[x.Outcome]++
			if x.Outcome == logbook.Fail || x.Outcome == logbook.Error {
				t.Errorf("%s at %s: %v; expected %s; observed %s; because %s; notes %v", x.Check, x.Point, x.Outcome, x.Expected, x.Observed, x.Because, x.Notes)
			}
			if x.Outcome == logbook.Inconclusive {
				if strings.Contains(x.Because, "it was deleted by") {
					deleted++
					continue
				}
				t.Errorf("%s at %s could not tell: %s", x.Check, x.Point, x.Because)
			}
		}
		if count[logbook.Pass] < 40 || deleted == 0 {
			t.Errorf("%v, and %d because the client was deleted", count, deleted)
		}
	})
	if slices.Contains(o.end, "given partner") {
		t.Error("the partner that may be deleted was not: no check of the deletion ran")
	}
}

// What the plan does not permit is not done to given clients, and they are as before when the ride is over.
func TestGivenClientsThatMayBeReadOnly(t *testing.T) {
	for _, mode := range []string{"given", "dcr", "production"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			o := newOperator(t)
			may := []string{"read"}
			if mode == "production" {
				may = []string{"read", "fail_auth", "revoke_tokens", "rotate", "disable", "delete"}
			}
			edit := func(p *plan.Plan) {
				registration := p.Registration
				o.given(may...)(p)
				switch mode {
				case "dcr":
					p.Registration = registration
				case "production":
					p.Environment = "production"
				}
			}
			ridden(t, Setup{Dir: o.dir, Catalogue: checks.Catalogue(), Beside: o.beside("partner", "neighbour"), Edit: edit}, func(t *testing.T, entries []logbook.Entry) {
				ran := map[string]bool{}
				for _, e := range entries {
					if e.Observation != nil && e.Observation.Outcome != logbook.NotApplicable {
						ran[e.Observation.Check] = true
					}
					if x := e.Observation; x != nil && (x.Outcome == logbook.Fail || x.Outcome == logbook.Error) {
						t.Errorf("%s at %s: %v; observed %s; because %s", x.Check, x.Point, x.Outcome, x.Observed, x.Because)
					}
				}
				for _, c := range checks.Catalogue() {
					if (c.Takes != check.Nothing || mode == "production" && c.Harm != check.Harmless) && ran[c.ID] {
						t.Errorf("%s ran, which takes %s and does %s", c.ID, c.Takes, c.Harm)
					}
				}
				if len(ran) < 10 {
					t.Errorf("only %d checks ran", len(ran))
				}
			})
			for _, name := range []string{"given partner", "given neighbour"} {
				if !slices.Contains(o.end, name) {
					t.Errorf("%s is gone; left are %v", name, o.end)
				}
			}
		})
	}
}

// withoutQuotas takes back what the plan promises of clients that only the ride's own registrations make.
func withoutQuotas(p *plan.Plan) {
	for i := range p.Points {
		p.Points[i].Quota = nil
	}
	for name, server := range p.AuthorizationServers {
		server.Quota = nil
		p.AuthorizationServers[name] = server
	}
}
