package discover

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// IssuerIsItself reads the metadata and compares its issuer, byte for byte, with the one that the plan was given by hand.
//
// RFC 8414 §6.2: "the client MUST ensure that the issuer identifier URL it is using as the prefix for the metadata
// request exactly matches the value of the "issuer" metadata value". §3.3: a document that names another MUST NOT be
// used. §2: an issuer is an https URL without query and fragment. The ride goes on all the same, with the document.
var IssuerIsItself = &check.Check{
	ID:       "discover.issuer-is-itself",
	Title:    "the metadata names the very issuer that it was asked for",
	Broken:   "the metadata does not name the issuer that it was asked for",
	Why:      "whoever can put another issuer into the metadata becomes the authorization server; and a strict partner or point refuses its tokens",
	Fix:      "let the server's issuer be one string everywhere: in its metadata, in the iss of its tokens and in what partners are given; mind the final slash",
	Refs:     []frameworks.Ref{frameworks.RFC(8414, "3.3"), frameworks.RFC(8414, "2"), frameworks.RFC(8414, "6.2"), frameworks.ASVS("10.5.3"), frameworks.SP80053("IA-13")},
	Rows:     []string{"L-MD-02", "L-MD-03", "A-RG-10"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Besides:  []*logbook.Breach{spelledOtherwise, noIssuer},
	Twin:     defect.Set{IssuerBehindProxy: true},
	Also:     []defect.Set{{IssuerMismatch: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		server, err := p.Discovered(ctx)
		if err != nil {
			return err
		}
		named, _ := server.Metadata["issuer"].(string)
		wanted := p.Stack.Plan.AuthorizationServers[p.Name].Issuer
		if wanted == "" {
			p.Note("the plan names no issuer, so the document's own stands alone")
			wanted = named
		}
		titled := func() {}
		if named != wanted && spelling(named) == spelling(wanted) {
			titled = p.Besides(spelledOtherwise)
		}
		p.Holds(fmt.Sprintf("issuer is %q", wanted), named == wanted && named != "", fmt.Sprintf("%q", named))
		titled()
		parsed, err := url.Parse(named)
		sound := err == nil && parsed.Scheme == "https" && parsed.Host != "" && parsed.RawQuery == "" && !parsed.ForceQuery && parsed.Fragment == ""
		defer p.Besides(noIssuer)()
		p.Holds("issuer is an https URL without query and fragment", sound, fmt.Sprintf("%q", named))
		return nil
	},
}

// spelledOtherwise is an issuer that nobody takes for somebody else's: RFC 8414 §3.3 has it refused all the same.
var spelledOtherwise = &logbook.Breach{
	Broken:   "the metadata spells the issuer otherwise than it was asked for",
	Why:      "a partner or point that compares as the standard has it refuses the document, or the tokens of the server; one that does not is lenient with others, too",
	Fix:      "let the server's issuer be one string everywhere: in its metadata, in the iss of its tokens and in what partners are given; mind the final slash",
	Severity: logbook.Medium,
}

var noIssuer = &logbook.Breach{
	Broken:   "the issuer that the metadata names is no https URL, or has a query or a fragment",
	Why:      "over plain http whoever stands on the way writes the document, its endpoints and its keys; and a strict partner does not use such an issuer",
	Fix:      "give the server an issuer of https, host and path alone, and mind a proxy that ends TLS and does not tell",
	Severity: logbook.Medium,
}

// spelling is what is left of a URL when case of scheme and host, the usual port and the final slash are taken as nothing.
func spelling(address string) string {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" {
		return address
	}
	parsed.Scheme = strings.ToLower(parsed.Scheme)
	usual := map[string]string{"https": ":443", "http": ":80"}[parsed.Scheme]
	parsed.Host = strings.TrimSuffix(strings.ToLower(parsed.Host), usual)
	return strings.TrimSuffix(parsed.String(), "/")
}
