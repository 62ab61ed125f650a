package rotate

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// KeySetIsFresh reads how long the server lets its key set be kept. A point that honours it trusts a key that was
// withdrawn for as long, whatever the plan promises. The Australian Consumer Data Right had to settle this between its
// register and its participants.
//
// RFC 9111 §5.2.2.1: an answer is stale after max-age seconds; until then it may be used without asking. How long that may
// be follows from the plan's promise for withdrawn keys.
var KeySetIsFresh = &check.Check{
	ID:       "rotate.key-set-is-fresh",
	Title:    "the key set may be kept no longer than a withdrawn key may be trusted",
	Broken:   "the key set may be kept longer than a withdrawn key may be trusted",
	Why:      "points and proxies that follow the header take tokens by a stolen key until their copy is stale, and no one can make them look sooner",
	Fix:      "set max-age of the key set to less than limits.key_withdrawal, at the server and at what caches in front of it",
	Refs:     []frameworks.Ref{frameworks.RFC(9111, "5.2.2.1"), frameworks.OIDC("10.1.1"), frameworks.House(), frameworks.NHI(7), frameworks.SP80053("SC-12"), frameworks.SP80053("IA-13(1)")},
	Rows:     []string{"L-JW-02"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Promise:  func(*plan.Point) string { return "limits.key_withdrawal" },
	Twin:     defect.Set{KeySetCachedForADay: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		server, err := p.Cast.Server(ctx, p.Name)
		if err != nil {
			return err
		}
		if server.Endpoints.JWKS == "" {
			return check.NotApplicable("%s publishes no keys", p.Name)
		}
		x, err := p.Send(ctx, wire.Setup, server.JWKSRequest())
		if err != nil {
			return err
		}
		_, err = oauth.ReadJWKS(x)
		if err != nil {
			return err
		}
		told := strings.Join(x.Header.Values("Cache-Control"), ", ")
		age, said := keptFor(told, x.Header.Get("Expires"), x.Date)
		if !said {
			return check.NotApplicable("%s does not say how long its key set may be kept", p.Name)
		}
		limit := p.Limits.KeyWithdrawal.D()
		p.Holds("it may be kept for "+limit.String()+" at most", age <= limit, fmt.Sprintf("%v (Cache-Control %q)", age, told))
		return nil
	},
}

// keptFor reads how long an answer may be used without asking: the longest of max-age and s-maxage, for whoever follows
// the one or the other; else Expires.
func keptFor(control, expires string, date time.Time) (time.Duration, bool) {
	longest, said := time.Duration(0), false
	for directive := range strings.SplitSeq(strings.ToLower(control), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch name {
		case "no-store", "no-cache":
			return 0, true
		case "max-age", "s-maxage":
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err == nil {
				longest, said = max(longest, time.Duration(seconds)*time.Second), true
			}
		}
	}
	if said || expires == "" {
		return longest, said
	}
	ends, err := time.Parse(time.RFC1123, expires)
	if err != nil || date.IsZero() { // RFC 9111 §5.3: what is no date, such as 0, is in the past
		return 0, true
	}
	return max(0, ends.Sub(date)), true
}
