package issue

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// ApprovedScope holds what the partner really gets against the evidence of who approved it: each scope of its token must
// stand in an approval that has not ended. It also asks whether the agreement itself still stands: valid_until and the
// review.
//
// The approvals are the plan's word (agreement.approvals); the token is the stack's.
var ApprovedScope = &check.Check{
	ID:       "issue.approved-scope",
	Title:    "every scope that the partner gets was approved by somebody, and the approval has not ended",
	Broken:   "the partner gets a scope that nobody approved, or whose approval has ended",
	Why:      "access that nobody stands for is never taken away, and an auditor has nobody to ask",
	Fix:      "have the owner approve the scope anew, or take it away; end access when its approval ends",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.CSF("PR.AA-05"), frameworks.SP80053("AC-2"), frameworks.NHI(5)},
	Rows:     []string{"L-ID-03"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Needs:    []check.Need{approvals},
	Besides:  []*logbook.Breach{overdue},
	Twin:     defect.Set{EndedApprovalGranted: true},
	Also:     []defect.Set{{DefaultScopeAdded: true}}, // nobody approved what was never agreed
	Follows:  []string{"issue.nothing-beyond-agreement"},
	Run: func(ctx context.Context, p *check.Pass) error {
		_, token, err := p.HomeToken(ctx)
		if err != nil {
			return err
		}
		told, err := p.ScopesOf(ctx, token)
		if err != nil {
			return err
		}
		if len(told) == 0 {
			return check.CannotTell("nothing tells which scopes the token has")
		}
		now := time.Now()
		agreement := p.Stack.Plan.Agreement
		asked := map[string]bool{}
		for _, each := range told {
			for _, scope := range each.Scopes {
				if asked[scope] {
					continue
				}
				asked[scope] = true
				by, until := approvalOf(agreement.Approvals, scope, now)
				outcome := logbook.Pass
				if by == "" {
					outcome = logbook.Fail
				}
				p.Case("scope "+scope, outcome, scope+" was approved and still is", until, "", "")
			}
		}
		defer p.Besides(overdue)()
		if !agreement.ValidUntil.IsZero() {
			p.Holds("the agreement still stands", !agreement.ValidUntil.Past(now), fmt.Sprintf("it ends on %s", agreement.ValidUntil))
		}
		if review := agreement.Review; review != nil {
			due := review.Last.Add(review.Every.D())
			p.Holds("the review of the agreement is not overdue", now.Before(due), "it is due on "+due.Format(time.DateOnly))
		}
		if every := plan.Duration(p.Profile().ReviewEvery); every > 0 {
			observed := "no review is agreed (agreement.review)"
			if agreement.Review != nil {
				observed = fmt.Sprintf("it is reviewed every %s", agreement.Review.Every)
			}
			if !p.Holds(fmt.Sprintf("the agreement is reviewed at least every %s", every), agreement.Review != nil && agreement.Review.Every <= every, observed) {
				p.Relevant("the profile %s demands it", p.ProfileName())
			}
		}
		return nil
	},
}

var approvals = check.Need{Name: "approvals", Has: func(p *plan.Plan, _ *plan.Point) (check.Missing, string, string) {
	if len(p.Agreement.Approvals) > 0 {
		return check.Present, "", ""
	}
	return check.Gap, "needs the evidence of who approved what: add agreement.approvals", "approvals"
}}

// approvalOf gives who approves a scope now, and what is known of that.
func approvalOf(all []plan.Approval, scope string, now time.Time) (string, string) {
	var ended []string
	for _, approval := range all {
		if !slices.Contains(approval.Scopes, scope) {
			continue
		}
		if !approval.Until.Past(now) {
			return approval.By, fmt.Sprintf("approved by %s until %s", approval.By, approval.Until)
		}
		ended = append(ended, fmt.Sprintf("the approval by %s ended on %s", approval.By, approval.Until))
	}
	if len(ended) == 0 {
		return "", "nobody approved it"
	}
	return "", strings.Join(ended, ", ")
}

// overdue is about the paper alone: the scopes of it may all be approved.
var overdue = &logbook.Breach{
	Broken:   "the agreement has ended, or nobody reviews it in time",
	Why:      "access that nobody looks at again is never taken away",
	Fix:      "review the agreement with its owner, and write its end and its next review into the plan",
	Severity: logbook.Medium,
}
