package cast

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/url"
	"os/exec"
	"sort"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// HasHook says whether the plan offers a hook.
func (c *Cast) HasHook(name string) bool {
	_, ok := c.plan.Hooks[name]
	return ok
}

// Hook plays one of the operator's hooks for a member: an HTTP request or a command. Its exchange is evidence as any
// other; that of a command holds what it printed as its body. A hook that does not answer 2xx, or a command that fails,
// is an error.
func (c *Cast) Hook(ctx context.Context, name string, member *Member, values map[string]string) (wire.Exchange, error) {
	hook, ok := c.plan.Hooks[name]
	if !ok {
		return wire.Exchange{}, &FactError{Fact: "hook " + name, Err: errors.New("the plan has none; add it under hooks")}
	}
	all := map[string]string{}
	for _, placeholder := range plan.Placeholders { // what has no value here is empty, and never sent as it stands in the plan
		all[strings.Trim(placeholder, "{}")] = ""
	}
	if member != nil {
		all["client_id"], all["client_name"], all["auth"] = member.ID(), member.Name(), string(member.Client().Auth)
	}
	for key, value := range values {
		all[key] = value
	}
	timeout := hook.Timeout.D()
	if timeout <= 0 {
		timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	member.shuts(name)
	var exchange wire.Exchange
	var err error
	if len(hook.Exec) > 0 {
		exchange, err = c.command(ctx, name, hook, all)
	} else {
		exchange, err = c.request(ctx, name, hook, all)
	}
	if err != nil {
		return exchange, &FactError{Fact: "hook " + name, Err: err}
	}
	c.hooked(name)
	member.letIn(name)
	return exchange, nil
}

// shuts keeps which hook would let a member in again that this one shuts out, even if it should fail: nobody knows how far
// it came.
func (m *Member) shuts(hook string) {
	back := map[string]string{plan.Suspend: plan.Resume, plan.CloseWindow: plan.OpenWindow}[hook]
	if m == nil || back == "" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shut = back
}

// letIn says that a hook was played which may have let a member in again.
func (m *Member) letIn(hook string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shut == hook {
		m.shut = ""
	}
}

// hooked counts the hooks that were played: each is a step that somebody had to prepare.
func (c *Cast) hooked(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hooks == nil {
		c.hooks = map[string]int{}
	}
	c.hooks[name]++
}

// Hooks tells how often each hook was played.
func (c *Cast) Hooks() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.hooks)
}

func (c *Cast) request(ctx context.Context, name string, hook plan.Hook, values map[string]string) (wire.Exchange, error) {
	method, target, ok := strings.Cut(hook.HTTP, " ")
	if !ok {
		return wire.Exchange{}, fmt.Errorf("http %q is not METHOD URL; write it as POST https://admin.example/suspend", hook.HTTP)
	}
	address, err := url.Parse(fillTarget(target, values))
	if err != nil {
		return wire.Exchange{}, fmt.Errorf("http %q has no URL; write it as POST https://admin.example/suspend", hook.HTTP)
	}
	request := wire.Request{
		Point: "hook " + name, Purpose: wire.Setup, Who: "operator", Method: method,
		Origin: address.Scheme + "://" + address.Host, Target: address.RequestURI(),
		Body: []byte(fill(hook.Body, values, escapes(hook))),
	}
	request.Over.Fresh = true // a server may close a kept connection just then, and whether the hook was played would be open
	names := make([]string, 0, len(hook.Header))
	for header := range hook.Header {
		names = append(names, header)
	}
	sort.Strings(names)
	for _, header := range names {
		reference := hook.Header[header]
		if reference.Scheme() == "" { // a plain field such as Content-Type
			value := fill(reference.Text, values, literal)
			request.Header = append(request.Header, wire.Field{Name: header, Value: value})
			continue
		}
		value, err := c.cfg.Resolver.Secret(reference, "hook credential")
		if err != nil {
			return wire.Exchange{}, err
		}
		request.Credentials = append(request.Credentials, wire.Credential{In: wire.InHeader, Name: header, Text: value})
	}
	exchange, err := c.cfg.Do.Do(ctx, request)
	if err != nil {
		return exchange, err
	}
	if exchange.Failure != wire.None {
		return exchange, fmt.Errorf("%s %s: %s %s", method, address.Redacted(), exchange.Failure, exchange.Detail)
	}
	if exchange.Status < 200 || exchange.Status > 299 {
		return exchange, fmt.Errorf("%s %s answered %d and not 2xx; try it by hand", method, address.Redacted(), exchange.Status)
	}
	return exchange, nil
}

