package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// joined adds members to the JSON object that is a body: as sent and as shown. What stands there stays byte for byte.
func joined(body []byte, members []part) ([]byte, []byte, error) {
	trimmed := bytes.TrimSpace(body)
	if !json.Valid(trimmed) || trimmed[0] != '{' {
		return nil, nil, errors.New("a credential stands in the JSON body, and the body is no JSON object")
	}
	sent := bytes.Clone(trimmed[:len(trimmed)-1])
	shown := bytes.Clone(sent)
	lead := ","
	if len(bytes.TrimSpace(sent[1:])) == 0 {
		lead = ""
	}
	for _, p := range members {
		name, err := compact(p.name)
		if err != nil {
			return nil, nil, fmt.Errorf("member %s of the JSON body: %w", p.name, err)
		}
		value, err := compact(p.value)
		if err != nil {
			return nil, nil, fmt.Errorf("member %s of the JSON body: %w", p.name, err)
		}
		masked, err := compact(p.shown)
		if err != nil {
			return nil, nil, fmt.Errorf("member %s of the JSON body: %w", p.name, err)
		}
		sent = append(append(append(append(sent, lead...), name...), ':'), value...)
		shown = append(append(append(append(shown, lead...), name...), ':'), masked...)
		lead = ","
	}
	return append(sent, '}'), append(shown, '}'), nil
}
