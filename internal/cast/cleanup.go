package cast

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// Update sends an RFC 7592 update of a member and takes over what the answer changes.
func (c *Cast) Update(ctx context.Context, member *Member, change func(metadata map[string]any)) (wire.Exchange, error) {
	client := member.Client()
	metadata := client.Metadata()
	change(metadata)
	request, err := c.UpdateRequest(member, metadata)
	if err != nil {
		return wire.Exchange{}, err
	}
	request.Point, request.Who, request.Purpose = member.Server.Name, member.Role, wire.Setup
	exchange, err := c.cfg.Do.Do(ctx, request)
	if err != nil {
		return exchange, err
	}
	if decision, why := oauth.ConfigurationDecision(exchange); decision != wire.Accepted {
		return exchange, &FactError{Fact: "an update of " + member.Role, Err: fmt.Errorf("it was not accepted: %s", why)}
	}
	err = c.Learn(member, exchange)
	if err != nil {
		return exchange, &FactError{Fact: "an update of " + member.Role, Err: err}
	}
	return exchange, nil
}

// Delete sends an RFC 7592 deletion of a member. The answer is the caller's to judge; that the client is gone is proven
// in cleanup by use.
func (c *Cast) Delete(ctx context.Context, member *Member) (wire.Exchange, error) {
	request := member.Client().DeleteRequest(*member.Server)
	request.Point, request.Who, request.Purpose = member.Server.Name, member.Role, wire.Setup
	exchange, err := c.cfg.Do.Do(ctx, request)
	if err != nil {
		return exchange, err
	}
	if decision, why := oauth.ConfigurationDecision(exchange); decision != wire.Accepted {
		return exchange, &FactError{Fact: "the deletion of " + member.Role, Err: fmt.Errorf("it was not accepted: %s", why)}
	}
	member.mu.Lock()
	member.deleted = true
	member.mu.Unlock()
	return exchange, nil
}

// Clean removes everything that the ride created and tries it: a 204 proves nothing (rule 19). It gives one removal per
// client.
func (c *Cast) Clean(ctx context.Context) []logbook.Removal {
	c.mu.Lock()
	created := slices.Clone(c.created)
	c.mu.Unlock()
	slices.Reverse(created) // the last comes first
	removals := make([]logbook.Removal, len(created))
	hands := make(chan struct{}, max(c.plan.Pace.Concurrency, 1))
	var all sync.WaitGroup
	for i, member := range created {
		hands <- struct{}{}
		all.Add(1)
		go func() {
			defer all.Done()
			removals[i] = c.remove(ctx, member)
			<-hands
		}()
	}
	all.Wait()
	return append(removals, c.unfound()...)
}

// unfound names the clients whose registration had no answer that tells whether they came to be.
func (c *Cast) unfound() []logbook.Removal {
	c.mu.Lock()
	defer c.mu.Unlock()
	var removals []logbook.Removal
	for _, member := range c.lost {
		removals = append(removals, logbook.Removal{
			Kind: "client", Name: member.name, Server: member.Server.Name, Detail: "its registration had no clear answer, so it may be there; the cleanup looks for it by its name",
		})
	}
	return removals
}

