package oauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// documents answers GETs from a table, and everything else with 404.
type documents map[string]string

func (d documents) Do(_ context.Context, r wire.Request) (wire.Exchange, error) {
	body, ok := d[r.Origin+r.Target]
	if !ok {
		return wire.Exchange{Request: r, Status: 404}, nil
	}
	return wire.Exchange{Request: r, Status: 200, Body: []byte(body)}, nil
}

func server() Server {
	return Server{
		Name: "main", Issuer: "https://as.example",
		Endpoints: Endpoints{Token: "https://as.example/token", Introspection: "https://as.example/introspect", Revocation: "https://as.example/revoke", Registration: "https://as.example/register"},
		Aliases:   Endpoints{Token: "https://mtls.as.example:8443/token?x=1"},
	}
}

func TestDiscover(t *testing.T) {
	doc := `{"issuer":"https://as.example/t1","token_endpoint":"https://as.example/t1/token","jwks_uri":"https://as.example/t1/jwks","mtls_endpoint_aliases":{"token_endpoint":"https://m.as.example/t1/token"}}`
	tests := []struct {
		name   string
		have   documents
		issuer string
		byHand Endpoints
		token  string
		alias  string
		err    string
	}{
		{"RFC 8414 §3.1 inserts", documents{"https://as.example/.well-known/oauth-authorization-server/t1": doc}, "https://as.example/t1", Endpoints{}, "https://as.example/t1/token", "https://m.as.example/t1/token", ""},
		{"OpenID appends", documents{"https://as.example/t1/.well-known/openid-configuration": doc}, "https://as.example/t1", Endpoints{}, "https://as.example/t1/token", "https://m.as.example/t1/token", ""},
		{"by hand wins", documents{"https://as.example/t1/.well-known/openid-configuration": doc}, "https://as.example/t1", Endpoints{Token: "https://x/t"}, "https://x/t", "", ""},
		{"by hand alone", documents{}, "https://as.example", Endpoints{Token: "https://x/t"}, "https://x/t", "", ""},
		{"document elsewhere", documents{"https://x/doc?v=1": doc}, "https://as.example/t1", Endpoints{Metadata: "https://x/doc?v=1"}, "https://as.example/t1/token", "https://m.as.example/t1/token", ""},
		{"nothing", documents{}, "https://as.example", Endpoints{}, "", "", "put authorization_servers.main.endpoints.token in the plan"},
		{"no token endpoint", documents{"https://a/.well-known/oauth-authorization-server": `{"issuer":"https://a"}`}, "https://a", Endpoints{}, "", "", "no token endpoint is known"},
		{"twice the issuer", documents{"https://a/.well-known/oauth-authorization-server": `{"issuer":"https://a","issuer":"https://b","token_endpoint":"https://a/t"}`}, "https://a", Endpoints{}, "", "", "no metadata"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, _, err := Discover(t.Context(), test.have, "main", test.issuer, test.byHand)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("got %v, want an error with %q", err, test.err)
				}
				return
			}
			if err != nil || s.Endpoints.Token != test.token || s.Aliases.Token != test.alias {
				t.Errorf("got %+v, %v", s, err)
			}
		})
	}
}

func TestDiscoverForeignIssuer(t *testing.T) {
	have := documents{"https://a/.well-known/oauth-authorization-server": `{"issuer":"https://a/","token_endpoint":"https://a/t"}`}
	s, x, err := Discover(t.Context(), have, "main", "https://a", Endpoints{})
	var mismatch *IssuerMismatch
	if !errors.As(err, &mismatch) || mismatch.Got != "https://a/" {
		t.Fatalf("got %v", err)
	}
	if s.Endpoints.Token != "https://a/t" || x.Status != 200 {
		t.Errorf("the checks need the document: got %+v", s)
	}
}

