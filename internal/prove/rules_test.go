package prove

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/ride"
	"github.com/checkride/checkride/internal/sandbox"
	"github.com/checkride/checkride/internal/wire"
)

// Each rule of truth has a stack on which the engine lies if the rule is taken out. A row rides that stack twice: with
// the rule, when the engine must say what is true, and without it, when it must be seen to say something else.
type lie struct {
	rule      string
	setup     Setup
	without   ride.Rules
	check     string // whose outcome is looked at
	point     string // empty: the worst of all points
	truth     logbook.Outcome
	lie       logbook.Outcome
	elsewhere bool // the lie may show as any other outcome
}

// story makes a check of a test's own.
func story(id string, at check.At, takes check.Right, run func(ctx context.Context, p *check.Pass) error) []*check.Check {
	return []*check.Check{{
		ID: id, Title: "a promise of the test", Why: "it is a test", Fix: "none", Refs: []frameworks.Ref{frameworks.House()},
		Severity: logbook.Critical, At: at, Takes: takes, Twin: defect.Set{AlgNone: true}, Run: run,
	}}
}

func catalogue(t *testing.T, ids ...string) []*check.Check {
	t.Helper()
	var some []*check.Check
	for _, c := range checks.Catalogue() {
		if slices.Contains(ids, c.ID) {
			some = append(some, c)
		}
	}
	if len(some) != len(ids) {
		t.Fatalf("not all of %v are in the catalogue", ids)
	}
	return some
}

