package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/audit"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// NoSecrets looks in the logs for the very tokens, secrets, keys and assertions that the ride has sent and received,
// whole and in the forms that programs write them in: an exact search, so that what it finds is one. It comes after all
// others, so that it sees what refusals and errors left in the logs too.
//
// ASVS 5.0 V16.2.5: credentials are not logged; session tokens only hashed or masked. RFC 9700 §4.9.3: a resource server
// MUST treat access tokens like other secrets, and not store or transfer them in plain text.
var NoSecrets = &check.Check{
	ID:            "audit.no-secrets",
	Title:         "no log holds a token, a secret or a key",
	Broken:        "a log holds a token, a secret or a key",
	Why:           "whoever can read the log, or its backup, can act as the partner",
	Fix:           "log a hash or the jti of a token and no Authorization header, body or query; then treat what was logged as leaked",
	Refs:          []frameworks.Ref{frameworks.ASVS("16.2.5"), frameworks.SP80053("IA-5(6)"), frameworks.SP80053("IA-5(7)"), frameworks.RFC(9700, "4.9.3")},
	Rows:          []string{"L-AU-05", "A-LG-02"},
	Severity:      logbook.Critical,
	At:            check.EverySource,
	Needs:         []check.Need{check.Audit},
	AnyCredential: true,
	Alone:         true,
	Besides:       []*logbook.Breach{shownToNoAvail},
	Twin:          defect.Set{TokenInLog: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		x, err := aLastExchange(ctx, p)
		if err != nil {
			return err
		}
		_, err = p.Logged(ctx, p.Name, x) // what was written before it has arrived with it
		if err != nil {
			return err
		}
		for _, log := range p.Stack.Logs[p.Name] {
			err := log.Poll(ctx)
			if err != nil {
				return check.CannotTell("%v", err)
			}
			leaks, stats := log.Secrets(), log.Stats()
			const expected = "no line holds a secret of this ride"
			if stats.Lines == 0 {
				p.Case(log.Name(), logbook.Inconclusive, expected, "", "", "audit log "+log.Name()+" shows no line")
				continue
			}
			if log.Filtered() {
				p.Note("%s: only in lines with our marker, since the plan declares it filtered", log.Name())
			}
			if stats.Cut > 0 {
				p.Note("%s: %d lines were longer than is read; what stands behind was not looked at", log.Name(), stats.Cut)
			}
			if len(leaks) == 0 {
				p.Case(log.Name(), logbook.Pass, expected, fmt.Sprintf("none in %d lines", stats.Lines), "", "")
				continue
			}
			first, besides := leaks[0], func() {}
			if i := slices.IndexFunc(leaks, holdsReal); i >= 0 {
				first = leaks[i]
			} else {
				besides = p.Besides(shownToNoAvail)
			}
			p.Case(log.Name(), logbook.Fail, expected, fmt.Sprintf("%d of %d lines hold one, the first a %s at byte %d: %s",
				stats.Leaking, stats.Lines, strings.Join(first.Kinds, " and a "), first.Offset, start(first.Text)), "", "")
			besides()
		}
		return nil
	},
}

var shownToNoAvail = &logbook.Breach{
	Broken:   "a log holds what was shown as a credential and was none",
	Why:      "what callers mistype, or send to the wrong place, is often a real secret but for a letter, or one of another system",
	Fix:      "log no credential as it was shown, not even one that is refused",
	Severity: logbook.Medium,
}

// holdsReal says whether a line holds what somebody can act by, and not only what this ride made up to be refused.
func holdsReal(leak audit.Leak) bool {
	return slices.ContainsFunc(leak.Kinds, func(kind string) bool {
		return !slices.ContainsFunc([]string{"garbage", "wrong ", "forged ", "altered ", "chosen "}, func(made string) bool { return strings.HasPrefix(kind, made) })
	})
}

// aLastExchange makes the place write a record: a call, or a token grant.
func aLastExchange(ctx context.Context, p *check.Pass) (wire.Exchange, error) {
	partner, err := p.Partner(ctx)
	if err != nil {
		return wire.Exchange{}, err
	}
	call := p.Login(partner)
	if p.Point != nil {
		token, err := partner.Token(ctx, p.Point)
		if err != nil {
			return wire.Exchange{}, err
		}
		call = p.Call(partner, token)
	}
	x, _, err := p.Do(ctx, wire.Control, call)
	return x, err
}

// start is as much of a line as a report can show.
func start(line string) string {
	if len(line) <= 200 {
		return line
	}
	return strings.ToValidUTF8(line[:200], "") + "..."
}
