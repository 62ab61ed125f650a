package discover

import (
	"context"
	"fmt"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
)

// MetadataUnchanged compares the metadata with what it was when the agreement was made. A new grant, a new method or
// another key set is no fault; it is a change of what partners are offered that somebody should know of.
//
// No standard asks for it. As a comparator it sees every change of the document.
var MetadataUnchanged = &check.Check{
	ID:       "discover.metadata-unchanged",
	Title:    "the metadata is what it was when the agreement was made",
	Broken:   "the metadata is no longer what it was when the agreement was made",
	Why:      "an update that began to offer a grant, a method or other keys went live, and nobody has looked at what it means for partners",
	Fix:      "look at what changed (compare the document in this ride's evidence with that of the last), and write the new digest into authorization_servers.*.metadata_digest",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.CSF("DE.CM-09"), frameworks.CSF("PR.PS-01")},
	Rows:     []string{"L-MD-15"},
	Severity: logbook.Low,
	At:       check.HomeServer,
	Any:      true,
	Twin:     defect.Set{MetadataDrift: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		documents, err := p.Documents(ctx)
		if err != nil {
			return err
		}
		if documents[0].Members == nil {
			return check.BecauseOf("discover.metadata-is-sound", "the document cannot be read: %v", documents[0].Wrong)
		}
		digest, err := oauth.MetadataDigest(documents[0].Members)
		if err != nil {
			return err
		}
		agreed := p.Stack.Plan.AuthorizationServers[p.Name].MetadataDigest
		if agreed == "" {
			p.Note("its digest is %s; write it into the plan as authorization_servers.%s.metadata_digest, and the next ride says whether it changed", digest, p.Name)
			return check.NotApplicable("the plan holds no digest of the metadata (authorization_servers.%s.metadata_digest); it is %s", p.Name, digest)
		}
		p.Holds(fmt.Sprintf("the digest of %s is %s", documents[0].URL, agreed), digest == agreed, digest)
		return nil
	},
}
