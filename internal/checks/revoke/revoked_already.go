package revoke

import (
	"context"
	"crypto/rand"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// RevokedAlready revokes a token twice, and one that never was any.
//
// RFC 7009 §2.2: the server answers 200 if the token was revoked or was invalid: there is nothing that the client could do
// about it, and what it wanted is so.
var RevokedAlready = &check.Check{
	ID:       "revoke.revoked-already",
	Title:    "revoking what is revoked already, or never was a token, is answered 200",
	Broken:   "revoking what is revoked already, or never was a token, is answered with an error",
	Why:      "a partner that cleans up after an incident, and tries again after a timeout, takes the error for a token that lives; and errors tell whoever asks which strings are tokens",
	Fix:      "answer 200 whenever the token is not good any more when the answer leaves",
	Refs:     []frameworks.Ref{frameworks.RFC(7009, "2.2"), frameworks.SP80053("AC-3(8)")},
	Rows:     []string{"L-RV-02"},
	Severity: logbook.Low,
	At:       check.HomeServer,
	Takes:    check.RevokeTokens,
	Twin:     defect.Set{RevocationOfUnknownFails: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := revoker(ctx, p)
		if err != nil {
			return err
		}
		token, err := partner.NewToken(ctx, p.HomePoint())
		if err != nil {
			return err
		}
		x, answer, err := p.Do(ctx, wire.Control, p.AtRevocation(partner, token.Text))
		if err != nil {
			return err
		}
		if check.Unsupported(x) {
			return check.NotApplicable("the server revokes no such tokens (%s); revoke.not-revocable judges that", answer.Why)
		}
		if answer.Decision != wire.Accepted {
			return check.CannotTell("the first revocation was not accepted: %s", answer.Why)
		}
		for _, one := range []struct {
			name  string
			token secret.Text
		}{
			{"a token that is revoked already", token.Text},
			{"what never was a token", p.Stack.Keeper.Keep("garbage token", rand.Text()+rand.Text())},
		} {
			_, answer, err = p.Do(ctx, wire.Altered, p.AtRevocation(partner, one.token))
			if err != nil {
				return err
			}
			const expected = "200"
			switch answer.Decision {
			case wire.Accepted:
				p.Case(one.name, logbook.Pass, expected, answer.Why, "", "")
			case wire.Unknown:
				p.Case(one.name, logbook.Inconclusive, expected, "", "", "the revocation could not be decided: "+answer.Why)
			default:
				p.Case(one.name, logbook.Fail, expected, answer.Why, "", "")
			}
		}
		return nil
	},
}
