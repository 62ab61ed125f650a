package revoke

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// RevokedTokenExchanged exchanges a token that was just exchanged, once it is revoked. Another token of the same client is
// exchanged after it. A server that judges subject tokens as its points judge tokens offline, by signature and end, gives
// a fresh token for a revoked one: and the fresh one nobody has revoked.
//
// RFC 7009 §2.1: the invalidation takes place immediately, and the token cannot be used again. RFC 8693 §2.1: the server
// MUST validate the subject token.
var RevokedTokenExchanged = &check.Check{
	ID:       "revoke.revoked-token-exchanged",
	Title:    "a revoked token cannot be exchanged",
	Broken:   "a revoked token can be exchanged for a fresh one",
	Why:      "whoever holds a leaked token has exchanged it for a fresh one that no revocation reaches, at any time until it would have ended",
	Fix:      "ask at an exchange what introspection asks: whether the subject token is still good, and not whether its signature is",
	Refs:     []frameworks.Ref{frameworks.RFC(7009, "2.1"), frameworks.RFC(8693, "2.1"), frameworks.RFC(8693, "2.2.2"), frameworks.NHI(1), frameworks.SP80053("AC-3(8)")},
	Rows:     []string{"L-RV-14"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.TokenExchange},
	Takes:    check.RevokeTokens,
	Twin:     defect.Set{ExchangeOfRevoked: true},
	Also:     []defect.Set{{YoungTokensSurvive: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := revoker(ctx, p)
		if err != nil {
			return err
		}
		revoked, err := partner.NewToken(ctx, p.HomePoint())
		if err != nil {
			return err
		}
		good, err := p.AtExchange(ctx, partner, revoked)
		if err != nil {
			return err
		}
		err = p.Opens(ctx, good)
		if err != nil {
			return err
		}
		x, answer, err := p.Do(ctx, wire.Control, p.AtRevocation(partner, revoked.Text))
		if err != nil {
			return err
		}
		if check.Unsupported(x) {
			return check.NotApplicable("the server revokes no such tokens (%s); revoke.not-revocable judges that", answer.Why)
		}
		if answer.Decision != wire.Accepted {
			return check.CannotTell("the revocation was not accepted: %s", answer.Why)
		}
		p.Relevant("the plan names token exchange (grants.token_exchange)")
		_, answer, err = p.Becomes(ctx, good, wire.Denied, p.Limits.Settle.D()) // replicas learn of it in the time that writes take
		if err != nil {
			return err
		}
		partner.ForgetTokens() // a server that gives the same token until it ends gave the revoked one as actor token, too
		alive, err := partner.NewToken(ctx, p.HomePoint())
		if err != nil {
			return err
		}
		other, err := p.AtExchange(ctx, partner, alive)
		if err != nil {
			return err
		}
		err = p.Opens(ctx, other)
		if err != nil {
			return err
		}
		const name, expected, differs = "the revoked token as subject token", "refused", "the token was revoked"
		switch answer.Decision {
		case wire.Accepted:
			p.Case(name, logbook.Fail, expected, answer.Why+", accepted", differs, "")
		case wire.Unknown:
			p.Case(name, logbook.Inconclusive, expected, "", differs, answer.Why)
		default:
			p.Case(name, logbook.Pass, expected, answer.Why, differs, "")
		}
		return nil
	},
}
