package as_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/as"
	"github.com/checkride/checkride/internal/sandbox/ca"
)

func healthy(t *testing.T) *rig { return newRig(t, defect.Set{}, defect.Situation{}) }

// Whoever adds a switch marked "AS:" must add its row.
func TestEveryDefectOfTheServerHasARow(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../defect/defect.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for _, row := range defectRows {
		rows[nameOf(row.set)] = true
	}
	marked := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "Set" {
			return true
		}
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			if !strings.HasPrefix(field.Comment.Text(), "AS:") {
				continue
			}
			marked++
			if !rows[field.Names[0].Name] {
				t.Errorf("%s has no row in defectRows", field.Names[0].Name)
			}
		}
		return false
	})
	if marked != len(rows) || marked == 0 {
		t.Errorf("%d defects are marked AS, %d rows", marked, len(rows))
	}
}

func TestConfigurationIsRefused(t *testing.T) {
	good := as.Config{Issuer: issuer, InitialAccessToken: initial, Resources: []string{payments}}
	if _, err := as.New(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*as.Config){
		"slash":       func(c *as.Config) { c.Issuer += "/" },
		"http":        func(c *as.Config) { c.Issuer = "http://as.sandbox.test" },
		"no token":    func(c *as.Config) { c.InitialAccessToken = "" },
		"no resource": func(c *as.Config) { c.Resources = nil },
		"no secret":   func(c *as.Config) { c.ResourceServers = []as.Static{{ID: "edge"}} },
	} {
		bad := good
		spoil(&bad)
		if _, err := as.New(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestRegistrationIsJudged(t *testing.T) {
	g := healthy(t)
	ec, short := newKey(t), rsaKey(t, 1024)
	selfSigned := g.stranger("acme", ca.Options{})
	method := func(name string, more map[string]any) map[string]any {
		more["token_endpoint_auth_method"] = name
		return more
	}
	const bad = "400 invalid_client_metadata"
	for _, row := range []struct {
		name    string
		members map[string]any
		want    string
	}{
		{"nothing asked", map[string]any{}, "201"},
		{"unknown members", map[string]any{"shoe_size": 43, "Client_Name": 5}, "201"},
		{"name not a string", map[string]any{"client_name": 5}, bad},
		{"name with line break", map[string]any{"client_name": "a\nb"}, bad},
		{"script for a logo", map[string]any{"logo_uri": "javascript:alert(1)"}, bad},
		{"scope beyond", map[string]any{"scope": "admin"}, bad},
		{"unknown method", method("client_secret_jwt", map[string]any{}), bad},
		{"public", method("none", map[string]any{}), bad},
		{"algorithm none", map[string]any{"token_endpoint_auth_signing_alg": "none"}, bad},
		{"private_key_jwt", method("private_key_jwt", map[string]any{"jwks": keySet(ec.Public())}), "201"},
		{"private_key_jwt without keys", method("private_key_jwt", map[string]any{}), bad},
		{"jwks and jwks_uri", method("private_key_jwt", map[string]any{"jwks": keySet(ec.Public()), "jwks_uri": "https://x.test"}), bad},
		{"jwks_uri", method("private_key_jwt", map[string]any{"jwks_uri": "https://x.test/jwks"}), bad},
		{"private key", method("private_key_jwt", map[string]any{"jwks": keySet(ec)}), bad},
		{"symmetric key", method("private_key_jwt", map[string]any{"jwks": keySet([]byte("0123456789abcdef"))}), bad},
		{"short key", method("private_key_jwt", map[string]any{"jwks": keySet(short.Public())}), bad},
		{"no keys", method("private_key_jwt", map[string]any{"jwks": map[string]any{"keys": []any{}}}), bad},
		{"subject", method("tls_client_auth", map[string]any{"tls_client_auth_san_dns": "acme.test"}), "201"},
		{"no subject", method("tls_client_auth", map[string]any{}), bad},
		{"two subjects", method("tls_client_auth", map[string]any{"tls_client_auth_san_dns": "a.test", "tls_client_auth_subject_dn": "CN=a"}), bad},
		{"not a name", method("tls_client_auth", map[string]any{"tls_client_auth_subject_dn": "acme"}), bad},
		{"not an address", method("tls_client_auth", map[string]any{"tls_client_auth_san_ip": "acme"}), bad},
		{"self-signed", method("self_signed_tls_client_auth", map[string]any{"jwks": withCertificates(selfSigned)}), "201"},
		{"self-signed without x5c", method("self_signed_tls_client_auth", map[string]any{"jwks": keySet(ec.Public())}), bad},
	} {
		if got := g.json("POST", "/register", row.members, bearer(initial)).is(); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
	big := map[string]any{"client_name": strings.Repeat("x", 65<<10)}
	if got := g.json("POST", "/register", big, bearer(initial)).is(); got != "413 invalid_request" {
		t.Errorf("65 KiB: %s", got)
	}
	a := g.send(g.protocol, "POST", "/register", "text/plain", "{}", bearer(initial))
	if a.is() != bad {
		t.Errorf("text/plain: %s", a.is())
	}
	a = g.json("POST", "/register", map[string]any{}, bearer("wrong"))
	if a.is() != "401 invalid_token" || !strings.Contains(a.header.Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("wrong initial access token: %s %v", a.is(), a.header)
	}
}

func TestRegistrationTellsAll(t *testing.T) {
	g := healthy(t)
	a := g.json("POST", "/register", map[string]any{
		"client_name": "acme ride", "organization": "Acme Ltd", "software_id": "s-1", "contacts": []string{"ops@acme.test"},
		"scope": "payments:write payments:read", "grant_types": []string{"authorization_code"},
	}, bearer(initial))
	for name, want := range map[string]any{
		"client_name": "acme ride", "organization": "Acme Ltd", "software_id": "s-1", "scope": "payments:read",
		"token_endpoint_auth_method": "client_secret_basic", "client_secret_expires_at": float64(g.now.Add(60 * 24 * time.Hour).Unix()),
		"client_id_issued_at":     float64(g.now.Unix()),
		"registration_client_uri": issuer + "/register/" + a.text("client_id"),
	} {
		if a.body[name] != want {
			t.Errorf("%s is %v, want %v", name, a.body[name], want)
		}
	}
	if got := fmt.Sprint(a.body["grant_types"], a.body["contacts"]); got != "[client_credentials] [ops@acme.test]" {
		t.Error(got)
	}
	if len(a.text("client_secret")) < 43 || len(a.text("registration_access_token")) < 43 {
		t.Error("credentials are short")
	}
	if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Date") != g.now.Format(http.TimeFormat) {
		t.Error(a.header)
	}
	read := g.json("GET", "/register/"+a.text("client_id"), nil, bearer(a.text("registration_access_token")))
	if read.status != http.StatusOK || read.raw != a.raw {
		t.Errorf("read differs from what registration told: %s", read.raw)
	}
	keyed := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(newKey(t).Public())})
	if keyed.secret != "" {
		t.Error("a client without use for a secret got one")
	}
}

func TestUpdateReplaces(t *testing.T) {
	g := healthy(t)
	p := g.register(map[string]any{"client_name": "acme ride", "organization": "Acme"})
	for name, members := range map[string]map[string]any{
		"no client_id":    {"client_name": "acme"},
		"other client_id": {"client_id": "x"},
		"token":           {"client_id": p.id, "registration_access_token": p.token},
		"own secret":      {"client_id": p.id, "client_secret": "chosen by the client"},
		"bad metadata":    {"client_id": p.id, "token_endpoint_auth_method": "none"},
	} {
		if got := g.json("PUT", p.path(), members, bearer(p.token)).is(); got != "400 invalid_client_metadata" {
			t.Errorf("%s: %s", name, got)
		}
	}
	a := g.json("PUT", p.path(), map[string]any{"client_id": p.id, "client_secret": p.secret, "client_name": "acme neighbour"}, bearer(p.token))
	if a.status != http.StatusOK || a.text("client_secret") != p.secret {
		t.Fatalf("update: %d %s", a.status, a.raw)
	}
	if _, there := a.body["organization"]; there {
		t.Error("an omitted member stayed")
	}
	if a.text("scope") != "payments:read" {
		t.Errorf("a new name gave a new entitlement: %s", a.text("scope"))
	}
	fresh := a.text("registration_access_token")
	if fresh == p.token || g.json("GET", p.path(), nil, bearer(p.token)).is() != "401 invalid_token" {
		t.Error("the registration token was not rotated")
	}
	if g.json("GET", p.path(), nil, bearer(fresh)).status != http.StatusOK {
		t.Error("the new registration token does not work")
	}
	a = g.json("POST", p.path(), nil, bearer(fresh))
	if a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != "DELETE, GET, PUT" {
		t.Errorf("POST: %d %v", a.status, a.header)
	}
	a = g.json("DELETE", p.path(), nil, bearer(fresh))
	if a.status != http.StatusNoContent || a.raw != "" || g.json("GET", p.path(), nil, bearer(fresh)).is() != "401 invalid_token" {
		t.Errorf("delete: %d", a.status)
	}
}

func TestTokenRequestsAreJudged(t *testing.T) {
	g := healthy(t)
	p, n := g.partner(), g.neighbour()
	post := g.register(map[string]any{"token_endpoint_auth_method": "client_secret_post"})
	const grant = "grant_type=client_credentials"
	for _, row := range []struct {
		name, form string
		options    []option
		want       string
	}{
		{"basic", grant, []option{p.basic()}, "200"},
		{"basic and client_id", grant + "&client_id=" + p.id, []option{p.basic()}, "200"},
		{"basic and another client_id", grant + "&client_id=" + n.id, []option{p.basic()}, "400 invalid_request"},
		{"post", grant + "&client_id=" + post.id + "&client_secret=" + post.secret, nil, "200"},
		{"post client by basic", grant, []option{post.basic()}, "401 invalid_client"},
		{"two methods", grant + "&client_id=" + p.id + "&client_secret=" + p.secret, []option{p.basic()}, "400 invalid_request"},
		{"basic and assertion", grant + "&client_assertion=x", []option{p.basic()}, "400 invalid_request"},
		{"bearer", grant, []option{bearer(p.secret)}, "401 invalid_client"},
		{"nobody", grant, nil, "401 invalid_client"},
		{"unknown", grant, []option{basic("x", "y")}, "401 invalid_client"},
		{"empty secret", grant, []option{basic(p.id, "")}, "401 invalid_client"},
		{"resource server", grant, []option{basic("edge", "edge-secret")}, "400 unauthorized_client"},
		{"no grant", "scope=payments:read", []option{p.basic()}, "400 invalid_request"},
		{"password grant", "grant_type=password", []option{p.basic()}, "400 unsupported_grant_type"},
		{"repeated", grant + "&scope=a&scope=b", []option{p.basic()}, "400 invalid_request"},
		{"empty is omitted", grant + "&scope=&scope=payments:read", []option{p.basic()}, "200"},
		{"unknown resource", grant + "&resource=https://x.test", []option{p.basic()}, "400 invalid_target"},
		{"known resource", grant + "&resource=" + url.QueryEscape(ledger), []option{p.basic()}, "200"},
		{"nothing entitled", grant + "&scope=admin", []option{p.basic()}, "400 invalid_scope"},
		{"scope in another case", grant + "&scope=Payments:Read", []option{p.basic()}, "400 invalid_scope"},
	} {
		a := g.form("/token", row.form, row.options...)
		if a.is() != row.want {
			t.Errorf("%s: %s, want %s", row.name, a.is(), row.want)
		}
		if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Pragma") != "no-cache" {
			t.Errorf("%s: may be stored", row.name)
		}
		if a.status == http.StatusUnauthorized && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Basic") {
			t.Errorf("%s: no WWW-Authenticate", row.name)
		}
	}
	if a := g.send(g.protocol, "GET", "/token", "", ""); a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != "POST" {
		t.Errorf("GET /token: %d", a.status)
	}
	if a := g.send(g.protocol, "POST", "/token", "application/json", "{}", p.basic()); a.is() != "400 invalid_request" {
		t.Errorf("JSON at /token: %s", a.is())
	}
}

