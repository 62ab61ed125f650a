package check

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// Asker gives the resource server, which asks about tokens. It is nil where the plan has none, or where its server has no
// introspection endpoint: then nobody may be asked.
func (p *Pass) Asker(ctx context.Context) (*cast.Member, error) {
	if !p.Cast.Has(cast.ResourceServer) {
		return nil, nil
	}
	asker, err := p.ResourceServer(ctx)
	if err != nil || asker.Server.Endpoints.Introspection == "" {
		return nil, err
	}
	return asker, nil
}

// Introspects gives the resource server of a check that is about introspection itself.
func (p *Pass) Introspects(ctx context.Context) (*cast.Member, error) {
	asker, err := p.ResourceServer(ctx)
	if err != nil {
		return nil, err
	}
	if asker.Server.Endpoints.Introspection == "" {
		return nil, NotApplicable("%s has no introspection endpoint", p.Name)
	}
	return asker, nil
}

// Introspected is what introspection says of a token; nil where nobody may be asked, or where it does not call the token
// active.
func (p *Pass) Introspected(ctx context.Context, token oauth.Token) (map[string]any, error) {
	_, claims, err := p.introspected(ctx, token)
	return claims, err
}

// introspected also gives who asked; nil: nobody may.
func (p *Pass) introspected(ctx context.Context, token oauth.Token) (*cast.Member, map[string]any, error) {
	asker, err := p.Asker(ctx)
	if err != nil || asker == nil {
		return nil, nil, err
	}
	x, _, err := p.Do(ctx, wire.Setup, p.AtIntrospection(asker, token.Text))
	if err != nil {
		return nil, nil, err
	}
	active, claims, err := oauth.ReadIntrospection(x)
	if err != nil || !active {
		return asker, nil, nil
	}
	return asker, claims, nil
}

// Unsupported says that a server revokes or introspects no tokens of such a kind (RFC 7009 §2.2.1,
// unsupported_token_type).
func Unsupported(x wire.Exchange) bool {
	refused := oauth.ReadError(x)
	return refused != nil && refused.Code == "unsupported_token_type"
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
