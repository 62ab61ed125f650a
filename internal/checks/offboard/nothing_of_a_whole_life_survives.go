package offboard

import (
	"context"
	"fmt"
	"slices"
	"strings"
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

// NothingOfAWholeLifeSurvives takes one partner through all of its life, in order: registered, given tokens, let in,
// updated, its credential rotated, a token revoked, suspended and resumed, a right taken and given back, updated again,
// given an API key, deprovisioned and deleted. It keeps every credential that it ever had, and at the end tries them all
// at every place that would once have taken them. Each stage alone can be right, and the chain wrong: a server that ends
// the tokens which it knows of since the last update forgets the older ones.
//
// RFC 7592 §2.3 (tokens: SHOULD), §5 (registration tokens: MUST).
var NothingOfAWholeLifeSurvives = &check.Check{
	ID:       "offboard.nothing-of-a-whole-life-survives",
	Title:    "after its offboarding nothing that a partner ever held opens anything",
	Broken:   "a credential of an offboarded partner still opens something",
	Why:      "longer than the plan allows, some credential of a partner's past, which nobody remembers, opens the data of a contract that has ended",
	Fix:      "hang tokens, keys, secrets and registrations on the client itself, and end all of them with it",
	Refs:     []frameworks.Ref{frameworks.RFC(7592, "2.3"), frameworks.RFC(7592, "5"), frameworks.NHI(1), frameworks.CSF("GV.SC-10"), frameworks.CSF("PR.AA-01"), frameworks.SP80053("AC-2(3)"), frameworks.SP80053("AC-3(8)")},
	Rows:     []string{"L-OF-01", "L-OF-02", "L-OF-03", "L-OF-06", "A-RV-04"},
	Severity: logbook.Critical,
	At:       check.WholeStack,
	Needs:    []check.Need{check.Registration},
	Takes:    check.Delete,
	Waits:    func(l plan.Limits) time.Duration { return max(l.Deletion, l.NewTokensAfterDisable).D() },
	Promise:  func(*plan.Point) string { return "limits.deletion" },
	Twin:     defect.Set{DeleteForgetsOldTokens: true},
	Also: []defect.Set{
		{DeleteKeepsTokens: true}, {DeletedClientLives: true}, {RegistrationTokenSurvives: true}, {LeftoverAPIKey: true},
		{FeedStopped: true}, {TokenCache: 6 * time.Second},
	},
	Follows: []string{"revoke.token-outlives-revocation", "offboard.token-outlives-client", "offboard.deleted-client-gets-tokens", "offboard.leftovers", "offboard.registration-token-dies"},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		l := &life{p: p, partner: partner, stages: []string{"registered"}}
		for _, stage := range []func(context.Context) error{
			l.tokens("first"), l.update, l.rotate, l.revoke, l.suspend, l.reduce, l.tokens("middle"), l.provision, l.update, l.tokens("last"),
		} {
			err = stage(ctx)
			if err != nil {
				return err
			}
		}
		gone, err := l.end(ctx)
		if err != nil {
			return err
		}
		p.Note("stages: %s", strings.Join(l.stages, ", "))
		err = p.Wait(ctx, time.Until(gone.Add(max(p.Limits.Deletion, p.Limits.NewTokensAfterDisable).D())))
		if err != nil {
			return err
		}
		return l.tryAll(ctx)
	},
}

// life is a partner's way through the stages, and all that it held on it.
type life struct {
	p       *check.Pass
	partner *cast.Member
	stages  []string
	points  []check.Call // at points
	server  []check.Call // at the authorization server
}

func (l *life) did(format string, values ...any) {
	l.stages = append(l.stages, fmt.Sprintf(format, values...))
}

// homePoints are the points that take the partner's tokens.
func (l *life) homePoints() []*plan.Point {
	var found []*plan.Point
	for i := range l.p.Stack.Plan.Points {
		point := &l.p.Stack.Plan.Points[i]
		if point.TakesTokens() && l.p.Cast.TokenServer(point) == l.partner.Server.Name {
			found = append(found, point)
		}
	}
	return found
}