func TestTokensSayWhatTheyAre(t *testing.T) {
	g := healthy(t)
	p, c := g.partner(), g.client("anybody", ca.Options{})
	a := p.grant("resource="+url.QueryEscape(ledger), certificate(c))
	if a.text("token_type") != "Bearer" || a.body["expires_in"] != 120.0 || a.text("scope") != "payments:read" {
		t.Errorf("answer: %s", a.raw)
	}
	raw := a.text("access_token")
	h, claims := g.verified(raw)
	if h.ExtraHeaders[jose.HeaderType] != "at+jwt" || h.Algorithm != "ES256" {
		t.Errorf("header: %v", h)
	}
	shared := map[string]any{
		"iss": issuer, "sub": p.id, "client_id": p.id, "aud": ledger, "scope": "payments:read", "org": "acme",
		"iat": float64(g.now.Unix()), "exp": float64(g.now.Add(2 * time.Minute).Unix()), "jti": claims["jti"],
	}
	seen := g.introspect(raw)
	for name, want := range shared {
		if claims[name] != want || seen[name] != want {
			t.Errorf("%s is %v in the token, %v in introspection, want %v", name, claims[name], seen[name], want)
		}
	}
	if got := fmt.Sprint(claims["cnf"], seen["cnf"]); strings.Count(got, "x5t#S256:") != 2 || g.events[len(g.events)-2].CertificateSHA256 != claims["cnf"].(map[string]any)["x5t#S256"] {
		t.Errorf("cnf: %s", got)
	}
	if _, bound := g.introspect(p.access(""))["cnf"]; bound {
		t.Error("a token without certificate is bound")
	}
	if _, claims := g.verified(p.access("")); claims["aud"] != payments {
		t.Errorf("default audience is %v", claims["aud"])
	}
	g.now = g.now.Add(2*time.Minute - time.Second)
	before := g.live(raw)
	g.now = g.now.Add(time.Second)
	if got := before + " " + g.live(raw); got != "alive dead" {
		t.Errorf("around exp: %s", got)
	}
	if g.live("garbage") != "dead" || g.live(raw+"A") != "dead" {
		t.Error("garbage is alive")
	}
}