func TestTokenRequest(t *testing.T) {
	keep := secret.NewKeeper()
	key, err := NewKey("")
	if err != nil {
		t.Fatal(err)
	}
	word := keep.Keep("secret", "s3cr3t of the partner")
	cert := &tls.Certificate{}
	tests := []struct {
		name   string
		client Client
		url    string
		form   string
		cred   string
	}{
		{"basic", Client{ID: "p", Auth: ClientSecretBasic, Secret: word}, "https://as.example/token", "grant_type=client_credentials scope=a b resource=https://api", "header Authorization basic=p"},
		{"post", Client{ID: "p", Auth: ClientSecretPost, Secret: word}, "https://as.example/token", "grant_type=client_credentials scope=a b resource=https://api client_id=p", "form client_secret basic="},
		{"jwt", Client{ID: "p", Auth: PrivateKeyJWT, Key: key}, "https://as.example/token", "grant_type=client_credentials scope=a b resource=https://api client_id=p client_assertion_type=" + AssertionType, "form client_assertion basic="},
		{"mtls", Client{ID: "p", Auth: TLSClientAuth, Certificate: cert}, "https://mtls.as.example:8443/token?x=1", "grant_type=client_credentials scope=a b resource=https://api client_id=p", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := server().TokenRequest(test.client, TokenOptions{Scopes: []string{"a", "b"}, Resource: "https://api"})
			var form, cred []string
			for _, f := range r.Form {
				form = append(form, f.Name+"="+f.Value)
			}
			for _, c := range r.Credentials {
				cred = append(cred, fmt.Sprintf("%s %s basic=%s", c.In, c.Name, c.Basic))
			}
			if r.Origin+r.Target != test.url || strings.Join(form, " ") != test.form || strings.Join(cred, " ") != test.cred {
				t.Errorf("got %s%s\n%s\n%s", r.Origin, r.Target, strings.Join(form, " "), cred)
			}
			if test.client.Complete() != nil {
				t.Errorf("complete: %v", test.client.Complete())
			}
			if r.Over.Certificate != test.client.Certificate {
				t.Error("the line does not show the client's certificate")
			}
		})
	}
	if err := (Client{Name: "p", ID: "p", Auth: PrivateKeyJWT}).Complete(); err == nil {
		t.Error("a private_key_jwt client without key is called complete")
	}
}

func TestAssertion(t *testing.T) {
	key, err := NewKey("PS256")
	if err != nil {
		t.Fatal(err)
	}
	s := server()
	s.Clock = time.Hour
	j := s.TokenRequest(Client{ID: "p", Auth: PrivateKeyJWT, Key: key}, TokenOptions{}).Credentials[0].JWT
	want := map[string]any{"iss": "p", "sub": "p", "aud": "https://as.example"}
	if diff := cmp.Diff(want, j.Claims); diff != "" {
		t.Error(diff)
	}
	if j.Header["alg"] != "PS256" || j.Header["kid"] != key.ID || j.Clock != time.Hour || j.Life <= 0 {
		t.Errorf("got %+v", j)
	}
}

