package register

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// ReplacedRegistrationToken keeps the registration token that a client had before its registration was read and updated.
// Where an answer brings another, the old one must not open the registration any more, and the new one must. Seen: a server
// that adds the new token to those of the client and takes none away.
//
// RFC 7592 §2.1 and §2.2: the answer MAY bring a new registration token, and then the client MUST drop the old one at once.
// That the server drops it too is our demand: a token that was replaced is one that may have leaked.
var ReplacedRegistrationToken = &check.Check{
	ID:       "register.replaced-registration-token",
	Title:    "a registration token that was replaced by another opens nothing",
	Broken:   "a registration token that was replaced by another still opens the registration",
	Why:      "whoever copied the token once changes the client's keys and deletes it, however often it was replaced",
	Fix:      "end the old registration token when an answer gives a new one, on every replica",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(7592, "2.1"), frameworks.RFC(7592, "2.2"), frameworks.RFC(7592, "5"), frameworks.NHI(7), frameworks.SP80053("IA-5")},
	Rows:     []string{"L-RM-12"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Waits:    func(l plan.Limits) time.Duration { return l.Settle.D() },
	Twin:     defect.Set{OldRegistrationTokenWorks: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Newcomer(ctx, cast.Partner, cast.Wish{})
		if err != nil {
			return err
		}
		err = p.Manageable(partner)
		if err != nil {
			return err
		}
		request, token := partner.Client().ReadRequest(*partner.Server), partner.Client().RegistrationToken
		alive := p.AtConfiguration(partner)
		err = p.Opens(ctx, alive) // which may bring a new one already
		if err != nil {
			return err
		}
		if partner.Client().RegistrationToken == token {
			updated, err := p.TryUpdate(ctx, partner, nil)
			if err != nil {
				return err
			}
			if updated.Decision == wire.Unknown {
				return check.CannotTell("an update could not be decided: %s", updated.Why)
			}
		}
		if partner.Client().RegistrationToken == token {
			return check.NotApplicable("%s gives no new registration token when a registration is read or updated, as RFC 7592 §5 lets it", p.Name)
		}
		p.Relevant("%s replaces registration tokens", p.Name)
		old := alive
		old.Name, old.Make = "the registration token that was replaced", func() (wire.Request, error) { return request.Clone(), nil }
		_, _, err = p.Becomes(ctx, old, wire.Denied, p.Limits.Settle.D()) // replicas learn of it in the time that writes take
		if err != nil {
			return err
		}
		return p.Dead(ctx, &alive, old)
	},
}