// tokens gives the stage in which the partner gets a token for each audience and uses it at each point of that.
func (l *life) tokens(when string) func(context.Context) error {
	return func(ctx context.Context) error {
		got := map[string]oauth.Token{}
		for _, point := range l.homePoints() {
			token, known := got[point.Resource]
			if !known {
				var err error
				token, err = l.partner.NewToken(ctx, point)
				if err != nil {
					return err
				}
				got[point.Resource] = token
				err = l.introspected(ctx, when+" token for "+point.Name, token)
				if err != nil {
					return err
				}
			}
			err := l.opens(ctx, "the "+when+" token at "+point.Name, point, token)
			if err != nil {
				return err
			}
		}
		l.did("%s tokens issued and used", when)
		return nil
	}
}

// opens uses a token and keeps it.
func (l *life) opens(ctx context.Context, name string, point *plan.Point, token oauth.Token) error {
	call := l.p.CallAt(point, l.p.Allowed(point), l.partner, token)
	call.Name = name
	l.points = append(l.points, call)
	return l.p.Opens(ctx, call)
}

// introspected keeps the question after a token, if somebody may ask it.
func (l *life) introspected(ctx context.Context, name string, token oauth.Token) error {
	by, err := l.p.Asker(ctx)
	if err != nil || by == nil {
		return err
	}
	call := l.p.AtIntrospection(by, token.Text)
	call.Name, call.Token = "introspection of the "+name, token
	l.server = append(l.server, call)
	return nil
}

// update changes nothing, and may rotate the registration token (RFC 7592 §5).
func (l *life) update(ctx context.Context) error {
	old, err := frozen(l.p.AtConfiguration(l.partner))
	if err != nil {
		return err
	}
	before := l.partner.Client().RegistrationToken
	_, err = l.p.Update(ctx, l.partner, func(map[string]any) {})
	if err != nil {
		return err
	}
	if before != l.partner.Client().RegistrationToken {
		old.Name = fmt.Sprintf("a replaced registration token (%d)", len(l.stages))
		l.server = append(l.server, old)
	}
	l.did("updated")
	return nil
}

// rotate replaces the partner's secret or key, where it has one and the stack lets it.
func (l *life) rotate(ctx context.Context) error {
	old, err := frozen(l.p.Login(l.partner))
	if err != nil {
		return err
	}
	switch client := l.partner.Client(); {
	case !client.Secret.Empty() && l.p.Cast.HasHook(plan.RotateSecret):
		x, err := l.p.Hook(ctx, plan.RotateSecret, l.partner, nil)
		if err != nil {
			return err
		}
		renewed := x.Secret("client_secret")
		if renewed.Empty() {
			l.p.Note("the answer of hook rotate_secret has no client_secret, so the partner goes on with the old one")
			return nil
		}
		l.partner.Change(func(client *oauth.Client) { client.Secret = renewed })
		old.Name = "the rotated secret"
	case client.Auth == oauth.PrivateKeyJWT:
		key, err := oauth.NewKey(client.Key.Alg)
		if err != nil {
			return err
		}
		_, err = l.p.Update(ctx, l.partner, func(metadata map[string]any) { metadata["jwks"] = oauth.JWKSet(key) })
		if err != nil {
			return err
		}
		l.partner.Change(func(client *oauth.Client) { client.Key = key })
		old.Name = "the rotated key"
	default:
		return nil
	}
	l.server = append(l.server, old)
	l.did("credential rotated")
	return nil
}

func (l *life) revoke(ctx context.Context) error {
	point := l.p.HomePoint()
	if l.partner.Server.Endpoints.Revocation == "" || !slices.Contains(l.homePoints(), point) {
		return nil
	}
	token, err := l.partner.NewToken(ctx, point)
	if err != nil {
		return err
	}
	err = l.opens(ctx, "a revoked token at "+point.Name, point, token)
	if err != nil {
		return err
	}
	_, answer, err := l.p.Do(ctx, wire.Setup, l.p.AtRevocation(l.partner, token.Text))
	if err != nil {
		return err
	}
	if answer.Decision == wire.Accepted {
		l.did("a token revoked")
	}
	return nil
}

func (l *life) suspend(ctx context.Context) error {
	if !l.p.Cast.HasHook(plan.Suspend) || !l.p.Cast.HasHook(plan.Resume) {
		return nil
	}
	_, err := l.p.Hook(ctx, plan.Suspend, l.partner, nil)
	if err != nil {
		return err
	}
	_, err = l.p.Resume(ctx, l.partner)
	if err != nil {
		return err
	}
	l.did("suspended and resumed")
	return l.recovers(ctx)
}

