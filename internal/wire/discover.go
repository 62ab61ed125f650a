package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/secret"
)

// discovered are the members whose values are secrets, with their kinds (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3,
// RFC 7591 §3.2.1).
var discovered = map[string]string{
	"access_token":              "token",
	"refresh_token":             "token",
	"id_token":                  "token",
	"client_secret":             "secret",
	"registration_access_token": "token",
	"api_key":                   "key",
	"private_key":               "key",
	"software_statement":        "statement", // whoever holds it may be registered as that software (RFC 7591 §2.3)
	"initial_access_token":      "token",     // what a hook mints
}

// long is what is too long for an everyday value under so short a name: 128 bits and more.
var long = regexp.MustCompile(`^[A-Za-z0-9_-]{22,}$`)

// kindOf is the kind of secret that a member's value is, or nothing.
func kindOf(name, value string) string {
	switch name {
	case "d", "p", "q", "dp", "dq", "qi", "k":
		// The private and symmetric members of a JSON Web Key (RFC 7518 §6.2.2, §6.3.2, §6.4.1): no server should show
		// them (RFC 7517 §9.2), and one that does must not be helped by our records.
		if long.MatchString(value) {
			return "key"
		}
	}
	return discovered[name]
}

// Discover registers the secrets of the answer, so that they are masked from now on and [Exchange.Secret] gives them.
// [Wire.Do] calls it; a [Doer] that makes its answers up has to.
func (x *Exchange) Discover(k *secret.Keeper) {
	x.secrets = map[string]secret.Text{}
	keep := func(name, value string) {
		text := k.Keep(kindOf(name, value), value)
		if _, known := x.secrets[name]; !known && !text.Empty() {
			x.secrets[name] = text
		}
	}
	x.document = read(x.Body)
	switch {
	case len(x.Body) == 0:
	case x.document.whole:
		membersIn(x.document.value, keep)
	case !membersOf(x.Body, keep):
		scan(x.Body, keep)
	}
	scan([]byte(x.Header.Get("Location")), keep)
	for _, cookie := range (&http.Response{Header: x.Header}).Cookies() {
		text := k.Keep("cookie", cookie.Value)
		if _, known := x.secrets[cookie.Name]; !known && !text.Empty() {
			x.secrets[cookie.Name] = text
		}
	}
}

// membersIn finds the secrets in a JSON value: those of an object before those deeper in it.
func membersIn(value any, keep func(name, value string)) {
	switch value := value.(type) {
	case map[string]any:
		names := slices.Sorted(maps.Keys(value))
		for _, name := range names {
			if text, is := value[name].(string); is && kindOf(name, text) != "" {
				keep(name, text)
			}
		}
		for _, name := range names {
			membersIn(value[name], keep)
		}
	case []any:
		for _, inner := range value {
			membersIn(inner, keep)
		}
	}
}

// level is an open array or object of a JSON text.
type level struct {
	object bool
	named  bool // the member's name was read and its value comes next
	name   string
}

// membersOf walks valid JSON without building it, however deep it is, however many values it is, and however often it
// says the same name. It says false when the body is no valid JSON.
func membersOf(body []byte, keep func(name, value string)) bool {
	decoder := json.NewDecoder(bytes.NewReader(body))
	var levels []level
	for {
		token, err := decoder.Token()
		if err != nil {
			return err == io.EOF && len(levels) == 0
		}
		if token == json.Delim('{') || token == json.Delim('[') {
			levels = append(levels, level{object: token == json.Delim('{')})
			continue
		}
		if token == json.Delim('}') || token == json.Delim(']') {
			levels = levels[:len(levels)-1]
		} else if text, is := token.(string); is && len(levels) > 0 {
			top := &levels[len(levels)-1]
			if top.object && !top.named {
				top.named, top.name = true, text
				continue
			}
			if top.object && kindOf(top.name, text) != "" {
				keep(top.name, text)
			}
		}
		if len(levels) > 0 {
			levels[len(levels)-1].named = false
		}
	}
}

// loose finds the members in what is not valid JSON: an answer that was cut short, a page, lines of JSON.
var loose = regexp.MustCompile(`"(access_token|refresh_token|id_token|client_secret|registration_access_token|api_key|software_statement|initial_access_token)"\s*:\s*"((?:[^"\\]|\\.)*)`)

// formLike finds them in form-encoded answers.
var formLike = regexp.MustCompile(`(?:^|[&?#\s])(access_token|refresh_token|id_token|client_secret|registration_access_token|api_key|software_statement|initial_access_token)=([^&\s"']+)`)

func scan(body []byte, keep func(name, value string)) {
	for _, found := range loose.FindAllSubmatch(body, -1) {
		value := string(found[2])
		keep(string(found[1]), value)
		var plain string
		if strings.Contains(value, `\`) && json.Unmarshal([]byte(`"`+value+`"`), &plain) == nil {
			keep(string(found[1]), plain)
		}
	}
	for _, found := range formLike.FindAllSubmatch(body, -1) {
		keep(string(found[1]), string(found[2]))
	}
}
