package issue

import (
	"context"
	"fmt"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
)

const (
	sampled   = 8   // opaque tokens that are compared
	fewBits   = 120 // a random UUID has 122
	wantsBits = 128
)

// TokensCannotBeGuessed compares tokens that the same client was given for the same resource. JWTs are signed, so only
// their names (jti) must differ. Of opaque ones it counts the places at which eight of them differ, and what may stand
// there: an upper bound of what a guesser must try. A server that gives the same token until it expires shows one only.
//
// RFC 6749 §10.10: the probability of guessing a token MUST be at most 2^-128. A random UUID has 122 bits: that is told
// and not held against anybody. RFC 7519 §4.1.7: two tokens get one jti with negligible probability only.
var TokensCannotBeGuessed = &check.Check{
	ID:       "issue.tokens-cannot-be-guessed",
	Title:    "no token can be worked out from another, and opaque ones are random",
	Broken:   "a token can be worked out from another",
	Why:      "whoever has a token of their own, a former partner too, works out those that were given before and after it, and is somebody else",
	Fix:      "make opaque tokens of 128 bits or more from a cryptographic random generator, and give each JWT a random jti",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "10.10"), frameworks.RFC(7519, "4.1.7"), frameworks.ASVS("11.5.1"), frameworks.NHI(4)},
	Rows:     []string{"L-TK-13"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Twin:     defect.Set{GuessableToken: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		points := resourcePoints(p)
		if len(points) == 0 {
			points = append(points, p.HomePoint())
		}
		for _, point := range points {
			err := guessed(ctx, p, point)
			if err != nil {
				return err
			}
		}
		return nil
	},
}

func guessed(ctx context.Context, p *check.Pass, point *plan.Point) error {
	name, expected := "tokens of "+p.Name, "not to be guessed"
	if point != nil {
		name = "tokens for " + point.Name
	}
	partner, err := p.Partner(ctx)
	if err != nil {
		return err
	}
	first, err := partner.NewToken(ctx, point)
	if err != nil {
		return err
	}
	second, err := partner.NewToken(ctx, point)
	if err != nil {
		return err
	}
	if first.Text == second.Text {
		p.Note("%s: the same one is given again, so nothing can be said of the next", name)
		p.Case(name, logbook.NotApplicable, expected, "", "", "")
		return nil
	}
	if first.JWT != nil {
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
	texts := []secret.Text{first.Text, second.Text}
	for len(texts) < sampled {
		more, err := partner.NewToken(ctx, point)
		if err != nil {
			return err
		}
		texts = append(texts, more.Text)
	}
	bits := forge.Guessing(texts...)
	observed := fmt.Sprintf("opaque; %d of them are told apart by %.0f bits at most", len(texts), bits)
	if bits < fewBits {
		p.Case(name, logbook.Fail, expected, observed, "", "")
		return nil
	}
	if bits < wantsBits {
		p.Note("%s: %s; RFC 6749 §10.10 wants 128", name, observed)
	}
	p.Case(name, logbook.Pass, expected, observed, "", "")
	return nil
}
