package wire_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// compactJWS writes a token without a real signature.
func compactJWS(header, claims, signature string) string {
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return encode(header) + "." + encode(claims) + "." + encode(signature)
}

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestDiffNamesTheOneThing(t *testing.T) {
	k := secret.NewKeeper()
	key, other := ecKey(t), ecKey(t)
	bearer := func(header, claims, signature string) wire.Credential {
		return wire.Credential{In: wire.InHeader, Name: "Authorization", Prefix: "Bearer ", Text: k.Keep("token", compactJWS(header, claims, signature))}
	}
	good := wire.Request{
		Method: "POST", Origin: origin, Target: "/payments",
		Header: []wire.Field{{Name: "Accept", Value: "application/json"}, {Name: "X-Partner", Value: "acme"}},
		Form:   []wire.Field{{Name: "grant_type", Value: "client_credentials"}, {Name: "scope", Value: "a b"}},
		Credentials: []wire.Credential{
			bearer(`{"alg":"ES256","kid":"1"}`, `{"sub":"acme","exp":5}`, "sig"),
			{In: wire.InForm, Name: "client_assertion", JWT: &wire.JWT{
				Header: map[string]any{"alg": "ES256"},
				Claims: map[string]any{"aud": "https://as.test", "nbf": wire.FromNow(0)}, Key: key,
			}},
			{In: wire.InHeader, Name: "X-Api-Key", Text: k.Keep("key", "opaque-key-number-one")},
		},
	}
	spaced := bearer(`{"alg":"ES256","kid":"1"}`, `{"exp":5, "sub":"acme"}`, "sig")
	jwt := func(r *wire.Request) *wire.JWT { return r.Credential("client_assertion").JWT }
	for name, one := range map[string]struct {
		change func(r *wire.Request)
		want   []string
	}{
		"nothing":       {func(*wire.Request) {}, nil},
		"who":           {func(r *wire.Request) { r.Who, r.Check, r.Purpose = "thief", "x", wire.Altered }, nil},
		"method":        {func(r *wire.Request) { r.Method = "PUT" }, []string{"method: POST -> PUT"}},
		"header":        {func(r *wire.Request) { *r = r.SetHeader("x-partner", "evil") }, []string{"header x-partner: acme -> evil"}},
		"added header":  {func(r *wire.Request) { *r = r.AddHeader("X-Client-Id", "evil") }, []string{"header X-Client-Id: absent -> evil"}},
		"double header": {func(r *wire.Request) { *r = r.AddHeader("X-Partner", "evil") }, []string{"header X-Partner: acme -> acme, evil"}},
		"header order":  {func(r *wire.Request) { r.Header[0], r.Header[1] = r.Header[1], r.Header[0] }, []string{"header order: Accept, X-Partner -> X-Partner, Accept"}},
		"header case":   {func(r *wire.Request) { r.Header[0].Name = "ACCEPT" }, []string{"header ACCEPT spelling: Accept -> ACCEPT"}},
		"form":          {func(r *wire.Request) { *r = r.WithoutForm("scope") }, []string{"form field scope: a b -> absent"}},
		"alg none": {func(r *wire.Request) {
			r.Credentials[0] = bearer(`{"alg":"none","kid":"1"}`, `{"sub":"acme","exp":5}`, "")
		}, []string{"token header alg: ES256 -> none"}},
		"claim": {func(r *wire.Request) { r.Credentials[0] = bearer(`{"alg":"ES256","kid":"1"}`, `{"sub":"acme"}`, "new") }, []string{"token claim exp: 5 -> absent"}},
		"claim's type": {func(r *wire.Request) {
			r.Credentials[0] = bearer(`{"alg":"ES256","kid":"1"}`, `{"sub":"acme","exp":"5"}`, "new")
		}, []string{`token claim exp: 5 -> "5"`}},
		"encoding":       {func(r *wire.Request) { r.Credentials[0] = spaced }, []string{"token encoding: [token 1] -> [token 2]"}},
		"opaque":         {func(r *wire.Request) { r.Credentials[2].Text = k.Keep("key", "opaque-key-number-two") }, []string{"key: [key 1] -> [key 2]"}},
		"no key":         {func(r *wire.Request) { *r = r.WithoutCredential("X-Api-Key") }, []string{"credential in header X-Api-Key: [key 1] -> absent"}},
		"place":          {func(r *wire.Request) { r.Credentials[2].In, r.Credentials[2].Name = wire.InQuery, "key" }, []string{"place of the credential: header X-Api-Key -> query key"}},
		"scheme":         {func(r *wire.Request) { r.Credentials[0].Prefix = "DPoP " }, []string{"scheme in header Authorization: Bearer -> DPoP"}},
		"audience":       {func(r *wire.Request) { jwt(r).Claims["aud"] = "https://other.test" }, []string{"assertion claim aud: https://as.test -> https://other.test"}},
		"early":          {func(r *wire.Request) { jwt(r).Claims["nbf"] = wire.FromNow(time.Hour) }, []string{"assertion claim nbf: now+0 s -> now+3600 s"}},
		"no exp":         {func(r *wire.Request) { jwt(r).Omit = []string{"exp"} }, []string{"assertion lacks: absent -> exp"}},
		"unsigned":       {func(r *wire.Request) { jwt(r).Key = nil }, nil}, // checked below: the key's print is random
		"client address": {func(r *wire.Request) { r.Over.Address = "a.test:1" }, []string{"address: absent -> a.test:1"}},
		"fresh":          {func(r *wire.Request) { r.Over.Fresh = true }, []string{"connection: kept -> fresh"}},
	} {
		t.Run(name, func(t *testing.T) {
			altered := good.Clone()
			one.change(&altered)
			got := []string(nil)
			for _, d := range wire.Diff(k, good, altered) {
				got = append(got, d.String())
			}
			if name == "unsigned" {
				if len(got) != 1 || !strings.HasPrefix(got[0], "assertion signature: by key sha256:") || !strings.HasSuffix(got[0], " -> absent") {
					t.Errorf("got %q", got)
				}
				return
			}
			if diff := cmp.Diff(one.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	replaced := good.Clone()
	jwt(&replaced).Key = other
	if got := wire.Diff(k, good, replaced); len(got) != 1 || got[0].What != "assertion signature" || got[0].Control == got[0].Altered {
		t.Errorf("other key: %v", got)
	}
	cut := good.Clone()
	token := good.Credentials[0].Text.Reveal()
	cut.Credentials[0].Text = k.Keep("token", token[:len(token)-2]+"AA")
	if got := wire.Diff(k, good, cut); len(got) != 1 || got[0].What != "token signature" {
		t.Errorf("cut signature: %v", got)
	}
}

func TestDiffNamesTheCertificate(t *testing.T) {
	k := secret.NewKeeper()
	with := wire.Request{Over: wire.Line{Certificate: trusted().issue(t, "partner")}}
	got := wire.Diff(k, with, wire.Request{})
	if len(got) != 1 || got[0].What != "client certificate" || !strings.HasPrefix(got[0].Control, "CN=partner sha256:") || got[0].Altered != "none" {
		t.Errorf("got %v", got)
	}
}

func anyRequest(k *secret.Keeper) *rapid.Generator[wire.Request] {
	field := rapid.Custom(func(t *rapid.T) wire.Field {
		return wire.Field{Name: rapid.SampledFrom([]string{"A", "a", "B", "X-Id"}).Draw(t, "name"), Value: rapid.String().Draw(t, "value")}
	})
	value := rapid.OneOf(
		rapid.Custom(func(t *rapid.T) any { return rapid.String().Draw(t, "text") }),
		rapid.Custom(func(t *rapid.T) any { return rapid.Int().Draw(t, "number") }),
		rapid.Custom(func(t *rapid.T) any { return wire.FromNow(rapid.Int64().Draw(t, "offset")) }),
		rapid.Custom(func(t *rapid.T) any { return []any{rapid.String().Draw(t, "one")} }),
	)
	members := rapid.MapOf(rapid.String(), value)
	credential := rapid.Custom(func(t *rapid.T) wire.Credential {
		c := wire.Credential{
			In:     rapid.SampledFrom([]wire.Place{wire.InHeader, wire.InForm, wire.InQuery}).Draw(t, "place"),
			Name:   rapid.SampledFrom([]string{"", "Authorization", "key"}).Draw(t, "name"),
			Prefix: rapid.SampledFrom([]string{"", "Bearer ", "Basic "}).Draw(t, "prefix"),
		}
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			c.Text = k.Keep("token", rapid.String().Draw(t, "token"))
		case 1:
			c.Basic, c.Text = "id", k.Keep("secret", rapid.String().Draw(t, "secret"))
		case 2:
			c.JWT = &wire.JWT{Header: members.Draw(t, "header"), Claims: members.Draw(t, "claims")}
		}
		return c
	})
	return rapid.Custom(func(t *rapid.T) wire.Request {
		return wire.Request{
			Method: rapid.String().Draw(t, "method"), Target: rapid.String().Draw(t, "target"),
			Header: rapid.SliceOf(field).Draw(t, "header"), Form: rapid.SliceOf(field).Draw(t, "form"),
			Body: rapid.SliceOf(rapid.Byte()).Draw(t, "body"), Credentials: rapid.SliceOfN(credential, 0, 4).Draw(t, "credentials"),
			Over: wire.Line{Fresh: rapid.Bool().Draw(t, "fresh")},
		}
	})
}

func TestDiffOfEqualRequestsIsNone(t *testing.T) {
	k := secret.NewKeeper()
	requests := anyRequest(k)
	rapid.Check(t, func(t *rapid.T) {
		r := requests.Draw(t, "request")
		if got := wire.Diff(k, r, r.Clone()); len(got) != 0 {
			t.Fatalf("a clone differs: %v", got)
		}
		for i := range r.Header {
			changed := r.Clone()
			changed.Header[i].Value += "!"
			if len(wire.Diff(k, r, changed)) == 0 {
				t.Fatalf("a changed header field is no difference")
			}
		}
		for _, d := range wire.Diff(k, r, requests.Draw(t, "other")) {
			if d.What == "" || d.Control == "" || d.Altered == "" {
				t.Fatalf("a difference says too little: %s", fmt.Sprintf("%+v", d))
			}
		}
	})
}
