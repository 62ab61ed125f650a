package as_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/as"
	"github.com/checkride/checkride/internal/sandbox/ca"
)

const (
	issuer   = "https://as.sandbox.test"
	initial  = "initial-token"
	payments = "https://api.sandbox.test/payments"
	ledger   = "https://api.sandbox.test/ledger"
)

// A rig is a server with a clock and switches in the test's hand.
type rig struct {
	t        *testing.T
	server   *as.Server
	protocol http.Handler
	operator http.Handler
	partners *ca.CA
	defects  defect.Set
	now      time.Time
	events   []as.Event
	keys     published
}

func newRig(t *testing.T, d defect.Set, s defect.Situation) *rig {
	t.Helper()
	g := &rig{t: t, defects: d, now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	partners, err := ca.New("partners", g.now)
	if err != nil {
		t.Fatal(err)
	}
	g.partners = partners
	g.server, err = as.New(as.Config{
		Issuer:             issuer,
		PartnerCAs:         partners.Pool(),
		InitialAccessToken: initial,
		ResourceServers:    []as.Static{{ID: "edge", Secret: "edge-secret"}, {ID: "ledger", Secret: "ledger-secret", Serves: ledger}},
		Resources:          []string{payments, ledger},
		Scopes:             map[string][]string{ledger: {"payments:read"}},
		Grantable:          []string{"payments:read"},
		TokenLife:          2 * time.Minute,
		Fetch:              &http.Client{Transport: &g.keys},
		KeyHosts:           []string{"keys.example"},
		Defects:            func() defect.Set { return g.defects },
		SetDefects:         func(d defect.Set) { g.defects = d },
		Situation:          s,
		Log:                func(e as.Event) { g.events = append(g.events, e) },
		Now:                func() time.Time { return g.now },
		Copied:             []as.Given{{ID: "elsewhere", Name: "acme elsewhere", Secret: "secret of elsewhere"}},
		Withdrawn:          partners.Withdrawn,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.server.Close)
	g.protocol, g.operator = g.server.Handler(), g.server.Management()
	return g
}

// A reply is an answer with its JSON object read.
type reply struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (r reply) text(name string) string {
	s, _ := r.body[name].(string)
	return s
}

// is tells status and error in one word: what most tests compare.
func (r reply) is() string { return strings.TrimSpace(fmt.Sprint(r.status, " ", r.text("error"))) }

type option func(*http.Request)

func bearer(token string) option {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func basic(id, secret string) option {
	return func(r *http.Request) { r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret)) }
}

func header(name, value string) option { return func(r *http.Request) { r.Header.Set(name, value) } }

func certificate(c tls.Certificate) option {
	return func(r *http.Request) { r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c.Leaf}} }
}

func (g *rig) send(h http.Handler, method, path, kind, body string, options ...option) reply {
	g.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	for _, o := range options {
		o(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	a := reply{status: w.Code, header: w.Header(), raw: w.Body.String()}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &a.body); err != nil {
			g.t.Fatalf("%s %s answers no JSON object: %s", method, path, w.Body)
		}
	}
	return a
}

func (g *rig) form(path, fields string, options ...option) reply {
	g.t.Helper()
	return g.send(g.protocol, "POST", path, "application/x-www-form-urlencoded", fields, options...)
}

func (g *rig) json(method, path string, members map[string]any, options ...option) reply {
	g.t.Helper()
	raw, err := json.Marshal(members)
	if err != nil {
		g.t.Fatal(err)
	}
	return g.send(g.protocol, method, path, "application/json", string(raw), options...)
}

func (g *rig) manage(method, path string) reply {
	g.t.Helper()
	return g.send(g.operator, method, path, "application/json", "")
}

// A partner is a registered client and what it knows.
type partner struct {
	g                 *rig
	id, secret, token string // token: its registration access token
}

func (g *rig) register(members map[string]any) partner {
	g.t.Helper()
	a := g.json("POST", "/register", members, bearer(initial))
	if a.status != http.StatusCreated {
		g.t.Fatalf("registration refused: %d %s", a.status, a.raw)
	}
	return partner{g, a.text("client_id"), a.text("client_secret"), a.text("registration_access_token")}
}

func (g *rig) partner() partner {
	return g.register(map[string]any{"client_name": "acme ride partner"})
}

func (g *rig) neighbour() partner {
	return g.register(map[string]any{"client_name": "beta ride neighbour"})
}

func (p partner) basic() option { return basic(p.id, p.secret) }

func (p partner) path() string { return "/register/" + p.id }

// grant asks for a token with the client's secret and more form fields.
func (p partner) grant(more string, options ...option) reply {
	p.g.t.Helper()
	return p.g.form("/token", "grant_type=client_credentials&"+more, append([]option{p.basic()}, options...)...)
}

func (p partner) access(more string) string {
	p.g.t.Helper()
	a := p.grant(more)
	if a.status != http.StatusOK {
		p.g.t.Fatalf("token refused: %d %s", a.status, a.raw)
	}
	return a.text("access_token")
}

