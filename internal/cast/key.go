package cast

import (
	"context"
	"fmt"

	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
)

// APIKey gives the member's key for points that take one: what the hook provision_api_key makes for a client of the ride's
// own, once, since another call may end the key before it; else that of the plan. It is empty where the member has none.
func (m *Member) APIKey(ctx context.Context) (secret.Text, error) {
	if !m.Own || !m.cast.HasHook(plan.ProvisionAPIKey) {
		if m.Plan.APIKey.Text == "" {
			return secret.Text{}, nil
		}
		return m.cast.cfg.Resolver.Secret(m.Plan.APIKey, "api key")
	}
	return m.key.Get(ctx, func(ctx context.Context) (secret.Text, error) {
		x, err := m.cast.Hook(ctx, plan.ProvisionAPIKey, m, nil)
		return x.Secret("api_key"), err
	})
}

// keyFor is the member's API key for a point that wants one.
func (m *Member) keyFor(ctx context.Context, point *plan.Point) (secret.Text, error) {
	key, err := m.APIKey(ctx)
	if err == nil && key.Empty() {
		err = fmt.Errorf("it has no API key for %s; give clients.%s.api_key, or let the hook provision_api_key answer {\"api_key\": \"...\"}", point.Name, m.Role)
	}
	return key, err
}
