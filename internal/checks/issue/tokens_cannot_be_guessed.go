package issue

import (
	"context"
	"fmt"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
)

// TokensCannotBeGuessed compares tokens that the same client was given for the same resource. JWTs are signed, so only
// their names (jti) must differ. Of opaque ones it counts the places at which eight of them differ, and what may stand
// there: an upper bound of what a guesser must try. A server that gives the same token until it expires shows one only.
//
// RFC 6749 §10.10: "The authorization server MUST prevent attackers from guessing access tokens". Here fails what
// somebody might really guess. What keeps nobody out but lacks some of the 128 bits, such as a random UUID with its 122,
// is a matter of issue.credential-entropy. RFC 7519 §4.1.7: two tokens get one jti with negligible probability only.
var TokensCannotBeGuessed = &check.Check{
	ID:       "issue.tokens-cannot-be-guessed",
	Title:    "no token can be worked out from another, and opaque ones cannot be found by trying",
	Broken:   "a token can be worked out from another, or found by trying",
	Why:      "whoever has a token of their own, a former partner too, works out those that were given before and after it, and is somebody else",
	Fix:      "make opaque tokens of at least 32 random bytes from the system's generator, and give each JWT a random jti",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "10.10"), frameworks.RFC(7519, "4.1.7"), frameworks.ASVS("11.5.1"), frameworks.NHI(4)},
	Rows:     []string{"L-TK-13"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Twin:     defect.Set{GuessableToken: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		for _, point := range sampledPoints(p) {
			err := guessed(ctx, p, point)
			if err != nil {
				return err
			}
		}
		return nil
	},
}

// sampledPoints gives a point for each resource, or the home point where no point wants one.
func sampledPoints(p *check.Pass) []*plan.Point {
	points := resourcePoints(p)
	if len(points) == 0 {
		points = append(points, p.HomePoint())
	}
	return points
}

func tokensFor(p *check.Pass, point *plan.Point) string {
	if point == nil {
		return "tokens of " + p.Name
	}
	return "tokens for " + point.Name
}

func guessed(ctx context.Context, p *check.Pass, point *plan.Point) error {
	const expected = "not to be guessed"
	name := tokensFor(p, point)
	tokens, again, err := p.SampledTokens(ctx, point)
	if err != nil {
		return err
	}
	if again {
		p.Note("%s: the same one is given again, so nothing can be said of the next", name)
		p.Case(name, logbook.NotApplicable, expected, "", "", "")
		return nil
	}
	if first, second := tokens[0], tokens[1]; first.JWT != nil {
		one, _ := first.JWT.Claims["jti"].(string)
		two, _ := second.JWT.Claims["jti"].(string)
		if one == "" {
			p.Note("%s have no jti", name)
		}
		outcome, observed := logbook.Pass, "signed, and each of another jti"
		switch {
		case one == "":
			observed = "signed"
		case one == two:
			outcome, observed = logbook.Fail, "two tokens have the jti "+one
		}
		p.Case(name, outcome, expected, observed, "", "")
		return nil
	}
	found, outcome := strengthOf(tokens), logbook.Pass
	if found.CanBeGuessed() {
		outcome = logbook.Fail
	}
	p.Case(name, outcome, expected, fmt.Sprintf("opaque; %d of them have %s", len(tokens), found.Text()), "", "")
	return nil
}

func strengthOf(tokens []oauth.Token) forge.Strength {
	var texts []secret.Text
	for _, token := range tokens {
		texts = append(texts, token.Text)
	}
	return forge.StrengthOf(texts)
}
