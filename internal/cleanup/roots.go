package cleanup

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"

	"github.com/checkride/checkride/internal/plan"
)

// roots gives, by origin, the roots that the certificates of authorization servers and hooks must chain to.
func (j *Job) roots(p *plan.Plan, resolver plan.Resolver) (map[string]*x509.CertPool, error) {
	roots := map[string]*x509.CertPool{}
	for name, server := range p.AuthorizationServers {
		addresses := []string{server.Issuer, server.Endpoints.Registration}
		for _, item := range j.items {
			if item.Server == name {
				addresses = append(addresses, item.URI)
			}
		}
		err := chain(roots, resolver, "authorization_servers."+name, server.CA, addresses...)
		if err != nil {
			return nil, err
		}
	}
	for name, hook := range p.Hooks {
		_, address, _ := strings.Cut(hook.HTTP, " ")
		err := chain(roots, resolver, "hooks."+name, hook.CA, strings.NewReplacer("{", "", "}", "").Replace(address))
		if err != nil {
			return nil, err
		}
	}
	return roots, nil
}

func chain(roots map[string]*x509.CertPool, resolver plan.Resolver, place string, ca plan.Reference, addresses ...string) error {
	if ca.Empty() {
		return nil
	}
	text, err := resolver.Text(ca)
	if err != nil {
		return fmt.Errorf("%s.ca: %w", place, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(text)) {
		return fmt.Errorf("%s.ca: no certificate in PEM; give the CA that signed the server's certificate", place)
	}
	for _, address := range addresses {
		parsed, err := url.Parse(address)
		if err != nil || parsed.Host == "" {
			continue
		}
		roots[parsed.Scheme+"://"+parsed.Host] = pool
	}
	return nil
}
