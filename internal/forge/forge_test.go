package forge

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// issuer is an authorization server: go-jose signs its tokens, so that what we judge is not of our own making.
type issuer struct {
	key  oauth.Key
	keep *secret.Keeper
}

func newIssuer(t *testing.T, alg string) issuer {
	t.Helper()
	k, err := oauth.NewKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return issuer{key: k, keep: secret.NewKeeper()}
}

func (i issuer) jwks() map[string]any { return oauth.JWKSet(i.key) }

const payload = `{"iss":"https://as.example","sub":"p","client_id":"p","aud":"https://api","scope":"read","exp":4102444800,"iat":9007199254740993,"jti":"1"}`

func (i issuer) token(t *testing.T) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("at+jwt").WithHeader("kid", i.key.ID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(i.key.Alg), Key: i.key.Signer}, options)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func (i issuer) request(t *testing.T) wire.Request {
	return oauth.Bearer(wire.Request{Method: "GET", Origin: "https://edge", Target: "/"}, i.keep.Keep("token", i.token(t)))
}

func apply(t *testing.T, c wire.Change, r wire.Request) wire.Request {
	t.Helper()
	altered, err := c.Apply(r.Clone())
	if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	return altered
}

// accepts is go-jose with the real key alone: what a sound enforcement point does.
func accepts(token string, key oauth.Key) bool {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(key.Alg)})
	if err != nil {
		return false
	}
	_, err = jws.Verify(key.Signer.Public())
	return err == nil
}

// difference names what a forgery changed: members of the header, claims, and the signature.
func difference(t *testing.T, before, after string) []string {
	t.Helper()
	a, b := strings.Split(before, "."), strings.Split(after, ".")
	var all []string
	for i, name := range []string{"header", "claims"} {
		all = append(all, memberDifference(t, name, a[i], b[i])...)
	}
	switch {
	case len(b) == 2:
		all = append(all, "signature gone")
	case b[2] == "":
		all = append(all, "signature empty")
	case a[2] != b[2]:
		all = append(all, "signature")
	}
	return all
}

func memberDifference(t *testing.T, name, a, b string) []string {
	t.Helper()
	if a == b {
		return nil
	}
	before, after := decoded(t, a), decoded(t, b)
	var all []string
	for member := range after {
		if !cmp.Equal(before[member], after[member]) || (before[member] == nil) != (after[member] == nil) {
			all = append(all, name+" "+member)
		}
	}
	for member := range before {
		if _, there := after[member]; !there {
			all = append(all, name+" without "+member)
		}
	}
	if all == nil {
		return []string{name + " bytes"}
	}
	slices.Sort(all)
	return all
}