func TestOneTokenHasOneSpelling(t *testing.T) {
	g := healthy(t)
	raw := g.partner().access("")
	// The last of 86 characters carries two bits of the signature and four stray ones.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, raw[len(raw)-1])
	other := raw[:len(raw)-1] + string(alphabet[last^1])
	if g.live(other) != "dead" || g.live(raw) != "alive" {
		t.Error("another spelling of a token is alive")
	}
}

func TestAssertionsAreJudged(t *testing.T) {
	g := healthy(t)
	n := g.neighbour()
	ec, rs := newKey(t), rsaKey(t, 2048)
	edPublic, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(ec.Public(), rs.Public(), edPublic)})
	good := func(changes map[string]any) string { return g.sign(jose.ES256, ec, g.claims(p.id, changes)) }
	at := func(d time.Duration) int64 { return g.now.Add(d).Unix() }
	const no = "401 invalid_client"
	for _, row := range []struct{ name, assertion, more, want string }{
		{"ES256", good(nil), "", "200"},
		{"RS256", g.sign(jose.RS256, rs, g.claims(p.id, nil)), "", no},
		{"PS256", g.sign(jose.PS256, rs, g.claims(p.id, nil)), "", "200"},
		{"EdDSA", g.sign(jose.EdDSA, ed, g.claims(p.id, nil)), "", "200"},
		{"RS512", g.sign(jose.RS512, rs, g.claims(p.id, nil)), "", no},
		{"another key", g.sign(jose.ES256, newKey(t), g.claims(p.id, nil)), "", no},
		{"client_id agrees", good(nil), "client_id=" + p.id, "200"},
		{"client_id disagrees", good(nil), "client_id=" + n.id, no},
		{"with a secret", good(nil), "client_secret=x", "400 invalid_request"},
		{"for the token endpoint", good(map[string]any{"aud": issuer + "/token"}), "", no},
		{"for the issuer alone, in a list", good(map[string]any{"aud": []string{issuer}}), "", no},
		{"for another server too", good(map[string]any{"aud": []string{issuer, "x"}}), "", no},
		{"nbf and iat 8 s ahead", good(map[string]any{"nbf": at(8 * time.Second), "iat": at(8 * time.Second)}), "", "200"},
		{"made in the future", good(map[string]any{"iat": at(time.Minute)}), "", no},
		{"for another issuer", good(map[string]any{"aud": issuer + "/"}), "", no},
		{"no aud", good(map[string]any{"aud": nil}), "", no},
		{"iss of another", good(map[string]any{"iss": n.id}), "", no},
		{"no sub", good(map[string]any{"sub": nil}), "", no},
		{"no exp", good(map[string]any{"exp": nil}), "", no},
		{"over", good(map[string]any{"exp": at(0)}), "", no},
		{"10 minutes ahead", good(map[string]any{"exp": at(10 * time.Minute)}), "", "200"},
		{"more than 10 minutes ahead", good(map[string]any{"exp": at(10*time.Minute + time.Second)}), "", no},
		{"not valid yet", good(map[string]any{"nbf": at(time.Minute)}), "", no},
		{"no jti", good(map[string]any{"jti": nil}), "", no},
		{"no signature", strings.Join(strings.Split(good(nil), ".")[:2], ".") + ".", "", no},
		{"garbage", "garbage", "", no},
	} {
		if got := g.assert(row.assertion, row.more).is(); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
	once := good(nil)
	first := g.assert(once, "").is()
	g.now = g.now.Add(59 * time.Second)
	second := g.assert(once, "").is()
	if first+second != "200"+no {
		t.Errorf("replay: %s, then %s", first, second)
	}
}

