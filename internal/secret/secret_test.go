package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/checkride/checkride/internal/secret"
)

func TestTextPrintsAsItsKind(t *testing.T) {
	k := secret.NewKeeper()
	text := k.Keep("token", "hunter2-hunter2")
	type holder struct{ text secret.Text }
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "text", text, "holder", holder{text})
	encoded, err := json.Marshal(map[string]any{"text": text, "many": []secret.Text{text}})
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{
		"%s": fmt.Sprintf("%s", text), "%v": fmt.Sprintf("%v", text), "%+v": fmt.Sprintf("%+v", text), "%#v": fmt.Sprintf("%#v", text),
		"%q": fmt.Sprintf("%q", text), "%x": fmt.Sprintf("%x", text), "pointer": fmt.Sprintf("%v", &text), "json": string(encoded), "slog": logged.String(),
	} {
		if !strings.Contains(got, "[token 1]") || strings.Contains(got, "hunter2") {
			t.Errorf("%s prints %s", name, got)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		// fmt calls no methods of unexported fields.
		if got := fmt.Sprintf(verb, holder{text}); strings.Contains(got, "hunter2") {
			t.Errorf("%s of a struct around it prints %s", verb, got)
		}
	}
	if text.Reveal() != "hunter2-hunter2" || k.Keep("other", "hunter2-hunter2") != text {
		t.Error("the same value does not give the same text")
	}
	if empty := (secret.Text{}); !empty.Empty() || empty.Reveal() != "" || empty.String() != "[empty]" || k.Keep("token", "") != empty {
		t.Error("the zero value is not the empty text")
	}
	if k.Known() != 1 {
		t.Errorf("%d known", k.Known())
	}
}

func quoted(s string, pages bool) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(pages)
	_ = e.Encode(s)
	text := strings.TrimSuffix(out.String(), "\n")
	return text[1 : len(text)-1]
}

// encodings are the ways in which the property embeds a secret, with the text around it.
var encodings = map[string]func(before, value, after string) string{
	"raw":            func(b, v, a string) string { return b + v + a },
	"json":           func(b, v, a string) string { return quoted(b+v+a, true) },
	"plain json":     func(b, v, a string) string { return quoted(b+v+a, false) },
	"json slashes":   func(b, v, a string) string { return strings.ReplaceAll(quoted(b+v+a, false), "/", `\/`) },
	"query":          func(b, v, a string) string { return url.QueryEscape(b + v + a) },
	"path":           func(b, v, a string) string { return url.PathEscape(b + v + a) },
	"html":           func(b, v, a string) string { return html.EscapeString(b + v + a) },
	"template":       func(b, v, a string) string { return template.HTMLEscapeString(b + v + a) },
	"hex":            func(b, v, a string) string { return hex.EncodeToString([]byte(b + v + a)) },
	"HEX":            func(b, v, a string) string { return strings.ToUpper(hex.EncodeToString([]byte(b + v + a))) },
	"base64":         func(b, v, a string) string { return b + base64.StdEncoding.EncodeToString([]byte(v)) + a },
	"raw base64":     func(b, v, a string) string { return b + base64.RawStdEncoding.EncodeToString([]byte(v)) + a },
	"base64url":      func(b, v, a string) string { return b + base64.RawURLEncoding.EncodeToString([]byte(v)) + a },
	"within base64":  func(b, v, a string) string { return base64.StdEncoding.EncodeToString([]byte(b + v + a)) },
	"within b64url":  func(b, v, a string) string { return base64.URLEncoding.EncodeToString([]byte(b + v + a)) },
	"query base64":   func(b, v, a string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(v))) },
	"lower escapes":  func(b, v, a string) string { return b + lower(url.QueryEscape(v)) + a },
	"json in base64": func(b, v, a string) string { return b + base64.StdEncoding.EncodeToString([]byte(v)) + quoted(v, true) },
}

