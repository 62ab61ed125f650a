package enforce

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// BearerForm looks at how a point reads a token and how it says no: to nobody, to nonsense, to a bound token without its
// certificate and to a token that lacks a scope. Clients act by these words: they get a new token at invalid_token, ask for
// more at insufficient_scope, and learn by the challenge where they are. That all of these are refused is judged elsewhere.
//
// RFC 6750 §3: a refusal MUST have a WWW-Authenticate; §3.1: without a credential no error code, else invalid_token with
// 401 and insufficient_scope with 403 (SHOULD). RFC 8705 §3: 401 and invalid_token where the certificate is not that of
// the token (MUST). RFC 9110 §11.1: the name of a scheme is written in any case.
var BearerForm = &check.Check{
	ID:       "enforce.bearer-form",
	Title:    "a point reads tokens and says no in the form that the standards give it",
	Broken:   "a point reads tokens or says no in another form than the standards give it",
	Why:      "clients cannot tell a token that is over from one that may not, and retry, give up or wake somebody in the wrong case",
	Fix:      "answer 401 with WWW-Authenticate: Bearer, and with error=\"invalid_token\" or 403 and error=\"insufficient_scope\" where a token was shown",
	Refs:     []frameworks.Ref{frameworks.RFC(6750, "3"), frameworks.RFC(6750, "3.1"), frameworks.RFC(8705, "3"), frameworks.RFC(9110, "11.1"), frameworks.API(8)},
	Rows:     []string{"L-GW-01", "L-GW-02", "L-GW-07", "L-GW-09", "L-SC-03"},
	Severity: logbook.Low,
	At:       check.EveryPoint,
	Twin:     defect.Set{ChallengeMissing: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		err = p.TakesAll(ctx, call, scheme("scheme in small letters", strings.ToLower))
		if err != nil {
			return err
		}
		for _, one := range refusalsOf(p, call) {
			err = one.judge(ctx, p)
			if err != nil {
				return err
			}
		}
		return p.Opens(ctx, call)
	},
}

// refusalForm is a call that must be refused, and how.
type refusalForm struct {
	name   string
	call   check.Call
	status int
	code   string // empty: none
}

func refusalsOf(p *check.Pass, call check.Call) []refusalForm {
	forms := []refusalForm{
		{"no token", call.Changed(forge.WithoutToken()), 401, ""},
		{"a garbage token", call.Changed(forge.New(p.Stack.Keeper, nil).GarbageToken()), 401, "invalid_token"},
	}
	if call.Token.Certificate != nil && p.Point.TLSClient != "none" && bound(call) {
		forms = append(forms, refusalForm{"a bound token without its certificate", call.Changed(forge.WithoutCertificate()), 401, "invalid_token"})
	}
	for _, operation := range p.Point.Operations {
		if operation.Deny && len(operation.Scopes) > 0 && !slices.ContainsFunc(call.Member.Plan.Scopes, func(scope string) bool { return slices.Contains(operation.Scopes, scope) }) {
			denied := p.CallAt(p.Point, operation, call.Member, call.Token)
			return append(forms, refusalForm{"a token without the scope of " + operation.Name, denied, 403, "insufficient_scope"})
		}
	}
	return forms
}

// bound says whether the token itself tells that it is bound to a certificate (RFC 8705 §3.1).
func bound(call check.Call) bool {
	if call.Token.JWT == nil {
		return call.Member.Plan.SenderConstraint == "mtls"
	}
	confirmation, _ := call.Token.JWT.Claims["cnf"].(map[string]any)
	return confirmation["x5t#S256"] != nil
}

func (f refusalForm) judge(ctx context.Context, p *check.Pass) error {
	expected := fmt.Sprintf("%d with WWW-Authenticate and no error", f.status)
	if f.code != "" {
		expected = fmt.Sprintf("%d with WWW-Authenticate and the error %s", f.status, f.code)
	}
	x, answer, err := p.Do(ctx, wire.Altered, f.call)
	switch {
	case err != nil:
		return err
	case x.Failure != wire.None || answer.Decision == wire.Accepted || answer.Decision == wire.Unknown || answer.Foreign:
		p.Case(f.name, logbook.NotApplicable, expected, answer.Why, "", "it was not the point that refused in HTTP")
		return nil
	}
	var flaws []string
	if x.Status != f.status {
		flaws = append(flaws, fmt.Sprintf("is %d", x.Status))
	}
	challenged := oauth.Challenged(x, "Bearer") || oauth.Challenged(x, "DPoP")
	told := oauth.ChallengeError(x)
	switch {
	case !challenged:
		flaws = append(flaws, "has no WWW-Authenticate of a scheme for tokens")
	case told != f.code && told == "":
		flaws = append(flaws, "names no error")
	case told != f.code:
		flaws = append(flaws, "names the error "+told)
	}
	outcome, observed := logbook.Pass, expected
	if len(flaws) > 0 {
		outcome, observed = logbook.Fail, "a refusal that "+strings.Join(flaws, ", ")
	}
	p.Case(f.name, outcome, expected, observed, "", "")
	return nil
}