func TestCertificatesAreJudged(t *testing.T) {
	g := healthy(t)
	link, err := url.Parse("spiffe://acme.test/ride")
	if err != nil {
		t.Fatal(err)
	}
	c := g.client("acme, ride+1", ca.Options{
		Organization: "Acme", DNSNames: []string{"acme.test"}, URIs: []*url.URL{link},
		IPs: []net.IP{net.IPv4(192, 0, 2, 7)}, Emails: []string{"ops@acme.test"},
	})
	for _, row := range []struct{ member, value, want string }{
		{"subject_dn", c.Leaf.Subject.String(), "200"},
		{"subject_dn", `CN=acme\, ride\+1,O=Acme`, "200"},
		{"subject_dn", `cn=acme\2c ride\2B1, o=Acme`, "200"},
		{"subject_dn", `2.5.4.3=acme\, ride\+1,O=#0c0441636d65`, "200"},
		{"subject_dn", `O=Acme,CN=acme\, ride\+1`, "401 invalid_client"},
		{"subject_dn", `CN=acme\, ride\+1`, "401 invalid_client"},
		{"subject_dn", `CN=acme\, ride\+1,O=acme`, "401 invalid_client"},
		{"san_dns", "ACME.test", "200"},
		{"san_dns", "acme", "401 invalid_client"},
		{"san_uri", "spiffe://acme.test/ride", "200"},
		{"san_uri", "spiffe://acme.test/", "401 invalid_client"},
		{"san_ip", "192.0.2.7", "200"},
		{"san_ip", "192.0.2.8", "401 invalid_client"},
		{"san_email", "ops@acme.test", "200"},
		{"san_email", "ops@beta.test", "401 invalid_client"},
	} {
		p := g.register(map[string]any{"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_" + row.member: row.value})
		if got := p.overTLS(certificate(c)).is(); got != row.want {
			t.Errorf("%s %s: %s, want %s", row.member, row.value, got, row.want)
		}
		if got := p.overTLS().is(); got != "401 invalid_client" {
			t.Errorf("%s without certificate: %s", row.member, got)
		}
	}
	registered := g.stranger("acme", ca.Options{})
	p := g.register(map[string]any{"token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": withCertificates(registered)})
	got := p.overTLS(certificate(registered)).is() + "; " + p.overTLS(certificate(c)).is() + "; " + p.overTLS().is()
	if got != "200; 401 invalid_client; 401 invalid_client" {
		t.Errorf("self-signed: %s", got)
	}
}

