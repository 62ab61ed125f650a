package expire

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// TokenPastExpiry uses a token shortly before its end, so that every cache knows it, and again after it; beside it one
// that was never used before. A younger token of the same client lives: only the age differs.
//
// RFC 7519 §4.1.4: on or after exp the token is not to be accepted; a leeway of usually no more than a few minutes is
// admitted, and the plan bounds it (limits.clock_skew).
var TokenPastExpiry = &check.Check{
	ID:       "expire.token-past-expiry",
	Title:    "an expired access token is refused at every enforcement point",
	Broken:   "an expired access token is accepted",
	Why:      "a token that leaked once opens the API for ever",
	Fix:      "compare exp with the clock on every request, a cached decision included, and bound the leeway",
	Refs:     []frameworks.Ref{frameworks.RFC(7519, "4.1.4"), frameworks.RFC(9068, "4"), frameworks.RFC(7662, "4"), frameworks.ASVS("9.2.1"), frameworks.NHI(7), frameworks.SP80053("IA-13(3)")},
	Rows:     []string{"L-TK-10", "L-GW-02", "A-CC-01", "A-RV-16"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Waits: func(l plan.Limits) time.Duration {
		return l.TokenLifetime.D() + l.ClockSkew.D() + wholeSecond
	},
	Promise: func(*plan.Point) string { return "limits.clock_skew" },
	Twin:    defect.Set{ExpiryIgnored: true},
	Also:    []defect.Set{{IntrospectionIgnoresExpiry: true}}, // points that introspect go by what they are told
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		mint := p.Mint(partner)
		used, err := mint(ctx)
		if err != nil {
			return err
		}
		unused, err := mint(ctx)
		if err != nil {
			return err
		}
		defer p.Waited(time.Now()) // a token's life is one wait
		used.Name, unused.Name = "a token that was used until shortly before", "a token that was never used"
		for _, call := range []*check.Call{&used, &unused} {
			call.Token, err = p.Dated(ctx, call.Token)
			if err != nil {
				return err
			}
		}
		if used.Token.Expires.IsZero() || unused.Token.Expires.IsZero() {
			return check.CannotTell("the server does not say how long the token lives")
		}
		x, answer, err := p.Do(ctx, wire.Control, used)
		if err != nil {
			return err
		}
		if answer.Decision != wire.Accepted {
			return check.CannotTell("the new token was not accepted: %s", answer.Why)
		}
		ends, over := used.Token.Expires, unused.Token.Expires
		if p.Point.Revocation != "introspect" { // who introspects goes by the server's clock
			ends, over = endsAt(used.Token, x), endsAt(unused.Token, x)
		}
		err = p.Wait(ctx, time.Until(ends)-min(5*time.Second, time.Until(ends)/4))
		if err != nil {
			return err
		}
		err = p.Opens(ctx, used)
		if err != nil {
			return err
		}
		err = p.Wait(ctx, time.Until(over)+p.Limits.ClockSkew.D()+wholeSecond)
		if err != nil {
			return err
		}
		young, err := mint(ctx)
		if err != nil {
			return err
		}
		young.Name = "a younger token"
		if used.Token.Text == unused.Token.Text { // the server gives the same token until it expires
			return p.Dead(ctx, &young, used)
		}
		return p.Dead(ctx, &young, used, unused)
	},
}

// wholeSecond is what exp rounds to (RFC 7519 §2, NumericDate).
const wholeSecond = time.Second

// endsAt is when a token is over for the point, which may go by the token's own exp and by its own clock: by the Date of
// its answer, to the second. The later of what the server says and of that counts.
func endsAt(token oauth.Token, x wire.Exchange) time.Time {
	if token.JWT == nil || x.Date.IsZero() {
		return token.Expires
	}
	exp, ok := oauth.Date(token.JWT.Claims["exp"])
	if !ok {
		return token.Expires
	}
	ahead := x.Date.Sub(x.Sent.Add(x.Received.Sub(x.Sent) / 2))
	if ahead.Abs() <= wholeSecond+x.Received.Sub(x.Sent)/2 {
		ahead = 0
	}
	if byPoint := exp.Add(-ahead); byPoint.After(token.Expires) {
		return byPoint
	}
	return token.Expires
}
