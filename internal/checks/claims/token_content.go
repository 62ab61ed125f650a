package claims

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// mostBytes is what a header field may have at usual servers.
const mostBytes = 8 << 10

// TokenContent reads the partner's tokens, where they are JWTs, as everybody on their way can: for data of persons by the
// names of OpenID Connect Core §5.1, and for the very secrets of this ride. A token of a machine has no person in it.
//
// RFC 9068 §6: the content of a token is visible to whoever holds it, and what is sensitive is to be left out or
// encrypted. What is too long for a header field fails at the first proxy: that is our demand.
var TokenContent = &check.Check{
	ID:       "claims.token-content",
	Title:    "an access token holds no person's data and no secret, and fits into a header field",
	Broken:   "an access token of a machine has claims that describe a person",
	Why:      "tokens pass proxies, points, logs and the partner's own hands, and each of them can read who it is",
	Fix:      "leave out of access tokens what points do not compare: contacts, names, addresses",
	Refs:     []frameworks.Ref{frameworks.RFC(9068, "6"), frameworks.House(), frameworks.NHI(2)},
	Rows:     []string{"L-AT-06"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Besides:  []*logbook.Breach{secretInToken, tokenTooLong},
	Twin:     defect.Set{PersonInToken: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		_, token, err := p.HomeToken(ctx)
		if err != nil {
			return err
		}
		length := forge.Longest(token.Text)
		titled := p.Besides(tokenTooLong)
		p.Holds("at most 8 KiB", length <= mostBytes, fmt.Sprintf("%d bytes", length))
		titled()
		if token.JWT == nil {
			return nil
		}
		var persons []string
		for _, name := range []string{"given_name", "family_name", "middle_name", "email", "phone_number", "birthdate", "gender", "address", "picture"} {
			value, there := token.JWT.Claims[name]
			if there && value != "" && value != nil {
				persons = append(persons, name)
			}
		}
		observed := "none"
		if len(persons) > 0 {
			observed = strings.Join(persons, ", ")
		}
		p.Holds("no claim about a person", len(persons) == 0, observed)
		var told []string
		for name, value := range token.JWT.Claims {
			text, err := json.Marshal(value)
			if err == nil && p.Stack.Keeper.Mask(string(text)) != string(text) {
				told = append(told, name)
			}
		}
		slices.Sort(told)
		defer p.Besides(secretInToken)()
		p.Holds("no claim with a secret of this ride", len(told) == 0, "claims with one: "+strings.Join(told, ", "))
		return nil
	},
}

var secretInToken = &logbook.Breach{
	Broken:   "an access token holds a secret",
	Why:      "tokens pass proxies, points, logs and the partner's own hands, and whoever reads the secret inside can use it",
	Fix:      "leave secrets out of access tokens, and replace the one that stands there",
	Severity: logbook.Medium,
}

var tokenTooLong = &logbook.Breach{
	Broken:   "an access token is too long for a header field",
	Why:      "the first proxy or server with the usual bound on header fields answers 431 or 400, and the partner is shut out",
	Fix:      "leave out of access tokens what points do not compare, or give reference tokens",
	Severity: logbook.Medium,
}
