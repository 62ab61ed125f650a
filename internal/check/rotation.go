package check

import (
	"context"
	"encoding/json"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// Rotation needs a way to replace what a client proves itself with: registration by RFC 7592, or the operator's hook of
// this name.
func Rotation(hook string) Need {
	return Need{Name: "a way to rotate", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
		if p.Registration.Mode == "dcr" {
			return Present, "", ""
		}
		return Hook(hook).Has(p, at)
	}}
}

// SetKeys replaces the key set of a member: by the operator's hook, which gets the whole set as {jwks}, else by an update
// (RFC 7592 §2.2) where the member has a client configuration endpoint. The hook comes first, as it does for secrets: who
// names one says that this is how the keys of partners are changed.
func (p *Pass) SetKeys(ctx context.Context, hook string, member *cast.Member, set map[string]any) (wire.Exchange, error) {
	client := member.Client()
	if !p.Cast.HasHook(hook) {
		if client.RegistrationURI == "" || client.RegistrationToken.Empty() {
			return wire.Exchange{}, CannotTell("needs hook `%s`: the client has no configuration endpoint (RFC 7592)", hook)
		}
		return p.Update(ctx, member, func(metadata map[string]any) { metadata["jwks"] = set })
	}
	text, err := json.Marshal(set)
	if err != nil {
		return wire.Exchange{}, err
	}
	return p.Hook(ctx, hook, member, map[string]string{"jwks": string(text)})
}

// Lends takes note that a given member must get its key set back, and gives what does that. It does nothing for a member
// of the ride's own.
func (p *Pass) Lends(ctx context.Context, hook string, member *cast.Member, set map[string]any) func() {
	return func() {
		if member.Own {
			return
		}
		_, err := p.SetKeys(context.WithoutCancel(ctx), hook, member, set)
		if err != nil {
			p.Note("the given client %s did not get its keys back: %v", member.ID(), err)
			p.Cast.Spend(member, "did not get its keys back from "+p.Check.ID)
		}
	}
}

// NewSecret rotates the secret of a member: by the operator's hook, else by an update, whose answer may carry a new one
// (RFC 7592 §2.2). From then on everybody who plays that client uses the new one.
func (p *Pass) NewSecret(ctx context.Context, member *cast.Member) (wire.Exchange, error) {
	before := member.Client().Secret
	if !p.Cast.HasHook(plan.RotateSecret) {
		x, err := p.Update(ctx, member, func(map[string]any) {})
		if err == nil && member.Client().Secret == before {
			err = CannotTell("an update gives no new secret, and the plan has no hook `rotate_secret`; add it under hooks")
		}
		return x, err
	}
	x, err := p.Hook(ctx, plan.RotateSecret, member, nil)
	if err != nil {
		return x, err
	}
	secret := x.Secret("client_secret")
	if secret.Empty() {
		if !member.Own { // it may be another one now, and nobody here knows it
			p.Cast.Spend(member, "has a secret that nobody told since "+p.Check.ID)
		}
		return x, CannotTell("the answer of hook `rotate_secret` has no JSON member client_secret")
	}
	p.Cast.Renew(member, func(client *oauth.Client) { client.Secret = secret })
	if !member.Own {
		p.Note("the given client %s has the secret now that hook `rotate_secret` answered: put it where clients.%s.secret is read", member.ID(), member.Role)
	}
	return x, nil
}