// The answer is that of RFC 6749 §5.1, the token that of RFC 7515 A.1, whose exp is 1300819380.
func TestReadToken(t *testing.T) {
	const example = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	sent := time.Unix(1300819000, 0)
	s := server()
	s.Clock = time.Minute // ahead of us
	answer := func(status int, body string) wire.Exchange {
		return wire.Exchange{Serial: 7, Status: status, Body: []byte(body), Sent: sent, Received: sent.Add(time.Second)}
	}
	keep := secret.NewKeeper()
	o := TokenOptions{Scopes: []string{"read"}}

	got, err := ReadToken(answer(200, `{"access_token":"`+example+`","token_type":"Bearer","expires_in":3600}`), keep, s, Client{ID: "p"}, o)
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Unix(1300819380, 0).Add(-time.Minute); !got.Expires.Equal(want) {
		t.Errorf("expires %v, want exp in our clock, %v", got.Expires, want)
	}
	if got.ScopeTold || len(got.Scope) != 1 || got.Lifetime != time.Hour || got.Client != "p" || got.Exchange != 7 {
		t.Errorf("got %+v", got)
	}
	if got.JWT == nil || got.JWT.Claims["iss"] != "joe" || got.JWT.Header["alg"] != "HS256" || got.JWT.Signature != 32 {
		t.Errorf("got %+v", got.JWT)
	}
	if strings.Contains(fmt.Sprintf("%+v %#v %+v", got, got, *got.JWT), example[20:60]) {
		t.Error("a printed token shows its text")
	}

	opaque, err := ReadToken(answer(200, `{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"example","expires_in":"60","scope":"a b"}`), keep, s, Client{}, o)
	if err != nil || opaque.JWT != nil || !opaque.ScopeTold || len(opaque.Scope) != 2 || !opaque.Expires.Equal(sent.Add(time.Minute)) {
		t.Errorf("got %+v, %v", opaque, err)
	}

	for _, bad := range []string{
		``, `[]`, `{}`, `{"access_token":"x"}`, `{"access_token":7,"token_type":"Bearer"}`, `{"access_token":"a\nb","token_type":"Bearer"}`,
		`{"access_token":"x","access_token":"y","token_type":"Bearer"}`, `{"access_token":"x","token_type":"Bearer","expires_in":-1}`,
		`{"access_token":"x","token_type":"Bearer","expires_in":1e300}`, `{"access_token":"x","token_type":"Bearer"}{}`,
		`{"access_token":"x","token_type":"Bearer","x":` + strings.Repeat("[", 60) + strings.Repeat("]", 60) + `}`,
	} {
		_, err := ReadToken(answer(200, bad), keep, s, Client{}, o)
		if err == nil {
			t.Errorf("read as a token: %s", bad)
		}
	}
	_, err = ReadToken(answer(400, `{"error":"invalid_scope","error_description":"no such scope"}`), keep, s, Client{}, o)
	if e, ok := Refusal(err); !ok || e.Code != "invalid_scope" || e.Status != 400 {
		t.Errorf("got %v", err)
	}
	_, err = ReadToken(wire.Exchange{Failure: wire.Timeout}, keep, s, Client{}, o)
	if _, ok := Refusal(err); err == nil || ok {
		t.Errorf("a timeout is no refusal: %v", err)
	}
}

func TestDecode(t *testing.T) {
	j, err := Decode(b64(`{"alg":"none"}`) + "=." + b64(`{"scope":"read","scope":"admin","aud":["a","b"],"cnf":{"x":1,"x":2}}`) + ".")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/claims/scope", "/claims/cnf/x"}, j.Duplicates); diff != "" {
		t.Error(diff)
	}
	if !j.Padded || len(j.Audience()) != 2 || j.Scope()[0] != "admin" || j.Signature != 0 {
		t.Errorf("got %+v", j)
	}
	for _, bad := range []string{"", "a.b", "a.b.c", "..", b64(`{}`) + "." + b64(`{}`) + ".", b64(`{"alg":"x"}`) + "." + b64(`7`) + ".", strings.Repeat("a", maxToken+1)} {
		_, err := Decode(bad)
		if err == nil {
			t.Errorf("decoded: %.40q", bad)
		}
	}
}

