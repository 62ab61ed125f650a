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
	if depth(x.Body) > maxDepth {
		return ErrTooDeep
	}
	return json.Unmarshal(x.Body, v)
}

// depth is the deepest nesting of arrays and objects, without parsing.
func depth(text []byte) int {
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
// such value.
func (x Exchange) JSON(pointer string) (any, bool) {
	var value any
	if err := x.Decode(&value); err != nil {
		return nil, false
	}
	if pointer == "" {
		return value, true
	}
	if pointer[0] != '/' {
		return nil, false
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for _, token := range strings.Split(pointer[1:], "/") {
		inner, found := step(value, unescape.Replace(token))
		if !found {
			return nil, false
		}
		value = inner
	}
	return value, true
}

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
