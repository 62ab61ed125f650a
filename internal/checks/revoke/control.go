package revoke

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// ends is the control of a revocation that must do nothing: the owner's own ends the token, and its death is seen. It
// comes last, since nothing can be tried on a dead token.
func ends(ctx context.Context, p *check.Pass, partner *cast.Member, token oauth.Token, pulse check.Pulse) error {
	err := accepted(ctx, p, partner, token)
	if err != nil {
		return err
	}
	dies, seen, err := p.Dies(ctx, pulse)
	if err != nil || dies {
		return err
	}
	cause := "revoke.not-revocable"
	if !p.Cast.Has(cast.ResourceServer) {
		cause = "revoke.token-outlives-revocation" // seen at a point alone
	}
	return check.BecauseOf(cause, "the partner's own revocation does nothing either (%s)", seen)
}

// unseen says why nothing can be told where a token's life cannot be seen: a server that revokes no such token is the
// better reason.
func unseen(ctx context.Context, p *check.Pass, partner *cast.Member, token oauth.Token, why error) error {
	if token.Text.Empty() {
		return why
	}
	err := accepted(ctx, p, partner, token)
	if err != nil {
		return err
	}
	return why
}

// accepted is the owner's own revocation.
func accepted(ctx context.Context, p *check.Pass, partner *cast.Member, token oauth.Token) error {
	_, answer, err := p.Do(ctx, wire.Control, p.AtRevocation(partner, token.Text))
	if err == nil && answer.Decision != wire.Accepted {
		err = check.BecauseOf("revoke.not-revocable", "the partner's own revocation was not accepted: %s", answer.Why)
	}
	return err
}
