package revoke

import (
	"context"
	"crypto/rand"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// NeighbourRevokes plays a second honest partner who asks for the end of somebody else's token. The answer may be a
// refusal or not: what counts is that the partner's token lives on.
//
// RFC 7009 §2.1: the server verifies that the token was issued to the client that asks for its revocation.
var NeighbourRevokes = &check.Check{
	ID:       "revoke.neighbour-revokes",
	Title:    "a partner cannot revoke another partner's token",
	Broken:   "a partner revokes another partner's token",
	Why:      "any partner that comes by a token can cut its owner off",
	Fix:      "compare the token's client with the client that authenticated at the revocation endpoint",
	Refs:     []frameworks.Ref{frameworks.RFC(7009, "2.1"), frameworks.API(1), frameworks.ASVS("8.4.1"), frameworks.SP80053("AC-3")},
	Rows:     []string{"L-RV-04"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Neighbour},
	Takes:    check.RevokeTokens,
	Twin:     defect.Set{RevocationAnyClient: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		if partner.Server.Endpoints.Revocation == "" {
			return check.NotApplicable("the server has no revocation endpoint")
		}
		neighbour, err := p.Neighbour(ctx)
		if err != nil {
			return err
		}
		// RFC 7009 §2.2: 200 for a token that is not known, too. So this shows that the neighbour is let in.
		nothing := p.Stack.Keeper.Keep("garbage token", rand.Text()+rand.Text())
		_, answer, err := p.Do(ctx, wire.Control, p.AtRevocation(neighbour, nothing))
		if err != nil {
			return err
		}
		if answer.Decision != wire.Accepted {
			p.Note("the neighbour's revocation of an unknown token was not accepted either (%s), so the refusal may have another reason", answer.Why)
		}
		return p.NobodyElseEnds(ctx, partner, check.Attempt{
			Name: "revocation by the neighbour",
			Send: func(ctx context.Context, token oauth.Token) (check.Answer, string, error) {
				_, answer, err := p.Do(ctx, wire.Altered, p.AtRevocation(neighbour, token.Text))
				return answer, "which client authenticates", err
			},
		})
	},
}