func (l *life) reduce(ctx context.Context) error {
	if !l.p.Cast.HasHook(plan.ReduceEntitlement) || !l.p.Cast.HasHook(plan.RestoreEntitlement) || len(l.partner.Plan.Scopes) == 0 {
		return nil
	}
	values := map[string]string{"scope": l.partner.Plan.Scopes[0]}
	for _, hook := range []string{plan.ReduceEntitlement, plan.RestoreEntitlement} {
		_, err := l.p.Hook(ctx, hook, l.partner, values)
		if err != nil {
			return err
		}
	}
	l.did("a right taken and given back")
	return l.recovers(ctx)
}

// recovers waits until the partner gets tokens again (rule 13).
func (l *life) recovers(ctx context.Context) error {
	_, answer, err := l.p.Becomes(ctx, l.p.Login(l.partner), wire.Accepted, l.p.Limits.Settle.D())
	if err == nil && answer.Decision != wire.Accepted {
		err = check.CannotTell("the partner gets no tokens after it was %s: %s", l.stages[len(l.stages)-1], answer.Why)
	}
	return err
}

func (l *life) provision(ctx context.Context) error {
	if !l.p.Cast.HasHook(plan.ProvisionAPIKey) {
		return nil
	}
	key, err := l.partner.APIKey(ctx)
	if err != nil || key.Empty() {
		return err
	}
	calls, err := opened(ctx, l.p, l.partner, key)
	if err != nil || len(calls) == 0 {
		return err
	}
	l.points = append(l.points, calls...)
	l.did("API key issued and used")
	return nil
}

// end offboards the partner and gives when that was confirmed.
func (l *life) end(ctx context.Context) (time.Time, error) {
	login, read := l.p.Login(l.partner), l.p.AtConfiguration(l.partner)
	login.Name, read.Name = "the credential at its end", "the registration token at its end"
	l.server = append(l.server, login, read)
	if l.p.Cast.HasHook(plan.Deprovision) {
		_, err := l.p.Hook(ctx, plan.Deprovision, l.partner, nil)
		if err != nil {
			return time.Time{}, err
		}
		l.did("deprovisioned")
	}
	x, err := l.p.Delete(ctx, l.partner)
	l.did("deleted")
	return x.Received, err
}

// tryAll tries everything everywhere: at each point between two calls of somebody who stays, at the server between two
// of such token requests.
func (l *life) tryAll(ctx context.Context) error {
	for i := range l.p.Stack.Plan.Points {
		point := &l.p.Stack.Plan.Points[i]
		calls := l.inTime(slices.DeleteFunc(slices.Clone(l.points), func(call check.Call) bool { return call.Point != point }))
		if len(calls) == 0 {
			continue
		}
		alive, err := l.p.Bystander(ctx, point, l.partner)
		if err != nil {
			return err
		}
		err = l.p.Dead(ctx, alive, calls...)
		if err != nil {
			return err
		}
	}
	alive, err := another(ctx, l.p, l.partner)
	if err != nil {
		return err
	}
	return l.p.Dead(ctx, alive, l.inTime(l.server)...)
}

// inTime leaves out what proves nothing: tokens that have died of age (rule 9), and living ones at points that learn of
// nothing before.
func (l *life) inTime(calls []check.Call) []check.Call {
	return slices.DeleteFunc(slices.Clone(calls), func(call check.Call) bool {
		expires := call.Token.Expires
		switch {
		case !expires.IsZero() && time.Until(expires) < l.p.Limits.ClockSkew.D():
			l.p.Note("%s: not tried, since it has expired by itself", call.Name)
			return true
		case call.Point != nil && call.Point.Revocation == "expiry" && !expires.IsZero():
			l.p.Note("%s: not tried, since the point is declared revocation: expiry", call.Name)
			return true
		}
		return false
	})
}

// frozen fixes what a call shows: a later change of its member does not change it.
func frozen(call check.Call) (check.Call, error) {
	request, err := call.Make()
	call.Make = func() (wire.Request, error) { return request.Clone(), nil }
	return call, err
}