func TestRevocationReachesIntrospectionAndFeed(t *testing.T) {
	g := healthy(t)
	p := g.partner()
	first, second := p.access(""), p.access("")
	one, two := jti(g, first), jti(g, second)
	if got := g.form("/revoke", "token=garbage", p.basic()).is(); got != "200" {
		t.Errorf("unknown token: %s", got)
	}
	if got := g.form("/revoke", "", p.basic()).is(); got != "400 invalid_request" {
		t.Errorf("no token: %s", got)
	}
	g.form("/revoke", "token_type_hint=refresh_token&token="+first, p.basic())
	if g.live(first) != "dead" || g.live(second) != "alive" {
		t.Error("revocation did not end that token alone")
	}
	if jtis, gone := g.feed(); !slices.Equal(jtis, []string{one}) || len(gone) != 0 {
		t.Errorf("feed: %v %v", jtis, gone)
	}
	g.json("DELETE", p.path(), nil, bearer(p.token))
	if jtis, gone := g.feed(); !slices.Equal(jtis, []string{one, two}) || !slices.Equal(gone, []string{p.id}) {
		t.Errorf("feed after deletion: %v %v", jtis, gone)
	}
	a := g.send(g.protocol, "GET", "/feed?since=1", "", "", basic("edge", "edge-secret"))
	if len(a.body["revoked"].([]any)) != 1 || a.body["next"] != 3.0 {
		t.Errorf("feed since 1: %s", a.raw)
	}
	if got := g.send(g.protocol, "GET", "/feed", "", "", p.basic()).is(); got != "401 invalid_client" {
		t.Errorf("a partner reads the feed: %s", got)
	}
}