func lower(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] == '%' {
			copy(b[i+1:], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

// trace says whether a masked text still tells the secret: raw, or in the base64 that a reader can decode.
func trace(masked, value string) bool {
	forms := []string{value, hex.EncodeToString([]byte(value)), strings.ToUpper(hex.EncodeToString([]byte(value))), url.QueryEscape(value), quoted(value, true), html.EscapeString(value)}
	for lead := range 3 {
		standard := base64.RawStdEncoding.EncodeToString(append(make([]byte, lead), value...))
		core := standard[4 : len(standard)-2]
		forms = append(forms, core, strings.NewReplacer("+", "-", "/", "_").Replace(core))
	}
	for _, form := range forms {
		if strings.Contains(masked, form) {
			return true
		}
	}
	return false
}

func TestMaskLeavesNone(t *testing.T) {
	value := rapid.OneOf(
		rapid.StringMatching(`[A-Za-z0-9._~+/=-]{12,60}`),
		rapid.StringMatching(`[ -~]{12,40}`),
		rapid.StringMatching(`eyJ[A-Za-z0-9_-]{20}\.eyJ[A-Za-z0-9_-]{30}\.[A-Za-z0-9_-]{30}`),
	)
	around := rapid.StringMatching(`[ -~]{0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		k := secret.NewKeeper()
		values := rapid.SliceOfN(value, 1, 5).Draw(t, "values")
		for _, v := range values {
			k.Keep("token", v)
		}
		for name, encode := range encodings {
			v := rapid.SampledFrom(values).Draw(t, "value")
			text := encode(around.Draw(t, "before"), v, around.Draw(t, "after"))
			masked := k.Mask(text)
			if trace(masked, v) || !strings.Contains(masked, "[token ") {
				t.Fatalf("%s: %q in %q gives %q", name, v, text, masked)
			}
			if string(k.MaskBytes([]byte(text))) != masked {
				t.Fatalf("%s: bytes are masked in another way", name)
			}
		}
	})
}

func TestMaskLeavesOtherTextAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := secret.NewKeeper()
		k.Keep("token", "0123456789abcdef0123456789abcdef")
		text := rapid.StringMatching(`[g-z "{}:,\n]{0,200}`).Draw(t, "text")
		if got := k.Mask(text); got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestMaskOverlapsAndParts(t *testing.T) {
	const pem = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\nAwEHBG0wawIBAQQgevZzL1gdAFr88hb2\n-----END PRIVATE KEY-----\n"
	const token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhY21lIn0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
	k := secret.NewKeeper()
	for _, v := range []string{"abcdefghijkl", "ghijklmnopqr", pem, token, `{"kty":"EC","x":"public-part-of-it","d":"private-part-of-it"}`, "short"} {
		k.Keep("s", v)
	}
	for text, want := range map[string]string{
		"<abcdefghijklmnopqr>":                      "<[s 1]>", // two that overlap
		"abcdefghijklabcdefghijkl!":                 "[s 1][s 1]!",
		"AwEHBG0wawIBAQQgevZzL1gdAFr88hb2":          "[s 3]",
		"-----BEGIN PRIVATE KEY-----":               "-----BEGIN PRIVATE KEY-----",
		"sig c2lnbmF0dXJlLW9mLXRoZS10b2tlbg":        "sig [s 4]",
		"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhY21lIn0.": "[s 4].", // without its signature
		"eyJhbGciOiJFUzI1NiJ9":                      "eyJhbGciOiJFUzI1NiJ9",
		"public-part-of-it private-part-of-it":      "public-part-of-it [s 5]",
		"short":                                     "short",
	} {
		if got := k.Mask(text); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

func TestKeeperIsSafeForConcurrentUse(t *testing.T) {
	k := secret.NewKeeper()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 100 {
				value := fmt.Sprintf("secret-number-%d-of-%d", n, i/2)
				if text := k.Keep("s", value); k.Mask(value) != text.String() {
					t.Errorf("%s is not masked", value)
				}
			}
		})
	}
	all.Wait()
	if k.Known() != 400 {
		t.Errorf("%d known, want 400", k.Known())
	}
}

// tokens gives n different JWTs of about 600 bytes.
func tokens(n int) []string {
	out := make([]string, n)
	for i := range out {
		payload := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat(fmt.Sprintf("claim %d ", i), 40)))
		out[i] = "eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ." + payload + "." + base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprintf("signature-%032d", i)))
	}
	return out
}

func BenchmarkMask(b *testing.B) {
	k := secret.NewKeeper()
	for _, token := range tokens(1000) {
		k.Keep("token", token)
	}
	text := strings.Repeat(`{"time":"2026-10-06T08:14:28Z","partner":"acme","decision":"allow","path":"/payments?limit=1"}`+"\n", 1000) + tokens(1)[0]
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		k.Mask(text)
	}
}

func BenchmarkKeep(b *testing.B) {
	k, token, i := secret.NewKeeper(), tokens(1)[0], 0
	for b.Loop() {
		if i++; i%5000 == 0 {
			k = secret.NewKeeper()
		}
		k.Keep("token", token+strconv.Itoa(i))
	}
}