func (c *Cast) remove(ctx context.Context, member *Member) logbook.Removal {
	removal := logbook.Removal{Kind: "client", Name: member.name, Server: member.Server.Name}
	member.mu.Lock()
	deleted, shut := member.deleted, member.shut
	member.mu.Unlock()
	if shut != "" && c.HasHook(shut) { // some servers do not find a client that is shut out: it would be left, and look gone
		_, err := c.Hook(ctx, shut, member, nil)
		if err != nil {
			removal.Detail = err.Error()
		} else {
			shut = ""
		}
	}
	confirmed := deleted
	home := member.Server.Name == c.HomeServer() // the operator's hooks are about the clients there
	if home && c.HasHook("deprovision") {
		_, err := c.Hook(ctx, "deprovision", member, nil)
		if err != nil {
			removal.Detail = err.Error()
		}
	}
	if !deleted && member.Client().RegistrationURI != "" {
		exchange, err := c.Delete(ctx, member)
		if err != nil {
			removal.Detail = err.Error()
		}
		confirmed = err == nil
		deleted = confirmed || exchange.Status == 0 // without an answer it may have happened
	}
	removal.Gone, removal.Tried = c.gone(ctx, member, deleted)
	if home && !removal.Gone && c.HasHook("delete_client") {
		_, err := c.Hook(ctx, "delete_client", member, nil)
		if err != nil {
			removal.Detail = err.Error()
		}
		removal.Gone, removal.Tried = c.gone(ctx, member, err == nil)
		confirmed = confirmed || err == nil
	}
	if removal.Gone && shut != "" && !confirmed {
		removal.Gone, removal.Tried = false, false
		removal.Detail = cmp.Or(removal.Detail, "it is shut out, so nothing shows whether it is removed; add hook `"+shut+"`")
	}
	if removal.Gone {
		removal.Detail = ""
		err := c.cfg.Ledger.Removed(member.entry)
		if err != nil {
			removal.Detail = "ledger: " + err.Error()
		}
	} else if removal.Detail == "" {
		removal.Detail = c.notGone(member, removal.Tried)
	}
	return removal
}

func (c *Cast) notGone(member *Member, tried bool) string {
	switch {
	case !tried:
		return "whether it still works could not be told"
	case member.Client().RegistrationURI == "" && !c.HasHook("deprovision") && !c.HasHook("delete_client"):
		return "nothing can remove it: add hook `delete_client` or `deprovision`"
	}
	return "the server says that it is deleted, and it still works"
}

// gone tries what the client had: its registration token, and a token request. Both must be refused, within the settle
// budget (rule 13 holds for cleanup too).
func (c *Cast) gone(ctx context.Context, member *Member, deleted bool) (bool, bool) {
	deadline := time.Now()
	if deleted { // what was refused to be deleted need not be waited for
		deadline = deadline.Add(c.plan.Limits.Settle.D())
	}
	for {
		gone, tried := c.refused(ctx, member)
		if gone || ctx.Err() != nil || time.Now().After(deadline) {
			return gone, tried
		}
		if Sleep(ctx, 200*time.Millisecond) != nil {
			return false, true
		}
	}
}

func (c *Cast) refused(ctx context.Context, member *Member) (bool, bool) {
	for _, lane := range []string{"gone", "gone again"} { // connections opened for the cleanup, twice: replicas may differ
		request := member.TokenRequest(TokenWish{Resource: member.resource(c.firstPoint(member.Server.Name))})
		request.Over.Lane = lane
		if member.Client().RegistrationURI == "" {
			return c.noToken(ctx, request)
		}
		read := member.Client().ReadRequest(*member.Server)
		read.Point, read.Who, read.Purpose, read.Over = member.Server.Name, member.Role, wire.Cleanup, request.Over
		exchange, err := c.cfg.Do.Do(ctx, read)
		if err != nil {
			return false, false
		}
		decision, _ := oauth.ConfigurationDecision(exchange)
		if !ended(decision, exchange) {
			return false, decision == wire.Accepted
		}
		gone, tried := c.noToken(ctx, request)
		if !gone {
			return false, tried
		}
	}
	return true, true
}

// noToken tries whether a client still gets a token.
func (c *Cast) noToken(ctx context.Context, request wire.Request) (bool, bool) {
	request.Purpose = wire.Cleanup
	exchange, err := c.cfg.Do.Do(ctx, request)
	if err != nil {
		return false, false
	}
	decision, _ := oauth.TokenDecision(exchange)
	gone := ended(decision, exchange)
	return gone, gone || decision == wire.Accepted
}

// ended says that an answer proves an end. A server's own trouble does not, nor does a line that breaks.
func ended(decision wire.Decision, x wire.Exchange) bool {
	return (x.Failure == wire.None || x.Failure == wire.Alert) && x.Status < 500 && (decision == wire.Denied || decision == wire.Odd)
}
