package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"
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

// sealed makes the JWT that is sent in the place of a body: as sent and as shown. The body's members are its claims, beside
// its own, which win. What is no JSON object is signed as it is.
func (w *Wire) sealed(body, shown []byte, c *Credential) ([]byte, []byte, error) {
	if c.JWT == nil {
		return nil, nil, errors.New("what stands in the place of the body is no JWT")
	}
	made, text := *c.JWT, ""
	members, err := object(body)
	if err != nil {
		text, err = made.over(body)
	} else {
		maps.Copy(members, made.Claims)
		made.Claims = members
		text, err = made.make(time.Now(), nil)
	}
	if err != nil {
		return nil, nil, err
	}
	kept := w.config.Keeper.Keep(made.kind(), text)
	return []byte(text), fmt.Appendf(nil, "%s, made of %s", kept, shown), nil
}

// object reads a JSON object, its numbers as they are written.
func object(body []byte) (map[string]any, error) {
	if !json.Valid(body) {
		return nil, errors.New("no JSON")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var members map[string]any
	err := decoder.Decode(&members)
	if err == nil && members == nil {
		err = errors.New("null")
	}
	return members, err
}
