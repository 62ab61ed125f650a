package issue

import (
	"context"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
)

// TokenLifetime reads how long a token lives: from the answer, and from the token itself where it is a JWT. Both must be
// within the plan's limit, and they must agree within the clocks' skew.
//
// RFC 6749 §5.1 only recommends expires_in, and no RFC bounds a lifetime: the limit is the plan's
// (limits.token_lifetime). That expires_in and exp agree is our demand. RFC 6749 §4.4.3: a refresh token SHOULD NOT be
// included; that is noted.
var TokenLifetime = &check.Check{
	ID:       "issue.token-lifetime",
	Title:    "an access token lives no longer than agreed",
	Broken:   "an access token lives longer than agreed",
	Why:      "the plan bounds the lifetime, since a token that leaks works until it ends, and at points that do not learn of revocations nothing else ends it",
	Fix:      "shorten the lifetime of access tokens for this partner to what the plan says",
	Refs:     []frameworks.Ref{frameworks.NHI(7), frameworks.RFC(6749, "5.1"), frameworks.RFC(6749, "4.4.3"), frameworks.SP80053("IA-13(3)"), frameworks.House()},
	Rows:     []string{"L-TK-03", "L-TK-10", "L-AT-05", "A-CC-15"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Promise:  func(*plan.Point) string { return "limits.token_lifetime" },
	Besides:  []*logbook.Breach{endUntold, endsDiffer},
	Twin:     defect.Set{LongLivedToken: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, got, err := p.JustIssued(ctx)
		if err != nil {
			return err
		}
		if _, there := got.Exchange.JSON("/refresh_token"); there {
			p.Note("the answer carries a refresh token, which RFC 6749 §4.4.3 advises against")
		}
		token, limit := got.Token, p.Limits.TokenLifetime.D()
		expected := fmt.Sprintf("at most %v", limit)
		if token.Lifetime > 0 {
			p.Holds(expected, token.Lifetime <= limit, fmt.Sprintf("expires_in says %v", token.Lifetime))
		}
		exp, dated := time.Time{}, false
		if token.JWT != nil {
			exp, dated = oauth.Date(token.JWT.Claims["exp"])
		}
		switch {
		case !dated && token.JWT != nil:
			defer p.Besides(endUntold)()
			p.Holds("the token says when it ends", false, "a JWT without exp")
		case !dated && token.Lifetime == 0:
			return check.CannotTell("neither the answer nor the token says how long it lives")
		}
		if !dated {
			return nil
		}
		if issued, ok := oauth.Date(token.JWT.Claims["iat"]); ok {
			p.Holds(expected, exp.Sub(issued) <= limit, fmt.Sprintf("exp is %v after iat", exp.Sub(issued)))
		}
		if token.Lifetime > 0 {
			// Both clocks name whole seconds, so they may differ by one each without disagreeing.
			until := exp.Add(-partner.Server.Clock).Sub(got.Exchange.Received)
			apart := (until - token.Lifetime).Abs()
			defer p.Besides(endsDiffer)()
			p.Holds("expires_in and exp agree within the clocks' skew", apart <= p.Limits.ClockSkew.D()+2*time.Second,
				fmt.Sprintf("expires_in says %v, exp is in %v", token.Lifetime, until.Round(time.Second)))
		}
		return nil
	},
}

var endUntold = &logbook.Breach{
	Broken:   "a JWT access token does not say when it ends",
	Why:      "a point that reads the token by itself takes it for ever",
	Fix:      "put exp into every access token, within limits.token_lifetime",
	Severity: logbook.High,
}

var endsDiffer = &logbook.Breach{
	Broken:   "the answer and the token tell two different ends of an access token",
	Why:      "a partner uses a token that is over, or asks anew for one that is good; and who reads the answer believes in a shorter life than the points do",
	Fix:      "compute expires_in and exp from one number",
	Severity: logbook.Medium,
}
