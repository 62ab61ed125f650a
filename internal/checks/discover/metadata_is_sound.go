package discover

import (
	"context"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
)

// MetadataIsSound reads the metadata as a strict library does: its place and type, its members, and what stands there
// under a name that nobody reads. A member with a typo is as good as absent, and for some lists absent means another
// thing than what was meant.
//
// RFC 8414 §3.2: a successful answer MUST use 200 and application/json, and lists without elements are left out. §2 says
// what each member is, and that response_types_supported is REQUIRED. §3.1: the default place is
// /.well-known/oauth-authorization-server; others may be registered, as that of OpenID Connect is.
var MetadataIsSound = &check.Check{
	ID:       "discover.metadata-is-sound",
	Title:    "the metadata is served as JSON, and its members are written and typed as registered",
	Broken:   "the metadata is not served or not written as the standard has it",
	Why:      "strict libraries refuse such a document, lenient ones overlook the member and take its default, which may be a weaker one",
	Fix:      "serve it as application/json, write the members as in the IANA registry, issuer and response_types_supported among them, and leave empty lists out",
	Refs:     []frameworks.Ref{frameworks.RFC(8414, "3.2"), frameworks.RFC(8414, "2"), frameworks.RFC(8414, "3.1"), frameworks.SP80053("IA-13"), frameworks.CSF("PR.PS-01")},
	Rows:     []string{"L-MD-01", "L-MD-11"},
	Severity: logbook.Low,
	At:       check.HomeServer,
	Twin:     defect.Set{MetadataTypo: true},
	Also:     []defect.Set{{MetadataAsText: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		documents, err := p.Documents(ctx)
		if err != nil {
			return err
		}
		first := documents[0]
		if strings.Contains(first.URL, "/openid-configuration") {
			p.Note("%s has no document at /.well-known/oauth-authorization-server, the default place of RFC 8414 §3.1", p.Name)
		}
		for _, document := range documents {
			kind := document.Exchange.Header.Get("Content-Type")
			plain, _, err := mime.ParseMediaType(kind)
			p.Holds(document.URL+" is application/json", err == nil && plain == "application/json", fmt.Sprintf("Content-Type %q", kind))
			if document.Wrong != nil {
				p.Holds(document.URL+" is one JSON object without duplicate names", false, document.Wrong.Error())
			}
		}
		if first.Members == nil {
			return nil
		}
		var wrong []string
		for _, name := range slices.Sorted(maps.Keys(first.Members)) {
			kind, known := oauth.KindOf(name)
			if meant, found := oauth.MeantMember(name); found {
				wrong = append(wrong, fmt.Sprintf("%s is no known member; did you mean %s?", name, meant))
			}
			if known && !kind.Is(first.Members[name]) {
				wrong = append(wrong, fmt.Sprintf("%s is not %s", name, kind))
			}
		}
		for _, required := range []string{"issuer", "response_types_supported"} {
			if _, there := first.Members[required]; !there {
				wrong = append(wrong, required+" is missing")
			}
		}
		p.Holds("every member is written and typed as registered", len(wrong) == 0, strings.Join(wrong, "; "))
		return nil
	},
}
