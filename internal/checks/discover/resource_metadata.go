package discover

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// ResourceMetadata asks each point for its description of itself, from which clients learn where to get tokens. Behind a
// proxy it often names the address inside (seen at MCP servers), and then a strict client does not use it, and a lenient
// one asks for tokens for another audience.
//
// RFC 9728 §3.3: a resource that is not identical to the one that was asked MUST NOT be used. §3.2: 200 and
// application/json. §2: authorization_servers is OPTIONAL; where it is there, we demand that it holds the plan's.
var ResourceMetadata = &check.Check{
	ID:       "discover.resource-metadata",
	Title:    "the protected resource metadata of a point names that very point and the server whose tokens it takes",
	Broken:   "the protected resource metadata of a point does not name that point, or not the server whose tokens it takes",
	Why:      "a client that follows it gets tokens for another audience, or shows its credentials to another server",
	Fix:      "configure the outer URL of the resource and the issuer at the point, instead of deriving them from the request",
	Refs:     []frameworks.Ref{frameworks.RFC(9728, "3.3"), frameworks.RFC(9728, "2"), frameworks.RFC(9728, "3.1"), frameworks.RFC(9728, "3.2"), frameworks.SP80053("IA-13")},
	Rows:     []string{"L-MD-14"},
	Severity: logbook.Medium,
	At:       check.EveryPoint,
	Besides:  []*logbook.Breach{unreadable},
	Twin:     defect.Set{ResourceMetadataOfAnother: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		resource := strings.TrimSuffix(p.Point.URL, "/")
		if sameOrigin(p.Point.Resource, p.Point.URL) {
			resource = p.Point.Resource
		}
		x, err := p.Send(ctx, wire.Setup, oauth.ResourceMetadataRequest(p.Name, resource))
		if err != nil {
			return err
		}
		kind := x.Header.Get("Content-Type")
		switch {
		case x.Failure != wire.None || x.Status == 429 || x.Status >= 500:
			return check.CannotTell("the metadata could not be asked for: %d %s %s", x.Status, x.Failure, x.Detail)
		case x.Status != 200 || strings.HasPrefix(kind, "text/html"): // a login page, or a page for everything
			return check.NotApplicable("%s publishes no protected resource metadata (%d)", p.Name, x.Status)
		}
		members, err := oauth.ReadDocument(x)
		if errors.Is(err, oauth.ErrUnread) {
			return check.CannotTell("the metadata cannot be judged: %v", err)
		}
		if err != nil {
			p.Relevant("%s publishes protected resource metadata", p.Name)
			defer p.Besides(unreadable)()
			p.Holds("the metadata is one JSON object", false, err.Error())
			return nil
		}
		if !slices.ContainsFunc(described, func(name string) bool { _, there := members[name]; return there }) { // an API that answers every path
			return check.NotApplicable("%s publishes no protected resource metadata: its answer holds none of their members", p.Name)
		}
		p.Relevant("%s publishes protected resource metadata", p.Name)
		titled := p.Besides(unreadable)
		p.Holds("it is application/json", strings.HasPrefix(kind, "application/json"), fmt.Sprintf("Content-Type %q", kind))
		titled()
		named, _ := members["resource"].(string)
		same := named == resource || strings.TrimSuffix(named, "/") == strings.TrimSuffix(resource, "/") && sameOrigin(named, resource)
		p.Holds("resource is "+resource, same, fmt.Sprintf("%q", named))
		servers := oauth.Strings(members["authorization_servers"])
		issuer := p.Stack.Plan.AuthorizationServers[p.Cast.TokenServer(p.Point)].Issuer
		if len(servers) > 0 && issuer != "" {
			p.Holds("authorization_servers holds "+issuer, slices.Contains(servers, issuer), strings.Join(servers, ", "))
		}
		return nil
	},
}

// unreadable is a document that a strict client does not read: it learns nothing from it, and nothing wrong either.
var unreadable = &logbook.Breach{
	Broken:   "the protected resource metadata of a point is not served as JSON",
	Why:      "strict clients refuse such a document, and do not learn where to get tokens",
	Fix:      "serve one JSON object as application/json",
	Severity: logbook.Low,
}

// described are members by which such a document is known (RFC 9728 §2).
var described = []string{"resource", "authorization_servers", "jwks_uri", "scopes_supported", "bearer_methods_supported", "resource_name", "resource_documentation"}

// sameOrigin says whether two URLs have one scheme and host. An identifier with and without its final slash is asked for
// at the same place (RFC 9728 §3.1), so either may be meant.
func sameOrigin(a, b string) bool {
	one, err := url.Parse(a)
	if err != nil || one.Host == "" {
		return false
	}
	other, err := url.Parse(b)
	return err == nil && one.Scheme == other.Scheme && strings.EqualFold(one.Host, other.Host)
}
