package check

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// Document is the metadata of an authorization server as one place serves it.
type Document struct {
	URL      string
	Exchange wire.Exchange
	Members  map[string]any // nil: it could not be read
	Wrong    error          // why
}

// Documents reads the metadata of the pass's authorization server at each place where it may be, and gives those that
// answer with 200, the one of RFC 8414 §3.1 first.
func (p *Pass) Documents(ctx context.Context) ([]Document, error) {
	described := p.Stack.Plan.AuthorizationServers[p.Name]
	var found []Document
	for _, request := range oauth.MetadataRequests(p.Name, described.Issuer, described.Endpoints.Metadata) {
		x, err := p.Send(ctx, wire.Setup, request)
		if err != nil {
			return nil, err
		}
		if x.Failure != wire.None {
			return nil, CannotTell("%s%s gave no answer: %s %s", request.Origin, request.Target, x.Failure, x.Detail)
		}
		if x.Status != 200 {
			continue
		}
		document := Document{URL: request.Origin + request.Target, Exchange: x}
		document.Members, document.Wrong = oauth.ReadDocument(x)
		if errors.Is(document.Wrong, oauth.ErrUnread) {
			return nil, CannotTell("%s: %v", document.URL, document.Wrong)
		}
		if document.Members == nil && strings.HasPrefix(strings.ToLower(x.Header.Get("Content-Type")), "text/html") {
			continue // the page that a web server gives for every path
		}
		found = append(found, document)
	}
	if len(found) == 0 {
		return nil, NotApplicable("%s publishes no metadata", p.Name)
	}
	return found, nil
}

// Host is one address of the stack that speaks TLS.
type Host struct {
	Place   string       // the point's or server's name
	Name    string       // the same, with the address where it has several
	Request wire.Request // without credentials, over a connection of its own; what is answered to it is of no interest
}

// Hosts gives the hosts behind which the points and authorization servers of the plan stand, each once, with the
// replicas that are known. What is reached without TLS comes as the second list, with its URL for a name.
func (p *Pass) Hosts(ctx context.Context) ([]Host, []Host, error) {
	var hosts, plain []Host
	seen := map[string]bool{}
	var certificate *tls.Certificate // shown where one may be demanded, so that the handshake comes to its end
	if p.Cast.Has(cast.Partner) {
		partner, err := p.Cast.Member(ctx, cast.Partner)
		if err != nil {
			return nil, nil, err
		}
		certificate = partner.Client().Certificate
	}
	add := func(name, address, node string, demands bool) {
		parsed, err := url.Parse(address)
		if err != nil || parsed.Host == "" || seen[parsed.Host+"|"+node] {
			return
		}
		seen[parsed.Host+"|"+node] = true
		if parsed.Scheme != "https" {
			plain = append(plain, Host{Place: name, Name: address})
			return
		}
		request := oauth.Get(name, address)
		request.Over = wire.Line{Address: node, Fresh: true}
		if demands {
			request.Over.Certificate = certificate
		}
		hosts = append(hosts, Host{Place: name, Name: nodeName(name, node), Request: request})
	}
	allowed, err := p.Stack.Plan.Hosts()
	if err != nil {
		return nil, nil, err
	}
	for _, name := range p.Stack.Plan.Servers() {
		described := p.Stack.Plan.AuthorizationServers[name]
		if described.Issuer == "" || len(described.Token.Exec) > 0 {
			continue
		}
		add(name, described.Issuer, "", false)
		if name != p.Cast.HomeServer() {
			continue
		}
		server, err := p.Cast.Server(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		for _, address := range []string{server.Endpoints.Token, server.Endpoints.JWKS, server.Endpoints.Introspection, server.Endpoints.Revocation, server.Aliases.Token} {
			if slices.Contains(allowed, dialled(address)) {
				add(name, address, "", address == server.Aliases.Token)
			}
		}
	}
	for i := range p.Stack.Plan.Points {
		point := &p.Stack.Plan.Points[i]
		nodes := point.Addresses
		if len(nodes) == 0 {
			nodes = []string{""}
		}
		for _, node := range nodes {
			add(point.Name, strings.TrimSuffix(point.URL, "/")+"/", node, point.TLSClient == "required")
		}
	}
	return hosts, plain, nil
}

// dialled is the host:port of a URL, as the plan's hosts are written.
func dialled(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	port := parsed.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[parsed.Scheme]
	}
	return strings.ToLower(net.JoinHostPort(parsed.Hostname(), port))
}

// Works asserts that a call is accepted, as one of several variants.
func (p *Pass) Works(ctx context.Context, call Call, name string) (bool, error) {
	before := len(p.observation.Exchanges)
	last, err := p.patiently(ctx, call)
	if err != nil {
		return false, err
	}
	outcome, because := logbook.Fail, ""
	switch last.Decision {
	case wire.Accepted:
		outcome = logbook.Pass
	case wire.Unknown, wire.Odd: // a server in trouble has not decided
		outcome, because = logbook.Inconclusive, name+" could not be decided: "+last.Why
	}
	p.Case(name, outcome, "accepted", last.Why, "", because)
	p.observation.Cases[len(p.observation.Cases)-1].Exchanges = slices.Clone(p.observation.Exchanges[before:])
	return outcome == logbook.Pass, nil
}

// Withstands asserts that a point refuses a flood of altered calls, and that good ones are accepted right after it: at
// each node a control, the flood, and the good call, with a token that the point has not seen: for one that it has it need
// not look for a key.
func (p *Pass) Withstands(ctx context.Context, call Call, times int, flood wire.Change) error {
	err := p.guarded(ctx, call)
	if err != nil {
		return err
	}
	for _, node := range p.nodes(call.Point) {
		at := call.pinned(node)
		err = p.Opens(ctx, at)
		if err != nil {
			return err
		}
		good, err := p.Unseen(ctx, at)
		if err != nil {
			return err
		}
		let := 0
		for range times {
			var found tasted
			_, altered, err := p.alter(at, flood, &found)
			if err != nil {
				return err
			}
			_, answer, err := p.send(ctx, wire.Altered, at, altered)
			if err != nil {
				return err
			}
			if answer.Decision == wire.Accepted {
				let++
			}
		}
		if let > 0 {
			p.Case(nodeName(flood.Name, node), logbook.Fail, "refused", fmt.Sprintf("%d of %d accepted", let, times), "", "")
			continue
		}
		_, err = p.Works(ctx, good, nodeName(fmt.Sprintf("a good call after %d of %s", times, flood.Name), node))
		if err != nil {
			return err
		}
	}
	return nil
}
