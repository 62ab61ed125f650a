package cast

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// Proxy is the plan's proxy with its credentials; nil where hosts are dialled directly.
func Proxy(p *plan.Plan, values plan.Resolver) (*wire.Proxy, error) {
	host := p.ProxyHost()
	if host == "" {
		return nil, nil
	}
	proxy := &wire.Proxy{Address: host, TLS: strings.HasPrefix(p.Proxy, "https://")}
	if !p.ProxyCredentials.Empty() {
		credentials, err := values.Secret(p.ProxyCredentials, "proxy credentials")
		if err != nil {
			return nil, fmt.Errorf("proxy_credentials: %w", err)
		}
		proxy.Credentials = credentials
	}
	if !p.ProxyCA.Empty() {
		text, err := values.Text(p.ProxyCA)
		if err != nil {
			return nil, fmt.Errorf("proxy_ca: %w", err)
		}
		proxy.Roots = x509.NewCertPool()
		if !proxy.Roots.AppendCertsFromPEM([]byte(text)) {
			return nil, errors.New("proxy_ca: no certificate in PEM; give the CA that signed the proxy's certificate")
		}
	}
	return proxy, nil
}
