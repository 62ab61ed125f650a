package cast

import (
	"context"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// Update sends an RFC 7592 update of a member and takes over what the answer changes.
func (c *Cast) Update(ctx context.Context, member *Member, change func(metadata map[string]any)) (wire.Exchange, error) {
	client := member.Client()
	metadata := client.Metadata()
	change(metadata)
	request, err := client.UpdateRequest(*member.Server, metadata)
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
	registration, err := oauth.ReadRegistration(exchange, c.cfg.Keeper)
	if err != nil {
		return exchange, &FactError{Fact: "an update of " + member.Role, Err: err}
	}
	member.Change(func(client *oauth.Client) { *client = registration.Known(*client) })
	token := member.Client().RegistrationToken
	if c.cfg.Ledger != nil && token != client.RegistrationToken {
		err = c.cfg.Ledger.Updated(member.entry, token)
		if err != nil {
			return exchange, err
		}
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
	created := c.created
	c.mu.Unlock()
	var removals []logbook.Removal
	for i := len(created) - 1; i >= 0; i-- {
		removals = append(removals, c.remove(ctx, created[i]))
	}
	return removals
}

func (c *Cast) remove(ctx context.Context, member *Member) logbook.Removal {
	removal := logbook.Removal{Kind: "client", Name: member.name, Server: member.Server.Name}
	member.mu.Lock()
	deleted := member.deleted
	member.mu.Unlock()
	if c.HasHook("deprovision") {
		_, err := c.Hook(ctx, "deprovision", member, nil)
		if err != nil {
			removal.Detail = err.Error()
		}
	}
	if !deleted {
		_, err := c.Delete(ctx, member)
		if err != nil {
			removal.Detail = err.Error()
		}
	}
	removal.Gone, removal.Tried = c.gone(ctx, member)
	if !removal.Gone && c.HasHook("delete_client") {
		_, err := c.Hook(ctx, "delete_client", member, nil)
		if err != nil {
			removal.Detail = err.Error()
		}
		removal.Gone, removal.Tried = c.gone(ctx, member)
	}
	if removal.Gone {
		removal.Detail = ""
		err := c.cfg.Ledger.Removed(member.entry)
		if err != nil {
			removal.Detail = "ledger: " + err.Error()
		}
	} else if removal.Detail == "" {
		removal.Detail = "the server says that it is deleted, and it still works"
	}
	return removal
}

// gone tries what the client had: its registration token, and a token request. Both must be refused, within the settle
// budget (rule 13 holds for cleanup too).
func (c *Cast) gone(ctx context.Context, member *Member) (bool, bool) {
	deadline := time.Now().Add(c.plan.Limits.Settle.D())
	for {
		gone, tried := c.refused(ctx, member)
		if gone || !tried || time.Now().After(deadline) {
			return gone, tried
		}
		if Sleep(ctx, 200*time.Millisecond) != nil {
			return false, true
		}
	}
}

func (c *Cast) refused(ctx context.Context, member *Member) (bool, bool) {
	for range 2 { // two fresh connections: replicas may differ
		read := member.Client().ReadRequest(*member.Server)
		read.Point, read.Who, read.Purpose, read.Over.Fresh = member.Server.Name, member.Role, wire.Cleanup, true
		exchange, err := c.cfg.Do.Do(ctx, read)
		if err != nil {
			return false, false
		}
		if decision, _ := oauth.ConfigurationDecision(exchange); decision != wire.Denied && decision != wire.Odd {
			return false, decision == wire.Accepted
		}
		request := member.TokenRequest(TokenWish{Fresh: true, Resource: member.resource(c.firstPoint(member.Server.Name))})
		request.Purpose = wire.Cleanup
		exchange, err = c.cfg.Do.Do(ctx, request)
		if err != nil {
			return false, false
		}
		if decision, _ := oauth.TokenDecision(exchange); decision != wire.Denied && decision != wire.Odd {
			return false, decision == wire.Accepted
		}
	}
	return true, true
}

// Introspect asks the server about a token as a member of the cast.
func (c *Cast) Introspect(ctx context.Context, as *Member, token secret.Text) (wire.Exchange, error) {
	request := as.Server.IntrospectRequest(as.Client(), token)
	request.Who, request.Purpose = as.Role, wire.Setup
	return c.cfg.Do.Do(ctx, request)
}
