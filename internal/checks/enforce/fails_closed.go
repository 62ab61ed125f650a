package enforce

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// introspecting needs a point that asks the server about tokens.
var introspecting = check.Need{Name: "a point that introspects", Has: func(p *plan.Plan, _ *plan.Point) (check.Missing, string, string) {
	if slices.ContainsFunc(p.Points, introspects) {
		return check.Present, "", ""
	}
	return check.Absent, "no point of the plan introspects (points.revocation)", ""
}}

func introspects(point plan.Point) bool {
	return point.Revocation == "introspect" && point.TakesTokens()
}

// FailsClosed lets the operator's hook break introspection, and brings to each point that introspects a good token which
// it has never seen: what it cannot ask about it must not let in, however it says so. Where the hook can also leave aud
// out of the answers, a point must miss it whose audience the plan names (points.resource). Afterwards the same calls must
// be let in; after answers without aud, which a point may remember as it does others (RFC 7662 §4), calls that it has
// never seen.
//
// RFC 7662 §2.2 leaves aud open to the server, so that a point must miss it is our demand; RFC 9700 §2.3: a resource
// server MUST refuse what was not meant for it. That failures close is ASVS's (V16.5.3).
var FailsClosed = &check.Check{
	ID:       "enforce.fails-closed",
	Title:    "a point that cannot ask about a token lets nobody in, and recovers",
	Broken:   "a point lets in what it cannot ask about",
	Why:      "whoever can make introspection fail, by load or by a long token, opens the API with any token, a revoked one too",
	Fix:      "refuse when introspection answers anything but a whole answer, with 503 for the caller; do not fall back to what the token says of itself",
	Refs:     []frameworks.Ref{frameworks.ASVS("16.5.3"), frameworks.ASVS("16.5.2"), frameworks.RFC(7662, "2.2"), frameworks.RFC(9700, "2.3"), frameworks.Tenet(6), frameworks.House()},
	Rows:     []string{"L-IN-08", "L-IN-09"},
	Severity: logbook.High,
	At:       check.WholeStack,
	Needs:    []check.Need{introspecting, check.Hook(plan.BreakIntrospection), check.Hook(plan.RestoreIntrospection)},
	Alone:    true,
	Harm:     check.SharedImpact,
	Besides:  []*logbook.Breach{audienceUnmissed, neverRecovers},
	Twin:     defect.Set{FailsOpen: true},
	Also:     []defect.Set{{AudienceOptional: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		var calls []check.Call
		for i := range p.Stack.Plan.Points {
			point := &p.Stack.Plan.Points[i]
			if !introspects(*point) || p.Cast.TokenServer(point) != p.Cast.HomeServer() {
				continue
			}
			token, err := partner.Token(ctx, point)
			if err != nil {
				return err
			}
			call := p.CallAt(point, p.Allowed(point), partner, token)
			// How the point refuses is learnt while it can still ask.
			garbage, _, err := p.Answered(ctx, call, forge.New(p.Stack.Keeper, nil).GarbageToken())
			if err != nil {
				return err
			}
			if garbage.Decision == wire.Accepted {
				return check.BecauseOf("enforce.without-token", "%s lets a garbage token in", point.Name)
			}
			calls = append(calls, call)
		}
		if len(calls) == 0 {
			return check.NotApplicable("no point introspects tokens of %s", p.Cast.HomeServer())
		}
		err = broken(ctx, p, calls, "down", "introspection answers errors")
		if err != nil {
			return err
		}
		if !namesFault(p.Stack.Plan.Hooks[plan.BreakIntrospection]) {
			p.Note("hook %s has no {fault}, so answers without aud were not tried", plan.BreakIntrospection)
			return nil
		}
		calls = slices.DeleteFunc(calls, func(c check.Call) bool { return c.Point.Resource == "" })
		return broken(ctx, p, calls, noAudience, "introspection answers without aud")
	},
}

var audienceUnmissed = &logbook.Breach{
	Broken:   "a point lets in a token of which introspection does not say for whom it is",
	Why:      "as soon as the server tells no aud, by another setting or a new version, tokens for every other API open this one",
	Fix:      "refuse a token whose introspection has no aud, or another one",
	Severity: logbook.High,
}

var neverRecovers = &logbook.Breach{
	Broken:   "a point lets nobody in after introspection is whole again",
	Why:      "a short trouble of one server is an outage until somebody starts the point anew",
	Fix:      "remember no failures, or for seconds only; look at circuit breakers and caches of refusals",
	Severity: logbook.Medium,
}

// noAudience is the fault by which answers of introspection lack aud.
const noAudience = "no_audience"

// namesFault says whether a hook can be told what to break.
func namesFault(hook plan.Hook) bool {
	return strings.Contains(hook.HTTP+hook.Body+strings.Join(hook.Exec, " "), "{fault}")
}

// broken brings unseen tokens while introspection is broken in a way, and again when it is whole.
func broken(ctx context.Context, p *check.Pass, calls []check.Call, fault, what string) error {
	unseen := make([]check.Call, len(calls))
	for i, call := range calls {
		var err error
		unseen[i], err = p.Unseen(ctx, call)
		if err != nil {
			return err
		}
	}
	_, err := p.Hook(ctx, plan.BreakIntrospection, nil, map[string]string{"fault": fault})
	for i := 0; err == nil && i < len(unseen); i++ {
		err = shut(ctx, p, unseen[i], calls[i].Token.Text == unseen[i].Token.Text, fault, what)
	}
	// Whatever came of it: introspection does not stay broken, and a ride that is stopped must not leave it so.
	_, restored := p.Hook(context.WithoutCancel(ctx), plan.RestoreIntrospection, nil, map[string]string{"fault": "none"})
	err = errors.Join(err, restored)
	if err != nil {
		return err
	}
	defer p.Besides(neverRecovers)()
	for i, call := range unseen {
		if fault == noAudience { // for how long answers are remembered is asked by revoke.token-outlives-revocation
			call, err = p.Unseen(ctx, calls[i])
			if err != nil {
				return err
			}
		}
		took, answer, err := p.Becomes(ctx, call, wire.Accepted, p.Limits.Settle.D())
		if err != nil {
			return err
		}
		const expected = "let in once introspection is whole again"
		name, seen := "recovery of "+call.Point.Name+": "+what, fmt.Sprintf("%s after %v", answer.Why, took.Round(time.Millisecond))
		if answer.Decision == wire.Accepted {
			p.Case(name, logbook.Pass, expected, seen, "", "")
			p.Where(call.Point.Name)
			continue
		}
		x, again, err := p.Do(ctx, wire.Probe, call) // a point that answers nothing at all has another trouble
		switch {
		case err != nil:
			return err
		case x.Failure != wire.None || x.Status == 429 || again.Decision == wire.Accepted:
			p.Case(name, logbook.Inconclusive, expected, "", "", "the call could not be decided: "+seen)
		default:
			p.Case(name, logbook.Fail, expected, seen, "", "")
		}
		p.Where(call.Point.Name)
	}
	return nil
}

// shut asserts that a call is not let in now. A point that has seen its token before may answer from memory.
func shut(ctx context.Context, p *check.Pass, unseen check.Call, seen bool, fault, what string) error {
	const expected = "not let in"
	if fault == noAudience {
		defer p.Besides(audienceUnmissed)()
	}
	name := unseen.Point.Name + ": " + what
	x, answer, err := p.Do(ctx, wire.Altered, unseen)
	if err != nil {
		return err
	}
	whole := false
	if answer.Decision == wire.Accepted {
		whole, err = stillWhole(ctx, p, unseen.Token, fault)
		if err != nil {
			return err
		}
	}
	closed := answer.Decision == wire.Denied || answer.Decision == wire.Odd || x.Status >= 500 || x.Failure == wire.Timeout || x.Failure == wire.Reset
	switch {
	case answer.Decision == wire.Accepted && seen:
		p.Case(name, logbook.Inconclusive, expected, "", what, "the server gives the same token again, so the point may have remembered what it was told of it")
	case answer.Decision == wire.Accepted && whole:
		p.Case(name, logbook.Inconclusive, expected, "", what, "nothing is broken: introspection answers the ride as before; let hook `break_introspection` break it for whoever asks")
	case answer.Decision == wire.Accepted:
		p.Case(name, logbook.Fail, expected, answer.Why+", accepted", what, "")
	case closed && !answer.Cached && !answer.Foreign:
		p.Case(name, logbook.Pass, expected, answer.Why, what, "")
	default:
		p.Case(name, logbook.Inconclusive, expected, "", what, "the call could not be decided: "+answer.Why)
	}
	p.Where(unseen.Point.Name)
	return nil
}

// stillWhole says whether introspection answers the ride's own resource server, where there is one, as if nothing were
// broken: then the hook has changed nothing, and who is let in shows nothing.
func stillWhole(ctx context.Context, p *check.Pass, token oauth.Token, fault string) (bool, error) {
	told, err := p.Introspected(ctx, token)
	if err != nil || told == nil {
		return false, err
	}
	_, aud := told["aud"]
	return fault != noAudience || aud, nil
}
