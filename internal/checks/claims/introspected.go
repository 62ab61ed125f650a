package claims

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// introspected is the introspection of a token by the resource server, the control of what others learn about it. A
// server that introspects no tokens of this kind (seen: JWTs, 400 unsupported_token_type) tells nobody about them.
func introspected(ctx context.Context, p *check.Pass, asker *cast.Member, token oauth.Token) (check.Call, error) {
	call := p.AtIntrospection(asker, token.Text)
	x, answer, err := p.Do(ctx, wire.Control, call)
	if err != nil {
		return call, err
	}
	if check.Unsupported(x) {
		return call, check.NotApplicable("the server introspects no such tokens (%s)", answer.Why)
	}
	return call, nil
}
