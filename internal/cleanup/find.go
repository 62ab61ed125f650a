package cleanup

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/plan"
)

// find asks the operator for the ids of the clients with exactly this name.
func (c *cleaner) find(ctx context.Context, name string) ([]string, error) {
	answer, err := c.hooks.Hook(ctx, plan.FindClient, nil, map[string]string{"client_name": name})
	if err != nil {
		return nil, err
	}
	ids, err := idsIn(answer.Body, name)
	if err != nil {
		return nil, fmt.Errorf("hook %s: %w", plan.FindClient, err)
	}
	return ids, nil
}

// idsIn reads the answer of find_client: JSON that holds objects with client_id, as a list or under any member, a list
// of ids (alone, or under clients, client_ids or ids), or plain lines with one id each. An object that tells its client_name is taken only if that is the very name:
// a list that is searched by prefix finds "partner 1" and "partner 10".
func idsIn(body []byte, name string) ([]string, error) {
	text := bytes.TrimSpace(body)
	if len(text) == 0 {
		return nil, nil
	}
	if text[0] != '{' && text[0] != '[' {
		return strings.Fields(string(text)), nil
	}
	var value any
	err := json.Unmarshal(text, &value)
	if err != nil {
		return nil, fmt.Errorf("the answer is no JSON: %w; let it answer with {\"clients\": [{\"client_id\": ..., \"client_name\": ...}]}", err)
	}
	ids := gather("", value, name)
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// listing are the members under which a list of strings is a list of ids.
var listing = []string{"", "clients", "client_ids", "ids"}

func gather(member string, value any, name string) []string {
	var ids []string
	switch value := value.(type) {
	case []any:
		for _, one := range value {
			id, isID := one.(string)
			if isID && id != "" && slices.Contains(listing, member) {
				ids = append(ids, id)
				continue
			}
			ids = append(ids, gather(member, one, name)...)
		}
	case map[string]any:
		id, isClient := value["client_id"].(string)
		if isClient {
			called, told := value["client_name"].(string)
			if id != "" && (!told || called == name) {
				ids = append(ids, id)
			}
			return ids
		}
		for member, inner := range value {
			ids = append(ids, gather(member, inner, name)...)
		}
	}
	return ids
}
