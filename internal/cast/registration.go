package cast

import (
	"context"
	"fmt"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// RegistrationRequest is the registration of a draft as the plan permits it: with the initial access token, the
// software statement and the client certificate, where the plan has them. [Cast.RegisterBy] sends it.
func (c *Cast) RegistrationRequest(draft *Member) (wire.Request, error) {
	return c.registration(draft, draft.metadata)
}

func (c *Cast) registration(member *Member, metadata map[string]any) (wire.Request, error) {
	request, err := oauth.RegisterRequest(*member.Server, metadata, member.access)
	if err != nil {
		return request, err
	}
	request.Over.Certificate = member.client.RegistrationCertificate
	if member.statement != nil {
		request = request.WithCredential(*member.Statement())
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