func (g *rig) introspect(token string) map[string]any {
	g.t.Helper()
	a := g.form("/introspect", url.Values{"token": {token}}.Encode(), basic("edge", "edge-secret"))
	if a.status != http.StatusOK {
		g.t.Fatalf("introspection refused: %d %s", a.status, a.raw)
	}
	return a.body
}

// live says what introspection says of a token: "alive", or "dead" if and only if it says exactly {"active":false}.
func (g *rig) live(token string) string {
	g.t.Helper()
	body := g.introspect(token)
	switch {
	case body["active"] == true:
		return "alive"
	case body["active"] == false && len(body) == 1:
		return "dead"
	}
	g.t.Fatalf("introspection answers %v", body)
	return ""
}

func (g *rig) feed() (jtis []string, gone []string) {
	g.t.Helper()
	a := g.send(g.protocol, "GET", "/feed", "", "", basic("edge", "edge-secret"))
	for _, one := range a.body["revoked"].([]any) {
		jtis = append(jtis, one.(map[string]any)["jti"].(string))
	}
	for _, one := range a.body["clients_gone"].([]any) {
		gone = append(gone, one.(string))
	}
	return jtis, gone
}

// verified reads an access token with a key from the server's JWKS.
func (g *rig) verified(token string) (jose.Header, map[string]any) {
	g.t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(g.send(g.protocol, "GET", "/jwks", "", "").raw), &set); err != nil {
		g.t.Fatal(err)
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		g.t.Fatal(err)
	}
	keys := set.Key(parsed.Headers[0].KeyID)
	if len(keys) != 1 {
		g.t.Fatalf("%d keys are published as %s", len(keys), parsed.Headers[0].KeyID)
	}
	var claims map[string]any
	if err := parsed.Claims(keys[0].Key, &claims); err != nil {
		g.t.Fatal(err)
	}
	return parsed.Headers[0], claims
}

func jti(g *rig, token string) string {
	g.t.Helper()
	_, claims := g.verified(token)
	return claims["jti"].(string)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func keySet(keys ...crypto.PublicKey) map[string]any {
	list := []any{}
	for _, k := range keys {
		list = append(list, jose.JSONWebKey{Key: k})
	}
	return map[string]any{"keys": list}
}

func withCertificates(certificates ...tls.Certificate) map[string]any {
	list := []any{}
	for _, c := range certificates {
		list = append(list, jose.JSONWebKey{Key: c.Leaf.PublicKey, Certificates: []*x509.Certificate{c.Leaf}})
	}
	return map[string]any{"keys": list}
}

func (g *rig) sign(algorithm jose.SignatureAlgorithm, key any, claims map[string]any) string {
	g.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	raw, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		g.t.Fatal(err)
	}
	return raw
}

// claims are those of a good assertion, changed: a nil value takes the claim away.
func (g *rig) claims(id string, changes map[string]any) map[string]any {
	raw := make([]byte, 12)
	_, _ = rand.Read(raw)
	claims := map[string]any{
		"iss": id, "sub": id, "aud": issuer, "exp": g.now.Add(time.Minute).Unix(), "iat": g.now.Unix(),
		"jti": base64.RawURLEncoding.EncodeToString(raw),
	}
	for name, value := range changes {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	return claims
}

func (g *rig) assert(assertion, more string) reply {
	g.t.Helper()
	return g.form("/token", url.Values{
		"grant_type":            {"client_credentials"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {assertion},
	}.Encode()+"&"+more)
}

func (g *rig) client(cn string, o ca.Options) tls.Certificate {
	g.t.Helper()
	c, err := g.partners.Client(cn, o)
	if err != nil {
		g.t.Fatal(err)
	}
	return c
}

func (g *rig) stranger(cn string, o ca.Options) tls.Certificate {
	g.t.Helper()
	other, err := ca.New("partners", g.now)
	if err != nil {
		g.t.Fatal(err)
	}
	c, err := other.Client(cn, o)
	if err != nil {
		g.t.Fatal(err)
	}
	return c
}

func (g *rig) bySubject(dn string) partner {
	return g.register(map[string]any{
		"client_name": "acme", "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": dn,
	})
}

// overTLS asks for a token with client_id alone, over a connection with that certificate.
func (p partner) overTLS(options ...option) reply {
	p.g.t.Helper()
	return p.g.form("/token", "grant_type=client_credentials&client_id="+p.id, options...)
}

func pemOf(c tls.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Leaf.Raw}))
}

// alike is a certificate that says the same as another, with a key of its own.
func (g *rig) alike(seen tls.Certificate) tls.Certificate {
	g.t.Helper()
	key := newKey(g.t)
	issuer := &x509.Certificate{RawSubject: seen.Leaf.RawIssuer}
	template := &x509.Certificate{SerialNumber: seen.Leaf.SerialNumber, RawSubject: seen.Leaf.RawSubject, NotBefore: seen.Leaf.NotBefore, NotAfter: seen.Leaf.NotAfter}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), key)
	if err != nil {
		g.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		g.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
