package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// mostTried bounds how many tokens are tried at the end of a ride: the newest, which live longest. The points get a
// moment to learn that the clients are gone.
const (
	mostTried = 64
	moment    = 750 * time.Millisecond
)

// TryTokens tries, after everything was removed, the tokens of the ride that have not expired, each at its own point
// (rule 19). It says how many still open something; nil: there were none.
func (s *Stack) TryTokens(ctx context.Context) *logbook.Removal {
	tokens := s.Cast.Tokens()
	if len(tokens) == 0 {
		return nil
	}
	live := slices.DeleteFunc(slices.Clone(tokens), func(t oauth.Token) bool { return !t.Expires.IsZero() && time.Until(t.Expires) <= 0 })
	slices.Reverse(live)
	asked := live[:min(len(live), mostTried)]
	open, places := asked, []string(nil)
	for begun := time.Now(); len(open) > 0; {
		open, places = s.stillOpen(ctx, open)
		if time.Since(begun) >= moment || len(open) > 0 && cast.Sleep(ctx, moment/4) != nil {
			break
		}
	}
	removal := &logbook.Removal{
		Kind: "tokens", Name: fmt.Sprintf("(%d)", len(tokens)), Gone: len(open) == 0, Tried: true,
		Detail: fmt.Sprintf("%d expired, %d tried, %d not tried", len(tokens)-len(live), len(asked), len(live)-len(asked)),
	}
	if len(open) > 0 {
		removal.Name = fmt.Sprintf("(%d of %d) that open %s until they expire", len(open), len(tokens), strings.Join(places, ", "))
	}
	return removal
}

// stillOpen gives the tokens that open a point, and these points.
func (s *Stack) stillOpen(ctx context.Context, tokens []oauth.Token) ([]oauth.Token, []string) {
	places := make([]string, len(tokens))
	hands := make(chan struct{}, 8)
	var all sync.WaitGroup
	for i, token := range tokens {
		hands <- struct{}{}
		all.Go(func() {
			places[i] = s.opens(ctx, token)
			<-hands
		})
	}
	all.Wait()
	var open []oauth.Token
	for i, place := range places {
		if place != "" {
			open = append(open, tokens[i])
		}
	}
	slices.Sort(places)
	return open, slices.DeleteFunc(slices.Compact(places), func(name string) bool { return name == "" })
}

// opens gives the name of the point that a token still opens.
func (s *Stack) opens(ctx context.Context, token oauth.Token) string {
	for i := range s.Plan.Points {
		point := &s.Plan.Points[i]
		if !point.TakesTokens() || token.Resource != "" && point.Resource != "" && token.Resource != point.Resource {
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
