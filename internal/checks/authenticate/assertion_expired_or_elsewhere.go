package authenticate

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// AssertionExpiredOrElsewhere signs with the good key what must not count here and now: an assertion that ended ten minutes
// ago, one for another server, and one without end.
//
// RFC 7523 §3: exp is a MUST, and what has expired is refused within the skew of clocks (4); aud MUST name this server,
// else the JWT MUST be refused (3).
var AssertionExpiredOrElsewhere = &check.Check{
	ID:       "authenticate.assertion-expired-or-elsewhere",
	Title:    "a client assertion counts only until its end and only at the server that it names",
	Broken:   "a client assertion counts after its end",
	Why:      "an assertion from an old log gets tokens here",
	Fix:      "refuse what has expired beyond the skew of clocks",
	Refs:     []frameworks.Ref{frameworks.RFC(7523, "3(3)"), frameworks.RFC(8725, "3.9"), frameworks.FAPI2("5.3.2.1-8"), frameworks.NHI(4), frameworks.ASVS("9.2.1"), frameworks.ASVS("9.2.3"), frameworks.SP80053("IA-13(2)"), frameworks.RFC(7523, "3(4)")},
	Rows:     []string{"L-CA-21", "L-CA-22", "L-CA-24", "A-CC-17"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Method("private_key_jwt")},
	Takes:    check.FailAuth,
	Besides:  []*logbook.Breach{elsewhere, endless},
	Twin:     defect.Set{AssertionExpiryIgnored: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.PrivateKeyJWT)
		if err != nil {
			return err
		}
		login := p.Login(partner)
		for _, each := range []struct {
			besides *logbook.Breach
			change  wire.Change
		}{
			{nil, forge.AssertionExpired()},
			{elsewhere, forge.AssertionAudience("https://another-server.example")},
			{endless, forge.AssertionWithout("exp")},
		} {
			titled := func() {}
			if each.besides != nil {
				titled = p.Besides(each.besides)
			}
			err = p.Refuses(ctx, login, each.change)
			if err != nil {
				return err
			}
			titled()
		}
		return nil
	},
}

var elsewhere = &logbook.Breach{
	Broken:   "a client assertion counts at a server that it does not name",
	Why:      "a server to which the partner sent an assertion, or whoever reads it there, gets tokens here",
	Fix:      "demand aud, and refuse any but the own issuer or token endpoint",
	Severity: logbook.Critical,
}

var endless = &logbook.Breach{
	Broken:   "a client assertion without an end counts",
	Why:      "what a partner's program once signed without exp gets tokens as long as its key lives, from whatever log it lies in",
	Fix:      "demand exp",
	Severity: logbook.High,
}
