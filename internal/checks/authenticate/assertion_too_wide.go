package authenticate

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// AssertionTooWide signs with the good key assertions that are good for more than one login needs: made or beginning in the
// future, ending in a year, without an identity, and for another server beside this one. And it says which forms of aud the
// server takes.
//
// RFC 7519 §4.1.5: before nbf a token MUST NOT be accepted, but for a small leeway, usually of no more than a few minutes. FAPI 2.0 §5.3.2.1-13 takes iat and nbf
// up to 10 seconds ahead and refuses over 60; §5.3.2.1-8 takes the issuer alone as aud. OpenID Connect Core §9 wants jti.
// RFC 7523 §3 lets a server refuse a far exp (4), and does not ask for jti (7). An aud of several servers is lawful there
// (3), and what CVE-2025-27370 and CVE-2025-27371 are about. What no RFC asks for we ask for.
var AssertionTooWide = &check.Check{
	ID:       "authenticate.assertion-too-wide",
	Title:    "a client assertion is good for one login, here and now",
	Broken:   "a client assertion is good for more than one login, here and now",
	Why:      "an assertion that is good for long, or elsewhere too, is worth as much as the key to whoever reads it: a log, or the other server",
	Fix:      "refuse iat and nbf beyond the skew of clocks, an exp further ahead than some minutes, a missing jti, and any aud but the issuer",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(7519, "4.1.5"), frameworks.RFC(7523, "3(4)"), frameworks.RFC(7523, "3(5)"), frameworks.FAPI2("5.3.2.1-13"), frameworks.FAPI2("5.3.2.1-8"), frameworks.OIDC("9"), frameworks.CVE("CVE-2025-27370"), frameworks.CVE("CVE-2025-27371"), frameworks.NHI(4), frameworks.ASVS("9.2.1"), frameworks.ASVS("9.2.4"), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-CA-23", "L-CA-25", "L-CA-33", "L-CA-34"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Method(string(oauth.PrivateKeyJWT))},
	Takes:    check.FailAuth,
	Besides:  []*logbook.Breach{formOfAudience, hurry},
	Twin:     defect.Set{AssertionTimesIgnored: true},
	Also:     []defect.Set{{AssertionAudienceMixed: true}, {AssertionExpiryIgnored: true}},
	Follows:  []string{"authenticate.assertion-expired-or-elsewhere"},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.PrivateKeyJWT)
		if err != nil {
			return err
		}
		login := p.Login(partner)
		usual, tokenEndpoint := partner.Server.AssertionAudience(), partner.Server.Endpoints.Token
		const foreign = "https://another-server.example"
		demands, future := p.Profile(), 10*time.Minute // RFC 7519 §4.1.5 has a leeway of a few minutes
		if demands.AheadAccepted > 0 {
			future = 2 * time.Minute
		}
		aud := func(name string, value any) wire.Change {
			return forge.AssertionWith("aud "+name, map[string]any{"aud": value})
		}
		refused := []wire.Change{
			forge.AssertionAhead("nbf", future), forge.AssertionAhead("iat", future),
			forge.AssertionWith("an assertion that ends in a year", map[string]any{"exp": wire.FromNow(365 * 24 * time.Hour)}),
			forge.AssertionWithout("jti"),
			aud("this server and another", []any{usual, foreign}),
		}
		forms := []wire.Change{aud("in an array", []any{usual})}
		if tokenEndpoint != usual && tokenEndpoint != "" {
			forms = append(forms, aud("both its issuer and its token endpoint", []any{usual, tokenEndpoint}))
		}
		err = p.Refuses(ctx, login, refused...)
		if err != nil {
			return err
		}
		if demands.AudienceIssuerOnly {
			titled := p.Besides(formOfAudience)
			err = p.Refuses(ctx, login, forms...)
			if err != nil {
				return err
			}
			titled()
			forms = nil
		}
		near := []wire.Change{forge.AssertionAhead("nbf", 8*time.Second), forge.AssertionAhead("iat", 8*time.Second)}
		if demands.AheadAccepted >= 8*time.Second { // RFC 7519 §4.1.5: else a leeway is the server's to give
			titled := p.Besides(hurry)
			err = p.TakesAll(ctx, login, near...)
			if err != nil {
				return err
			}
			titled()
			near = nil
		}
		for _, form := range append(forms, near...) {
			answer, _, err := p.Answered(ctx, login, form)
			if err != nil {
				return err
			}
			p.Note("%s: %s", form.Name, map[bool]string{true: "taken", false: "not taken (" + answer.Why + ")"}[answer.Decision == wire.Accepted])
		}
		return nil
	},
}

// formOfAudience is the issuer, written as a profile does not want it.
var formOfAudience = &logbook.Breach{
	Broken:   "a client assertion names its server in another form than the issuer as a string, and gets a token",
	Why:      "what means this server by one of several names may mean another server by the next: CVE-2025-27370 and CVE-2025-27371 began so",
	Fix:      "take the issuer's identifier as a string for aud, and nothing else (FAPI 2.0 §5.3.2.1-8)",
	Severity: logbook.Medium,
}

var hurry = &logbook.Breach{
	Broken:   "a client assertion that is made some seconds ahead is refused",
	Why:      "a partner whose clock is a little fast is shut out, now and then, and nobody finds out why",
	Fix:      "take iat and nbf up to 10 seconds ahead (FAPI 2.0 §5.3.2.1-13)",
	Severity: logbook.Medium,
}
