package claims

import (
	"context"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// DeadTokenIsInactive asks introspection about tokens that have ended in each way: revoked, left over from a client that
// was deleted, expired. How long it took to say so is told. Each was active before, and beside each another one lives on.
// A client that was given is not deleted.
//
// RFC 7662 §2.2 and §4: the server MUST say active false of what is revoked or expired. RFC 7592 §2.3 only SHOULD end the
// tokens of a deleted client; the plan's limit makes it a promise (limits.deletion).
var DeadTokenIsInactive = &check.Check{
	ID:       "claims.dead-token-is-inactive",
	Title:    "introspection calls no token active that was revoked, has expired, or whose client is deleted",
	Broken:   "introspection calls a dead token active",
	Why:      "every point that introspects lets the token in: it goes by this answer and by nothing else",
	Fix:      "look at expiry, revocation and the client's state each time that introspection is asked, and not at what a clean-up job has got round to",
	Refs:     []frameworks.Ref{frameworks.RFC(7662, "2.2"), frameworks.RFC(7662, "4"), frameworks.RFC(7592, "2.3"), frameworks.NHI(1), frameworks.ASVS("8.3.2"), frameworks.ASVS("9.2.1"), frameworks.SP80053("AC-3(8)")},
	Rows:     []string{"L-IN-06"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Introspection},
	Takes:    check.RevokeTokens,
	Waits:    func(l plan.Limits) time.Duration { return l.TokenLifetime.D() + l.ClockSkew.D() + time.Second },
	Twin:     defect.Set{IntrospectionIgnoresExpiry: true},
	Also:     []defect.Set{{YoungTokensSurvive: true}, {DeleteKeepsTokens: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		asker, err := p.Introspects(ctx)
		if err != nil {
			return err
		}
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		living, err := p.Unharmed(ctx, partner)
		if err != nil {
			return err
		}
		if living == nil {
			living = partner
		}
		ages, err := living.NewToken(ctx, p.HomePoint()) // first, since it takes longest
		if err != nil {
			return err
		}
		asked, err := introspected(ctx, p, asker, ages)
		if err != nil {
			return err
		}
		err = p.Opens(ctx, asked)
		if err != nil {
			return check.CannotTell("the resource server is not told that a live token is active: %v", err)
		}
		ages, err = p.Dated(ctx, ages)
		if err != nil {
			return err
		}
		err = revoked(ctx, p, asker, partner)
		if err != nil {
			return err
		}
		if p.Cast.Makes(cast.Partner) {
			err = deleted(ctx, p, asker, partner, living)
			if err != nil {
				return err
			}
		} else {
			p.Note("the given client was not deleted, so its tokens after that were not asked about")
		}
		return expired(ctx, p, asker, living, ages)
	},
}

const inactive = "active false"

func revoked(ctx context.Context, p *check.Pass, asker, partner *cast.Member) error {
	if partner.Server.Endpoints.Revocation == "" {
		p.Note("%s has no revocation endpoint", p.Name)
		return nil
	}
	token, err := partner.NewToken(ctx, p.HomePoint())
	if err != nil {
		return err
	}
	asked := p.AtIntrospection(asker, token.Text)
	err = p.Opens(ctx, asked)
	if err != nil {
		return err
	}
	x, answer, err := p.Do(ctx, wire.Setup, p.AtRevocation(partner, token.Text))
	if err != nil {
		return err
	}
	if answer.Decision != wire.Accepted {
		if !check.Unsupported(x) {
			return check.CannotTell("the revocation was not accepted: %s", answer.Why)
		}
		p.Note("%s revokes no such tokens (%s); revoke.not-revocable judges that", p.Name, answer.Why)
		return nil
	}
	// A point that introspects learns of a revocation here, so what it is allowed the server is, too.
	err = dies(ctx, p, "a revoked token", asked, max(p.Limits.Settle, p.Limits.Revocation.Introspect).D())
	if err != nil {
		return err
	}
	other, err := partner.NewToken(ctx, p.HomePoint())
	if err != nil {
		return err
	}
	return p.Opens(ctx, p.AtIntrospection(asker, other.Text)) // rule 3: it is the revocation that made the difference
}

func deleted(ctx context.Context, p *check.Pass, asker, partner, living *cast.Member) error {
	token, err := partner.NewToken(ctx, p.HomePoint())
	if err != nil {
		return err
	}
	asked := p.AtIntrospection(asker, token.Text)
	err = p.Opens(ctx, asked)
	if err != nil {
		return err
	}
	_, err = p.Delete(ctx, partner)
	if err != nil {
		return err
	}
	err = dies(ctx, p, "a token of a deleted client", asked, p.Limits.Deletion.D())
	if err != nil || living == partner {
		return err
	}
	other, err := living.NewToken(ctx, p.HomePoint())
	if err != nil {
		return err
	}
	return p.Opens(ctx, p.AtIntrospection(asker, other.Text)) // rule 3
}

func expired(ctx context.Context, p *check.Pass, asker, owner *cast.Member, token oauth.Token) error {
	if token.Expires.IsZero() {
		p.Note("nobody tells when the token ends, so its expiry was not waited for")
		return nil
	}
	defer p.Waited(time.Now())
	err := p.Wait(ctx, time.Until(token.Expires)-p.Limits.ClockSkew.D()-time.Second)
	if err != nil {
		return err
	}
	// A server may end older tokens when it gives newer ones, and then it was not expiry that ended this one.
	if time.Until(token.Expires) > p.Limits.ClockSkew.D() {
		_, answer, err := p.Do(ctx, wire.Control, p.AtIntrospection(asker, token.Text))
		if err != nil {
			return err
		}
		if answer.Decision != wire.Accepted {
			return check.CannotTell("the token that was to expire is not called active before that (%s), so its expiry cannot be seen", answer.Why)
		}
	}
	err = p.Wait(ctx, time.Until(token.Expires)+p.Limits.ClockSkew.D()+time.Second)
	if err != nil {
		return err
	}
	young, err := owner.NewToken(ctx, p.HomePoint())
	if err != nil {
		return err
	}
	err = p.Opens(ctx, p.AtIntrospection(asker, young.Text))
	if err != nil {
		return err
	}
	return dies(ctx, p, "an expired token", p.AtIntrospection(asker, token.Text), 0)
}

// dies asserts that introspection comes to call a token inactive in time.
func dies(ctx context.Context, p *check.Pass, name string, asked check.Call, within time.Duration) error {
	took, answer, err := p.Becomes(ctx, asked, wire.Denied, within)
	if err != nil {
		return err
	}
	seen := fmt.Sprintf("%s after %v", answer.Why, took.Round(time.Millisecond))
	switch answer.Decision {
	case wire.Accepted:
		p.Case(name, logbook.Fail, inactive, seen, "", "")
	case wire.Denied:
		p.Case(name, logbook.Pass, inactive, seen, "", "")
	default:
		p.Case(name, logbook.Inconclusive, inactive, "", "", seen)
	}
	return nil
}
