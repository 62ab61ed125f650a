package wire_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/checkride/checkride/internal/wire"
)

// A body that is signed as a whole is a JWT of its members, with the media type that was asked for; what is no object is
// signed as it is. No text of it is recorded.
func TestBodySignedAsAWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		var kind, sent string
		s := open(t, nil)
		s.serve(t, func(_ http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			kind, sent = r.Header.Get("Content-Type"), string(body)
		}, nil)
		by := wire.Credential{In: wire.InBody, Name: "application/jose", JWT: &wire.JWT{
			Header: map[string]any{"alg": "ES256"}, Claims: map[string]any{"iss": "software-1", "aud": "https://as.example"}, Key: key, Request: true,
		}}
		statement := wire.Credential{In: wire.InJSON, Name: "software_statement", Text: s.keeper.Keep("statement", "very.secret.statement")}
		request := wire.Request{Method: "POST", Body: []byte(`{"client_name":"x","n":1.0}`), Credentials: []wire.Credential{by, statement}}
		payload := func() string {
			parts := strings.Split(sent, ".")
			if len(parts) != 3 {
				t.Fatalf("no JWT was sent: %q", sent)
			}
			text, err := base64.RawURLEncoding.DecodeString(parts[1])
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		s.do(t, request)
		var claims map[string]any
		err = json.Unmarshal([]byte(payload()), &claims)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]any{"client_name": "x", "iss": "software-1", "aud": "https://as.example", "software_statement": "very.secret.statement"} {
			if claims[name] != want {
				t.Errorf("claim %s is %v, want %v", name, claims[name], want)
			}
		}
		id, _ := claims["jti"].(string)
		if kind != "application/jose" || claims["exp"] == nil || claims["iat"] == nil || !regexp.MustCompile(`^[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$`).MatchString(id) {
			t.Errorf("sent as %s with %v", kind, claims)
		}
		if !strings.Contains(payload(), `"n":1.0`) {
			t.Errorf("a number was written anew: %s", payload())
		}
		for _, entry := range s.book {
			text, err := json.Marshal(entry)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), sent) || strings.Contains(string(text), "very.secret") {
				t.Errorf("recorded in clear: %s", text)
			}
		}
		request.Body, request.Credentials = []byte("null"), []wire.Credential{by}
		if s.do(t, request); payload() != "null" {
			t.Errorf("signed: %s", payload())
		}
		request.Credentials = nil
		if s.do(t, request); kind != "application/json" || sent != "null" {
			t.Errorf("unsigned: %s %s", kind, sent)
		}
	})
}
