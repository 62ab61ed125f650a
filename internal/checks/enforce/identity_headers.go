package enforce

import (
	"context"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// IdentityHeaders claims to be the neighbour in the header fields by which points tell their upstreams who calls: once
// all together without any credential, then one by one beside the partner's own. Underscores are tried as well, since
// CGI-like applications read them as hyphens.
//
// RFC 9700 §4.13: a reverse proxy MUST sanitize inbound requests, so that header fields that security depends on cannot
// be set from outside.
var IdentityHeaders = &check.Check{
	ID:       "enforce.identity-headers",
	Title:    "header fields from outside do not tell the API who calls",
	Broken:   "header fields from outside tell the API who calls",
	Why:      "a partner is any other partner for the price of one header field, and the log names the wrong one",
	Fix:      "remove every identity field of the request at the point, in all spellings, and set them anew from the verified credential",
	Refs:     []frameworks.Ref{frameworks.RFC(9700, "4.13"), frameworks.RFC(9440, "2.4"), frameworks.ASVS("4.1.3"), frameworks.API(2), frameworks.CVE("CVE-2025-64484"), frameworks.CSF("PR.AA-04")},
	Rows:     []string{"L-GW-12", "A-CC-11", "A-GW-01", "A-GW-02"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Twin:     defect.Set{IdentityHeaderPassed: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		name, certificate, err := somebodyElse(ctx, p)
		if err != nil {
			return err
		}
		headers := forge.IdentityHeaders(name, certificate, p.Point.IdentityHeaders...)
		for _, field := range append([]string{"X-Client-Id"}, p.Point.IdentityHeaders...) {
			headers = append(headers, withField(strings.ReplaceAll(field, "-", "_"), name))
		}
		headers = once(headers)
		err = p.Refuses(ctx, call, insteadOfCredentials(headers))
		if err != nil {
			return err
		}
		return p.KeepsIdentity(ctx, call, headers...)
	},
}

// somebodyElse is the neighbour, as the API names it and with its certificate, or a name that nobody has.
func somebodyElse(ctx context.Context, p *check.Pass) (string, string, error) {
	if !p.Cast.Has(cast.Neighbour) {
		return "checkride-somebody-else", "", nil
	}
	neighbour, err := p.Neighbour(ctx)
	if err != nil {
		return "", "", err
	}
	certificate := ""
	if shown := neighbour.Client().Certificate; shown != nil {
		certificate = cast.PEM(shown)
	}
	if named := p.Point.Identity[cast.Neighbour]; named != "" {
		return named, certificate, nil
	}
	return neighbour.ID(), certificate, nil
}

func withField(name, value string) wire.Change {
	return wire.Change{Name: "header " + name, Apply: func(r wire.Request) (wire.Request, error) { return r.AddHeader(name, value), nil }}
}

// once leaves out a field that the plan names and that is known anyway.
func once(headers []wire.Change) []wire.Change {
	var all []wire.Change
	seen := map[string]bool{}
	for _, header := range headers {
		key := strings.ToLower(header.Name)
		if !seen[key] {
			seen[key] = true
			all = append(all, header)
		}
	}
	return all
}

func insteadOfCredentials(headers []wire.Change) wire.Change {
	return wire.Change{Name: "all of them and no credential", Apply: func(r wire.Request) (wire.Request, error) {
		r.Credentials, r.Over.Certificate = nil, nil
		for _, header := range headers {
			var err error
			r, err = header.Apply(r)
			if err != nil {
				return r, err
			}
		}
		return r, nil
	}}
}
