package plan

import (
	"slices"
	"time"
)

// lintEvidence gives advice on what the agreement rests on: who approved it, what is true of the partner, and what it
// holds elsewhere.
func lintEvidence(p *Plan, now time.Time, say sayer) {
	a := p.Agreement
	if len(a.Approvals) == 0 {
		say("agreement", "no approvals: nobody can say who approved what the partner gets")
	}
	for _, scope := range a.Scopes {
		approved := slices.ContainsFunc(a.Approvals, func(one Approval) bool { return slices.Contains(one.Scopes, scope) && !one.Until.Past(now) })
		if len(a.Approvals) > 0 && !approved {
			say("agreement.approvals", "the scope %q was agreed, and nobody approves it now", scope)
		}
	}
	_, facts := p.Hooks[Facts]
	if !facts && a.Facts.Empty() {
		say("agreement", "no source of truth (hook facts, or agreement.facts): whether tokens say what is true of the partner is not tested")
	}
	_, scheduled := p.Hooks[ScheduleWindow]
	if a.Window && !scheduled {
		say("agreement.window", "there is no hook %s: whether a window opens and closes by itself is not tested", ScheduleWindow)
	}
	_, minted := p.Hooks[MintInitialAccessToken]
	if p.Registration.AccessTokens != (AccessTokenPolicy{}) && !minted {
		say("registration.initial_access_token_policy", "there is no hook %s: whether these promises are kept is not tested", MintInitialAccessToken)
	}
	switch other := p.OtherEnvironment; {
	case other == nil:
		say("agreement", "no other_environment: whether what the partner holds there opens anything here is not tested")
	case other.Issuer == "":
		say("other_environment", "no issuer: whether the credentials are good there is not seen, so their refusal here decides nothing")
	}
}
