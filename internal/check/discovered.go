package check

import (
	"context"
	"errors"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// Discovered reads the metadata of the pass's authorization server anew, so that the document is evidence, and gives the
// server as it describes itself. A document that names another issuer is given all the same: its check judges it.
func (p *Pass) Discovered(ctx context.Context) (oauth.Server, error) {
	described := p.Stack.Plan.AuthorizationServers[p.Name]
	server, _, err := oauth.Discover(ctx, evident{p}, p.Name, described.Issuer, oauth.Endpoints{
		Metadata: described.Endpoints.Metadata, Token: described.Endpoints.Token, Registration: described.Endpoints.Registration,
		Introspection: described.Endpoints.Introspection, Revocation: described.Endpoints.Revocation, JWKS: described.Endpoints.JWKS,
	})
	var mismatch *oauth.IssuerMismatch
	if err != nil && !errors.As(err, &mismatch) {
		return server, err
	}
	if server.Metadata == nil {
		return server, NotApplicable("%s publishes no metadata; the plan gives its endpoints by hand", p.Name)
	}
	return server, nil
}

// evident sends on behalf of a pass and keeps what comes as its evidence.
type evident struct{ pass *Pass }

func (e evident) Do(ctx context.Context, r wire.Request) (wire.Exchange, error) {
	return e.pass.Send(ctx, wire.Setup, r)
}
