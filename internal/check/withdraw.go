package check

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// Unharmed gives somebody whom the check does not harm: the shared partner, or the neighbour where the partner is the one
// that is harmed. It is nil where there is nobody else.
func (p *Pass) Unharmed(ctx context.Context, harmed *cast.Member) (*cast.Member, error) {
	for _, role := range []string{cast.Partner, cast.Neighbour} {
		if !p.Cast.Has(role) {
			continue
		}
		member, err := p.Cast.Member(ctx, role)
		if err != nil {
			return nil, err
		}
		if member.ID() != harmed.ID() {
			return member, nil
		}
	}
	return nil, nil
}

// Bystander is a good call at a point of somebody whom the check does not harm ([Pass.Unharmed]). It is nil where there
// is nobody else. Its token is renewed in time.
func (p *Pass) Bystander(ctx context.Context, point *plan.Point, harmed *cast.Member) (*Call, error) {
	member, err := p.Unharmed(ctx, harmed)
	if err != nil || member == nil {
		return nil, err
	}
	token, err := member.Token(ctx, point)
	if err != nil {
		return nil, err
	}
	call := p.CallAt(point, p.Allowed(point), member, token)
	call.Name = "a call of the " + member.Role + ", who is not harmed"
	call.Make = func() (wire.Request, error) {
		token, err := member.Token(ctx, point) // this call must not die of age
		if err != nil {
			return wire.Request{}, err
		}
		return p.request(point, p.Allowed(point), member, token)
	}
	return &call, nil
}

// WithdrawnWithin asserts that tokens of a member are refused at the pass's point within the withdrawal's limit when
// what they rest on is withdrawn at once: the client is deleted or suspended, a right taken, a window closed. The
// withdrawal gives What, Limit, Promise and All, and Mint where another operation than the usual one is to be refused. A point that is declared `revocation: expiry` learns nothing of it: it
// passes when the token's remaining life is within its own limit.
func (p *Pass) WithdrawnWithin(ctx context.Context, member *cast.Member, w Withdrawal) error {
	if p.Point.Revocation == "expiry" {
		limit, promise := p.Limits.Revocation.For(p.Point.Revocation)
		p.Note("the point is declared revocation: expiry, so the token's own life is what counts")
		return p.diesByExpiry(ctx, member, limit, promise)
	}
	alive, err := p.Bystander(ctx, p.Point, member)
	if err != nil {
		return err
	}
	if w.Mint == nil {
		w.Mint = p.Mint(member)
	}
	w.Alive, w.Expires = alive, TokenExpires
	return p.RefusedWithin(ctx, w)
}