func decoded(t *testing.T, part string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	var m map[string]any
	err = d.Decode(&m)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestForgeries(t *testing.T) {
	for _, alg := range []string{"ES256", "RS256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) { forgeries(t, newIssuer(t, alg)) })
	}
}

func forgeries(t *testing.T, i issuer) {
	f := New(i.keep, i.jwks())
	control := i.request(t)
	before := control.Credentials[0].Text.Reveal()
	if !accepts(before, i.key) || Judge(before, i.jwks(), Expectation{}) != Good {
		t.Fatal("the original is not good")
	}
	want := map[string][]string{
		"one bit of the signature flipped":                                        {"signature"},
		"scope widened under the old signature":                                   {"claims scope"},
		"header written anew under the old signature":                             {"header bytes"},
		"empty signature":                                                         {"signature empty"},
		"no signature part":                                                       {"signature gone"},
		"alg none, no signature part":                                             {"header alg", "signature gone"},
		"own key in the header, kid as it was":                                    {"header jwk", "signature"},
		"own key in the header, own kid":                                          {"header jwk", "header kid", "signature"},
		"own key in the header, no kid":                                           {"header jwk", "header without kid", "signature"},
		"symmetric key in the header":                                             {"header alg", "header jwk", "signature"},
		"signed with another key under the same kid":                              {"signature"},
		"garbage token":                                                           {"header kid", "signature"},
		"alg none, empty signature":                                               {"header alg", "signature empty"},
		"alg nOnE, old signature":                                                 {"header alg"},
		"alg null, old signature":                                                 {"header alg"},
		"alg absent, empty signature":                                             {"header without alg", "signature empty"},
		"alg HS256, keyed with nothing or zeros":                                  {"header alg", "signature"},
		"alg HS256, keyed with the kid":                                           {"header alg", "signature"},
		"alg HS256, keyed with the public key as SPKI DER (kid " + i.key.ID + ")": {"header alg", "signature"},
	}
	changes := slices.Concat(f.Tampered(), f.Unsigned(), f.KeyConfusion(), f.EmbeddedKey(), f.OtherKey(),
		[]wire.Change{f.GarbageToken()})
	seen := map[string]bool{}
	texts := map[string]string{}
	for _, c := range changes {
		if seen[c.Name] {
			t.Errorf("two changes are called %q", c.Name)
		}
		seen[c.Name] = true
		altered := apply(t, c, control)
		after := altered.Credentials[0].Text.Reveal()
		if accepts(after, i.key) {
			t.Errorf("%s: go-jose accepts it with the real key", c.Name)
		}
		if other, twice := texts[after]; twice {
			t.Errorf("%s is the same token as %s", c.Name, other)
		}
		texts[after] = c.Name
		if expected, given := want[c.Name]; given {
			if diff := cmp.Diff(expected, difference(t, before, after)); diff != "" {
				t.Errorf("%s:\n%s", c.Name, diff)
			}
			delete(want, c.Name)
		}
		if got := i.keep.Mask("x " + after + " y"); strings.Contains(got, after) {
			t.Errorf("%s: the forgery is not masked", c.Name)
		}
		if len(wire.Diff(i.keep, control, altered)) == 0 {
			t.Errorf("%s: wire sees no difference", c.Name)
		}
		altered.Credentials = control.Credentials
		if diff := cmp.Diff(control.Target, altered.Target); diff != "" || len(altered.Header) != len(control.Header) {
			t.Errorf("%s changed more than the token", c.Name)
		}
	}
	for name := range want {
		t.Errorf("no change is called %q", name)
	}
	if control.Credentials[0].Text.Reveal() != before {
		t.Error("a change wrote into the control")
	}
}

// A victim with the very bug must accept the forgery, else "refused" would only mean that it was made wrongly.
func TestForgeriesGetPastBrokenVerifiers(t *testing.T) {
	for _, alg := range []string{"ES256", "RS256"} {
		i := newIssuer(t, alg)
		f := New(i.keep, i.jwks())
		control := i.request(t)

		der, err := x509.MarshalPKIXPublicKey(i.key.Signer.Public())
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		confused := 0
		for _, c := range f.KeyConfusion(i.key.ID) {
			jws, err := jose.ParseSignedCompact(apply(t, c, control).Credentials[0].Text.Reveal(), []jose.SignatureAlgorithm{jose.HS256})
			if err != nil {
				t.Fatal(err)
			}
			_, err = jws.Verify(text)
			if err == nil {
				confused++
			}
		}
		if confused != 1 {
			t.Errorf("%s: %d forgeries verify with HS256 and the PEM, want 1", alg, confused)
		}

		believed := 0
		for _, c := range f.EmbeddedKey() {
			jws, err := jose.ParseSignedCompact(apply(t, c, control).Credentials[0].Text.Reveal(), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
			if err != nil {
				continue // the symmetric one, which go-jose does not even read
			}
			_, err = jws.Verify(jws.Signatures[0].Protected.JSONWebKey)
			if err == nil {
				believed++
			}
		}
		if believed != 3 {
			t.Errorf("%s: %d forgeries verify with their own header's key, want 3", alg, believed)
		}
	}
}

func TestForgerRefusesToProveNothing(t *testing.T) {
	i, foreign := newIssuer(t, "ES256"), newIssuer(t, "ES256")
	change := New(i.keep, i.jwks()).Tampered()[0]
	_, err := change.Apply(foreign.request(t))
	if err == nil || !strings.Contains(err.Error(), "proves nothing") {
		t.Errorf("a token of another issuer: %v", err)
	}
	_, err = change.Apply(oauth.Bearer(wire.Request{}, i.keep.Keep("token", "opaque-token-0123456789")))
	var opaque *OpaqueToken
	if !errors.As(err, &opaque) {
		t.Errorf("an opaque token: %v", err)
	}
	_, err = change.Apply(wire.Request{})
	if err == nil {
		t.Error("a request without a token")
	}
	_, err = New(i.keep, nil).Tampered()[0].Apply(i.request(t))
	if err == nil || !strings.Contains(err.Error(), NoKeys) {
		t.Errorf("no keys: %v", err)
	}
}

func TestJudge(t *testing.T) {
	i := newIssuer(t, "ES256")
	token := i.token(t)
	now := time.Unix(4102444800, 0)
	ps := i.jwks()
	ps["keys"].([]any)[0].(map[string]any)["alg"] = "ES384"
	tests := []struct {
		name string
		jwks map[string]any
		want Expectation
		why  string
	}{
		{"good", i.jwks(), Expectation{Issuer: "https://as.example", Subject: "p", Audience: "https://api", Now: now.Add(-1)}, Good},
		{"at exp", i.jwks(), Expectation{Now: now}, Expired},
		{"within leeway", i.jwks(), Expectation{Now: now, Leeway: 1}, Good},
		{"issuer", i.jwks(), Expectation{Issuer: "https://as.example/"}, BadIssuer},
		{"subject", i.jwks(), Expectation{Subject: "P"}, BadSubject},
		{"audience", i.jwks(), Expectation{Audience: "https://ap"}, BadAudience},
		{"another's keys", newIssuer(t, "ES256").jwks(), Expectation{}, UnknownKey},
		{"a key for another algorithm", ps, Expectation{}, BadAlgorithm},
		{"no keys", map[string]any{"keys": []any{}}, Expectation{}, NoKeys},
	}
	for _, test := range tests {
		if got := Judge(token, test.jwks, test.want); got != test.why {
			t.Errorf("%s: got %q, want %q", test.name, got, test.why)
		}
	}
	for _, bad := range []string{"", "a.b.c", "..", token + ".x"} {
		if got := Judge(bad, i.jwks(), Expectation{}); got != BadForm {
			t.Errorf("%.20q: got %q", bad, got)
		}
	}
}

func TestTokenChanges(t *testing.T) {
	i := newIssuer(t, "ES256")
	control := i.request(t)
	if r := apply(t, WithoutToken(), control); len(r.Credentials) != 0 {
		t.Errorf("got %+v", r.Credentials)
	}
	other := i.keep.Keep("token", "another-token-0123")
	if r := apply(t, WithToken(other, "the neighbour's token"), control); r.Credentials[0].Text != other || r.Credentials[0].Prefix != "Bearer " {
		t.Errorf("got %+v", r.Credentials)
	}
	_, err := WithToken(control.Credentials[0].Text, "same").Apply(control.Clone())
	if err == nil {
		t.Error("the same token was put in the place of itself")
	}
	if c := apply(t, TokenInQuery(), control).Credentials[0]; c.In != wire.InQuery || c.Name != "access_token" || c.Prefix != "" || c.Text != control.Credentials[0].Text {
		t.Errorf("got %+v", c)
	}
	const word = "AbcdEf0189-_.xyz"
	garbage := apply(t, New(i.keep, nil).GarbageToken(), oauth.Bearer(wire.Request{}, i.keep.Keep("token", word))).Credentials[0].Text.Reveal()
	if garbage == word || len(garbage) != len(word) || garbage[10:13] != "-_." {
		t.Errorf("got %s", garbage)
	}
}

func TestAssertions(t *testing.T) {
	for _, alg := range []string{"ES256", "PS256"} {
		key, err := oauth.NewKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		other, err := oauth.NewKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		s := oauth.Server{Issuer: "https://as.example", Endpoints: oauth.Endpoints{Token: "https://as.example/token"}, Clock: 3 * time.Hour}
		control := s.TokenRequest(oauth.Client{ID: "p", Auth: oauth.PrivateKeyJWT, Key: key}, oauth.TokenOptions{})
		changes := slices.Concat(AssertionAlgNone(), AssertionHS256PublicKey(), []wire.Change{
			AssertionWithout("exp"), AssertionWithout("iss"), AssertionWithout("sub"), AssertionWithout("aud"), AssertionWithout("jti"),
			AssertionExpired(), AssertionAudience("https://other.example"), AssertionClaim("iss", "n"), AssertionClaim("sub", "n"),
			AssertionClaim("nbf", wire.FromNow(time.Hour)), AssertionSignedBy(other, "the neighbour's key"), AssertionTampered(),
		})
		for _, c := range changes {
			altered := apply(t, c, control)
			if d := wire.Diff(secret.NewKeeper(), control, altered); len(d) == 0 {
				t.Errorf("%s: wire sees no difference", c.Name)
			}
			text, err := sample(*altered.Credentials[0].JWT, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			onlyClaims := strings.HasPrefix(c.Name, "assertion without") || strings.Contains(c.Name, "another") || strings.Contains(c.Name, "expired")
			if accepts(text, key) != onlyClaims {
				t.Errorf("%s: its signature verifies: %v", c.Name, !onlyClaims)
			}
			if control.Credentials[0].JWT.Header["alg"] != alg || len(control.Credentials[0].JWT.Claims) != 3 {
				t.Fatalf("%s wrote into the control", c.Name)
			}
		}
		for _, useless := range []wire.Change{AssertionClaim("sub", "p"), AssertionAudience("https://as.example"), AssertionSignedBy(key, "itself")} {
			_, err := useless.Apply(control.Clone())
			if err == nil {
				t.Errorf("%s: the forgery is good and passed", useless.Name)
			}
		}
	}
	_, err := AssertionTampered().Apply(wire.Request{})
	if err == nil {
		t.Error("a request without an assertion")
	}
}

func TestHeaders(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: `part"ner`}, DNSNames: []string{"p.example"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	control := wire.Request{Header: []wire.Field{{Name: "Accept", Value: "*/*"}}}

	changes := IdentityHeaders("partner", text, "X-Partner")
	if len(changes) != 16 {
		t.Errorf("%d identity headers, want 15 and the plan's one", len(changes))
	}
	if n := len(IdentityHeaders("partner", "")); n != 14 {
		t.Errorf("%d identity headers without a certificate, want 14", n)
	}
	for _, c := range slices.Concat(changes, CertificateHeaders(cert)) {
		r := apply(t, c, control)
		if added := len(r.Header) - len(control.Header); added != 1 && added != 2 {
			t.Errorf("%s adds %d fields", c.Name, added)
		}
		if !strings.HasPrefix(c.Name, "header "+r.Header[1].Name) {
			t.Errorf("%s adds %s", c.Name, r.Header[1].Name)
		}
	}
	fields := map[string]string{}
	for _, c := range CertificateHeaders(cert) {
		for _, f := range apply(t, c, control).Header {
			fields[f.Name] = f.Value
		}
	}
	if got, err := base64.StdEncoding.DecodeString(strings.Trim(fields["Client-Cert"], ":")); err != nil || string(got) != string(der) {
		t.Errorf("Client-Cert %s", fields["Client-Cert"])
	}
	if got, err := url.PathUnescape(fields["X-SSL-Client-Cert"]); err != nil || got != text {
		t.Errorf("X-SSL-Client-Cert %s", fields["X-SSL-Client-Cert"])
	}
	if x := fields["X-Forwarded-Client-Cert"]; !strings.HasPrefix(x, "Hash=") || !strings.HasSuffix(x, `;Subject="CN=part\\\"ner";DNS=p.example`) {
		t.Errorf("X-Forwarded-Client-Cert %s", x)
	}
	_, err = IdentityHeaders("a\r\nX: y", "")[0].Apply(control.Clone())
	if err == nil {
		t.Error("a line end went into a header field")
	}
}

func TestCertificates(t *testing.T) {
	mine, theirs := &tls.Certificate{}, &tls.Certificate{}
	r := wire.Request{Over: wire.Line{Certificate: mine}}
	if apply(t, WithoutCertificate(), r).Over.Certificate != nil || apply(t, WithCertificate(theirs, "the neighbour's"), r).Over.Certificate != theirs {
		t.Error("the certificate did not change")
	}
	_, err := WithoutCertificate().Apply(wire.Request{})
	if err == nil {
		t.Error("nothing was taken away")
	}
	_, err = WithCertificate(mine, "mine").Apply(r)
	if err == nil {
		t.Error("the same certificate was put in the place of itself")
	}
}