func lies(t *testing.T) []lie {
	nothing := wire.Change{Name: "nothing", Apply: func(r wire.Request) (wire.Request, error) { return r, nil }}
	rules := func(r check.Rules) ride.Rules { return ride.Rules{Rules: r} }
	return []lie{
		{
			rule:    "1: a refusal counts only between controls",
			setup:   Setup{Catalogue: catalogue(t, "enforce.denied-operations"), Defects: defect.Set{ScopeIgnored: true}, Situation: defect.Situation{BanAfter: 1}},
			without: rules(check.Rules{NoControls: true}), check: "enforce.denied-operations", point: "gateway",
			truth: logbook.Inconclusive, lie: logbook.Pass,
		},
		{
			rule: "1: a change that changes nothing is the tool's fault",
			setup: Setup{Catalogue: story("enforce.nothing-changed", check.EveryPoint, check.Nothing, func(ctx context.Context, p *check.Pass) error {
				call, err := p.Opened(ctx)
				if err != nil {
					return err
				}
				return p.Refuses(ctx, call, nothing)
			})},
			without: rules(check.Rules{NoDifference: true}), check: "enforce.nothing-changed", point: "edge",
			truth: logbook.Error, lie: logbook.Fail,
		},
		{
			rule: "2: the wrong thing is proven right elsewhere",
			setup: Setup{Catalogue: story("enforce.dead-token", check.EveryPoint, check.RevokeTokens, func(ctx context.Context, p *check.Pass) error {
				return refusesDeadToken(ctx, p)
			})},
			without: rules(check.Rules{NoElsewhere: true}), check: "enforce.dead-token", point: "gateway",
			truth: logbook.Inconclusive, lie: logbook.Pass,
		},
		{
			rule: "3: what was withdrawn has a twin that lives on",
			setup: Setup{Catalogue: story("revoke.by-suspending", check.EveryPoint, check.Disable, func(ctx context.Context, p *check.Pass) error {
				partner, err := p.Partner(ctx)
				if err != nil {
					return err
				}
				return p.RevocationWithin(ctx, "a token", partner, func(ctx context.Context, _ check.Call) (wire.Exchange, error) {
					return p.Cast.Hook(ctx, "suspend", partner, nil)
				})
			})},
			without: rules(check.Rules{NoTwin: true}), check: "revoke.by-suspending", point: "gateway",
			truth: logbook.Inconclusive, lie: logbook.Pass,
		},
		{
			rule: "4: accepted is proven by identity, not by status 200",
			setup: Setup{Catalogue: story("bind.behind-a-cache", check.EveryPoint, check.Nothing, func(ctx context.Context, p *check.Pass) error {
				call, err := p.Opened(ctx)
				if err != nil {
					return err
				}
				return p.Refuses(ctx, call, forge.WithoutCertificate())
			}), Situation: defect.Situation{CacheInFront: true}, Edit: func(p *plan.Plan) { p.Points[0].Addresses = nil }},
			without: rules(check.Rules{StatusIsProof: true}), check: "bind.behind-a-cache", point: "edge",
			truth: logbook.Inconclusive, lie: logbook.Fail,
		},
		{
			rule: "5: refused is a set",
			setup: Setup{Catalogue: story("enforce.odd-method", check.EveryPoint, check.Nothing, func(ctx context.Context, p *check.Pass) error {
				call, err := p.Opened(ctx)
				if err != nil {
					return err
				}
				return p.Refuses(ctx, call, wire.Change{Name: "another method", Apply: func(r wire.Request) (wire.Request, error) {
					r.Method = "BREW"
					return r, nil
				}})
			})},
			without: rules(check.Rules{OddIsUnknown: true}), check: "enforce.odd-method", point: "gateway",
			truth: logbook.Pass, lie: logbook.Inconclusive,
		},
		{
			rule:    "6: who refused",
			setup:   Setup{Catalogue: catalogue(t, "enforce.unsigned-token"), Situation: defect.Situation{WAF: true}},
			without: rules(check.Rules{AnyRefuser: true}), check: "enforce.unsigned-token", point: "gateway",
			truth: logbook.Inconclusive, lie: logbook.Pass,
		},
		{
			rule:    "7: a denied route must exist",
			setup:   Setup{Catalogue: catalogue(t, "enforce.denied-operations"), Situation: defect.Situation{MissingRoute: true}},
			without: rules(check.Rules{NoRouteProof: true}), check: "enforce.denied-operations", point: "gateway",
			truth: logbook.Inconclusive, lie: logbook.Pass,
		},
		{
			rule:    "8: times are bounds",
			setup:   Setup{Catalogue: catalogue(t, "revoke.token-outlives-revocation"), Defects: defect.Set{TokenCache: 1950 * time.Millisecond}},
			without: rules(check.Rules{TimesArePoints: true}), check: "revoke.token-outlives-revocation", point: "gateway",
			truth: logbook.Pass, lie: logbook.Fail, // once more, nearer to the limit
		},
		{
			rule:    "8: what lies on both sides of the limit is not decided",
			setup:   Setup{Catalogue: catalogue(t, "revoke.token-outlives-revocation"), Defects: defect.Set{TokenCache: 1995 * time.Millisecond}},
			without: rules(check.Rules{TimesArePoints: true}), check: "revoke.token-outlives-revocation", point: "gateway",
			truth: logbook.Inconclusive, lie: logbook.Fail,
		},
		{
			rule: "9: expiry is not revocation",
			setup: Setup{Catalogue: catalogue(t, "revoke.token-outlives-revocation"), Defects: defect.Set{FeedStopped: true}, Timing: sandbox.Timing{TokenLife: 4 * time.Second},
				Edit: func(p *plan.Plan) { p.Limits.Revocation.Push = plan.Duration(5 * time.Second) }},
			without: rules(check.Rules{ExpiryCounts: true}), check: "revoke.token-outlives-revocation", point: "edge",
			truth: logbook.Inconclusive, lie: logbook.Pass,
		},
		{
			rule:    "10: watching must not change what is watched, so one watch is not enough",
			setup:   Setup{Catalogue: catalogue(t, "revoke.token-outlives-revocation"), Defects: defect.Set{YoungTokensSurvive: true}},
			without: rules(check.Rules{OneWatch: true}), check: "revoke.token-outlives-revocation", point: "gateway",
			truth: logbook.Fail, lie: logbook.Pass, elsewhere: true,
		},
		{
			rule:    "11: calibrate first",
			setup:   Setup{Catalogue: catalogue(t, "revoke.token-outlives-revocation"), Situation: defect.Situation{SameToken: true}},
			without: ride.Rules{Cast: cast.Rules{NoCalibration: true}}, check: "revoke.token-outlives-revocation", point: "gateway",
			truth: logbook.Pass, lie: logbook.Inconclusive,
		},
		{
			rule:    "11: assertions are minted in the server's time",
			setup:   Setup{Catalogue: catalogue(t, "enforce.denied-operations"), Situation: defect.Situation{WrongClock: 90 * time.Second}},
			without: ride.Rules{Cast: cast.Rules{NoCalibration: true}}, check: "enforce.denied-operations", point: "gateway",
			truth: logbook.Pass, lie: logbook.Inconclusive, elsewhere: true,
		},
		{
			rule:    "12: a kept connection pins one node",
			setup:   Setup{Catalogue: catalogue(t, "revoke.token-outlives-revocation"), Situation: defect.Situation{ConnectionSticky: true}},
			without: rules(check.Rules{KeptLines: true}), check: "revoke.token-outlives-revocation", point: "edge",
			truth: logbook.Fail, lie: logbook.Pass,
		},
		{
			rule:    "13: settle after each write",
			setup:   Setup{Catalogue: catalogue(t, "bind.without-its-certificate"), Situation: defect.Situation{LaggingReplicas: time.Second}},
			without: ride.Rules{Cast: cast.Rules{NoSettling: true}}, check: "bind.without-its-certificate",
			truth: logbook.Pass, lie: logbook.Inconclusive,
		},
		{
			rule: "14: disturbing is declared",
			setup: Setup{Catalogue: append(story("enforce.slow-reader", check.EveryPoint, check.Nothing, func(ctx context.Context, p *check.Pass) error {
				call, err := p.Opened(ctx)
				if err != nil {
					return err
				}
				err = p.Wait(ctx, 3*time.Second)
				if err != nil {
					return err
				}
				_, err = p.Accepts(ctx, call, "the partner's token still works")
				return err
			}), catalogue(t, "offboard.token-outlives-client")...)},
			without: rules(check.Rules{ShareSpent: true}), check: "enforce.slow-reader", point: "gateway",
			truth: logbook.Pass, lie: logbook.Fail, elsewhere: true,
		},
		{
			rule:    "15: a failed control repeats the sandwich",
			setup:   Setup{Catalogue: catalogue(t, "enforce.tampered-token"), Situation: defect.Situation{RateLimit: 5}},
			without: rules(check.Rules{NoRepeat: true}), check: "enforce.tampered-token", point: "gateway",
			truth: logbook.Pass, lie: logbook.Inconclusive,
		},
		{
			rule:    "16: what was not tested is not green",
			setup:   Setup{Catalogue: catalogue(t, "enforce.unsigned-token"), Situation: defect.Situation{WAF: true}},
			without: rules(check.Rules{SilenceIsPass: true}), check: "enforce.unsigned-token", point: "gateway",
			truth: logbook.Inconclusive, lie: logbook.Pass,
		},
		{
			rule:    "17: a record that is delivered twice is one",
			setup:   Setup{Catalogue: catalogue(t, "audit.steps-logged"), Situation: defect.Situation{DuplicateLog: true}},
			without: rules(check.Rules{NoDedupe: true}), check: "audit.steps-logged", point: "gateway",
			truth: logbook.Pass, lie: logbook.Fail,
		},
	}
}