func (c *Cast) command(ctx context.Context, name string, hook plan.Hook, values map[string]string) (wire.Exchange, error) {
	if !c.cfg.Resolver.AllowExec {
		return wire.Exchange{}, errors.New("runs a command; give --allow-exec if you trust the plan")
	}
	arguments := make([]string, len(hook.Exec))
	for i, argument := range hook.Exec {
		arguments[i] = fill(argument, values, literal)
	}
	command := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	command.Dir = c.cfg.Resolver.Dir
	command.WaitDelay = time.Second // a child that keeps the pipe open must not hold the ride
	var output bytes.Buffer
	command.Stdout = &limited{buffer: &output, left: 1 << 20}
	exchange := wire.Exchange{Sent: time.Now(), Request: wire.Request{
		Point: "hook " + name, Purpose: wire.Setup, Who: "operator", Method: "EXEC", Target: strings.Join(arguments, " "),
	}}
	err := command.Run()
	exchange.Received, exchange.Body = time.Now(), output.Bytes()
	if err == nil {
		exchange.Status = 200
	} else {
		exchange.Failure, exchange.Detail = wire.Command, err.Error()
	}
	exchange = c.witness(name, exchange)
	if err != nil {
		return exchange, fmt.Errorf("%s: %w; run it by hand to see why", arguments[0], err)
	}
	return exchange, nil
}

// witness keeps what a command did as evidence. Where the answer is a secret it is kept only as JSON, in which secrets
// are found by their members: in free text nobody could tell them from the rest.
func (c *Cast) witness(name string, x wire.Exchange) wire.Exchange {
	if plan.AnswersSecret(name) && !json.Valid(x.Body) {
		x.Body = nil
	}
	if c.cfg.Witness != nil {
		return c.cfg.Witness(x)
	}
	x.Discover(c.cfg.Keeper)
	return x
}

// escapes gives how values are put into a hook's body, so that one that an authorization server chose stays a value.
// {jwks} is JSON itself, and stands in a JSON body as it is.
func escapes(hook plan.Hook) func(name, value string) string {
	kind := ""
	for name, value := range hook.Header {
		if strings.EqualFold(name, "Content-Type") {
			kind, _, _ = mime.ParseMediaType(value.Text)
		}
	}
	switch {
	case kind == "application/x-www-form-urlencoded":
		return query
	case kind == "application/json" || strings.HasSuffix(kind, "+json"):
		return func(name, value string) string {
			if name == "jwks" {
				return value
			}
			quoted, err := json.Marshal(value)
			if err != nil {
				return ""
			}
			return string(quoted[1 : len(quoted)-1])
		}
	}
	return literal
}

func literal(_, value string) string { return value }

func query(_, value string) string { return url.QueryEscape(value) }

func path(_, value string) string { return url.PathEscape(value) }

// fillTarget puts values into a URL: in its query each stays one parameter's.
func fillTarget(target string, values map[string]string) string {
	before, after, asked := strings.Cut(target, "?")
	before = fill(before, values, path)
	if !asked {
		return before
	}
	return before + "?" + fill(after, values, query)
}

// fill puts values for {names} in one pass: what a value holds is never looked at again.
func fill(text string, values map[string]string, escape func(name, value string) string) string {
	pairs := make([]string, 0, 2*len(values))
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		pairs = append(pairs, "{"+name+"}", escape(name, values[name]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// limited keeps the first bytes of what a command prints and drops the rest.
type limited struct {
	buffer *bytes.Buffer
	left   int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.buffer.Write(p[:n])
	l.left -= n
	return len(p), nil
}
