package claims

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// SourceOfTruth holds what the partner's token says of it, in itself and by introspection, against the source of truth:
// the operator's register of partners, by the hook facts or a file of the plan. Seen: a claim that a mapper makes of
// client_name, which a client chooses itself; a claim that was copied once and never again.
//
// RFC 9068 §2.2.2 lets a token carry identity attributes and says nothing of their source; CSF PR.AA-04 does.
var SourceOfTruth = &check.Check{
	ID:       "claims.source-of-truth",
	Title:    "what a token says of the partner equals the source of truth",
	Broken:   "a token says something of the partner that the source of truth does not",
	Why:      "points and APIs decide by the claim: a partner that can choose or keep a wrong one acts as somebody else",
	Fix:      "take the claim from the register of partners at each issuance, never from what a client says of itself",
	Refs:     []frameworks.Ref{frameworks.CSF("PR.AA-04"), frameworks.House(), frameworks.ASVS("8.3.2"), frameworks.SP80053("AC-16"), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-EN-02"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{facts},
	Besides:  []*logbook.Breach{factUntold},
	Twin:     defect.Set{OrgFromName: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		truth, err := factsOf(ctx, p, partner)
		if err != nil {
			return err
		}
		if len(truth) == 0 {
			return check.CannotTell("the source of truth is empty: it names no claim")
		}
		token, err := partner.NewToken(ctx, p.HomePoint()) // a shared one may be older than the truth
		if err != nil {
			return err
		}
		told, err := p.ClaimsOf(ctx, token)
		if err != nil {
			return err
		}
		if len(told) == 0 {
			return check.CannotTell("the token is opaque, and the ride may not introspect: what it says cannot be read")
		}
		for _, claim := range slices.Sorted(maps.Keys(truth)) {
			expected := fmt.Sprintf("%s is %v", claim, truth[claim])
			places, differ := check.Says(told, claim, truth[claim])
			switch {
			case places == 0:
				titled := p.Besides(factUntold)
				p.Case("claim "+claim, logbook.Fail, expected, "nothing tells it", "", "")
				titled()
			case len(differ) > 0:
				p.Case("claim "+claim, logbook.Fail, expected, strings.Join(differ, ", "), "", "")
			default:
				p.Case("claim "+claim, logbook.Pass, expected, "it is", "", "")
			}
		}
		return nil
	},
}

var factUntold = &logbook.Breach{
	Broken:   "a token says nothing of what the source of truth knows of the partner",
	Why:      "points and APIs that decide by the claim find none, and go by a default or look elsewhere",
	Fix:      "put the claim into tokens, from the register of partners; or leave it out of what the hook facts or agreement.facts gives",
	Severity: logbook.Medium,
}

var facts = check.Need{Name: "facts", Has: func(p *plan.Plan, _ *plan.Point) (check.Missing, string, string) {
	if _, hook := p.Hooks[plan.Facts]; hook || !p.Agreement.Facts.Empty() {
		return check.Present, "", ""
	}
	return check.Gap, "needs the source of truth: add hook `facts`, or agreement.facts", "facts"
}}

// factsOf gives the source of truth about a member: by the hook, else by the plan's reference.
func factsOf(ctx context.Context, p *check.Pass, member *cast.Member) (map[string]any, error) {
	var truth map[string]any
	if p.Cast.HasHook(plan.Facts) {
		x, err := p.Hook(ctx, plan.Facts, member, nil)
		if err != nil {
			return nil, err
		}
		if x.Decode(&truth) != nil {
			return nil, check.CannotTell("the answer of hook `facts` is no JSON object")
		}
		return truth, nil
	}
	text, err := p.Stack.Resolver.Text(p.Stack.Plan.Agreement.Facts)
	if err != nil {
		return nil, err
	}
	if json.Unmarshal([]byte(text), &truth) != nil {
		return nil, check.CannotTell("agreement.facts is no JSON object")
	}
	return truth, nil
}
