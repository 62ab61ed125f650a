package check

import (
	"context"
	"fmt"
	"strings"

	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// Exists proves that a denied route is there: somebody who may reaches it, or its refusal is unlike that of a random
// path. A typo in the plan would be green otherwise (rule 7). It says how it was proven.
func (p *Pass) Exists(ctx context.Context, operation plan.Operation, denied Call) (string, error) {
	if p.Stack.Rules.NoRouteProof {
		return "not asked", nil
	}
	return p.Stack.routes.Get(ctx, p.Point.Name+"|"+operation.Name, func(ctx context.Context) (string, error) {
		p.rooted = true // with the seats all taken by passes that wait for this, its own would never come back
		defer func() { p.rooted = false }()
		return p.exists(ctx, operation, denied)
	})
}

func (p *Pass) exists(ctx context.Context, operation plan.Operation, denied Call) (string, error) {
	if operation.RouteProof != "" {
		member, err := p.Cast.Member(ctx, operation.RouteProof)
		if err != nil {
			return "", err
		}
		token, err := member.Token(ctx, p.Point)
		if err != nil {
			return "", err
		}
		err = p.Opens(ctx, p.CallAt(p.Point, operation, member, token))
		if err != nil {
			return "", CannotTell("existence not proven: %s, who may, does not reach %s: %v", operation.RouteProof, operation.Name, err)
		}
		return "reached by " + operation.RouteProof, nil
	}
	there, answer, err := p.Do(ctx, wire.Baseline, denied)
	if err != nil {
		return "", err
	}
	random := denied.With(func(r *wire.Request) { r.Target = "/checkride-" + strings.ToLower(p.Stack.nonce()) })
	nowhere, _, err := p.Do(ctx, wire.Baseline, random)
	if err != nil {
		return "", err
	}
	if there.Status == nowhere.Status && look(there) == look(nowhere) {
		return "", CannotTell("existence not proven: %s answers as a random path does (%s); name somebody who may under operations.route_proof", operation.Name, answer.Why)
	}
	return fmt.Sprintf("answers %d, a random path %d", there.Status, nowhere.Status), nil
}

func (s *Stack) nonce() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn++
	return fmt.Sprintf("%x-%d", s.Since.UnixNano(), s.turn)
}
