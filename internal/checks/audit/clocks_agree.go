package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// ClocksAgree compares the time that a record says with the moments between which the exchange took place. Seen: local
// time that is written, or read, as UTC.
//
// SP 800-53 AU-8 wants time stamps in UTC or with an offset; ASVS 5.0 V16.2.2 synchronized clocks. How far they may
// differ is the plan's (limits.clock_skew).
var ClocksAgree = &check.Check{
	ID:            "audit.clocks-agree",
	Title:         "a record's time is that of the call, within the clocks' skew",
	Broken:        "a record's time is not that of the call",
	Why:           "after an incident the logs of two systems tell their stories in the wrong order, and what happened cannot be put together",
	Fix:           "synchronize the clocks, and write time stamps in UTC with a Z or with their offset",
	Refs:          []frameworks.Ref{frameworks.SP80053("AU-8"), frameworks.ASVS("16.2.2"), frameworks.CSF("PR.PS-04"), frameworks.House()},
	Rows:          []string{"L-AU-07"},
	Severity:      logbook.Medium,
	At:            check.EverySource,
	Needs:         []check.Need{check.Audit},
	AnyCredential: true,
	Promise:       func(*plan.Point) string { return "limits.clock_skew" },
	Twin:          defect.Set{LogClockWrong: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		x, err := aLastExchange(ctx, p)
		if err != nil {
			return err
		}
		if x.Failure != wire.None {
			return check.CannotTell("the call got no answer: %s", x.Failure)
		}
		records, err := p.Logged(ctx, p.Name, x)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return check.BecauseOf("audit.steps-logged", "no record of the call was found")
		}
		skew := p.Limits.ClockSkew.D() + time.Second // records may name whole seconds
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		witnessed := p.Point != nil && partner.Server.Clock.Abs() <= skew // the authorization server's clock agrees with this machine's
		dated := 0
		for _, record := range records {
			if record.Time.IsZero() {
				p.Note("%s: the record has no time that could be read", record.Source)
				continue
			}
			dated++
			if record.Zoneless {
				p.Note("%s: the time has no zone and is taken for UTC", record.Source)
			}
			off := time.Duration(0)
			switch {
			case record.Time.Before(x.Sent):
				off = record.Time.Sub(x.Sent)
			case record.Time.After(x.Received):
				off = record.Time.Sub(x.Received)
			}
			outcome := logbook.Pass
			if off.Abs() > skew {
				outcome = logbook.Fail
			}
			// Where log and host agree, and nobody else agrees with this machine, its own clock may be the wrong one.
			if outcome == logbook.Fail && !witnessed && !x.Date.IsZero() && record.Time.Sub(x.Date).Abs() <= skew {
				p.Case("log "+record.Source, logbook.Inconclusive, "", "", "", fmt.Sprintf("log and host agree, and both are %v off from the clock of this machine, which may be the wrong one: synchronize it", off.Round(time.Second)))
				continue
			}
			p.Case("log "+record.Source, outcome, fmt.Sprintf("within %v of the call", skew), fmt.Sprintf("%v off", off.Round(time.Millisecond)), "", "")
		}
		if dated == 0 {
			return check.NotApplicable("no record says when it happened; audit.steps-logged tells what records lack")
		}
		return nil
	},
}
