package discover

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// AliasesWork knocks at each endpoint that is meant for clients with a certificate: whether its host asks for one in the
// handshake, and whether anybody answers. Aliases are written once, when mutual TLS is set up, and rot when a path or a
// load balancer changes.
//
// RFC 8705 §5: a client that intends to do mutual TLS MUST use the alias where there is one, so a broken alias shuts out
// those partners alone who authenticate best. That it works is our demand.
var AliasesWork = &check.Check{
	ID:       "discover.aliases-work",
	Title:    "each endpoint alias for mutual TLS asks for a client certificate and answers",
	Broken:   "an endpoint alias for mutual TLS does not ask for a certificate, or leads nowhere",
	Why:      "partners with certificates must use the alias: where it fails they are shut out, or given tokens that are bound to nothing, and are moved to shared secrets to get going",
	Fix:      "let the host of the aliases ask for a client certificate (request, do not verify, where the server itself judges it), and correct the paths",
	Refs:     []frameworks.Ref{frameworks.RFC(8705, "5"), frameworks.House(), frameworks.NHI(4), frameworks.SP80053("IA-13")},
	Rows:     []string{"L-MD-09"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Twin:     defect.Set{AliasLeadsNowhere: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		server, err := p.Discovered(ctx)
		if err != nil {
			return err
		}
		aliases, _ := server.Metadata["mtls_endpoint_aliases"].(map[string]any)
		if len(aliases) == 0 {
			return check.NotApplicable("%s has no endpoint aliases for mutual TLS", p.Name)
		}
		p.Relevant("the metadata offers mtls_endpoint_aliases")
		partner, err := p.Cast.Member(ctx, cast.Partner)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(aliases)) {
			address, _ := aliases[name].(string)
			if !strings.HasPrefix(address, "https://") {
				p.Note("%s is no https URL, which discover.metadata-fits-the-plan judges", name)
				continue
			}
			request := oauth.Knock(p.Name, address)
			if !takesForms(name) {
				request = oauth.Get(p.Name, address)
			}
			request.Over.Certificate = partner.Client().Certificate
			x, err := p.Send(ctx, wire.Setup, request)
			if errors.Is(err, wire.ErrNotAllowed) {
				p.Case(name, logbook.Inconclusive, "", "", "", fmt.Sprintf("the host of %s is not in the plan; name the endpoint under authorization_servers.%s.endpoints", name, p.Name))
				continue
			}
			if err != nil {
				return err
			}
			outcome, observed := knocked(x, takesForms(name))
			if x.Failure == wire.Alert && request.Over.Certificate == nil { // as it may do to whoever shows none
				outcome, observed = logbook.Inconclusive, "the host speaks to nobody without a certificate, and the partner has none"
			}
			because := ""
			if outcome == logbook.Inconclusive {
				because = name + ": " + observed
			}
			p.Case(name, outcome, "it asks for a client certificate and answers", observed, "", because)
		}
		return nil
	},
}

func takesForms(name string) bool {
	return slices.Contains([]string{"token_endpoint", "introspection_endpoint", "revocation_endpoint", "pushed_authorization_request_endpoint", "device_authorization_endpoint", "backchannel_authentication_endpoint"}, name)
}

// knocked understands the answer of an alias. Where an endpoint takes no forms a 404 may mean anything.
func knocked(x wire.Exchange, form bool) (logbook.Outcome, string) {
	switch {
	case x.Failure == wire.Refused || x.Failure == wire.Alert:
		return logbook.Fail, string(x.Failure) + ": " + x.Detail
	case x.Failure != wire.None || x.Status == 429 || x.Status == 503:
		return logbook.Inconclusive, fmt.Sprintf("%d %s %s", x.Status, x.Failure, x.Detail)
	case !x.Asked:
		return logbook.Fail, fmt.Sprintf("answered %d and did not ask for a certificate", x.Status)
	case form && (x.Status == 404 || x.Status == 405 || x.Status >= 500):
		return logbook.Fail, fmt.Sprintf("answered %d to a form", x.Status)
	}
	return logbook.Pass, fmt.Sprintf("asked for a certificate, answered %d", x.Status)
}
