package ride

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/checkride/checkride/internal/canary"
	"github.com/checkride/checkride/internal/plan"
)

// openCanary begins to listen where the plan says so; nil where it has no canary.
func openCanary(p *plan.Plan, resolver plan.Resolver, listen func(string) (net.Listener, error)) (*canary.Listener, error) {
	described := p.Canary
	if described == nil {
		return nil, nil
	}
	config := canary.Config{Listen: listen, Address: described.Listen, URL: described.URL}
	if described.Cert.Empty() {
		return canary.Open(config)
	}
	chain, err := resolver.Text(described.Cert)
	if err != nil {
		return nil, fmt.Errorf("canary.cert: %w", err)
	}
	key, err := resolver.Text(described.Key)
	if err != nil {
		return nil, fmt.Errorf("canary.key: %w", err)
	}
	resolver.Keeper.Keep("key", key)
	pair, err := tls.X509KeyPair([]byte(chain), []byte(key))
	if err != nil {
		return nil, errors.New("canary: certificate and key do not fit each other or are no PEM; give a chain under cert and its key under key")
	}
	config.Certificate = &pair
	return canary.Open(config)
}
