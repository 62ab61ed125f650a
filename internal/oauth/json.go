package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
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
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	w := walker{decoder: d}
	err := w.value("", 0)
	if err != nil {
		return nil, nil, fmt.Errorf("no JSON at byte %d: %w", d.InputOffset(), err)
	}
	_, err = d.Token()
	if !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("more than one JSON value, from byte %d", d.InputOffset())
	}
	var value any
	err = json.Unmarshal(data, &value)
	if err != nil {
		return nil, nil, fmt.Errorf("no JSON: %w", err)
	}
	o, ok := value.(map[string]any)
	if !ok {
		return nil, nil, errors.New("JSON, but no object")
	}
	return o, w.duplicates, nil
}

// walker goes through a JSON text before it is built, to bound its depth and to see duplicate names.
type walker struct {
	decoder    *json.Decoder
	duplicates []string
}

func (w *walker) value(path string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d: %w", maxDepth, ErrUnread)
	}
	t, err := w.decoder.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		return w.members(path, depth)
	case json.Delim('['):
		for w.decoder.More() {
			err := w.value(path+"/-", depth+1)
			if err != nil {
				return err
			}
		}
		_, err := w.decoder.Token()
		return err
	}
	return nil
}

func (w *walker) members(path string, depth int) error {
	seen := map[string]bool{}
	for w.decoder.More() {
		t, err := w.decoder.Token()
		if err != nil {
			return err
		}
		name, ok := t.(string)
		if !ok {
			return errors.New("a member name that is no string")
		}
		if seen[name] && len(w.duplicates) < 16 {
			w.duplicates = append(w.duplicates, path+"/"+name)
		}
		seen[name] = true
		err = w.value(path+"/"+name, depth+1)
		if err != nil {
			return err
		}
	}
	_, err := w.decoder.Token()
	return err
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
