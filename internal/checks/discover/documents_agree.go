package discover

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
)

// DocumentsAgree compares the two documents that many servers publish, one for OAuth and one for OpenID Connect. Often one
// is generated and the other was copied into a web server once; libraries differ in which they read.
//
// RFC 8414 §5 lets both be served, and says nothing on members that stand in both: that they agree is our demand. Lists of
// scopes, responses and grants may be of one protocol, and what is written for people endangers nobody; where they differ
// it is told.
var DocumentsAgree = &check.Check{
	ID:       "discover.documents-agree",
	Title:    "the server's two metadata documents, for OAuth and for OpenID Connect, say the same where both speak",
	Broken:   "the server's two metadata documents contradict each other",
	Why:      "two partners of one server trust different keys, or send their credentials to different places, depending on the library that they use; what is withdrawn in one document lives on in the other",
	Fix:      "generate oauth-authorization-server and openid-configuration from one configuration, or take the one that nobody needs away",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(8414, "5"), frameworks.SP80053("IA-13"), frameworks.CSF("PR.PS-01")},
	Rows:     []string{"L-MD-13"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Twin:     defect.Set{DocumentsDisagree: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		documents, err := p.Documents(ctx)
		if err != nil {
			return err
		}
		if len(documents) < 2 {
			return check.NotApplicable("%s publishes one document, at %s", p.Name, documents[0].URL)
		}
		one, other := documents[0].Members, documents[1].Members
		if one == nil || other == nil {
			return check.BecauseOf("discover.metadata-is-sound", "one of the documents cannot be read")
		}
		if _, named := one["issuer"].(string); !named { // then it is no metadata of anybody that could agree with another
			return check.BecauseOf("discover.metadata-is-sound", "%s names no issuer", documents[0].URL)
		}
		var differ []string
		shared := 0
		for _, name := range slices.Sorted(maps.Keys(one)) {
			theirs, both := other[name]
			if !both || name == "signed_metadata" {
				continue
			}
			shared++
			mine := plainly(one[name])
			switch {
			case mine == plainly(theirs):
			case slices.Contains(ofOneProtocol, name):
				p.Note("%s is %s in one document and %s in the other", name, mine, plainly(theirs))
			default:
				differ = append(differ, fmt.Sprintf("%s is %s in one and %s in the other", name, mine, plainly(theirs)))
			}
		}
		p.Holds(fmt.Sprintf("the %d members that stand in both are equal", shared), len(differ) == 0, strings.Join(differ, "; "))
		return nil
	},
}

// ofOneProtocol are members in which a document may lawfully speak of its own protocol alone, and those that are written
// for people. RFC 8414 §2: servers MAY choose not to advertise some supported scope values.
var ofOneProtocol = []string{
	"scopes_supported", "response_types_supported", "response_modes_supported", "grant_types_supported", "claims_supported",
	"service_documentation", "ui_locales_supported", "op_policy_uri", "op_tos_uri",
}

// plainly writes a value so that it can be compared: the order of a list of texts means nothing.
func plainly(value any) string {
	if _, isList := value.([]any); isList {
		if words := oauth.Strings(value); words != nil {
			value = slices.Sorted(slices.Values(words))
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
