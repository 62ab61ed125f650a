package sandbox

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/memnet"
	"github.com/checkride/checkride/internal/sandbox/ca"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	trace       = "0123456789abcdef0123456789abcdef"
	traceparent = "00-" + trace + "-0123456789abcdef-01"
)

// world is a sandbox in a bubble, and the people around it.
type world struct {
	t       *testing.T
	sandbox *Sandbox
	network Network
}

func inBubble(t *testing.T, d defect.Set, situation defect.Situation, play func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := Named(memnet.New())
		s, err := Start(Config{Network: network, Dir: t.TempDir(), Defects: d, Situation: situation})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			err := s.Close()
			if err != nil {
				t.Error(err)
			}
		})
		play(&world{t: t, sandbox: s, network: network})
	})
}

// someone is a client with a certificate, or without.
type someone struct {
	w           *world
	id          string
	certificate *tls.Certificate
	key         *ecdsa.PrivateKey // of private_key_jwt
	metadata    map[string]any
	http        *http.Client
}

// client makes an HTTP client that shows the certificate when it is not nil.
func (w *world) client(certificate *tls.Certificate, kept bool) *http.Client {
	config := &tls.Config{RootCAs: w.sandbox.hosts.Pool()}
	if certificate != nil {
		// Certificates would be held back when the server's list of CAs did not name theirs.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil }
	}
	transport := &http.Transport{DialContext: w.network.DialContext, TLSClientConfig: config, DisableKeepAlives: !kept}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (w *world) certificate(name string, o ca.Options) *tls.Certificate {
	w.t.Helper()
	certificate, err := w.sandbox.partners.Client(name, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return &certificate
}

// partner registers a client with tls_client_auth.
func (w *world) partner(name string, scopes string) *someone {
	w.t.Helper()
	return w.partnerWith(name, scopes, nil)
}

func (w *world) partnerWith(name, scopes string, metadata map[string]any) *someone {
	w.t.Helper()
	p := &someone{w: w, certificate: w.certificate(name+".partners.example", ca.Options{})}
	p.http = w.client(p.certificate, false)
	all := map[string]any{
		"client_name": name, "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=" + name + ".partners.example",
		"grant_types": []string{"client_credentials"}, "scope": scopes, "organization": "acme", "tls_client_certificate_bound_access_tokens": true,
	}
	maps.Copy(all, metadata)
	p.register(mainAS, all)
	return p
}

// signer registers a client with private_key_jwt.
func (w *world) signer(name string, metadata map[string]any) *someone {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	p := &someone{w: w, key: key, http: w.client(nil, false)}
	all := map[string]any{
		"client_name": name, "token_endpoint_auth_method": "private_key_jwt", "grant_types": []string{"client_credentials"}, "scope": "payments:read",
		"jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256"}}},
	}
	for name, value := range metadata {
		all[name] = value
	}
	p.register(mainAS, all)
	return p
}

func (p *someone) register(issuer string, metadata map[string]any) {
	p.w.t.Helper()
	p.metadata = metadata
	text, err := json.Marshal(metadata)
	if err != nil {
		p.w.t.Fatal(err)
	}
	a := p.w.do(p.http, "POST", p.w.sandbox.url(issuer)+"/register", map[string]string{
		"Authorization": "Bearer " + p.w.sandbox.secrets.operatorToken, "Content-Type": "application/json",
	}, string(text))
	if a.status != http.StatusCreated {
		p.w.t.Fatalf("register: %d %s", a.status, a.body)
	}
	p.id = a.text("client_id")
}

// registerAt registers the same client at another authorization server.
func (p *someone) registerAt(issuer string) { p.register(issuer, p.metadata) }

// scopeless asks for a scope that the client is not entitled to.
func (p *someone) scopeless() string {
	p.w.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {p.id}, "scope": {"admin"}}
	for _, name := range points() {
		form.Add("resource", p.w.sandbox.resource(name))
	}
	a := p.w.do(p.http, "POST", p.w.sandbox.url(mainAS)+"/token", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, form.Encode())
	return a.text("access_token")
}

// token gets an access token for the points, all of them when none is named.
func (p *someone) token(issuer string, names ...string) string {
	p.w.t.Helper()
	if len(names) == 0 {
		names = points()
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {p.id}}
	for _, name := range names {
		form.Add("resource", p.w.sandbox.resource(name))
	}
	if p.key != nil {
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", p.assertion(issuer))
	}
	a := p.w.do(p.http, "POST", p.w.sandbox.url(issuer)+"/token", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, form.Encode())
	if a.status != http.StatusOK {
		p.w.t.Fatalf("token: %d %s", a.status, a.body)
	}
	return a.text("access_token")
}

