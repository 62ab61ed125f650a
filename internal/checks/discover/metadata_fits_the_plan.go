package discover

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
)

// MetadataFitsThePlan looks for what the plan rests on: that the endpoints are https and at hosts that belong to the
// server, that introspection and revocation are offered with the methods of those who use them, and that the binding of
// tokens that was agreed is promised. The bug behind it is a proxy that ends TLS and does not tell: the server then
// writes http, or the name that it has inside.
//
// RFC 8414 §2 asks for https at issuer and jwks_uri; RFC 6749 §3.2, RFC 7009 §2 and RFC 7662 §2 for TLS at the other
// endpoints. RFC 8705 §3.3: tls_client_certificate_bound_access_tokens is false where it is left out. RFC 9449 §11.6: the
// algorithms of DPoP are asymmetric. Which hosts may be named, and that what the plan uses is offered, is our demand.
var MetadataFitsThePlan = &check.Check{
	ID:       "discover.metadata-fits-the-plan",
	Title:    "the metadata offers what the plan rests on, over https and at hosts of the server",
	Broken:   "the metadata lacks what the plan rests on",
	Why:      "a partner that finds no binding, or no method or grant of its own, falls back to something weaker or cannot begin",
	Fix:      "list what partners use: methods, grants and the binding of tokens",
	Refs:     []frameworks.Ref{frameworks.RFC(8414, "2"), frameworks.RFC(8414, "6.1"), frameworks.RFC(6749, "3.2"), frameworks.RFC(7009, "2"), frameworks.RFC(7662, "2"), frameworks.RFC(8705, "3.3"), frameworks.RFC(9449, "5.1"), frameworks.ASVS("12.2.1"), frameworks.SP80053("IA-13"), frameworks.House()},
	Rows:     []string{"L-MD-04", "L-MD-08", "L-MD-10"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Besides:  []*logbook.Breach{endpointsElsewhere, symmetricProofs},
	Twin:     defect.Set{BindingUnadvertised: true},
	Also:     []defect.Set{{AliasOverHTTP: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		server, err := p.Discovered(ctx)
		if err != nil {
			return err
		}
		hosts, err := p.Stack.Plan.Hosts()
		if err != nil {
			return err
		}
		described := p.Stack.Plan.AuthorizationServers[p.Name]
		var strange []string
		named := endpointsIn(server.Metadata, "")
		for _, name := range slices.Sorted(maps.Keys(named)) {
			address, err := url.Parse(named[name])
			switch {
			case err != nil || address.Scheme != "https":
				strange = append(strange, fmt.Sprintf("%s is not https: %q", name, named[name]))
			case !ofTheServer(address.Hostname(), described.Issuer, hosts):
				strange = append(strange, fmt.Sprintf("%s is at %s, which is neither of the issuer's domain nor in the plan", name, address.Hostname()))
			}
		}
		titled := p.Besides(endpointsElsewhere)
		p.Holds("every endpoint is https and at a host of the issuer's domain or of the plan", len(strange) == 0, strings.Join(strange, "; "))
		titled()
		offersMethods(p, server, described.Endpoints)
		offersGrants(p, server)
		promisesBinding(p, server)
		return nil
	},
}

var endpointsElsewhere = &logbook.Breach{
	Broken:   "the metadata names an endpoint that is not https, or not at a host of the server",
	Why:      "a partner sends its credentials to whatever the document names",
	Fix:      "tell the server its outer name and scheme, or write endpoints that are elsewhere into the plan (authorization_servers.*.endpoints)",
	Severity: logbook.Medium,
}

var symmetricProofs = &logbook.Breach{
	Broken:   "the metadata offers DPoP proofs with a symmetric algorithm, or with none",
	Why:      "a proof that everybody can write, or that needs a secret shared with others, proves nobody's possession of a key; whether such a proof is taken, bind.forged-proof tries",
	Fix:      "list asymmetric algorithms alone in dpop_signing_alg_values_supported",
	Severity: logbook.Medium,
}

// endpointsIn gives the members that name an endpoint, those of the aliases too.
func endpointsIn(members map[string]any, before string) map[string]string {
	found := map[string]string{}
	for name, value := range members {
		text, isText := value.(string)
		if isText && (strings.HasSuffix(name, "_endpoint") || name == "jwks_uri") {
			found[before+name] = text
		}
	}
	aliases, _ := members["mtls_endpoint_aliases"].(map[string]any)
	for name, value := range aliases {
		if text, isText := value.(string); isText {
			found["mtls_endpoint_aliases."+name] = text
		}
	}
	return found
}

// ofTheServer says whether a host may stand in the metadata: it is the issuer's or below it, shares its parent domain
// (mtls.acme.example and as.acme.example), or stands in the plan.
func ofTheServer(host, issuer string, hosts []string) bool {
	for _, each := range hosts {
		if name, _, _ := strings.Cut(each, ":"); strings.EqualFold(name, host) || strings.Contains(each, "["+host+"]") {
			return true
		}
	}
	own, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	issuers := strings.ToLower(own.Hostname())
	_, parent, _ := strings.Cut(issuers, ".")
	host = strings.ToLower(host)
	if host == issuers || strings.HasSuffix(host, "."+issuers) {
		return true
	}
	return strings.Contains(parent, ".") && !everybodys.MatchString(parent) && (host == parent || strings.HasSuffix(host, "."+parent))
}

// everybodys are domains under which everybody registers: co.uk is no organisation's.
var everybodys = regexp.MustCompile(`^(ac|co|com|edu|go|gov|ne|net|or|org)\.[a-z]{2}$`)

func offersMethods(p *check.Pass, server oauth.Server, byHand plan.Endpoints) {
	for _, use := range []struct{ role, endpoint, byHand, absent string }{
		{"resource_server", "introspection", byHand.Introspection, "has no default"},
		{"partner", "revocation", byHand.Revocation, "then means client_secret_basic"}, // common neglect (seen: oidc-provider)
	} {
		client, ok := p.Cast.Client(use.role)
		_, offered := server.Metadata[use.endpoint+"_endpoint"]
		switch {
		case !ok || use.byHand != "":
			continue
		case !offered && use.endpoint == "revocation":
			p.Note("the metadata offers no revocation endpoint; revoke.not-revocable says what that means")
			continue
		}
		p.Holds("the "+use.endpoint+" endpoint is offered, which "+use.role+" uses", offered, "it is not in the metadata")
		member := use.endpoint + "_endpoint_auth_methods_supported"
		methods := oauth.Strings(server.Metadata[member])
		if offered && methods == nil {
			p.Note("%s is missing, and %s (RFC 8414 §2)", member, use.absent)
			continue
		}
		if offered && client.Auth != "" {
			p.Holds(fmt.Sprintf("%s holds %s, the method of %s", member, client.Auth, use.role), slices.Contains(methods, client.Auth), strings.Join(methods, ", "))
		}
	}
}

// offersGrants looks for the grants that the plan names beside client_credentials, where the document lists grants at all.
func offersGrants(p *check.Pass, server oauth.Server) {
	listed := oauth.Strings(server.Metadata["grant_types_supported"])
	for _, grant := range p.Stack.Plan.GrantTypes() {
		name, _ := grant.(string)
		if listed != nil && name != plan.GrantClientCredentials {
			p.Holds("grant_types_supported holds "+name+", which the plan names", slices.Contains(listed, name), strings.Join(listed, ", "))
		}
	}
}

func promisesBinding(p *check.Pass, server oauth.Server) {
	algorithms := oauth.Strings(server.Metadata["dpop_signing_alg_values_supported"])
	var symmetric []string
	for _, alg := range algorithms {
		if strings.HasPrefix(alg, "HS") || strings.EqualFold(alg, "none") {
			symmetric = append(symmetric, alg)
		}
	}
	if len(algorithms) > 0 {
		titled := p.Besides(symmetricProofs)
		p.Holds("dpop_signing_alg_values_supported holds asymmetric algorithms alone", len(symmetric) == 0, strings.Join(symmetric, ", "))
		titled()
	}
	partner, _ := p.Cast.Client("partner")
	if partner.SenderConstraint == "mtls" || partner.SenderConstraint == "dpop" {
		p.Relevant("the plan binds the partner's tokens by %s", partner.SenderConstraint)
	}
	switch partner.SenderConstraint {
	case "mtls":
		p.Holds("tls_client_certificate_bound_access_tokens is true, since the partner's tokens are bound by certificate", server.Metadata["tls_client_certificate_bound_access_tokens"] == true, fmt.Sprint(server.Metadata["tls_client_certificate_bound_access_tokens"]))
	case "dpop":
		p.Holds("dpop_signing_alg_values_supported is there, since the partner's tokens are bound by DPoP", len(algorithms) > 0, "it is missing")
	}
}
