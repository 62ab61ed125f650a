package cast

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
// other; for a command there is none, and the output stands in the exchange's body. A hook that does not answer 2xx,
// or a command that fails, is an error.
func (c *Cast) Hook(ctx context.Context, name string, member *Member, values map[string]string) (wire.Exchange, error) {
	hook, ok := c.plan.Hooks[name]
	if !ok {
		return wire.Exchange{}, &FactError{Fact: "hook " + name, Err: errors.New("the plan has none; add it under hooks")}
	}
	all := map[string]string{}
	if member != nil {
		all["client_id"], all["client_name"] = member.ID(), member.Name()
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
	return exchange, nil
}

func (c *Cast) request(ctx context.Context, name string, hook plan.Hook, values map[string]string) (wire.Exchange, error) {
	method, target, ok := strings.Cut(hook.HTTP, " ")
	if !ok {
		return wire.Exchange{}, fmt.Errorf("http %q is not METHOD URL; write it as POST https://admin.example/suspend", hook.HTTP)
	}
	address, err := url.Parse(fill(target, values, url.PathEscape))
	if err != nil {
		return wire.Exchange{}, fmt.Errorf("http %q has no URL; write it as POST https://admin.example/suspend", hook.HTTP)
	}
	request := wire.Request{
		Point: "hook " + name, Purpose: wire.Setup, Who: "operator", Method: method,
		Origin: address.Scheme + "://" + address.Host, Target: address.RequestURI(),
		Body: []byte(fill(hook.Body, values, func(s string) string { return s })),
	}
	names := make([]string, 0, len(hook.Header))
	for header := range hook.Header {
		names = append(names, header)
	}
	sort.Strings(names)
	for _, header := range names {
		reference := hook.Header[header]
		if reference.Scheme() == "" { // a plain field such as Content-Type
			value := fill(reference.Text, values, func(s string) string { return s })
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
		arguments[i] = fill(argument, values, func(s string) string { return s })
	}
	command := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	command.Dir = c.cfg.Resolver.Dir
	command.WaitDelay = time.Second // a child that keeps the pipe open must not hold the ride
	var output bytes.Buffer
	command.Stdout = &limited{buffer: &output, left: 1 << 20}
	sent := time.Now()
	err := command.Run()
	if err != nil {
		return wire.Exchange{}, fmt.Errorf("%s: %w", arguments[0], err)
	}
	return wire.Exchange{Sent: sent, Received: time.Now(), Status: 200, Body: output.Bytes()}, nil
}

// fill puts values for {names} in one pass: what a value holds is never looked at again.
func fill(text string, values map[string]string, escape func(string) string) string {
	pairs := make([]string, 0, 2*len(values))
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		pairs = append(pairs, "{"+name+"}", escape(values[name]))
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