func (p *someone) assertion(issuer string) string {
	now := time.Now()
	return sign(p.w.t, p.key, jose.ES256, map[string]any{"kid": "k1", "typ": "JWT"}, map[string]any{
		"iss": p.id, "sub": p.id, "aud": p.w.sandbox.url(issuer), "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	})
}

// answer is a whole answer.
type answer struct {
	status int
	header http.Header
	body   string
}

// text is a string in the JSON body: "seen.client_id".
func (a answer) text(path string) string {
	var value any
	err := json.Unmarshal([]byte(a.body), &value)
	if err != nil {
		return ""
	}
	for name := range strings.SplitSeq(path, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return ""
		}
		value = object[name]
	}
	text, _ := value.(string)
	return text
}

func (w *world) do(client *http.Client, method, address string, header map[string]string, body string) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, address, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for name, value := range header {
		r.Header[name] = []string{value} // as written
	}
	response, err := client.Do(r)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, address, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, address, err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// call calls a point with a token ("" for none), over a fresh connection.
func (p *someone) call(point, method, path, token string, more ...string) answer {
	p.w.t.Helper()
	header := map[string]string{"Traceparent": traceparent, "X-Request-Id": "r-1"}
	if token != "" {
		header["Authorization"] = "Bearer " + token
	}
	for i := 0; i+1 < len(more); i += 2 {
		header[more[i]] = more[i+1]
	}
	body := ""
	if method == "POST" {
		body = invalidPayment
	}
	return p.w.do(p.http, method, p.w.sandbox.url(point)+path, header, body)
}

// list is the call that the agreement allows.
func (p *someone) list(point, token string, more ...string) answer {
	p.w.t.Helper()
	return p.call(point, "GET", "/payments", token, more...)
}

// with is the same client with another certificate, or none.
func (p *someone) with(certificate *tls.Certificate) *someone {
	other := *p
	other.certificate, other.http = certificate, p.w.client(certificate, false)
	return &other
}

func (w *world) manage(method, path string) answer {
	w.t.Helper()
	a := w.do(w.client(nil, false), method, w.sandbox.url(management)+path, nil, "")
	if a.status >= 300 {
		w.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	return a
}

func (w *world) revoke(p *someone, token string) {
	w.t.Helper()
	form := url.Values{"token": {token}, "client_id": {p.id}}
	a := w.do(p.http, "POST", w.sandbox.url(mainAS)+"/revoke", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, form.Encode())
	if a.status != http.StatusOK {
		w.t.Fatalf("revoke: %d %s", a.status, a.body)
	}
}

// records are the lines of a component's audit log.
func (w *world) records(name string) []map[string]any {
	w.t.Helper()
	text, err := os.ReadFile(w.sandbox.path(name + ".jsonl"))
	if err != nil {
		w.t.Fatal(err)
	}
	var all []map[string]any
	for line := range bytes.Lines(text) {
		var record map[string]any
		err := json.Unmarshal(line, &record)
		if err != nil {
			w.t.Fatalf("%s: %v: %s", name, err, line)
		}
		all = append(all, record)
	}
	return all
}

// last is the last line, and of how many.
func (w *world) last(name string) (map[string]any, int) {
	w.t.Helper()
	all := w.records(name)
	if len(all) == 0 {
		return nil, 0
	}
	return all[len(all)-1], len(all)
}

// sign makes a JWT with any header.
func sign(t *testing.T, key any, algorithm jose.SignatureAlgorithm, header, claims map[string]any) string {
	t.Helper()
	options := &jose.SignerOptions{}
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// taken takes a token apart: header, claims and the last part.
func taken(t *testing.T, token string) (map[string]any, map[string]any, string) {
	t.Helper()
	parts := strings.Split(token, ".")
	var both [2]map[string]any
	for i := range both {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		err = json.Unmarshal(text, &both[i])
		if err != nil {
			t.Fatal(err)
		}
	}
	return both[0], both[1], parts[2]
}

// put puts a token together.
func put(t *testing.T, header, claims map[string]any, signature string) string {
	t.Helper()
	var parts [2]string
	for i, value := range []map[string]any{header, claims} {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		parts[i] = base64.RawURLEncoding.EncodeToString(text)
	}
	return fmt.Sprintf("%s.%s.%s", parts[0], parts[1], signature)
}
