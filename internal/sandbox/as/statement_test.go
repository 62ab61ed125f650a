package as_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/as"
	"github.com/checkride/checkride/internal/sandbox/ca"
	"github.com/checkride/checkride/internal/sandbox/trust"
)

// A federation is a rig whose server registers nobody without a software statement.
type federation struct {
	*rig
	directory *trust.Directory
	acme      option // a certificate of the organisation acme
}

func (g *rig) federation() federation {
	g.t.Helper()
	directory, err := trust.New("https://directory.sandbox.test")
	if err != nil {
		g.t.Fatal(err)
	}
	g.server, err = as.New(as.Config{
		Issuer: issuer, PartnerCAs: g.partners.Pool(), InitialAccessToken: initial, Resources: []string{payments}, Grantable: []string{"payments:read"},
		ResourceServers: []as.Static{{ID: "edge", Secret: "edge-secret"}}, Defects: func() defect.Set { return g.defects }, Now: func() time.Time { return g.now },
		Fetch: &http.Client{Transport: &g.keys},
		Trust: &as.Trust{Issuer: directory.Issuer(), Keys: directory.Keys}, OperatorAccessToken: "operator",
	})
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(g.server.Close)
	g.protocol, g.operator = g.server.Handler(), g.server.Management()
	return federation{g, directory, certificate(g.client("acme-1", ca.Options{Organization: "acme"}))}
}

