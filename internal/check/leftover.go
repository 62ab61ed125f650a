package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// mostTried bounds how many tokens are tried at the end of a ride: the newest, which live longest.
const mostTried = 64

// TryTokens tries, after everything was removed, the tokens of the ride that have not expired, each at its own point
// (rule 19). It says how many still open something, and until when.
func (s *Stack) TryTokens(ctx context.Context) *logbook.Removal {
	tokens := s.Cast.Tokens()
	live := slices.DeleteFunc(slices.Clone(tokens), func(t oauth.Token) bool { return !t.Expires.IsZero() && time.Until(t.Expires) <= 0 })
	slices.Reverse(live)
	asked := live[:min(len(live), mostTried)]
	removal := &logbook.Removal{Kind: "token", Name: fmt.Sprintf("%d tokens", len(tokens)), Gone: true, Tried: true}
	if len(tokens) == 0 {
		return nil
	}
	open := make([]string, len(asked))
	hands := make(chan struct{}, 8)
	var all sync.WaitGroup
	for i, token := range asked {
		hands <- struct{}{}
		all.Add(1)
		go func() {
			defer all.Done()
			open[i] = s.opens(ctx, token)
			<-hands
		}()
	}
	all.Wait()
	still := slices.DeleteFunc(open, func(name string) bool { return name == "" })
	removal.Detail = fmt.Sprintf("%d expired, %d tried", len(tokens)-len(live), len(asked))
	if len(still) > 0 {
		slices.Sort(still)
		removal.Gone = false
		removal.Name = fmt.Sprintf("of which %d still open %s and die by expiry", len(still), strings.Join(slices.Compact(slices.Clone(still)), ", "))
	} else if len(asked) < len(live) {
		removal.Detail += fmt.Sprintf(", %d not tried", len(live)-len(asked))
	}
	return removal
}

// opens gives the name of the point that a token still opens.
func (s *Stack) opens(ctx context.Context, token oauth.Token) string {
	for i := range s.Plan.Points {
		point := &s.Plan.Points[i]
		if point.Credential != "bearer" || token.Resource != "" && point.Resource != "" && token.Resource != point.Resource {
			continue
		}
		p := NewPass(s, &Check{ID: "cleanup.tokens"}, point.Name, point)
		member := s.Cast.Bearer(token)
		if member == nil || s.Cast.TokenServer(point) != member.Server.Name {
			continue
		}
		request, err := p.request(point, p.Allowed(point), member, token)
		if err != nil {
			return ""
		}
		request.Check, request.Purpose, request.Over.Fresh = "", wire.Cleanup, true
		x, err := s.Do.Do(ctx, request)
		if err != nil {
			return ""
		}
		if p.decideAlone(p.Allowed(point), x).Decision == wire.Accepted {
			return point.Name
		}
	}
	return ""
}
