package check

import (
	"context"
	"slices"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/wire"
)

// RegisterRaw sends a registration of a role with another body than the plan describes. What comes of it, though it should
// be nothing, is in the ledger and removed at the end.
func (p *Pass) RegisterRaw(ctx context.Context, role string, body []byte) (wire.Exchange, error) {
	draft, err := p.Cast.Draft(ctx, role, cast.Wish{})
	if err != nil {
		return wire.Exchange{}, err
	}
	if draft.Server.Endpoints.Registration == "" {
		return wire.Exchange{}, NotApplicable("%s has no registration endpoint", draft.Server.Name)
	}
	request, err := p.Cast.RegistrationRequest(draft)
	if err != nil {
		return wire.Exchange{}, err
	}
	request.Body = body
	request.Credentials = slices.DeleteFunc(request.Credentials, func(c wire.Credential) bool { return c.In != wire.InHeader }) // what stood in the other body
	return p.through(ctx, wire.Probe, request, func(ctx context.Context, r wire.Request) (wire.Exchange, error) {
		return p.Cast.Register(ctx, draft, r)
	})
}
