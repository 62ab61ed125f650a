package authenticate

import (
	"context"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// OtherEnvironment shows what the same partner holds in another environment to this server: as the client that it is
// there, and as the partner that it is here with the secret, key or certificate from there. Staging copies of production
// databases, and secrets that are set once for both, let it in.
//
// A refusal counts for what was seen to be good at its own server, where the plan names it: the secret, key or certificate
// by which the partner got a token there, and the certificate to which that token is bound. Of all else acceptance is a
// finding, and a refusal decides nothing: it may be old.
var OtherEnvironment = &check.Check{
	ID:       "authenticate.other-environment",
	Title:    "what the partner holds in another environment gets no token here",
	Broken:   "a credential of another environment gets a token here",
	Why:      "staging secrets are in wikis, test scripts and the hands of many: with one of them anybody is the partner here",
	Fix:      "make clients and credentials anew in each environment, and never copy the client database from one to the other",
	Refs:     []frameworks.Ref{frameworks.NHI(8), frameworks.NHI(9), frameworks.House(), frameworks.SP80053("IA-5(8)"), frameworks.CSF("PR.AA-01")},
	Rows:     []string{"L-EV-01"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{otherEnvironment},
	Takes:    check.FailAuth,
	Twin:     defect.Set{OtherEnvironmentKnown: true},
	Also:     []defect.Set{{AnyTrustedCertificate: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		elsewhere, err := p.Cast.PartnerElsewhere(ctx)
		if err != nil {
			return err
		}
		held := elsewhere.Client()
		where := p.Stack.Plan.OtherEnvironment.Name
		seen, err := seenThere(ctx, p, elsewhere)
		if err != nil {
			return err
		}
		unseen := func(what string) string {
			if slices.Contains(seen, what) {
				return ""
			}
			return "that the " + what + " is good in " + where + " was not seen (other_environment.issuer, id and auth)"
		}
		if len(seen) > 0 {
			p.Note("seen to be good in %s: %s", where, strings.Join(seen, ", "))
		}
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		alive := p.Login(partner)
		tried := 0
		if held.ID != "" && held.ID != partner.ID() && held.Complete() == nil {
			tried++
			gone := p.Login(elsewhere.Wearing(partner.Server, func(*oauth.Client) {}))
			gone.Name = "as the client of " + where
			if len(seen) == 0 {
				gone.Unseen = unseen("client")
			}
			err = p.Dead(ctx, &alive, gone)
			if err != nil {
				return err
			}
		}
		for _, each := range borrowed(held) {
			for _, method := range each.methods {
				here, err := p.By(ctx, cast.Partner, method)
				if check.IsAbsent(err) {
					continue
				}
				if err != nil {
					return err
				}
				tried++
				own, gone := p.Login(here), p.Login(here.Wearing(here.Server, each.put))
				gone.Name = "as the partner by " + string(method) + ", with the " + each.what + " of " + where
				gone.Unseen = unseen(each.what)
				err = p.Dead(ctx, &own, gone)
				if err != nil {
					return err
				}
				break
			}
		}
		if tried == 0 {
			return check.NotApplicable("nothing that the partner holds in %s is a way to authenticate here", where)
		}
		return nil
	},
}

// seenThere says which of its credentials were just good for the partner of elsewhere, at its own server.
func seenThere(ctx context.Context, p *check.Pass, elsewhere *cast.Member) ([]string, error) {
	held := elsewhere.Client()
	if elsewhere.Server.Endpoints.Token == "" || held.Complete() != nil {
		return nil, nil
	}
	issued, err := p.Issue(ctx, wire.Setup, elsewhere, cast.TokenWish{})
	if err != nil {
		return nil, err
	}
	if issued.Decision != wire.Accepted {
		return nil, check.CannotTell("%s gives the partner no token: %s", elsewhere.Server.Name, issued.Why)
	}
	var bound string
	if issued.Token.JWT != nil {
		confirmation, _ := issued.Token.JWT.Claims["cnf"].(map[string]any) // RFC 8705 §3.1
		bound, _ = confirmation["x5t#S256"].(string)
	}
	var seen []string
	for _, each := range borrowed(held) {
		itsOwn := each.what == "certificate" && bound == cast.Thumbprint(held.Certificate)
		if itsOwn || slices.Contains(each.methods, held.Auth) {
			seen = append(seen, each.what)
		}
	}
	return seen, nil
}

var otherEnvironment = check.Need{Name: "another environment", Has: func(p *plan.Plan, _ *plan.Point) (check.Missing, string, string) {
	if p.OtherEnvironment != nil {
		return check.Present, "", ""
	}
	return check.Gap, "needs what the partner holds in another environment: add other_environment", "other environment"
}}

// loan is a credential of there that the partner of here shows.
type loan struct {
	what    string
	methods []oauth.Method
	put     func(*oauth.Client)
}

func borrowed(held oauth.Client) []loan {
	var loans []loan
	if !held.Secret.Empty() {
		loans = append(loans, loan{"secret", []oauth.Method{oauth.ClientSecretBasic, oauth.ClientSecretPost}, func(c *oauth.Client) { c.Secret = held.Secret }})
	}
	if held.Key.Signer != nil {
		loans = append(loans, loan{"key", []oauth.Method{oauth.PrivateKeyJWT}, func(c *oauth.Client) { c.Key = held.Key }})
	}
	if held.Certificate != nil {
		loans = append(loans, loan{"certificate", []oauth.Method{oauth.TLSClientAuth, oauth.SelfSignedTLSClientAuth}, func(c *oauth.Client) { c.Certificate = held.Certificate }})
	}
	return loans
}
