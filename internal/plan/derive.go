package plan

import (
	"net"
	"net/url"
	"strings"
)

// derive fills in what follows from other parts of the plan when it was not said.
func (p *Plan) derive(d *decoder) {
	only := ""
	if len(p.AuthorizationServers) == 1 {
		only = p.Servers()[0]
	}
	if p.Registration.Server == "" {
		p.Registration.Server = only
	}
	for i := range p.Points {
		p.Points[i].derive(only)
	}
	for i := range p.Clients {
		c := &p.Clients[i]
		if c.May == nil && !c.ID.Empty() {
			c.May = []string{"read"}
		}
	}
	partner, found := p.Client("partner")
	if found && p.Agreement.Scopes == nil {
		p.Agreement.Scopes = partner.Scopes
	}
	_, said := d.lines["limits.deletion"]
	if !said {
		p.Limits.Deletion = Duration(p.Limits.Revocation.Longest())
	}
	p.lower()
}

func (p *Point) derive(only string) {
	if p.TokenFrom == "" && p.TakesTokens() {
		p.TokenFrom = only
	}
	u, err := url.Parse(p.URL)
	if err != nil || u.Hostname() == "" {
		return
	}
	for i, address := range p.Addresses {
		p.Addresses[i] = withPort(address, portOf(u))
	}
	if p.Origin != "" && !strings.Contains(p.Origin, "://") {
		p.Origin = u.Scheme + "://" + withPort(p.Origin, portOf(u))
	}
}

// What tokens look like at a point, where the plan says it. A JWT is one that is signed and not encrypted.
const (
	FormatJWT    = "jwt"
	FormatOpaque = "opaque"
)

// TakesTokens says whether the point's credential comes from an AS.
func (p *Point) TakesTokens() bool {
	return p.Credential == "bearer" || p.Credential == "dpop" || p.Credential == ""
}

// TakesProofs says whether the point takes tokens that are bound by DPoP (RFC 9449 §7.1).
func (p *Point) TakesProofs() bool { return p.Credential == "dpop" || p.DPoP }

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}

// withPort makes host:port of what may be a host alone.
func withPort(address, port string) string {
	host, given, err := net.SplitHostPort(address)
	if err == nil && given != "" {
		return net.JoinHostPort(host, given)
	}
	return net.JoinHostPort(strings.Trim(address, "[]"), port)
}
