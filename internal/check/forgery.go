package check

import (
	"context"
	"errors"
	"fmt"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// signatures is the check that says whether signatures are looked at at all.
const signatures = "enforce.tampered-token"

// Forged gives an accepted call of the partner whose token can be forged, and the forger. Opaque tokens make a check of
// forgeries not applicable. A point that takes a token with a flipped bit in its signature takes any forgery: that is
// one finding of its own and not one in every check.
func (p *Pass) Forged(ctx context.Context) (Call, *forge.Forger, error) {
	call, err := p.Opened(ctx)
	if err != nil {
		return call, nil, err
	}
	forger, err := p.Forger(ctx)
	if err != nil {
		return call, nil, err
	}
	err = forger.Verifies(call.Token.Text)
	var opaque *forge.OpaqueToken
	switch {
	case errors.As(err, &opaque):
		return call, nil, Opaque(p.Point, "so there is nothing to forge")
	case err != nil:
		return call, nil, CannotTell("%v", err)
	case p.Check.ID == signatures:
		return call, forger, nil
	}
	flipped := call
	flipped.Name = "a token with a flipped signature"
	flipped.Make = func() (wire.Request, error) { return p.remake(call, forger.Tampered()[0]) }
	_, answer, err := p.Do(ctx, wire.Baseline, flipped)
	if err != nil {
		return call, nil, err
	}
	if answer.Decision == wire.Accepted {
		return call, nil, BecauseOf(signatures, "%s opens with %s, so any forgery does", call.Name, flipped.Name)
	}
	return call, forger, nil
}

// Opaque ends a story about JWTs at a point whose tokens are none. Where the plan says that they are JWTs there, what was
// to be tested was not (rule 16).
func Opaque(point *plan.Point, so string) error {
	if point != nil && point.Format == plan.FormatJWT {
		return BecauseOf("claims.token-profile", "the tokens for %s are no JWTs, %s; the plan says that they are (points.%s.token_format)", point.Name, so, point.Name)
	}
	return NotApplicable("the tokens are no JWTs, %s", so)
}

// mostKeys bounds how many published keys are looked at.
const mostKeys = 100

// Forger gives what is needed to forge tokens of the server that a point trusts: its published keys.
func (p *Pass) Forger(ctx context.Context) (*forge.Forger, error) {
	name := p.Cast.TokenServer(p.Point)
	return p.Stack.forgers.Get(ctx, name, func(ctx context.Context) (*forge.Forger, error) {
		server, err := p.Cast.Server(ctx, name)
		if err != nil {
			return nil, err
		}
		x, err := p.Stack.Do.Do(ctx, server.JWKSRequest())
		if err != nil {
			return nil, err
		}
		keys, err := oauth.ReadJWKS(x)
		if err != nil {
			return nil, &cast.FactError{Fact: "the published keys of " + name, Err: err}
		}
		if n := len(oauth.Keys(keys)); n > mostKeys {
			return nil, &cast.FactError{Fact: "the published keys of " + name, Err: fmt.Errorf("they are %d; more than %d are not looked at", n, mostKeys)}
		}
		return forge.New(p.Stack.Keeper, keys), nil
	})
}

// ForgetKeys drops what rests on the server's signing keys: the shared tokens and the published keys. The next check
// begins anew.
func (p *Pass) ForgetKeys() {
	p.Cast.ForgetTokens()
	p.Stack.forgers.Forget()
}
