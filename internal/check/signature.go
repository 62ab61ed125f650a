package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// signed is what an operator's signer reads: the request as it is sent, and who calls.
type signed struct {
	Client   string   `json:"client"` // the member of the cast
	ClientID string   `json:"client_id"`
	Method   string   `json:"method"`
	URL      string   `json:"url"`
	Headers  []header `json:"headers"`
	Digest   string   `json:"digest"`
}

type header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// signature is what the operator's signer makes of a member's request at a point with credential exec, anew for each
// request that is sent: an altered request is signed as it is.
func (p *Pass) signature(point *plan.Point, member *cast.Member) wire.Credential {
	return wire.Credential{In: wire.InHeader, Name: "signature", Signer: "the signer of " + point.Name + " for the " + member.Role, Sign: func(s wire.Signing) ([]wire.Field, error) {
		about := signed{Client: member.Role, ClientID: member.ID(), Method: s.Method, URL: s.URL, Digest: s.Digest}
		for _, f := range s.Header {
			about.Headers = append(about.Headers, header{f.Name, f.Value})
		}
		input, err := json.Marshal(about)
		if err != nil {
			return nil, err
		}
		output, err := p.Stack.Resolver.Filter(point.Exec, input)
		if err != nil {
			return nil, err
		}
		return readSignature(output)
	}}
}

// readSignature reads the header fields that a signer prints: one JSON object of texts.
func readSignature(output []byte) ([]wire.Field, error) {
	var printed map[string]string
	err := json.Unmarshal(output, &printed)
	if err != nil {
		return nil, fmt.Errorf("it prints no JSON object of texts (%d bytes): let it print {\"X-Signature\": \"...\"}", len(output))
	}
	var fields []wire.Field
	for _, name := range slices.Sorted(maps.Keys(printed)) {
		fields = append(fields, wire.Field{Name: name, Value: strings.TrimSpace(printed[name])})
	}
	return fields, nil
}
