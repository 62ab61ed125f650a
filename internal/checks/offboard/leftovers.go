package offboard

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// Leftovers looks for what offboarding forgets because it is kept elsewhere: the API key in a gateway or an older
// middleware. Another client's key, made in the same way, lives on beside it.
//
// OWASP NHI1:2025, improper offboarding, names such leftovers; no RFC knows API keys.
var Leftovers = &check.Check{
	ID:            "offboard.leftovers",
	Title:         "the API keys of an offboarded partner are refused wherever keys are taken",
	Broken:        "the API key of an offboarded partner is accepted",
	Why:           "the client is gone and its key still opens the same data, past every token check",
	Fix:           "make the keys' end a part of offboarding, or let the point ask for the client's state with each key",
	Refs:          []frameworks.Ref{frameworks.NHI(1), frameworks.CSF("GV.SC-10"), frameworks.SP80053("AC-2(3)"), frameworks.SP80053("IA-5"), frameworks.House()},
	Rows:          []string{"L-OF-06", "A-RV-18"},
	Severity:      logbook.Critical,
	At:            check.WholeStack,
	Needs:         []check.Need{check.Deletion},
	Takes:         check.Delete,
	AnyCredential: true,
	Waits:         func(l plan.Limits) time.Duration { return (l.Deletion + l.Patience).D() },
	Promise:       func(*plan.Point) string { return "limits.deletion" },
	Twin:          defect.Set{LeftoverAPIKey: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		key, err := partner.APIKey(ctx)
		if err != nil {
			return err
		}
		if key.Empty() {
			return check.NotApplicable("the partner has no API key: hook `provision_api_key` gives none, and clients.partner has no api_key")
		}
		calls, err := opened(ctx, p, partner, key)
		if err != nil {
			return err
		}
		if len(calls) == 0 {
			return check.NotApplicable("no point takes API keys")
		}
		beside, err := keysBeside(ctx, p, partner, calls)
		if err != nil {
			return err
		}
		return p.RefusedWithin(ctx, check.Withdrawal{
			What: "API key of a deleted client", Limit: p.Limits.Deletion.D(), Promise: "limits.deletion", Beside: beside,
			Watched: func(context.Context) ([]check.Watched, error) {
				var watched []check.Watched
				for _, call := range calls {
					watched = append(watched, check.Watched{Call: call})
				}
				return watched, nil
			},
			All: func(ctx context.Context) (wire.Exchange, error) {
				if p.Cast.HasHook(plan.Deprovision) {
					_, err := p.Hook(ctx, plan.Deprovision, partner, nil)
					if err != nil {
						return wire.Exchange{}, err
					}
				}
				return p.Delete(ctx, partner)
			},
		})
	},
}

// opened gives the calls with a key that are accepted: one for each point that takes it.
func opened(ctx context.Context, p *check.Pass, member *cast.Member, key secret.Text) ([]check.Call, error) {
	var calls []check.Call
	for i := range p.Stack.Plan.Points {
		point := &p.Stack.Plan.Points[i]
		if point.Header == "" {
			continue
		}
		call := withKey(p, point, member, key)
		_, answer, err := p.Do(ctx, wire.Control, call)
		if err != nil {
			return nil, err
		}
		switch {
		case answer.Decision == wire.Accepted:
			err = looksAtKeys(ctx, p, point, member)
			if err != nil {
				return nil, err
			}
			calls = append(calls, call)
		case point.Credential == "api_key":
			return nil, check.CannotTell("the API key is not accepted at %s while its owner lives: %s", point.Name, answer.Why)
		}
	}
	return calls, nil
}

// looksAtKeys makes sure that the point refuses a key that nobody made: else it is public, and a key's end unseen.
func looksAtKeys(ctx context.Context, p *check.Pass, point *plan.Point, member *cast.Member) error {
	garbage := withKey(p, point, member, p.Stack.Keeper.Keep("garbage", rand.Text()+rand.Text()))
	_, answer, err := p.Do(ctx, wire.Baseline, garbage)
	if err == nil && answer.Decision == wire.Accepted {
		err = check.BecauseOf("enforce.without-token", "%s opens with a garbage API key", point.Name)
	}
	return err
}

// keysBeside gives the same calls with the key of somebody who stays.
func keysBeside(ctx context.Context, p *check.Pass, partner *cast.Member, calls []check.Call) ([]check.Call, error) {
	other, err := p.Cast.Member(ctx, cast.Partner)
	if err == nil && other.ID() == partner.ID() {
		other, err = p.Neighbour(ctx)
	}
	if err != nil {
		return nil, errors.Join(check.CannotTell("needs a second client with an API key: add clients.neighbour"), err)
	}
	key, err := other.APIKey(ctx)
	if err != nil {
		return nil, err
	}
	if key.Empty() {
		return nil, check.CannotTell("the %s has no API key to compare with; give it one (clients.%s.api_key)", other.Role, other.Role)
	}
	var beside []check.Call
	for _, call := range calls {
		beside = append(beside, withKey(p, call.Point, other, key))
	}
	return beside, nil
}

// withKey is the point's allowed operation with an API key and no token.
func withKey(p *check.Pass, point *plan.Point, member *cast.Member, key secret.Text) check.Call {
	call := p.CallAt(point, p.Allowed(point), member, oauth.Token{Text: key}).With(func(r *wire.Request) {
		r.Credentials = []wire.Credential{{In: wire.InHeader, Name: point.Header, Text: key}}
	})
	call.Name = "the API key of the " + member.Role + " at " + point.Name
	return call
}
