package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
)

// formsOf gives the ways in which a secret is written in headers, bodies, logs and pages. Each is good until the next one
// is given: there are twenty of a long token, and they are looked at only once.
func formsOf(value string, each func(form []byte)) {
	if len(value) < Shortest {
		return
	}
	each([]byte(value))
	base64Forms(value, each)
	hexForms(value, each)
	var more []string
	if !plain(value) { // else no other encoding changes it
		more = slices.Concat(percentForms(value), jsonForms(value), htmlForms(value))
	}
	for _, form := range append(more, parts(value)...) {
		each([]byte(form))
	}
}

// plain says that the value has only characters that percent, JSON and HTML encoding leave alone.
func plain(value string) bool {
	for i := range len(value) {
		c := value[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~') {
			return false
		}
	}
	return true
}

// base64Forms gives the value's base64, and what is left of it within the base64 of a longer text, where it begins at
// one of three alignments and its first and last characters are shared with its neighbours.
func base64Forms(value string, each func([]byte)) {
	longer := append([]byte{0, 0}, value...)
	encoded := make([]byte, 0, base64.StdEncoding.EncodedLen(len(longer)))
	inBoth := func(some ...[]byte) {
		for _, one := range some {
			each(one)
		}
		if forURLs(encoded) {
			for _, one := range some {
				each(one)
			}
		}
	}
	for lead := range 3 {
		padded := longer[2-lead:]
		skip := (lead*8 + 5) / 6
		whole := len(padded) * 8 / 6
		encoded = base64.RawStdEncoding.AppendEncode(encoded[:0], padded)
		// At the end of a longer text the last character is not shared.
		inBoth(encoded[skip:whole], encoded[skip:])
	}
	encoded = base64.StdEncoding.AppendEncode(encoded[:0], longer[2:])
	each([]byte(inQuery.Replace(string(encoded))))
	inBoth(encoded)
}

var inQuery = strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D")

// forURLs writes base64 in the alphabet for URLs (RFC 4648 §5), and says whether that made a difference.
func forURLs(encoded []byte) bool {
	differs := false
	for i, c := range encoded {
		switch c {
		case '+':
			encoded[i], differs = '-', true
		case '/':
			encoded[i], differs = '_', true
		}
	}
	return differs
}

func hexForms(value string, each func([]byte)) {
	encoded := hex.AppendEncode(nil, []byte(value))
	each(encoded)
	each(bytes.ToUpper(encoded))
}

func percentForms(value string) []string {
	query := url.QueryEscape(value)
	component := strings.ReplaceAll(query, "+", "%20")
	path := url.PathEscape(value)
	forms := []string{query, component, path}
	for _, form := range forms {
		forms = append(forms, lowerEscapes(form))
	}
	return forms
}

// lowerEscapes writes %2B as %2b.
func lowerEscapes(escaped string) string {
	b := []byte(escaped)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

func jsonForms(value string) []string {
	var forms []string
	for _, forPages := range []bool{true, false} {
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(forPages)
		if err := encoder.Encode(value); err != nil {
			continue // a string always encodes
		}
		quoted := strings.TrimSuffix(out.String(), "\n")
		form := quoted[1 : len(quoted)-1]
		forms = append(forms, form, strings.ReplaceAll(form, "/", `\/`))
	}
	return forms
}

// They are made once: making one costs more than a hundred uses.
var (
	named       = strings.NewReplacer("&#34;", "&quot;", "&#39;", "&apos;")
	hexadecimal = strings.NewReplacer("&#34;", "&quot;", "&#39;", "&#x27;")
)

func htmlForms(value string) []string {
	escaped := html.EscapeString(value)
	templated := strings.ReplaceAll(escaped, "+", "&#43;") // html/template
	return []string{escaped, named.Replace(escaped), hexadecimal.Replace(escaped), templated}
}

// parts gives what of a secret is a secret by itself.
func parts(value string) []string {
	var private map[string]any
	switch trimmed := strings.TrimSpace(value); {
	case strings.HasPrefix(trimmed, "{") && json.Unmarshal([]byte(trimmed), &private) == nil:
		return privateMembers(private)
	case strings.ContainsAny(trimmed, "\n"):
		return lines(trimmed)
	case strings.Count(value, ".") == 2:
		return jwtParts(value)
	}
	return nil
}

// jwtParts: the signature makes a token of what any log may show, and header and payload are all that a service which
// does not verify signatures asks for.
func jwtParts(value string) []string {
	header, rest, _ := strings.Cut(value, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	return []string{header + "." + payload, payload + "." + signature, signature}
}

// lines: a writer masks line by line, so each line of a PEM block must be known.
func lines(value string) []string {
	var forms []string
	for line := range strings.Lines(value) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "-----") {
			continue
		}
		forms = append(forms, line)
	}
	return forms
}

// privateMembers gives the private parts of a JSON Web Key or a key set (RFC 7518 §6).
func privateMembers(key map[string]any) []string {
	var forms []string
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
		if part, is := key[name].(string); is {
			forms = append(forms, part)
		}
	}
	keys, _ := key["keys"].([]any)
	for _, one := range keys {
		if inner, is := one.(map[string]any); is {
			forms = append(forms, privateMembers(inner)...)
		}
	}
	return forms
}
