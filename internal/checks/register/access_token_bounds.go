package register

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// AccessTokenBounds registers with an initial access token that was used before, with one that was minted for the
// neighbour's organisation, and with one that is over. Each was good for somebody or at some time, and a token that is
// good now registers.
//
// RFC 7591 §1.2 and §3 leave the rules of initial access tokens to the server: what holds is the plan's word
// (registration.initial_access_token_policy).
var AccessTokenBounds = &check.Check{
	ID:       "register.access-token-bounds",
	Title:    "an initial access token registers its own organisation alone, once and in its time",
	Broken:   "an initial access token registers more than what it was minted for",
	Why:      "the token was sent to one person for one partner: with it a former employee, or another partner, makes clients for as long as it lies in a mailbox",
	Fix:      "store with each initial access token whom it is for, when it ends and whether it was used, and look at all three",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(7591, "1.2"), frameworks.RFC(7591, "3"), frameworks.RFC(6750, "3.1"), frameworks.CSF("PR.AA-02"), frameworks.SP80053("IA-5"), frameworks.SP80053("AC-2")},
	Rows:     []string{"L-RG-04", "L-ID-02", "L-ID-01", "L-RG-03"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.AccessTokenPromise},
	Waits:    func(l plan.Limits) time.Duration { return l.ClockSkew.D() },
	Twin:     defect.Set{InitialAccessTokenStateless: true},
	Also:     []defect.Set{{OpenRegistration: true}}, // then none is asked for
	Follows:  []string{"register.without-access-token"},
	Run: func(ctx context.Context, p *check.Pass) error {
		promised := p.Stack.Plan.Registration.AccessTokens
		begun := time.Now()
		old, err := p.MintAccessToken(ctx, cast.Partner)
		if err != nil {
			return err
		}
		if promised.SingleUse {
			err = usedTwice(ctx, p)
			if err != nil {
				return err
			}
		}
		if promised.Organization {
			err = ofAnother(ctx, p)
			if err != nil {
				return err
			}
		}
		life := promised.Lifetime.D()
		if life == 0 {
			return registers(ctx, p, cast.Partner)
		}
		err = p.Wait(ctx, time.Until(begun.Add(life+p.Limits.ClockSkew.D())))
		if err != nil {
			return err
		}
		return refusedBetween(ctx, p, "a token that is over", old)
	},
}

// with is a registration of a role with this initial access token.
func with(ctx context.Context, p *check.Pass, role string, token secret.Text) check.Call {
	call := p.AtRegistration(ctx, role, cast.Wish{})
	inner := call.Make
	call.Make = func() (wire.Request, error) {
		request, err := inner()
		if err != nil {
			return request, err
		}
		return forge.WithToken(token, "another initial access token").Apply(request)
	}
	return call
}

// registers shows that a token which was minted now registers a role.
func registers(ctx context.Context, p *check.Pass, role string) error {
	token, err := p.MintAccessToken(ctx, role)
	if err != nil {
		return err
	}
	_, answer, err := p.Do(ctx, wire.Control, with(ctx, p, role, token))
	if err != nil {
		return err
	}
	if answer.Decision != wire.Accepted {
		return check.CannotTell("a registration of the %s with an initial access token that was minted for it was not accepted: %s", role, answer.Why)
	}
	return nil
}

// refusedBetween tells of a registration with a token that must not do; a fresh token does afterwards.
func refusedBetween(ctx context.Context, p *check.Pass, name string, token secret.Text) error {
	_, answer, err := p.Do(ctx, wire.Altered, with(ctx, p, cast.Partner, token))
	if err != nil {
		return err
	}
	if answer.Decision != wire.Accepted {
		err = registers(ctx, p, cast.Partner)
		if err != nil {
			return err
		}
	}
	p.Decides(name, "refused", "initial access token", answer.Decision, answer.Why)
	return nil
}

func usedTwice(ctx context.Context, p *check.Pass) error {
	token, err := p.MintAccessToken(ctx, cast.Partner)
	if err != nil {
		return err
	}
	call := with(ctx, p, cast.Partner, token)
	_, first, err := p.Do(ctx, wire.Control, call)
	if err != nil {
		return err
	}
	if first.Decision != wire.Accepted {
		return check.CannotTell("the first use of an initial access token was not accepted: %s", first.Why)
	}
	return refusedBetween(ctx, p, "a token that was used before", token)
}

// ofAnother uses the neighbour's token for the partner, and then for the neighbour, for whom it is good.
func ofAnother(ctx context.Context, p *check.Pass) error {
	mine, _ := p.Cast.Client(cast.Partner)
	theirs, there := p.Cast.Client(cast.Neighbour)
	const name, expected, differs = "a token that was minted for another organisation", "refused", "initial access token"
	if !there || mine.Organization == "" || mine.Organization == theirs.Organization {
		p.Case(name, logbook.Inconclusive, expected, "", differs, "partner and neighbour are not known to be of two organisations; name them under clients.*.organization")
		return nil
	}
	token, err := p.MintAccessToken(ctx, cast.Neighbour)
	if err != nil {
		return err
	}
	_, answer, err := p.Do(ctx, wire.Altered, with(ctx, p, cast.Partner, token))
	if err != nil {
		return err
	}
	if answer.Decision != wire.Accepted {
		_, good, err := p.Do(ctx, wire.Control, with(ctx, p, cast.Neighbour, token))
		if err != nil {
			return err
		}
		if good.Decision != wire.Accepted {
			return check.CannotTell("the neighbour's initial access token does not register the neighbour either: %s", good.Why)
		}
	}
	p.Decides(name, expected, differs, answer.Decision, answer.Why)
	return nil
}
