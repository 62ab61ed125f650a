package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/checkride/checkride/internal/wire"
)

const (
	maxDocument = 1 << 20           // bytes of an answer that is read as JSON
	maxToken    = 64 << 10          // bytes of a compact JWS
	maxDepth    = 50                // of objects and arrays in each other
	maxSeconds  = 1_000_000_000_000 // of a NumericDate; beyond it time.Time arithmetic makes no sense
)

// ErrUnread says of a document that this program does not read it, by a bound of its own or since it is encoded in a way
// that was not asked for. That says nothing about what stands in it.
var ErrUnread = errors.New("this program does not read it")

// object reads a JSON object with bounds. Duplicate member names are kept as encoding/json does (the last one wins) and
// told with their path, since readers disagree on them (RFC 7519 §4, RFC 7517 §4).
func object(data []byte, limit int) (map[string]any, []string, error) {
	if len(data) > limit {
		return nil, nil, fmt.Errorf("%d bytes of JSON, more than the %d that are read: %w", len(data), limit, ErrUnread)
	}
	if wire.Depth(data) > maxDepth {
		return nil, nil, fmt.Errorf("nested deeper than %d: %w", maxDepth, ErrUnread)
	}
	var value any
	err := json.Unmarshal(data, &value)
	if err != nil {
		return nil, nil, fmt.Errorf("no JSON: %w", err)
	}
	o, ok := value.(map[string]any)
	if !ok {
		return nil, nil, errors.New("JSON, but no object")
	}
	if !wire.NamesTwice(data, value) {
		return o, nil, nil
	}
	return o, duplicates(data), nil
}

// answered is the object of an answer's body, as object reads it. It is to be read only: others read the same.
func answered(x wire.Exchange) (map[string]any, []string, error) {
	value, plain := x.Plain()
	o, is := value.(map[string]any)
	if !plain || !is || len(x.Body) > maxDocument || wire.Depth(x.Body) > maxDepth {
		return object(x.Body, maxDocument)
	}
	return o, nil, nil
}

// duplicates gives the paths of the members that a valid JSON text names again.
func duplicates(data []byte) []string {
	w := walker{decoder: json.NewDecoder(bytes.NewReader(data))}
	w.decoder.UseNumber()
	w.value("")
	return w.duplicates
}

// walker goes through a valid JSON text without building it.
type walker struct {
	decoder    *json.Decoder
	duplicates []string
}

func (w *walker) value(path string) {
	switch w.token() {
	case json.Delim('{'):
		w.members(path)
	case json.Delim('['):
		for w.decoder.More() {
			w.value(path + "/-")
		}
		w.token()
	}
}

func (w *walker) members(path string) {
	seen := map[string]bool{}
	for w.decoder.More() {
		name := text(w.token())
		if seen[name] && len(w.duplicates) < 16 {
			w.duplicates = append(w.duplicates, path+"/"+name)
		}
		seen[name] = true
		w.value(path + "/" + name)
	}
	w.token()
}

// token gives the next token; nil behind the end, which a valid text does not reach before its value is closed.
func (w *walker) token() json.Token {
	t, err := w.decoder.Token()
	if err != nil {
		return nil
	}
	return t
}

// Strings reads a value that is a string or an array of strings, as aud is (RFC 7519 §4.1.3). What is neither gives nil.
func Strings(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case []any:
		var all []string
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil
			}
			all = append(all, s)
		}
		return all
	}
	return nil
}

// Date reads a NumericDate (RFC 7519 §2), in its author's clock.
func Date(v any) (time.Time, bool) {
	s, ok := seconds(v)
	if !ok {
		return time.Time{}, false
	}
	whole := int64(s)
	return time.Unix(whole, int64((s-float64(whole))*1e9)), true
}

func seconds(v any) (float64, bool) {
	s, ok := v.(float64)
	if n, is := v.(json.Number); is {
		f, err := n.Float64()
		s, ok = f, err == nil
	}
	return s, ok && s > -maxSeconds && s < maxSeconds
}

// lifetime reads expires_in: a JSON number (RFC 6749 §5.1), or the digits in a string that some servers send.
func lifetime(v any) (time.Duration, bool) {
	s, ok := seconds(v)
	if text, is := v.(string); is {
		n, err := strconv.ParseUint(text, 10, 32)
		s, ok = float64(n), err == nil
	}
	if !ok || s < 0 || s > 100*365*24*3600 {
		return 0, false
	}
	return time.Duration(s * float64(time.Second)), true
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