// refusesDeadToken asks whether the neighbour's token is refused for the partner's object, with a token that is dead.
func refusesDeadToken(ctx context.Context, p *check.Pass) error {
	control, err := p.Opened(ctx)
	if err != nil {
		return err
	}
	partner, err := p.Partner(ctx)
	if err != nil {
		return err
	}
	token, err := partner.NewToken(ctx, p.Point)
	if err != nil {
		return err
	}
	_, err = p.Send(ctx, wire.Setup, partner.Server.RevokeRequest(partner.Client(), token.Text, "access_token"))
	if err != nil {
		return err
	}
	return p.RefusesGoodElsewhere(ctx, control, p.Call(partner, token), wire.Change{Name: "another token", Apply: func(r wire.Request) (wire.Request, error) {
		r.Credentials[0].Text = token.Text
		return r, nil
	}})
}

func TestEachRuleKeepsTheEngineFromLying(t *testing.T) {
	for _, row := range lies(t) {
		t.Run(row.rule, func(t *testing.T) {
			t.Parallel()
			truth := outcome(t, row, ride.Rules{})
			if truth.Outcome != row.truth {
				t.Errorf("with the rule: %v, want %v; observed %s, because %s", truth.Outcome, row.truth, truth.Observed, truth.Because)
			}
			told := outcome(t, row, row.without)
			if told.Outcome != row.lie && (!row.elsewhere || told.Outcome == row.truth) {
				t.Errorf("without the rule: %v, want the lie %v; observed %s, because %s", told.Outcome, row.lie, told.Observed, told.Because)
			}
		})
	}
}