func TestOperatorActs(t *testing.T) {
	g := healthy(t)
	p, n := g.partner(), g.neighbour()
	path := "/clients/" + p.id
	untouched := n.access("")

	old := p.access("")
	g.manage("POST", path+"/window?state=closed")
	g.manage("POST", path+"/window?state=open")
	if got := g.live(old) + " " + g.live(p.access("")); got != "dead alive" {
		t.Errorf("window closed and opened: %s", got)
	}
	g.manage("POST", path+"/entitlement?add=payments:write")
	if got := p.grant("").text("scope"); got != "payments:read payments:write" {
		t.Errorf("after an addition: %s", got)
	}
	g.manage("POST", path+"/entitlement?remove=payments:write")
	if got := p.grant("scope=payments:write").is(); got != "400 invalid_scope" {
		t.Errorf("after a reduction: %s", got)
	}
	if got := g.manage("GET", "/clients?name=acme").body["clients"]; fmt.Sprint(got) != fmt.Sprintf("[map[client_id:%s client_name:acme ride partner]]", p.id) {
		t.Errorf("list: %v", got)
	}
	last := p.access("")
	if got := g.manage("DELETE", path).status; got != http.StatusNoContent || g.live(last) != "dead" {
		t.Errorf("delete: %d", got)
	}
	for _, missing := range []reply{g.manage("POST", path+"/suspend"), g.manage("DELETE", "/keys/x"), g.manage("GET", "/x")} {
		if missing.is() != "404 not_found" {
			t.Errorf("what does not exist: %s", missing.is())
		}
	}
	if g.live(untouched) != "alive" {
		t.Error("the neighbour was touched")
	}
	last0 := g.events[len(g.events)-1]
	if last0.Action != "introspect" {
		t.Errorf("last event: %+v", last0)
	}
	for _, e := range g.events {
		if (e.Action == "window" || e.Action == "entitlement") && (e.Actor != "operator" || e.ClientID != p.id || e.Org != "acme") {
			t.Errorf("operator's event: %+v", e)
		}
	}
}