func TestDecisions(t *testing.T) {
	x := func(status int, body string) wire.Exchange { return wire.Exchange{Status: status, Body: []byte(body)} }
	asked := func(method string, x wire.Exchange) wire.Exchange {
		x.Request.Method = method
		return x
	}
	type judge func(wire.Exchange) (wire.Decision, string)
	tests := []struct {
		name  string
		judge judge
		x     wire.Exchange
		want  wire.Decision
	}{
		{"token", TokenDecision, x(200, `{"access_token":"x"}`), wire.Accepted},
		{"token by 201", TokenDecision, x(201, `{"access_token":"x"}`), wire.Accepted},
		{"token in a 400", TokenDecision, x(400, `{"error":"invalid_client","access_token":"x"}`), wire.Unknown},
		{"empty token", TokenDecision, x(200, `{"access_token":""}`), wire.Unknown},
		{"login page", TokenDecision, x(200, `<html>`), wire.Unknown},
		{"error with 200", TokenDecision, x(200, `{"error":"invalid_client"}`), wire.Odd},
		{"legal", TokenDecision, x(400, `{"error":"invalid_target"}`), wire.Denied},
		{"illegal", TokenDecision, x(400, `{"error":"nope"}`), wire.Odd},
		{"no JSON", TokenDecision, x(400, `bad`), wire.Odd},
		{"401", TokenDecision, x(401, ``), wire.Denied},
		{"403", TokenDecision, x(403, ``), wire.Odd},
		{"500", TokenDecision, x(500, ``), wire.Odd},
		{"503", TokenDecision, x(503, ``), wire.Unknown},
		{"429", TokenDecision, x(429, `{"error":"invalid_client"}`), wire.Unknown},
		{"alert", TokenDecision, wire.Exchange{Failure: wire.Alert}, wire.Denied},
		{"reset, fresh", TokenDecision, wire.Exchange{Failure: wire.Reset, Fresh: true}, wire.Denied},
		{"reset, used", TokenDecision, wire.Exchange{Failure: wire.Reset}, wire.Unknown},
		{"timeout", TokenDecision, wire.Exchange{Failure: wire.Timeout, Fresh: true}, wire.Unknown},
		{"oversized", TokenDecision, wire.Exchange{Failure: wire.Oversized, Status: 401}, wire.Unknown},
		{"nobody listens", TokenDecision, wire.Exchange{Failure: wire.Refused, Fresh: true}, wire.Unknown},
		{"registered", RegistrationDecision, x(201, `{"client_id":"x"}`), wire.Accepted},
		{"registered without id", RegistrationDecision, x(201, `{}`), wire.Unknown},
		{"metadata", RegistrationDecision, x(400, `{"error":"invalid_client_metadata"}`), wire.Denied},
		{"token error at registration", RegistrationDecision, x(400, `{"error":"invalid_grant"}`), wire.Odd},
		{"no right to register", RegistrationDecision, x(403, ``), wire.Denied},
		{"configuration", ConfigurationDecision, asked("GET", x(200, `{"client_id":"x"}`)), wire.Accepted},
		{"a page for everybody", ConfigurationDecision, asked("GET", x(200, `<html>`)), wire.Unknown},
		{"updated", ConfigurationDecision, asked("PUT", x(200, `{"client_id":"x"}`)), wire.Accepted},
		{"an update of nobody", ConfigurationDecision, asked("PUT", x(200, `{}`)), wire.Unknown},
		{"deleted, with a body", ConfigurationDecision, asked("DELETE", x(200, `{"deleted":true}`)), wire.Accepted},
		{"deleted", ConfigurationDecision, x(204, ``), wire.Accepted},
		{"bad update", ConfigurationDecision, x(400, `{"error":"invalid_client_metadata"}`), wire.Denied},
		{"no delete", ConfigurationDecision, x(405, ``), wire.Denied},
		{"hidden", ConfigurationDecision, x(404, ``), wire.Odd},
		{"active", IntrospectionDecision, x(200, `{"active":true}`), wire.Accepted},
		{"inactive", IntrospectionDecision, x(200, `{"active":false}`), wire.Denied},
		{"active as text", IntrospectionDecision, x(200, `{"active":"true"}`), wire.Unknown},
		{"stranger", IntrospectionDecision, x(401, ``), wire.Denied},
		{"revoked", RevocationDecision, x(200, ``), wire.Accepted},
		{"unsupported", RevocationDecision, x(400, `{"error":"unsupported_token_type"}`), wire.Denied},
		{"still lives", RevocationDecision, x(503, ``), wire.Unknown},
		{"zero", TokenDecision, wire.Exchange{}, wire.Unknown},
	}
	for _, test := range tests {
		got, why := test.judge(test.x)
		if got != test.want || why == "" && test.name != "zero" {
			t.Errorf("%s: got %v (%s), want %v", test.name, got, why, test.want)
		}
	}
}

