package cast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/ledger"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// RegistrationRequest is the registration of a draft as the plan permits it: with the initial access token, the
// software statement and the client certificate, where the plan has them. [Cast.Register] sends it.
func (c *Cast) RegistrationRequest(draft *Member) (wire.Request, error) {
	request, err := oauth.RegisterRequest(*draft.Server, draft.metadata, draft.access)
	if err != nil {
		return request, err
	}
	request = draft.signed(request)
	request.Over.Certificate = draft.client.RegistrationCertificate
	if draft.statement != nil {
		request = request.WithCredential(*draft.Statement())
	}
	return request, nil
}

// Settle waits until a client that was just registered is known wherever it may be asked for (rule 13).
func (c *Cast) Settle(ctx context.Context, member *Member) error {
	err := c.settle(ctx, member)
	if err != nil {
		return &FactError{Fact: member.Role + " as it was just registered", Err: err}
	}
	return nil
}

// Learn takes over what a good answer of the client configuration endpoint says of a member. RFC 7592 §2.1 and §2.2: an
// answer may carry another secret or another registration token, and the old one is to be dropped at once.
func (c *Cast) Learn(member *Member, exchange wire.Exchange) error {
	registration, err := oauth.ReadRegistration(exchange, c.cfg.Keeper)
	if err != nil {
		return err
	}
	before := member.Client().RegistrationToken
	member.Change(func(client *oauth.Client) { *client = registration.Known(*client) })
	token := member.Client().RegistrationToken
	if c.cfg.Ledger == nil || token == before {
		return nil
	}
	err = c.cfg.Ledger.Updated(member.entry, token)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// register makes a client by RFC 7591. What is intended is in the ledger before the request is sent: a client whose
// answer never came can still be found by its unique client_name.
func (c *Cast) register(ctx context.Context, described plan.Client, wish Wish) (*Member, error) {
	home := c.HomeServer()
	server, err := c.Server(ctx, home)
	if err != nil {
		return nil, err
	}
	fact := fmt.Sprintf("%s registered at %s", described.Name, home)
	if c.plan.Registration.Mode == "hook" {
		return c.provision(ctx, described, wish, server, fact)
	}
	if server.Endpoints.Registration == "" {
		return nil, &FactError{Fact: fact, Err: fmt.Errorf("%s has no registration endpoint; name it under authorization_servers.%s.endpoints.registration, or set registration.mode to given", home, home)}
	}
	member, err := c.draft(ctx, described, wish, server)
	if err != nil {
		return nil, &FactError{Fact: fact, Err: err}
	}
	exchange, err := patiently(ctx, func() (wire.Exchange, error) {
		request, err := c.RegistrationRequest(member)
		if err != nil {
			return wire.Exchange{}, err
		}
		return c.Register(ctx, member, request)
	})
	if err != nil {
		return nil, &FactError{Fact: fact, Err: err}
	}
	if decision, why := oauth.RegistrationDecision(exchange); decision != wire.Accepted {
		if refusal := oauth.ReadError(exchange); refusal != nil && decision == wire.Denied {
			return nil, &FactError{Fact: fact, Err: fmt.Errorf("the registration was not accepted: %w", refusal)}
		}
		return nil, &FactError{Fact: fact, Err: fmt.Errorf("the registration was not accepted: %s", why)}
	}
	err = c.settle(ctx, member)
	if err != nil {
		return nil, &FactError{Fact: fact, Err: err}
	}
	return member, nil
}

// provision lets the operator's hook make a client. The hook gets {client_name}, {scope}, {auth}, {subject_dn} and {jwks}
// and answers as RFC 7591 §3.2.1 does: client_id, and client_secret where there is one.
func (c *Cast) provision(ctx context.Context, described plan.Client, wish Wish, server *oauth.Server, fact string) (*Member, error) {
	client, metadata, err := c.describe(ctx, server, described, wish)
	if err != nil {
		return nil, &FactError{Fact: fact, Err: err}
	}
	if wish.Metadata != nil || client.Auth != methodOf(described) {
		return nil, &FactError{Fact: fact, Err: errors.New("the hook provision makes clients as the plan describes them and no others; let the ride register by dcr to have this tested")}
	}
	member := &Member{Role: described.Name, Plan: described, Server: server, Own: true, cast: c, name: client.Name, metadata: metadata, client: client}
	err = c.intend(ctx, member)
	if err != nil {
		return nil, err
	}
	values, err := metadataValues(metadata)
	if err != nil {
		return nil, &FactError{Fact: fact, Err: err}
	}
	exchange, err := c.Hook(whole(ctx), plan.Provision, member, values)
	if err != nil {
		c.unanswered(member)
		return nil, &FactError{Fact: fact, Err: err}
	}
	registration, err := oauth.ReadRegistration(exchange, c.cfg.Keeper)
	if err != nil {
		c.unanswered(member)
		return nil, &FactError{Fact: fact, Err: fmt.Errorf("the answer of hook provision: %w", err)}
	}
	err = c.came(member, registration)
	if err != nil {
		return nil, &FactError{Fact: fact, Err: err}
	}
	err = c.settle(ctx, member)
	if err != nil {
		return nil, &FactError{Fact: fact, Err: err}
	}
	return member, nil
}

// metadataValues gives what the hook provision is told of a client's metadata.
func metadataValues(metadata map[string]any) (map[string]string, error) {
	values := map[string]string{"jwks": "null"} // as JSON has it, where the client has no keys
	values["scope"], _ = metadata["scope"].(string)
	values["subject_dn"], _ = metadata["tls_client_auth_subject_dn"].(string)
	if jwks, there := metadata["jwks"]; there {
		text, err := json.Marshal(jwks)
		if err != nil {
			return nil, fmt.Errorf("the client's keys: %w", err)
		}
		values["jwks"] = string(text)
	}
	return values, nil
}

// intend writes down that a member is about to be created, within the budget. A ride that was stopped creates nothing
// any more.
func (c *Cast) intend(ctx context.Context, member *Member) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if c.cfg.Ledger == nil {
		return errors.New("no ledger is open, so nothing may be created")
	}
	if c.clients.Add(1) > int64(c.plan.Budget.Registrations) {
		c.clients.Add(-1)
		return fmt.Errorf("the budget of %d registrations is used up; raise budget.registrations", c.plan.Budget.Registrations)
	}
	entry, err := c.cfg.Ledger.Intend(c.intent(member))
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	member.entry = entry
	return nil
}

