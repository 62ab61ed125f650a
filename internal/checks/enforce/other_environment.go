package enforce

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// OtherEnvironment brings the partner's token of another environment to each point of this one: with the certificate that
// it is bound to there, and with the partner's own of here, which opens the connection where the other one does not. Points that trust both issuers, or whose key sets are shared, take it.
//
// A token that was just given there is good there. Of one that the plan brings along nobody knows: that it opens is a
// finding, that it is refused is none and no proof.
//
// RFC 9068 §4: the issuer must be exactly the one that the point trusts. That two environments have two issuers is our demand.
var OtherEnvironment = &check.Check{
	ID:       "enforce.other-environment",
	Title:    "the partner's token of another environment is refused",
	Broken:   "the partner's token of another environment is accepted",
	Why:      "what is easy to get in staging, with test data and loose rights, opens the data of this environment",
	Fix:      "trust at each point only the issuer of its own environment, with signing keys that no other environment has",
	Refs:     []frameworks.Ref{frameworks.NHI(8), frameworks.RFC(9068, "4"), frameworks.RFC(8725, "3.8"), frameworks.House(), frameworks.ASVS("9.1.3")},
	Rows:     []string{"L-EV-01"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Needs:    []check.Need{tokenElsewhere},
	Twin:     defect.Set{IssuerUnion: true},
	Follows:  []string{"enforce.foreign-issuer"},
	Run: func(ctx context.Context, p *check.Pass) error {
		alive, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		elsewhere, err := p.Cast.PartnerElsewhere(ctx)
		if err != nil {
			return err
		}
		where := p.Stack.Plan.OtherEnvironment.Name
		given, err := p.Cast.TokenElsewhere()
		if err != nil {
			return err
		}
		token := oauth.Token{Text: given, Certificate: elsewhere.Client().Certificate, Client: elsewhere.ID(), Obtained: time.Now()}
		if elsewhere.Server.Endpoints.Token != "" {
			wish := cast.TokenWish{Resource: alive.Token.Resource}
			issued, err := p.Issue(ctx, wire.Setup, elsewhere, wish)
			if err == nil && issued.Decision == wire.Denied && wish.Resource != "" { // there the resource has another name
				issued, err = p.Issue(ctx, wire.Setup, elsewhere, cast.TokenWish{})
			}
			if err != nil {
				return err
			}
			if issued.Decision != wire.Accepted {
				return check.CannotTell("%s gives the partner no token: %s", where, issued.Why)
			}
			token = issued.Token
		}
		gone := fromElsewhere(p, alive, elsewhere, token, where)
		if elsewhere.Server.Endpoints.Token == "" {
			for i := range gone {
				gone[i].Unseen = "that the token is good in " + where + " was not seen; name its server, which then gives a new one (other_environment.issuer and id)"
			}
		}
		return p.Dead(ctx, &alive, gone...)
	},
}

// fromElsewhere are the calls with a token of elsewhere. Without a certificate of its own, or with one of a CA that this
// environment does not know, the connection may be refused and the token never looked at.
func fromElsewhere(p *check.Pass, alive check.Call, elsewhere *cast.Member, token oauth.Token, where string) []check.Call {
	var gone []check.Call
	here := alive.Token.Certificate
	if p.Point.TLSClient == "none" || token.Certificate != nil || here == nil {
		call := p.CallAt(p.Point, p.Allowed(p.Point), elsewhere, token)
		call.Name = "the partner's token of " + where
		gone = append(gone, call)
	}
	if p.Point.TLSClient != "none" && here != nil {
		token.Certificate = here
		call := p.CallAt(p.Point, p.Allowed(p.Point), elsewhere, token)
		call.Name = "the partner's token of " + where + ", with its certificate of here"
		gone = append(gone, call)
	}
	return gone
}

var tokenElsewhere = check.Need{Name: "a token of another environment", Has: func(p *plan.Plan, _ *plan.Point) (check.Missing, string, string) {
	other := p.OtherEnvironment
	switch {
	case other == nil:
		return check.Gap, "needs what the partner holds in another environment: add other_environment", "other environment"
	case other.Issuer == "" && other.Token.Empty():
		return check.Gap, "needs a token of the other environment: add other_environment.issuer, or token", "token of the other environment"
	}
	return check.Present, "", ""
}}
