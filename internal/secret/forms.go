package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strings"
)

// formsOf gives the ways in which a secret is written in headers, bodies, logs and pages, each at least Shortest long.
func formsOf(value string) []string {
	if len(value) < Shortest {
		return nil
	}
	forms := encodings(value)
	forms = append(forms, parts(value)...)
	long := forms[:0]
	for _, form := range forms {
		if len(form) >= Shortest {
			long = append(long, form)
		}
	}
	return long
}

func encodings(value string) []string {
	forms := []string{value}
	forms = append(forms, base64Forms(value)...)
	lower := hex.EncodeToString([]byte(value))
	forms = append(forms, lower, strings.ToUpper(lower))
	if plain(value) {
		return forms // no other encoding changes it
	}
	forms = append(forms, percentForms(value)...)
	forms = append(forms, jsonForms(value)...)
	return append(forms, htmlForms(value)...)
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
func base64Forms(value string) []string {
	var forms []string
	for lead := range 3 {
		padded := make([]byte, lead+len(value))
		copy(padded[lead:], value)
		skip := (lead*8 + 5) / 6
		whole := len(padded) * 8 / 6
		standard := base64.RawStdEncoding.EncodeToString(padded)
		forms = append(forms, alphabets(standard[skip:whole])...)
		if lead == 0 {
			forms = append(forms, alphabets(standard)...)
		}
		// The secret at the end of a longer text: its last character is not shared.
		forms = append(forms, alphabets(standard[skip:])...)
	}
	padded := base64.StdEncoding.EncodeToString([]byte(value))
	return append(append(forms, alphabets(padded)...), inQuery.Replace(padded))
}

func alphabets(standard string) []string {
	if strings.IndexByte(standard, '+') < 0 && strings.IndexByte(standard, '/') < 0 {
		return []string{standard}
	}
	return []string{standard, forURLs.Replace(standard)}
}

// They are made once: making one costs more than a hundred uses.
var (
	inQuery     = strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D")
	forURLs     = strings.NewReplacer("+", "-", "/", "_")
	named       = strings.NewReplacer("&#34;", "&quot;", "&#39;", "&apos;")
	hexadecimal = strings.NewReplacer("&#34;", "&quot;", "&#39;", "&#x27;")
)

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
