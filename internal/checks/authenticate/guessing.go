package authenticate

import (
	"context"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// Guessing shows wrong secrets of a client of its own in a row, as a guesser does, and then the right one. Somewhere the
// server must do something about it: answer otherwise, answer later, or not look at a secret for a while. Then the
// neighbour logs in: a protection by which one partner is locked out for the guesses at another is none.
//
// RFC 6749 §2.3.1: the server MUST protect any endpoint that takes a client's password against brute force attacks. It
// names no number, so we ask for one: thirty. A secret of 256 bits is not found by guessing, so what is missing here is a
// second wall.
var Guessing = &check.Check{
	ID:       "authenticate.guessing",
	Title:    "wrong client secrets in a row are held off, and nobody else is locked out by it",
	Broken:   "wrong client secrets in a row are not held off",
	Why:      "whoever guesses at secrets is never slowed down, and nobody is told that somebody does",
	Fix:      "after some wrong secrets of a client let it wait, longer each time, and never by the address of a shared proxy alone",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "2.3.1"), frameworks.RFC(6749, "10.10"), frameworks.RFC(6585, "4"), frameworks.ASVS("6.3.1"), frameworks.API(2), frameworks.NHI(4), frameworks.House()},
	Rows:     []string{"L-CA-10"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.SecretLogin},
	Takes:    check.FailAuth,
	Alone:    true,
	Harm:     check.Lockout,
	Twin:     defect.Set{GuessingUnlimited: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		const guesses, fewest = 30, 10
		most := min(guesses, p.Cast.Plan().Budget.FailedAuth.PerClient)
		if most < fewest {
			return check.CannotTell("budget.failed_auth.per_client allows %d failed authentications of one client, which is too few to see a protection; raise it to %d", most, guesses)
		}
		partner, err := p.OwnBy(ctx, oauth.ClientSecretBasic, oauth.ClientSecretPost)
		if err != nil {
			return err
		}
		login := p.Login(partner)
		err = p.Opens(ctx, login)
		if err != nil {
			return err
		}
		wrong := forge.WrongSecrets(p.Stack.Keeper)
		guess := login.Changed(wrong[len(wrong)-1])
		var usual string
		var took []time.Duration
		held := ""
		for n := 1; n <= most && held == ""; n++ {
			x, answer, err := p.Do(ctx, wire.Altered, guess)
			if err != nil {
				return err
			}
			took = append(took, x.Received.Sub(x.Sent))
			switch {
			case answer.Decision == wire.Accepted:
				return check.BecauseOf("authenticate.wrong-secret", "a wrong secret was accepted: %s", answer.Why)
			case x.Status >= 500 && x.Status != 503: // a bad moment is no protection
			case usual == "" && (answer.Decision == wire.Denied || answer.Decision == wire.Odd):
				usual = answer.Why
			case usual == "" && n < 3:
			case usual == "":
				return check.CannotTell("the first %d wrong secrets could not be decided: %s", n, answer.Why)
			case answer.Why != usual:
				held = fmt.Sprintf("after %d wrong secrets: %s", n, answer.Why)
			case later(took):
				held = fmt.Sprintf("after %d wrong secrets answers take %v", n, took[n-1].Round(time.Millisecond))
			}
		}
		_, right, err := p.Do(ctx, wire.Probe, login)
		if err != nil {
			return err
		}
		if right.Decision != wire.Accepted {
			p.Note("while it is held off, the client's own secret is answered %s: whoever knows a client_id can lock its partner out for that time", right.Why)
			if held == "" {
				held = fmt.Sprintf("after %d wrong secrets the right one: %s", most, right.Why)
			}
		}
		const expected = "wrong secrets are held off"
		if held == "" && most < guesses {
			return check.CannotTell("%d wrong secrets were not held off, and budget.failed_auth.per_client allows no more; raise it to %d", most, guesses)
		}
		if held == "" {
			p.Case("wrong secrets in a row", logbook.Fail, expected, fmt.Sprintf("%d wrong secrets in a row, each answered %s, and the right one accepted at once", most, usual), "", "")
			return nil
		}
		p.Case("wrong secrets in a row", logbook.Pass, expected, held, "", "")
		if !p.Cast.Has(cast.Neighbour) {
			return nil
		}
		neighbour, err := p.Neighbour(ctx)
		if err != nil {
			return err
		}
		_, answer, err := p.Do(ctx, wire.Control, p.Login(neighbour))
		if err != nil {
			return err
		}
		if answer.Decision == wire.Accepted {
			p.Case("the neighbour meanwhile", logbook.Pass, "accepted", answer.Why, "", "")
			return nil
		}
		p.Case("the neighbour meanwhile", logbook.Inconclusive, "accepted", "", "", "the neighbour is held off as well ("+answer.Why+"): by this address, or everywhere, which is not to be seen from here")
		return nil
	},
}

// later says whether answers have become slow: the last three each take four times as long as the first three together
// did on average, and a fifth of a second more.
func later(took []time.Duration) bool {
	if len(took) < 6 {
		return false
	}
	usual := (took[0] + took[1] + took[2]) / 3
	for _, one := range took[len(took)-3:] {
		if one < 4*usual+200*time.Millisecond {
			return false
		}
	}
	return true
}