func outcome(t *testing.T, row lie, rules ride.Rules) logbook.Observation {
	t.Helper()
	setup := row.setup
	setup.Rules = rules
	var found logbook.Observation
	ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
		for _, e := range entries {
			o := e.Observation
			if o == nil || o.Check != row.check || row.point != "" && o.Point != row.point {
				continue
			}
			if found.Check == "" || found.Outcome == logbook.Pass {
				found = *o
			}
		}
	})
	if found.Check == "" {
		t.Fatalf("no observation of %s at %s", row.check, row.point)
	}
	return found
}

// Rule 18: every check has a twin. A check that cannot fail is seen by the proof.
func TestACheckThatCannotFailIsSeen(t *testing.T) {
	always := story("enforce.always-green", check.EveryPoint, check.Nothing, func(ctx context.Context, p *check.Pass) error {
		p.Holds("anything", true, "something")
		return nil
	})
	ridden(t, Setup{Catalogue: always, Defects: always[0].Twin}, func(t *testing.T, entries []logbook.Entry) {
		if caught(entries, always[0].ID) {
			t.Error("the proof takes a check that cannot fail for one that fails")
		}
	})
	silent := story("enforce.asserts-nothing", check.EveryPoint, check.Nothing, func(context.Context, *check.Pass) error { return nil })
	ridden(t, Setup{Catalogue: silent}, func(t *testing.T, entries []logbook.Entry) {
		for _, e := range entries {
			if e.Observation != nil && e.Observation.Outcome != logbook.Error {
				t.Errorf("a check that asserted nothing is %v", e.Observation.Outcome)
			}
		}
	})
}

// A panic is an error of the tool with the check's id, never a crash and never a finding.
func TestAPanicIsAnError(t *testing.T) {
	panics := story("enforce.panics", check.EveryPoint, check.Nothing, func(context.Context, *check.Pass) error { panic("at the disco") })
	ridden(t, Setup{Catalogue: panics}, func(t *testing.T, entries []logbook.Entry) {
		seen := 0
		for _, e := range entries {
			if e.Observation == nil {
				continue
			}
			seen++
			if e.Observation.Outcome != logbook.Error || !strings.Contains(e.Observation.Because, "at the disco") {
				t.Errorf("%v because %s", e.Observation.Outcome, e.Observation.Because)
			}
		}
		if seen == 0 {
			t.Error("the ride told nothing")
		}
	})
}

// Rule 19: the ride leaves nothing behind and proves it by trying. A server that says 204 and keeps the client is named.
func TestADeletionThatLiesIsNamed(t *testing.T) {
	noHook := func(p *plan.Plan) { delete(p.Hooks, "delete_client") }
	left := func(rules ride.Rules) []string {
		var names []string
		ridden(t, Setup{Catalogue: catalogue(t, "bind.without-its-certificate"), Situation: defect.Situation{DeleteLies: true}, Rules: rules, Edit: noHook},
			func(t *testing.T, entries []logbook.Entry) {
				for _, e := range entries {
					if e.End != nil {
						names = e.End.Left
					}
				}
			})
		return names
	}
	if len(left(ride.Rules{})) == 0 {
		t.Error("clients that were kept are not named")
	}
	if names := left(ride.Rules{TrustDeletion: true}); len(names) != 0 {
		t.Errorf("without the rule %v are named all the same, so the rule is not what names them", names)
	}
}

func caught(entries []logbook.Entry, id string) bool {
	return slices.ContainsFunc(entries, func(e logbook.Entry) bool {
		return e.Observation != nil && e.Observation.Check == id && e.Observation.Outcome == logbook.Fail
	})
}
