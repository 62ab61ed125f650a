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
)

// AssertionExpiredOrElsewhere signs with the good key what must not count here and now: an assertion without end, one
// that ended five minutes ago, and one for another server.
//
// RFC 7523 §3: exp is a MUST, and what has expired is refused within the skew of clocks (4); aud MUST name this server,
// else the JWT MUST be refused (3).
var AssertionExpiredOrElsewhere = &check.Check{
	ID:       "authenticate.assertion-expired-or-elsewhere",
	Title:    "a client assertion counts only until its end and only at the server that it names",
	Broken:   "a client assertion counts after its end, or at a server that it does not name",
	Why:      "an assertion from a log, or one that the partner sent to another server, gets tokens here",
	Fix:      "demand exp and aud; refuse what has expired beyond the skew of clocks, and any aud but the own issuer or token endpoint",
	Refs:     []frameworks.Ref{frameworks.RFC(7523, "3(3)"), frameworks.RFC(8725, "3.9"), frameworks.FAPI2("5.3.2.1-8"), frameworks.NHI(4), frameworks.ASVS("9.2.1"), frameworks.ASVS("9.2.3"), frameworks.SP80053("IA-13(2)"), frameworks.RFC(7523, "3(4)")},
	Rows:     []string{"L-CA-21", "L-CA-22", "L-CA-24", "A-CC-17"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Method("private_key_jwt")},
	Takes:    check.FailAuth,
	Twin:     defect.Set{AssertionExpiryIgnored: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.PrivateKeyJWT)
		if err != nil {
			return err
		}
		return p.Refuses(ctx, p.Login(partner),
			forge.AssertionWithout("exp"), forge.AssertionExpired(), forge.AssertionAudience("https://another-server.example"))
	},
}
