package register

import (
	"context"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
)

// SecretLifetime reads in the answer of a registration when the client's secret ends.
//
// RFC 7591 §3.2.1: client_secret_expires_at is REQUIRED where a secret is told, and 0 says that it never ends. Whether it
// may is the plan's word (limits.secret_lifetime).
var SecretLifetime = &check.Check{
	ID:       "register.secret-lifetime",
	Title:    "a registration tells when the client's secret ends, and that is as agreed",
	Broken:   "a registration does not tell when the client's secret ends",
	Why:      "a partner that is not told of the end has an outage on that day, and plans no rotation before it",
	Fix:      "answer client_secret_expires_at with every secret: the time in seconds, or 0 if it never ends",
	Refs:     []frameworks.Ref{frameworks.RFC(7591, "3.2.1"), frameworks.House(), frameworks.NHI(7), frameworks.ASVS("13.3.4"), frameworks.SP80053("IA-5")},
	Rows:     []string{"L-RG-06"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.SecretLogin},
	Promise:  func(*plan.Point) string { return "limits.secret_lifetime" },
	Besides:  []*logbook.Breach{lastsTooLong},
	Twin:     defect.Set{SecretExpiryUntold: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		const expected = "client_secret_expires_at, within limits.secret_lifetime"
		member, err := p.By(ctx, cast.Partner, oauth.ClientSecretBasic, oauth.ClientSecretPost)
		if err != nil {
			return err
		}
		told := member.Client().Registered
		if text, _ := told["client_secret"].(secret.Text); text.Empty() {
			return check.CannotTell("the last answer about a client of %s tells no secret", member.Client().Auth)
		}
		value, there := told["client_secret_expires_at"]
		if !there {
			p.Holds(expected, false, "a secret without client_secret_expires_at")
			return nil
		}
		limit := p.Limits.SecretLifetime.D()
		end, isDate := oauth.Date(value)
		switch life := time.Until(end); {
		case !isDate:
			p.Holds(expected, false, "client_secret_expires_at is no number of seconds")
		case limit == 0 && end.Unix() == 0:
			p.Holds(expected, true, "0: it never ends, and the plan does not limit that")
		case end.Unix() == 0:
			defer p.Besides(lastsTooLong)()
			p.Holds(expected, false, fmt.Sprintf("0: it never ends, and limits.secret_lifetime is %v", p.Limits.SecretLifetime))
		case limit > 0 && life > limit+p.Limits.ClockSkew.D():
			defer p.Besides(lastsTooLong)()
			p.Holds(expected, false, fmt.Sprintf("it ends in %v, and limits.secret_lifetime is %v", life.Round(time.Second), p.Limits.SecretLifetime))
		case life < -time.Hour: // no ride is so long
			p.Holds(expected, false, "it ended "+(-life).Round(time.Second).String()+" ago, before the client was there")
		default:
			p.Holds(expected, true, "it ends in "+life.Round(time.Second).String())
		}
		return nil
	},
}

var lastsTooLong = &logbook.Breach{
	Broken:   "a client's secret lasts longer than agreed",
	Why:      "a secret without an end, or with a late one, is rotated by nobody",
	Fix:      "give secrets the life that was agreed (limits.secret_lifetime)",
	Severity: logbook.Medium,
}