func TestKeysRotate(t *testing.T) {
	g := healthy(t)
	p := g.partner()
	old := p.access("")
	h, _ := g.verified(old)
	kid := g.manage("POST", "/keys/rotate").text("kid")
	young := p.access("")
	if next, _ := g.verified(young); next.KeyID != kid || next.KeyID == h.KeyID || g.live(old) != "alive" {
		t.Errorf("after rotation %s signs, want %s", next.KeyID, kid)
	}
	g.manage("DELETE", "/keys/"+h.KeyID)
	if got := g.live(old) + " " + g.live(young); got != "dead alive" {
		t.Errorf("after removal: %s", got)
	}
	if strings.Contains(g.send(g.protocol, "GET", "/jwks", "", "").raw, h.KeyID) {
		t.Error("the removed key is published")
	}
	g.manage("DELETE", "/keys/"+kid)
	if got := g.live(young) + " " + g.live(p.access("")); got != "dead alive" {
		t.Errorf("after removal of the last: %s", got)
	}
}

func TestDefectsAreSwitchedLive(t *testing.T) {
	g := healthy(t)
	post := func(body string) string { return g.send(g.operator, "POST", "/defects", "application/json", body).is() }
	got := post(`{"issuer_mismatch":true}`) + "; " + post(`{"unknown":true}`) + "; " + post(``) + "; " + post(`{} {}`)
	if got != "204; 400 invalid_request; 400 invalid_request; 400 invalid_request" {
		t.Error(got)
	}
	if (g.defects != defect.Set{IssuerMismatch: true}) {
		t.Errorf("%+v", g.defects)
	}
}

func TestEventsExplain(t *testing.T) {
	g := healthy(t)
	p := g.partner()
	c := g.client("x", ca.Options{})
	p.grant("", header("traceparent", "00-1-2-01"), header("X-Request-ID", "r-1"), certificate(c))
	got := g.events[len(g.events)-1]
	want := as.Event{
		Actor: "client", Action: "grant", Decision: "allow", ClientID: p.id, Org: "acme", TokenID: got.TokenID,
		CertificateSHA256: got.CertificateSHA256, Origin: "192.0.2.1", Method: "POST", Path: "/token", Status: 200,
		Traceparent: "00-1-2-01", RequestID: "r-1",
	}
	if got != want || got.TokenID == "" || len(got.CertificateSHA256) != 43 {
		t.Errorf("%+v", got)
	}
	g.form("/token", "grant_type=client_credentials", basic(p.id, "wrong"))
	got = g.events[len(g.events)-1]
	if got.Decision != "deny" || got.Status != 401 || got.ClientID != p.id || got.Org != "acme" || got.Reason != "invalid_client: wrong secret" {
		t.Errorf("%+v", got)
	}
	g.json("GET", p.path(), nil)
	got = g.events[len(g.events)-1]
	if got.Action != "read" || got.Decision != "deny" || got.ClientID != p.id {
		t.Errorf("%+v", got)
	}
	for _, e := range g.events {
		if strings.Contains(fmt.Sprintf("%+v", e), p.secret) || strings.Contains(fmt.Sprintf("%+v", e), p.token) {
			t.Errorf("an event holds a credential: %+v", e)
		}
	}
}

func TestMetadataNamesEveryEndpoint(t *testing.T) {
	g := healthy(t)
	a := g.send(g.protocol, "GET", "/.well-known/oauth-authorization-server", "", "")
	if a.text("issuer") != issuer || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s", a.raw)
	}
	for _, name := range []string{"token", "registration", "introspection", "revocation"} {
		path := strings.TrimPrefix(a.text(name+"_endpoint"), issuer)
		if got := g.form(path, "").status; got == http.StatusNotFound || path == "" {
			t.Errorf("%s endpoint %q: %d", name, path, got)
		}
	}
	if other := g.send(g.protocol, "GET", "/.well-known/openid-configuration", "", ""); other.raw != a.raw {
		t.Error("the two documents differ")
	}
}