func (f federation) signed(changes map[string]any) string {
	f.t.Helper()
	claims := map[string]any{"organization": "acme", "software_id": "s-1", "certificate_subject": "CN=acme-1,O=acme"}
	for name, value := range changes {
		claims[name] = value
	}
	text, err := f.directory.Sign(claims, f.now)
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

// come registers with a statement, over acme's certificate unless the options say otherwise.
func (f federation) come(statement string, options ...option) reply {
	f.t.Helper()
	members := map[string]any{"client_name": "acme"}
	if statement != "" {
		members["software_statement"] = statement
	}
	return f.json("POST", "/register", members, append([]option{bearer(initial), f.acme}, options...)...)
}

func tampered(statement string) string {
	parts := strings.Split(statement, ".")
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	signature[10] ^= 1
	return parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func statementClaimsLose(g *rig) string {
	f := g.federation()
	members := map[string]any{"client_name": "acme", "organization": "globex", "software_statement": f.signed(nil)}
	a := f.json("POST", "/register", members, bearer(initial), f.acme)
	return a.text("organization") + " " + a.text("software_id")
}

func statementUnverified(g *rig) string {
	f := g.federation()
	return f.come(tampered(f.signed(nil))).is() + "; " + f.come(f.signed(nil)).is()
}

func statementOptional(g *rig) string {
	f := g.federation()
	return f.come("").is() + "; " + f.come(tampered(f.signed(nil))).is()
}

func statementTimes(g *rig) string {
	f := g.federation()
	at := func(iat, exp time.Duration) string {
		return f.come(f.signed(map[string]any{"iat": f.now.Add(iat).Unix(), "exp": f.now.Add(exp).Unix()})).is()
	}
	return at(-10*time.Minute, -time.Minute) + "; " + at(-20*time.Minute, time.Minute) + "; " + at(5*time.Minute, 6*time.Minute)
}

func statementIssuer(g *rig) string {
	f := g.federation()
	return f.come(f.signed(map[string]any{"iss": "https://another.test"})).is() + "; " + f.come(tampered(f.signed(map[string]any{"iss": "https://another.test"}))).is()
}

// signs registers by a request that the software signs, after claims of it were changed. Another software has the key of
// the statement, if it says so.
func (f federation) signs(changes map[string]any, another bool) string {
	f.t.Helper()
	software, err := trust.NewKey()
	if err != nil {
		f.t.Fatal(err)
	}
	vouched := software
	if another {
		vouched, err = trust.NewKey()
		if err != nil {
			f.t.Fatal(err)
		}
	}
	claims := map[string]any{
		"iss": "s-1", "aud": issuer, "exp": f.now.Add(time.Minute).Unix(), "client_name": "acme",
		"software_statement": f.signed(map[string]any{"software_jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{vouched.Public()}}}),
	}
	maps.Copy(claims, changes)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: software}, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		f.t.Fatal(err)
	}
	return f.send(f.protocol, "POST", "/register", "application/jose", text, bearer(initial), f.acme).is()
}

func signedRequests(g *rig) string {
	f := g.federation()
	return strings.Join([]string{
		f.signs(nil, false), f.signs(map[string]any{"exp": f.now.Unix()}, false), f.signs(map[string]any{"aud": "https://another.test"}, false),
		f.signs(map[string]any{"iss": "s-2"}, false), f.signs(nil, true),
	}, "; ")
}

func statementOfAnyone(g *rig) string {
	f := g.federation()
	other := certificate(f.client("globex-1", ca.Options{Organization: "globex"}))
	same := certificate(f.client("acme-2", ca.Options{Organization: "acme"}))
	return f.come(f.signed(nil), other).is() + "; " + f.come(f.signed(nil), same).is() + "; " + f.come(f.signed(nil), certificate(f.stranger("acme-1", ca.Options{Organization: "acme"}))).is()
}

func statementReturned(g *rig) string {
	f := g.federation()
	statement := f.signed(nil)
	return fmt.Sprint(f.come(statement).text("software_statement") == statement)
}

func statementReused(g *rig) string {
	f := g.federation()
	statement := f.signed(nil)
	return f.come(statement).is() + "; " + f.come(statement).is()
}

func statementOnUpdate(g *rig) string {
	f := g.federation()
	first := f.signed(nil)
	a := f.come(first)
	put := func(statement string) string {
		members := map[string]any{"client_id": a.text("client_id"), "client_name": "acme"}
		if statement != "" {
			members["software_statement"] = statement
		}
		b := f.json("PUT", "/register/"+a.text("client_id"), members, bearer(a.text("registration_access_token")), f.acme)
		if b.status == 200 {
			a = b
		}
		return b.is()
	}
	return put("") + "; " + put(tampered(f.signed(nil))) + "; " + put(first) + "; " + put(f.signed(nil))
}

func registrationCertificate(g *rig) string {
	f := g.federation()
	a := f.come(f.signed(nil))
	own := bearer(a.text("registration_access_token"))
	path := "/register/" + a.text("client_id")
	stranger := certificate(f.stranger("acme-1", ca.Options{Organization: "acme"}))
	return f.come(f.signed(nil), bare).is() + "; " + f.json("GET", path, nil, own).is() + "; " + f.json("GET", path, nil, own, stranger).is() + "; " +
		f.json("GET", path, nil, own, certificate(f.client("globex-1", ca.Options{Organization: "globex"}))).is() + "; " + f.json("GET", path, nil, own, f.acme).is()
}

func accessTokens(g *rig) string {
	f := g.federation()
	mint := func(organization string) option {
		a := f.manage("POST", "/initial-access-tokens?lifetime=1m&organization="+organization)
		return bearer(a.text("initial_access_token"))
	}
	once, theirs, old := mint("acme"), mint("globex"), mint("acme")
	told := f.come(f.signed(nil), once).is() + "; " + f.come(f.signed(nil), once).is() + "; " + f.come(f.signed(nil), theirs).is()
	f.now = f.now.Add(time.Minute)
	return told + "; " + f.come(f.signed(nil), old).is()
}

func reregistration(g *rig) string {
	f := g.federation()
	a := f.come(f.signed(nil))
	p := partner{f.rig, a.text("client_id"), a.text("client_secret"), a.text("registration_access_token")}
	token := p.access("")
	f.json("DELETE", p.path(), nil, bearer(p.token), f.acme)
	b := f.come(f.signed(nil))
	return fmt.Sprint(b.text("client_id") == p.id) + " " + f.live(token) + " " + f.json("GET", p.path(), nil, bearer(p.token), f.acme).is()
}

// bare shows no certificate.
func bare(r *http.Request) { r.TLS = nil }

// The operator's token registers without statement and certificate, and what it has registered is managed without one.
func TestTheOperatorNeedsNoStatement(t *testing.T) {
	f := newRig(t, defect.Set{}, defect.Situation{}).federation()
	a := f.json("POST", "/register", map[string]any{"client_name": "by hand"}, bearer("operator"))
	b := f.json("DELETE", "/register/"+a.text("client_id"), nil, bearer(a.text("registration_access_token")))
	if a.status != 201 || b.status != 204 {
		t.Errorf("%d %s, then %d %s", a.status, a.raw, b.status, b.raw)
	}
}

// What a statement says beside its claims must be whole: no jti, no organisation, no object, another algorithm.
func TestStatementsThatAreNoneAreRefused(t *testing.T) {
	f := newRig(t, defect.Set{}, defect.Situation{}).federation()
	none, err := json.Marshal(map[string]any{"alg": "none"})
	if err != nil {
		t.Fatal(err)
	}
	whole := strings.Split(f.signed(nil), ".")
	for name, statement := range map[string]string{
		"no jti":          f.signed(map[string]any{"jti": ""}),
		"no organization": f.signed(map[string]any{"organization": ""}),
		"no JWT":          "statement",
		"unsigned":        base64.RawURLEncoding.EncodeToString(none) + "." + whole[1] + ".",
		"padded":          strings.Join(whole, ".") + "=",
		"two parts":       whole[0] + "." + whole[1],
	} {
		if got := f.come(statement).is(); got != "400 invalid_software_statement" {
			t.Errorf("%s: %s", name, got)
		}
	}
}
