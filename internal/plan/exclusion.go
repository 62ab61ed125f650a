package plan

import (
	"strings"
	"time"
)

// Matches says whether the exclusion is about a check at a point. An exclusion without a point is about all points.
func (e Exclusion) Matches(check, point string) bool {
	if e.Point != "" && e.Point != point {
		return false
	}
	if e.Check == "*" || e.Check == check {
		return true
	}
	stage, all := strings.CutSuffix(e.Check, ".*")
	return all && strings.HasPrefix(check, stage+".")
}

// Excluded gives the declared gap that takes a check at a point out of scope, if one does now.
func (p *Plan) Excluded(check, point string, now time.Time) (Exclusion, bool) {
	for _, e := range p.OutOfScope {
		if e.Matches(check, point) && !e.Expires.Past(now) {
			return e, true
		}
	}
	return Exclusion{}, false
}
