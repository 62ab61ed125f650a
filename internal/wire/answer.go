package wire

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/secret"
)

// maxDepth is how deep JSON may be nested: deeper is an attack on the reader, not a document.
const maxDepth = 100

// ErrTooDeep says that a JSON body is nested deeper than we read.
var ErrTooDeep = fmt.Errorf("json is nested deeper than %d levels", maxDepth)

// Decode reads the body as one JSON value into v, which is a pointer. Deeply nested JSON is refused ([ErrTooDeep]), and
// so is anything after the value.
func (x Exchange) Decode(v any) error {
	if Depth(x.Body) > maxDepth {
		return ErrTooDeep
	}
	return json.Unmarshal(x.Body, v)
}

// document is an answer's body as JSON, read once for all who ask.
type document struct {
	value any
	err   error
	whole bool // all that the text says is in the value: it names no member twice
}

func read(body []byte) *document {
	d := &document{}
	d.err = Exchange{Body: body}.Decode(&d.value)
	d.whole = d.err == nil && !NamesTwice(body, d.value)
	return d
}

// Plain gives the body as one JSON value, as [Exchange.JSON] does, where every reader finds the same in it. It says false
// when the body is no JSON, is nested too deep, or names a member twice.
func (x Exchange) Plain() (any, bool) {
	document := x.document
	if document == nil {
		document = read(x.Body)
	}
	return document.value, document.whole
}

// NamesTwice says that a valid JSON text names a member of an object more than once, so that the value that was built of
// it lacks something. Readers disagree on such texts (RFC 8259 §4).
func NamesTwice(text []byte, built any) bool { return named(text) != members(built) }

// named is how many members a valid JSON text names: the colons that stand outside of strings.
func named(text []byte) int {
	n, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ':' && !quoted:
			n++
		}
	}
	return n
}

// members is how many members the objects in a value have.
func members(value any) int {
	n := 0
	switch value := value.(type) {
	case map[string]any:
		n = len(value)
		for _, inner := range value {
			n += members(inner)
		}
	case []any:
		for _, inner := range value {
			n += members(inner)
		}
	}
	return n
}

// Depth is the deepest nesting of arrays and objects, without parsing.
func Depth(text []byte) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			now++
			deepest = max(deepest, now)
		case c == ']' || c == '}':
			now--
		}
	}
	return deepest
}

// JSON gives the value at a JSON pointer (RFC 6901) in the body: "" is the whole, "/keys/0/kid" a member. Numbers are
// float64, objects map[string]any, arrays []any. It says false when the body is not JSON, is nested too deep, or has no
// such value. What it gives is to be read only: others get the same.
func (x Exchange) JSON(pointer string) (any, bool) {
	document := x.document
	if document == nil {
		document = read(x.Body)
	}
	if document.err != nil {
		return nil, false
	}
	value := document.value
	if pointer == "" {
		return value, true
	}
	if pointer[0] != '/' {
		return nil, false
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		inner, found := step(value, unescape.Replace(token))
		if !found {
			return nil, false
		}
		value = inner
	}
	return value, true
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

func step(value any, token string) (any, bool) {
	switch value := value.(type) {
	case map[string]any:
		inner, found := value[token]
		return inner, found
	case []any:
		index, err := strconv.Atoi(token)
		if err != nil || index < 0 || index >= len(value) || strconv.Itoa(index) != token {
			return nil, false
		}
		return value[index], true
	}
	return nil, false
}

// Text gives the string at a JSON pointer, or "".
func (x Exchange) Text(pointer string) string {
	value, _ := x.JSON(pointer)
	text, _ := value.(string)
	return text
}

// RetryAfter is how long the answer asks to wait (RFC 9110 §10.2.3), counted from when it was received.
func (x Exchange) RetryAfter() (time.Duration, bool) {
	field := x.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(field); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, true
	}
	when, err := http.ParseTime(field)
	if err != nil {
		return 0, false
	}
	now := x.Date // the server's clock: ours may differ
	if now.IsZero() {
		now = x.Received
	}
	return max(0, when.Sub(now)), true
}

// Secret gives a secret of the answer by the name of its JSON member (access_token), wherever it stands in the body, or
// of its cookie. The first one wins. It is empty when the answer had none.
func (x Exchange) Secret(member string) secret.Text { return x.secrets[member] }
