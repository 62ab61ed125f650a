package cleanup

import "github.com/checkride/checkride/internal/plan"

// roots gives, by origin, the roots that the certificates of authorization servers and hooks must chain to.
func (j *Job) roots(p *plan.Plan, resolver plan.Resolver) (plan.Roots, error) {
	roots := plan.Roots{}
	for name, server := range p.AuthorizationServers {
		addresses := []string{server.Issuer, server.Endpoints.Registration}
		for _, item := range j.items {
			if item.Server == name {
				addresses = append(addresses, item.URI)
			}
		}
		err := roots.Add(resolver, "authorization_servers."+name, server.CA, addresses...)
		if err != nil {
			return nil, err
		}
	}
	return roots, roots.AddHooks(resolver, p.Hooks)
}
