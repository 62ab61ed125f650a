package claims

import (
	"context"
	"fmt"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// TokenProfile reads the partner's access token, where it is a JWT.
//
// RFC 9068 §2.1: typ at+jwt, and an algorithm that is not none; §2.2: iss, exp, aud, sub, client_id, iat and jti are
// REQUIRED. It binds a server only if that claims the profile, and nothing in its metadata could say so; so for all
// others this is our demand, and its severity is medium: that a point takes another kind of JWT for a token, or one
// without signature, is judged at the point, and blocks there. Asymmetric algorithms are RECOMMENDED: noted.
//
// Whether tokens are JWTs at all is agreed in the plan or left open (points.token_format). A change of it is told: it says
// which of the points' checks mean something.
var TokenProfile = &check.Check{
	ID:       "claims.token-profile",
	Title:    "a JWT access token says that it is one, and holds what points must compare",
	Broken:   "a JWT access token lacks claims that points must compare",
	Why:      "points miss a claim and skip its comparison; medium, since RFC 9068 binds only servers that claim it",
	Fix:      "issue access tokens by RFC 9068 §2.2: iss, exp, aud, sub, client_id, iat and jti in each",
	Refs:     []frameworks.Ref{frameworks.RFC(9068, "2.1"), frameworks.RFC(9068, "2.2"), frameworks.RFC(8725, "3.11"), frameworks.House(), frameworks.ASVS("9.2.2"), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-AT-01", "L-AT-02"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Besides:  []*logbook.Breach{tokenUnsigned, typeUntold, otherFormat},
	Twin:     defect.Set{TokenTypeMissing: true},
	Also:     []defect.Set{{GuessableToken: true}, {CredentialsAreUUIDs: true}}, // their tokens are opaque, and the plan says that they are JWTs
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, token, err := p.HomeToken(ctx)
		if err != nil {
			return err
		}
		err = asAgreed(ctx, p, partner)
		if err != nil {
			return err
		}
		if token.JWT == nil {
			return check.NotApplicable("the access tokens of %s are opaque", p.Name)
		}
		typ, _ := token.JWT.Header["typ"].(string)
		bare := strings.TrimPrefix(strings.ToLower(typ), "application/") // RFC 7515 §4.1.9
		titled := p.Besides(typeUntold)
		p.Holds("typ is at+jwt", bare == "at+jwt", fmt.Sprintf("typ is %q", typ))
		titled()
		alg, _ := token.JWT.Header["alg"].(string)
		titled = p.Besides(tokenUnsigned)
		p.Holds("the token is signed", !strings.EqualFold(alg, "none") && alg != "" && token.JWT.Signature > 0, fmt.Sprintf("alg is %q", alg))
		titled()
		if strings.HasPrefix(alg, "HS") {
			p.Note("alg is %s: whoever verifies can also mint; RFC 9068 §2.1 recommends an asymmetric algorithm", alg)
		}
		if kid, _ := token.JWT.Header["kid"].(string); kid == "" {
			p.Note("the token has no kid, so a change of keys is hard to follow")
		}
		var missing []string
		for _, claim := range []string{"iss", "exp", "aud", "sub", "client_id", "iat", "jti"} {
			if _, there := token.JWT.Claims[claim]; !there {
				missing = append(missing, claim)
			}
		}
		observed := "all are there"
		if len(missing) > 0 {
			observed = "missing: " + strings.Join(missing, ", ")
		}
		p.Holds("iss, exp, aud, sub, client_id, iat and jti are in the token", len(missing) == 0, observed)
		return nil
	},
}

var tokenUnsigned = &logbook.Breach{
	Broken:   "a JWT access token has no signature",
	Why:      "anybody can make such a token; whether points take one is judged there, and blocks there",
	Fix:      "sign access tokens with an asymmetric algorithm; RFC 9068 §2.1 forbids none",
	Severity: logbook.Medium,
}

var typeUntold = &logbook.Breach{
	Broken:   "a JWT access token does not say that it is one",
	Why:      "points cannot tell an access token from another JWT of the same server; medium, since RFC 9068 binds only servers that claim it",
	Fix:      "issue access tokens with typ at+jwt, as RFC 9068 §2.1 has it",
	Severity: logbook.Medium,
}

// otherFormat is no fault of the server: plan and stack disagree, and one of them is out of date.
var otherFormat = &logbook.Breach{
	Broken:   "access tokens have another format than the plan says",
	Why:      "nobody has told those who verify tokens, or those who wrote the plan: what was agreed for JWTs (signature, claims, keys) means nothing for opaque ones, and a JWT tells its reader what an opaque one hides",
	Fix:      "find out when the format changed and who must know, then correct points.token_format in the plan, or the server",
	Severity: logbook.Medium,
}

// asAgreed compares the tokens for each point with what the plan says that they look like there.
func asAgreed(ctx context.Context, p *check.Pass, partner *cast.Member) error {
	defer p.Besides(otherFormat)()
	for i := range p.Stack.Plan.Points {
		point := &p.Stack.Plan.Points[i]
		if point.Format == "" || p.Cast.TokenServer(point) != p.Name || !point.TakesTokens() {
			continue
		}
		token, err := partner.Token(ctx, point)
		if err != nil {
			return err
		}
		seen := plan.FormatOpaque
		if token.JWT != nil {
			seen = plan.FormatJWT
		}
		if seen != point.Format {
			p.Case("the token for "+point.Name, logbook.Fail, "its format is "+point.Format+", as the plan says", "it is "+seen, "", "")
			p.Where(point.Name)
		}
	}
	return nil
}
