package check

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// SeenToDie gives a way to tell whether tokens of a member die, by the best witness that the stack has: introspection,
// else a point that learns of revocations. It is shown with a live token that the witness calls it alive. How it was
// seen is told with it.
func (p *Pass) SeenToDie(ctx context.Context, member *cast.Member, live oauth.Token) (func(ctx context.Context, token oauth.Token) (bool, string, error), error) {
	w, err := p.witnessOf(ctx, member, live)
	if err != nil {
		return nil, err
	}
	err = p.Opens(ctx, w.ask(live))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, token oauth.Token) (bool, string, error) {
		call := w.ask(token)
		_, answer, err := p.Becomes(ctx, call, wire.Denied, w.within)
		if err != nil {
			return false, "", err
		}
		if answer.Decision == wire.Unknown {
			return false, "", CannotTell("whether the token lives could not be decided: %s: %s", call.Name, answer.Why)
		}
		return decidedAs(answer, wire.Denied), call.Name + ": " + answer.Why, nil
	}, nil
}

// Dated gives a token whose end is known: where neither the answer nor the token tells it, introspection's exp does, if
// there is one (RFC 7662 §2.2). A token whose end nobody tells is given as it is.
func (p *Pass) Dated(ctx context.Context, token oauth.Token) (oauth.Token, error) {
	if !token.Expires.IsZero() || token.Text.Empty() {
		return token, nil
	}
	asker, claims, err := p.introspected(ctx, token)
	if err != nil {
		return token, err
	}
	exp, told := oauth.Date(claims["exp"])
	if told {
		token.Expires = exp.Add(-asker.Server.Clock)
		token.Lifetime = max(token.Expires.Sub(token.Obtained), time.Second)
		p.Note("the end of the token is told by introspection alone")
	}
	return token, nil
}
