package check

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/wire"
)

// Becomes asks a call every quarter of a second until it is decided as wanted at every node (Denied holds odd refusals
// too), or until time is up. It gives how long that took and the last answer, and asserts nothing.
func (p *Pass) Becomes(ctx context.Context, call Call, wanted wire.Decision, within time.Duration) (time.Duration, Answer, error) {
	started := time.Now()
	for {
		answer, err := p.everywhere(ctx, call, wanted)
		if err != nil {
			return 0, answer, err
		}
		took := time.Since(started)
		if decidedAs(answer, wanted) || took >= within {
			return took, answer, nil
		}
		err = p.waitUnseated(ctx, min(250*time.Millisecond, within-took)) // it is like a watch: it must be on time
		if err != nil {
			return took, answer, err
		}
	}
}

// everywhere gives the first answer of a node that is not as wanted, else the last.
func (p *Pass) everywhere(ctx context.Context, call Call, wanted wire.Decision) (Answer, error) {
	var answer Answer
	for _, node := range p.nodes(call.Point) {
		at := call.pinned(node)
		var err error
		_, answer, err = p.Do(ctx, wire.Probe, at)
		if err != nil || !decidedAs(answer, wanted) {
			return answer, err
		}
	}
	return answer, nil
}

func decidedAs(answer Answer, wanted wire.Decision) bool {
	return answer.Decision == wanted || wanted == wire.Denied && answer.Decision == wire.Odd
}
