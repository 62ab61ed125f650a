package check

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// Answer is what an exchange says about its request.
type Answer struct {
	Decision wire.Decision
	Strong   bool            // the answer carries this very exchange's nonce, or a credential that only acceptance brings
	Cached   bool            // it carries another exchange's nonce, or an age: a cache answered
	Identity string          // who the API says that it saw
	Why      string          // short, for people: 401 invalid_token
	Foreign  bool            // refused by somebody else than the point, as far as one can see
	Thrice   bool            // counts as refused only if it happens every time: a reset on a fresh connection
	Besides  *logbook.Breach // which other promise is broken if this is accepted where it must not be; nil: the one that is asserted
}

// Call is a request that can be made again and again, and the oracle that understands its answers.
type Call struct {
	Name   string
	Member *cast.Member
	Token  oauth.Token
	Point  *plan.Point // nil at an authorization server
	Make   func() (wire.Request, error)
	Decide func(ctx context.Context, x wire.Exchange) Answer
	Expect string                                                                 // the identity that a good answer names; empty: not told
	Send   func(ctx context.Context, request wire.Request) (wire.Exchange, error) // nil: as it is; registrations go through the ledger
	Unseen string                                                                 // why a refusal says nothing: that what is shown is good somewhere was not seen (rule 2); empty: it was
	Turn   func(ctx context.Context) (func(), error)                              // nil: none; waits until nobody else makes such a call, and gives what ends that
}

// With gives the call with its request altered.
func (c Call) With(alter func(*wire.Request)) Call {
	inner := c.Make
	c.Make = func() (wire.Request, error) {
		request, err := inner()
		if err != nil {
			return request, err
		}
		alter(&request)
		return request, nil
	}
	return c
}

// Fresh gives the call over a connection of its own each time.
func (c Call) Fresh() Call { return c.With(func(r *wire.Request) { r.Over.Fresh = true }) }

// pinned gives the call over a line to one known node, which may be kept; an empty node pins nothing.
func (c Call) pinned(node string) Call {
	if node == "" {
		return c
	}
	return c.With(func(r *wire.Request) { r.Over.Address, r.Over.Fresh = node, false })
}

// bare gives the call without credential and without client certificate.
func (c Call) bare() Call {
	return c.With(func(r *wire.Request) { r.Credentials, r.Over.Certificate = nil, nil })
}

// as gives the call with another token in the place of its own.
func (c Call) as(member *cast.Member, token oauth.Token) Call {
	c.Member, c.Token, c.Expect = member, token, member.ID()
	return c.With(func(r *wire.Request) {
		r.Who = member.Role
		forge.Show(r, token)
		if r.Over.Certificate != nil || token.Certificate != nil {
			r.Over.Certificate = token.Certificate
		}
	})
}

// Call is the first operation that the agreement allows at the pass's point, with a token.
func (p *Pass) Call(member *cast.Member, token oauth.Token) Call {
	return p.CallAt(p.Point, p.Allowed(p.Point), member, token)
}

// Allowed gives the first operation that the agreement allows at a point and that is not about one client's object.
func (p *Pass) Allowed(point *plan.Point) plan.Operation {
	for _, operation := range point.Operations {
		if !operation.Deny && !OfOneClient(operation) {
			return operation
		}
	}
	return point.Operations[0]
}

// CallAt is an operation at any point, with a token.
func (p *Pass) CallAt(point *plan.Point, operation plan.Operation, member *cast.Member, token oauth.Token) Call {
	call := Call{
		Name: operation.Name + " at " + point.Name, Member: member, Token: token, Point: point, Expect: member.ID(),
		Make: func() (wire.Request, error) { return p.request(point, operation, member, token) },
	}
	if named := point.Identity[member.Role]; named != "" {
		call.Expect = named
	}
	call.Decide = func(ctx context.Context, x wire.Exchange) Answer { return p.decide(ctx, point, operation, x) }
	return call
}

func (p *Pass) request(point *plan.Point, operation plan.Operation, member *cast.Member, token oauth.Token) (wire.Request, error) {
	method, target, ok := strings.Cut(operation.Request, " ")
	if !ok {
		return wire.Request{}, fmt.Errorf("operation %s at %s: %q is not METHOD TARGET", operation.Name, point.Name, operation.Request)
	}
	if owned := member.Plan.Owns[operation.Name]; owned != "" {
		target = owned
	}
	request := wire.Request{
		Point: point.Name, Check: p.Check.ID, Who: member.Role, Method: method, Origin: strings.TrimSuffix(point.URL, "/"),
		Target: strings.ReplaceAll(target, placeholder, member.ID()),
	}
	names := make([]string, 0, len(operation.Header))
	for name := range operation.Header {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		request.Header = append(request.Header, wire.Field{Name: name, Value: operation.Header[name]})
	}
	if operation.Body.Text != "" {
		body, err := p.Stack.Resolver.Text(operation.Body)
		if err != nil {
			return wire.Request{}, err
		}
		request.Body = []byte(body)
	}
	switch {
	case point.Credential == "exec":
		request = request.WithCredential(p.signature(point, member))
	case !token.Text.Empty():
		request = presented(request, point, token)
	}
	if point.TLSClient != "none" {
		request.Over.Certificate = member.Client().Certificate
		if token.Certificate != nil {
			request.Over.Certificate = token.Certificate
		}
	}
	request.Over.Fresh = len(point.Addresses) != 1 // a kept connection pins one node (rule 12)
	return request, nil
}

// presented shows what the point wants to see.
func presented(r wire.Request, point *plan.Point, token oauth.Token) wire.Request {
	c := wire.Credential{In: wire.InHeader, Name: "Authorization", Prefix: "Basic ", Basic: token.Client, Text: token.Text}
	switch point.Credential {
	case "api_key":
		c = wire.Credential{In: wire.InHeader, Name: point.Header, Text: token.Text}
	case "basic":
	default:
		return oauth.Present(r, token)
	}
	return r.WithCredential(c)
}
