package ride

import (
	"context"
	"errors"
	"fmt"

	"github.com/checkride/checkride/internal/oauth"
)

// knock asks the server where partners are registered for its metadata, before anything is tried and any hook is played.
// Where that server is shut, since its certificate is not good for us, a proxy inspects TLS or leads nowhere, no partner
// can come, and all that could be told is about what stands between. So the ride ends and says what to do.
func (r *run) knock(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	home := r.cast.HomeServer()
	if home == "" {
		return ctx, cancel
	}
	_, err := r.cast.Server(ctx, home)
	var none *oauth.NoAnswer
	if errors.As(err, &none) && none.Shut() {
		cancel(fmt.Errorf("%s is shut: %s", r.cfg.Plan.AuthorizationServers[home].Issuer, r.text(none.Detail)))
	}
	return ctx, cancel
}
