package cast

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// settle waits until a new client is known wherever it may be asked for: token requests on fresh connections must
// succeed twice in a row within the plan's budget (rule 13).
func (c *Cast) settle(ctx context.Context, member *Member) error {
	if c.cfg.Rules.NoSettling {
		return nil
	}
	started := time.Now()
	row, tries := 0, 0
	for {
		tries++
		_, err := c.mint(ctx, member, TokenWish{Fresh: true, Keep: row == 0, Resource: member.resource(c.firstPoint(member.Server.Name))})
		if err == nil {
			row++
			if row == 2 {
				if tries > 2 {
					c.cfg.Note(logbook.Note{About: "settle", Point: member.Server.Name, Text: fmt.Sprintf("%s was known everywhere after %v and %d tries", member.Role, time.Since(started).Round(time.Millisecond), tries)})
				}
				return nil
			}
			continue
		}
		row = 0
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(started) > c.plan.Limits.Settle.D() {
			return fmt.Errorf("got no token within %v of registration: %w", c.plan.Limits.Settle.D(), err)
		}
		err = Sleep(ctx, 100*time.Millisecond)
		if err != nil {
			return err
		}
	}
}

// patiently sends what everything else rests on once more, and a third time, where the answer says that it was not looked
// at: one 503 at the start must not make a whole ride undecided. A pause that a 429 asks for is held by the wire.
func patiently(ctx context.Context, send func() (wire.Exchange, error)) (wire.Exchange, error) {
	for pause := 250 * time.Millisecond; ; pause *= 4 {
		exchange, err := send()
		busy := exchange.Failure == wire.None && (exchange.Status == http.StatusTooManyRequests || exchange.Status == http.StatusServiceUnavailable)
		if !busy || pause > time.Second {
			return exchange, err
		}
		err = Sleep(ctx, pause)
		if err != nil {
			return exchange, err
		}
	}
}

// Sleep waits, or gives up with the context.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
