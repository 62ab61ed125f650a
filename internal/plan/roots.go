package plan

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"
)

// Roots are, by origin (https://as.example), the roots that a host's certificate must chain to. An origin without an
// entry has those of the operating system.
type Roots map[string]*x509.CertPool

// Add reads a CA and files it for the origins of the addresses; place is whose CA it is: points.edge. Without a CA it
// does nothing, and what is no absolute URL is passed over: a plan's are checked when it is loaded, and a stack's may be
// anything.
func (r Roots) Add(resolver Resolver, place string, ca Reference, addresses ...string) error {
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
		r[parsed.Scheme+"://"+parsed.Host] = pool
	}
	return nil
}

// AddHooks files the CAs of the hooks that are requests.
func (r Roots) AddHooks(resolver Resolver, hooks map[string]Hook) error {
	for name, hook := range hooks {
		_, address, _ := strings.Cut(hook.HTTP, " ")
		err := r.Add(resolver, "hooks."+name, hook.CA, placeholder.ReplaceAllString(address, "x"))
		if err != nil {
			return err
		}
	}
	return nil
}