// whole is a context for what must not be cut in the middle: a client whose answer nobody reads stays in the stack. It
// ends with the time that one exchange has.
func whole(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// unanswered remembers a member that may have come to be although nobody knows its client_id.
func (c *Cast) unanswered(member *Member) {
	c.mu.Lock()
	c.lost = append(c.lost, member)
	c.mu.Unlock()
}

// intent is what the ledger holds of a client before it is asked for.
func (c *Cast) intent(member *Member) ledger.Intent {
	return ledger.Intent{Kind: "client", Name: member.name, Server: member.Server.Name, Ride: c.cfg.Ride, Plan: c.plan.Source.File, At: time.Now()}
}

// came keeps a client that came to be.
func (c *Cast) came(member *Member, registration oauth.Registration) error {
	member.Change(func(client *oauth.Client) { *client = registration.Known(*client) })
	c.showing(member.Role, member.Client().Certificate)
	c.showing(member.Role, member.Client().RegistrationCertificate)
	c.mu.Lock()
	c.created = append(c.created, member)
	c.mu.Unlock()
	err := c.cfg.Ledger.Created(member.entry, registration.ClientID, registration.URI, registration.Token)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// Register sends a registration request as it stands: a check may have altered it. A client that comes of it is in the
// ledger all the same.
func (c *Cast) Register(ctx context.Context, member *Member, request wire.Request) (wire.Exchange, error) {
	err := c.intend(ctx, member)
	if err != nil {
		return wire.Exchange{}, err
	}
	request.Who = member.Role
	exchange, err := c.cfg.Do.Do(whole(ctx), request)
	if err != nil { // nothing was sent
		return exchange, errors.Join(err, c.notCreated(member))
	}
	registration, err := oauth.ReadRegistration(exchange, c.cfg.Keeper)
	switch {
	case err == nil:
		return exchange, c.came(member, registration)
	case neverCreated(exchange):
		return exchange, c.notCreated(member)
	}
	c.unanswered(member)
	return exchange, nil
}

// neverCreated says that an answer leaves no doubt that nothing was created: it was refused, or was never sent.
func neverCreated(x wire.Exchange) bool {
	switch x.Failure {
	case wire.None:
		return x.Status >= 300 && x.Status < 500 || x.Status == http.StatusServiceUnavailable
	case wire.Alert, wire.Refused, wire.Untrusted, wire.Broke:
		return true
	case wire.Proxied: // over TLS nothing is sent before the server was heard
		return strings.HasPrefix(x.Request.Origin, "https://")
	}
	return false
}

// notCreated takes back an intent. The budget counts what was created.
func (c *Cast) notCreated(member *Member) error {
	c.clients.Add(-1)
	err := c.cfg.Ledger.Removed(member.entry)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}