// The first four are the examples of RFC 4514 §4.
func TestSubjectDN(t *testing.T) {
	oid := map[string]asn1.ObjectIdentifier{
		"UID": {0, 9, 2342, 19200300, 100, 1, 1}, "DC": {0, 9, 2342, 19200300, 100, 1, 25}, "OU": {2, 5, 4, 11}, "CN": {2, 5, 4, 3}, "X": {1, 3, 6, 1, 4, 1, 1466, 0},
	}
	pair := func(name, value string) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: oid[name], Value: value}
	}
	net, example := pkix.RelativeDistinguishedNameSET{pair("DC", "net")}, pkix.RelativeDistinguishedNameSET{pair("DC", "example")}
	tests := []struct {
		name pkix.RDNSequence
		want string
	}{
		{pkix.RDNSequence{net, example, {pair("UID", "jsmith")}}, "UID=jsmith,DC=example,DC=net"},
		{pkix.RDNSequence{net, example, {pair("OU", "Sales"), pair("CN", "J.  Smith")}}, "OU=Sales+CN=J.  Smith,DC=example,DC=net"},
		{pkix.RDNSequence{net, example, {pair("CN", `James "Jim" Smith, III`)}}, `CN=James \"Jim\" Smith\, III,DC=example,DC=net`},
		{pkix.RDNSequence{net, example, {pair("CN", "Before\rAfter")}}, "CN=Before\rAfter,DC=example,DC=net"},
		{pkix.RDNSequence{{pair("X", "a")}}, "1.3.6.1.4.1.1466.0=#130161"},
		{pkix.RDNSequence{{pair("CN", " #lead; trail ")}}, `CN=\ #lead\; trail\ `},
		{pkix.RDNSequence{{pair("CN", "#é")}}, `CN=\#é`},
	}
	for _, test := range tests {
		raw, err := asn1.Marshal(test.name)
		if err != nil {
			t.Fatal(err)
		}
		if got := SubjectDN(&x509.Certificate{RawSubject: raw}); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestKeys(t *testing.T) {
	for _, alg := range []string{"", "ES256", "PS256", "RS256", "EdDSA"} {
		k, err := NewKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(k.Signer)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseKey(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
		if err != nil || again.ID != k.ID {
			t.Errorf("%s: %v, %v", alg, again, err)
		}
		for _, private := range []string{"d", "p", "q", "k"} {
			if _, there := k.JWK()[private]; there {
				t.Errorf("%s: the public JWK has %s", alg, private)
			}
		}
		if k.JWK()["kid"] != k.ID || k.JWK()["alg"] != k.Alg {
			t.Errorf("%s: %v", alg, k.JWK())
		}
	}
}

// The key is that of RFC 7515 A.3, with a wrong alg and without.
func TestParseJWK(t *testing.T) {
	const ec = `"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`
	const d = `,"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"`
	k, err := ParseKey(`{` + ec + d + `,"kid":"mine"}`)
	if err != nil || k.Alg != "ES256" || k.ID != "mine" {
		t.Errorf("got %v, %v", k, err)
	}
	for _, bad := range []string{"", "{}", `{` + ec + `}`, `{` + ec + d + `,"alg":"RS256"}`, `{"kty":"oct","k":"c2VjcmV0"}`, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		_, err := ParseKey(bad)
		if err == nil {
			t.Errorf("parsed: %s", bad)
		}
		if err != nil && strings.Contains(err.Error(), "jpsQnn") {
			t.Errorf("the error shows the key: %v", err)
		}
	}
}

func TestRegistration(t *testing.T) {
	keep := secret.NewKeeper()
	s := server()
	r, err := RegisterRequest(s, map[string]any{"client_name": "checkride-1", "jwks": map[string]any{"keys": []any{}}}, keep.Keep("token", "initial-access-token"))
	if err != nil || r.Method != http.MethodPost || r.Target != "/register" || len(r.Credentials) != 1 {
		t.Fatalf("got %+v, %v", r, err)
	}
	x := wire.Exchange{Status: 201, Body: []byte(`{"client_id":"c1","client_secret":"the-new-secret-123","client_secret_expires_at":0,"client_name":"checkride-1","registration_access_token":"reg-token-456789","registration_client_uri":"https://as.example/register/c1"}`)}
	reg, err := ReadRegistration(x, keep)
	if err != nil {
		t.Fatal(err)
	}
	c := reg.Known(Client{Name: "partner", Auth: ClientSecretBasic})
	if printed := fmt.Sprintf("%+v %#v", reg, c); strings.Contains(printed, "the-new-secret") || strings.Contains(printed, "reg-token") {
		t.Errorf("a printed registration shows its secrets: %s", printed)
	}
	if !reg.SecretExpires.IsZero() || c.ID != "c1" || c.Secret.Empty() || c.RegistrationToken.Empty() {
		t.Errorf("got %+v", c)
	}

	m := c.Metadata()
	m["scope"] = "read"
	u, err := c.UpdateRequest(s, m)
	if err != nil {
		t.Fatal(err)
	}
	var sent map[string]any
	err = json.Unmarshal(u.Body, &sent)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"client_id": "c1", "client_name": "checkride-1", "scope": "read"}, sent); diff != "" {
		t.Errorf("RFC 7592 §2.2 forbids the rest:\n%s", diff)
	}
	if u.Method != http.MethodPut || u.Origin+u.Target != "https://as.example/register/c1" || u.Credentials[0].Prefix != "Bearer " {
		t.Errorf("got %+v", u)
	}
	if d := c.DeleteRequest(s); d.Method != http.MethodDelete || len(d.Credentials) != 1 {
		t.Errorf("got %+v", d)
	}
	later, err := ReadRegistration(wire.Exchange{Status: 200, Body: []byte(`{"client_id":"c1"}`)}, keep)
	if err != nil || later.Known(c).Secret != c.Secret {
		t.Errorf("a read without secret must keep the old one: %v", err)
	}
}

