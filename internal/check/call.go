package check

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// Answer is what an exchange says about its request.
type Answer struct {
	Decision wire.Decision
	Strong   bool   // the answer carries this very exchange's nonce, or a credential that only acceptance brings
	Cached   bool   // it carries another exchange's nonce, or an age: a cache answered
	Identity string // who the API says that it saw
	Why      string // short, for people: 401 invalid_token
	Foreign  bool   // refused by somebody else than the point, as far as one can see
	Thrice   bool   // counts as refused only if it happens every time: a reset on a fresh connection
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

// Bare gives the call without credential and without client certificate.
func (c Call) Bare() Call {
	return c.With(func(r *wire.Request) { r.Credentials, r.Over.Certificate = nil, nil })
}

// As gives the call with another token in the place of its own.
func (c Call) As(member *cast.Member, token oauth.Token) Call {
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

// decide understands an answer at an enforcement point (rules 4, 5 and 6).
func (p *Pass) decide(ctx context.Context, point *plan.Point, operation plan.Operation, x wire.Exchange) Answer {
	answer := p.decideAlone(operation, x)
	if answer.Decision == wire.Unknown || answer.Decision == wire.Accepted && answer.Strong || x.Failure != wire.None || p.Stack.Rules.AnyRefuser {
		return answer
	}
	known, err := p.Stack.refusers(ctx, p, point, operation)
	var public *stop
	switch {
	case errors.As(err, &public) && public.cause != "":
		return answer // who asks for nothing is let in, so there is nobody's refusal to know
	case answer.Decision == wire.Accepted:
		if err == nil && known.shapes[shape(x)] {
			answer.Decision, answer.Why = wire.Denied, answer.Why+", and the body that a garbage credential gets"
		}
		return answer
	case err != nil:
		answer.Decision = wire.Unknown
		answer.Why += ", and how the point itself refuses is not known: " + err.Error()
		return answer
	}
	if !known.knows(x) {
		answer.Foreign, answer.Decision = true, wire.Unknown
		answer.Why += ", which looks like another hop's refusal"
	}
	return answer
}

func (p *Pass) decideAlone(operation plan.Operation, x wire.Exchange) Answer {
	if answer, failed := decideFailure(x); failed {
		return answer
	}
	answer := Answer{Why: strconv.Itoa(x.Status), Identity: textAt(x, operation.IdentityAt)}
	if code := errorCode(x); code != "" {
		answer.Why += " " + code
	}
	switch {
	case x.Status == http.StatusTooManyRequests || x.Status == http.StatusServiceUnavailable || x.Status == http.StatusRequestTimeout:
		return answer
	case fits(operation.ReachedWhen, x, false) || fits(operation.AcceptedWhen, x, operation.ReachedWhen.Empty()):
		answer.Decision = wire.Accepted
		return p.weigh(answer, operation, x)
	case looksLikeLogin(x):
		answer.Decision, answer.Why = wire.Denied, answer.Why+", a login page"
	case x.Status == 401 || x.Status == 403 || x.Status == 404 || x.Status == 405 || x.Status == 421:
		answer.Decision = wire.Denied
	case x.Status >= 300 && x.Status < 400:
		answer.Decision, answer.Why = wire.Denied, answer.Why+", a redirect"
	case x.Status >= 400:
		answer.Decision = wire.Odd
	case x.Status >= 200 && x.Status < 300 && p.Stack.Rules.StatusIsProof:
		answer.Decision = wire.Accepted
	}
	return answer
}

// weigh tells strong proof of acceptance from weak, and a cache's answer from the point's (rule 4).
func (p *Pass) weigh(answer Answer, operation plan.Operation, x wire.Exchange) Answer {
	if p.Stack.Rules.StatusIsProof {
		answer.Strong = true
		return answer
	}
	age := x.Header.Get("Age")
	if operation.NonceAt != "" {
		nonce := textAt(x, operation.NonceAt)
		switch {
		case strings.Contains(nonce, x.Trace) && x.Trace != "":
			answer.Strong = true
			return answer
		case nonce != "" || age != "":
			answer.Cached, answer.Decision = true, wire.Unknown
			answer.Why += " with another exchange's nonce: a cache answered"
		default: // where the plan says that the nonce stands, an answer without it is not the operation's
			answer.Decision = wire.Unknown
			answer.Why += " without this exchange's nonce at " + operation.NonceAt
		}
		return answer
	}
	if age != "" && age != "0" {
		answer.Cached, answer.Decision = true, wire.Unknown
		answer.Why += " with Age " + age + ": a cache answered"
	}
	return answer
}

func decideFailure(x wire.Exchange) (Answer, bool) {
	switch x.Failure {
	case wire.None:
		return Answer{}, false
	case wire.Alert:
		return Answer{Decision: wire.Denied, Why: "TLS alert: " + x.Detail}, true
	case wire.Reset:
		if x.Fresh {
			return Answer{Decision: wire.Denied, Thrice: true, Why: "reset on a fresh connection"}, true
		}
	}
	return Answer{Why: string(x.Failure) + " " + x.Detail}, true
}

// fits says whether an answer is as the oracle says. An empty oracle is any 2xx, where that is allowed.
func fits(oracle plan.Oracle, x wire.Exchange, emptyFits bool) bool {
	if oracle.Empty() {
		return emptyFits && x.Status >= 200 && x.Status < 300
	}
	if len(oracle.Status) > 0 && !slices.Contains(oracle.Status, x.Status) {
		return false
	}
	if len(oracle.Status) == 0 && (x.Status < 200 || x.Status > 299) {
		return false
	}
	if oracle.JSON != "" {
		_, ok := x.JSON(oracle.JSON)
		return ok
	}
	return true
}

// textAt reads json:/pointer or header:name of an answer.
func textAt(x wire.Exchange, place string) string {
	kind, name, _ := strings.Cut(place, ":")
	switch kind {
	case "json":
		value, ok := x.JSON(name)
		if !ok {
			return ""
		}
		if text, ok := value.(string); ok {
			return text
		}
		return fmt.Sprint(value)
	case "header":
		return x.Header.Get(name)
	}
	return ""
}

// errorCode is the error of a JSON body or of WWW-Authenticate, where it is a plain word.
func errorCode(x wire.Exchange) string {
	if value, ok := x.JSON("/error"); ok {
		if text, ok := value.(string); ok && plainWord(text) {
			return text
		}
	}
	_, rest, ok := strings.Cut(x.Header.Get("WWW-Authenticate"), `error="`)
	if word, _, closed := strings.Cut(rest, `"`); ok && closed && plainWord(word) {
		return word
	}
	return ""
}

func plainWord(text string) bool {
	return text != "" && len(text) < 40 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// looksLikeLogin recognises the login page with 200 of older middleware.
func looksLikeLogin(x wire.Exchange) bool {
	kind, _, _ := mime.ParseMediaType(x.Header.Get("Content-Type"))
	if x.Status != 200 || kind != "text/html" {
		return false
	}
	body := strings.ToLower(string(x.Body[:min(len(x.Body), 64<<10)]))
	return strings.Contains(body, `type="password"`) || strings.Contains(body, "type=password")
}

// refusers are the looks of those who may refuse at a point: the point itself, seen without credential and with a
// garbage one, and what stands behind it, seen in a good answer (rule 6).
type refusers struct {
	looks  map[string]bool
	shapes map[string]bool // of good-looking answers that a baseline got, and that are unlike a really good one (rule 4)
}

func (r refusers) knows(x wire.Exchange) bool { return r.looks[look(x)] }

// look is what stays the same over the answers of one hop: its Server field, the kind of body and the members of a JSON one.
func look(x wire.Exchange) string {
	kind, _, _ := mime.ParseMediaType(x.Header.Get("Content-Type"))
	if len(x.Body) == 0 {
		kind = "empty"
	}
	return x.Header.Get("Server") + "|" + kind
}

// shape is all that one can tell of an answer without knowing what it means: status, look, and the members of its body.
func shape(x wire.Exchange) string {
	var members map[string]any
	if x.Decode(&members) != nil {
		members = nil
	}
	return fmt.Sprint(x.Status, "|", look(x), "|", slices.Sorted(maps.Keys(members)))
}