func TestLaggingReplicasForgetEverySecondTime(t *testing.T) {
	g := newRig(t, defect.Set{}, defect.Situation{LaggingReplicas: 2 * time.Second})
	p := g.partner()
	got := []string{p.grant("").is(), p.grant("").is(), g.json("GET", p.path(), nil, bearer(p.token)).is(), g.json("GET", p.path(), nil, bearer(p.token)).is()}
	if want := []string{"401 invalid_client", "200", "401 invalid_token", "200"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	g.now = g.now.Add(2 * time.Second)
	raw := p.access("")
	if got := g.live(raw) + " " + g.live(raw); got != "alive alive" {
		t.Errorf("after the lag: %s", got)
	}
}

func TestSameTokenUntilItExpiresOrDies(t *testing.T) {
	g := newRig(t, defect.Set{}, defect.Situation{SameToken: true})
	p := g.neighbour()
	first := p.access("")
	g.now = g.now.Add(30 * time.Second)
	again := p.grant("")
	if again.text("access_token") != first || again.body["expires_in"] != 90.0 {
		t.Errorf("again: %s", again.raw)
	}
	for name, more := range map[string]string{"scope": "scope=payments:read", "resource": "resource=" + url.QueryEscape(ledger)} {
		if p.access(more) == first {
			t.Errorf("another %s, same token", name)
		}
	}
	g.form("/revoke", "token="+first, p.basic())
	second := p.access("")
	if second == first {
		t.Error("a revoked token was given again")
	}
	g.now = g.now.Add(2 * time.Minute)
	if p.access("") == second {
		t.Error("an expired token was given again")
	}
}

func TestWrongClockIsTheServersOwn(t *testing.T) {
	ahead := 90 * time.Second
	g := newRig(t, defect.Set{}, defect.Situation{WrongClock: ahead})
	key := newKey(t)
	p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(key.Public())})
	ours := g.assert(g.sign(jose.ES256, key, g.claims(p.id, nil)), "")
	theirs := g.assert(g.sign(jose.ES256, key, g.claims(p.id, map[string]any{"exp": g.now.Add(ahead + time.Minute).Unix()})), "")
	if got := ours.is() + "; " + theirs.is(); got != "401 invalid_client; 200" {
		t.Fatalf("assertions in our time and in theirs: %s", got)
	}
	_, claims := g.verified(theirs.text("access_token"))
	if claims["iat"] != float64(g.now.Add(ahead).Unix()) || ours.header.Get("Date") != g.now.Add(ahead).Format(http.TimeFormat) {
		t.Errorf("iat %v, Date %s", claims["iat"], ours.header.Get("Date"))
	}
}

func TestDeletionLiesUntilTheOperatorRemoves(t *testing.T) {
	g := newRig(t, defect.Set{}, defect.Situation{DeleteLies: true})
	p := g.partner()
	raw := p.access("")
	a := g.json("DELETE", p.path(), nil, bearer(p.token))
	if got := a.is() + " " + g.live(raw) + " " + p.grant("").is(); got != "204 alive 200" {
		t.Errorf("deleted by itself: %s", got)
	}
	g.manage("DELETE", "/clients/"+p.id)
	if got := g.live(raw) + " " + p.grant("").is(); got != "dead 401 invalid_client" {
		t.Errorf("removed by the operator: %s", got)
	}
}

// The way from a real handshake to a bound token: the listener asks for a certificate and verifies none.
func TestOverTLS(t *testing.T) {
	g := healthy(t)
	p, c := g.bySubject("CN=acme"), g.client("acme", ca.Options{})
	forms := url.Values{"grant_type": {"client_credentials"}, "client_id": {p.id}}
	listener := httptest.NewUnstartedServer(g.protocol)
	listener.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	listener.StartTLS()
	defer listener.Close()
	roots := x509.NewCertPool()
	roots.AddCert(listener.Certificate())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{c}}}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).PostForm(listener.URL+"/token", forms)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%d %v", answer.StatusCode, err)
	}
	if _, bound := g.introspect(body.Token)["cnf"]; !bound || answer.Header.Get("Date") != g.now.Format(http.TimeFormat) {
		t.Error("the token is not bound, or the Date is not the server's")
	}
}

func TestClosedServerAnswersNothing(t *testing.T) {
	g := healthy(t)
	g.server.Close()
	if got := g.send(g.protocol, "GET", "/jwks", "", "").is(); got != "503 temporarily_unavailable" {
		t.Error(got)
	}
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	if bits < 2048 {
		t.Setenv("GODEBUG", "rsa1024min=0") // such keys are made only to be refused
	}
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