func TestAboutTokens(t *testing.T) {
	keep := secret.NewKeeper()
	c := Client{ID: "p", Auth: ClientSecretBasic, Secret: keep.Keep("secret", "s3cr3t of p")}
	token := keep.Keep("token", "the-token-itself")
	r := server().RevokeRequest(c, token, "access_token")
	if r.Target != "/revoke" || len(r.Credentials) != 2 || r.Credentials[0].Name != "token" || r.Form[0].Value != "access_token" {
		t.Errorf("got %+v", r)
	}
	if i := server().IntrospectRequest(c, token); i.Target != "/introspect" || i.Method != "POST" {
		t.Errorf("got %+v", i)
	}
	set := wire.Exchange{Status: 200, Body: []byte(`{"keys":[{"kty":"EC"}]}`)}
	if m, err := ReadJWKS(set); err != nil || len(Keys(m)) != 1 {
		t.Errorf("got %v, %v", m, err)
	}
	if _, err := ReadJWKS(wire.Exchange{Status: 200, Body: []byte(`{"keys":[7]}`)}); err == nil {
		t.Error("a number was read as a key")
	}
}

func TestThumbprint(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "partner", Organization: []string{"Acme"}}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if got := Thumbprint(cert); len(got) != 43 || strings.ContainsAny(got, "+/=") {
		t.Errorf("got %s", got)
	}
	if got := SubjectDN(cert); got != "CN=partner,O=Acme" {
		t.Errorf("got %s", got)
	}
}

func TestRequestsShareNothing(t *testing.T) {
	base := form("main", "https://a/t", wire.Field{Name: "a", Value: "1"})
	base.Form = append(make([]wire.Field, 0, 8), base.Form...)
	one := Authenticate(base, server(), Client{ID: "one", Auth: None})
	two := Authenticate(base, server(), Client{ID: "two", Auth: None})
	if one.Form[1].Value != "one" || two.Form[1].Value != "two" || len(base.Form) != 1 {
		t.Errorf("one request wrote into another: %v %v", one.Form, two.Form)
	}
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
