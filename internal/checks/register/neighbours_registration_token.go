package register

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// NeighboursRegistrationToken plays the neighbour, who shows its own registration token at the partner's configuration
// URL, to delete it, to change it and to read it. Where registrations are over certificates it does so over the partner's,
// so that the token alone is wrong, and over its own. Both are clients of this check's own. The partner may be gone
// afterwards, and some servers end a registration token that is used at another client's URL (seen: oidc-provider): nobody
// can remove the neighbour by RFC 7592 then. So the worse misuse comes first, and another follows only where the token
// still lives.
//
// RFC 7592 §2.1 to §2.3: a token that is not this client's is refused by RFC 6750, or with 403; one that is used for a
// client that does not exist is to be ended (SHOULD), and some servers do so here as well.
var NeighboursRegistrationToken = &check.Check{
	ID:       "register.neighbours-registration-token",
	Title:    "a registration token opens the configuration of its own client alone",
	Broken:   "a registration token opens the configuration of another client",
	Why:      "any partner can read another's secret, change its keys or delete it",
	Fix:      "compare the registration access token with the one of the client that the URL names",
	Refs:     []frameworks.Ref{frameworks.RFC(7592, "2.1"), frameworks.RFC(7592, "2.3"), frameworks.API(1), frameworks.ASVS("8.4.1"), frameworks.SP80053("AC-3")},
	Rows:     []string{"L-RM-03", "A-RG-05"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.Neighbour},
	Takes:    check.Delete,
	Besides:  []*logbook.Breach{urlIgnored},
	Waits:    func(l plan.Limits) time.Duration { return l.Settle.D() },
	Twin:     defect.Set{AnyRegistrationToken: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		neighbour, err := p.Cast.Own(ctx, cast.Neighbour, cast.Wish{})
		if err != nil {
			return err
		}
		if partner.Client().RegistrationURI == "" || neighbour.Client().RegistrationToken.Empty() {
			return check.NotApplicable("%s gives its clients no configuration endpoint (RFC 7592)", p.Name)
		}
		certificates := []*tls.Certificate{partner.Client().RegistrationCertificate}
		if theirs := neighbour.Client().RegistrationCertificate; theirs != nil { // who shows it is known as the neighbour by that, too
			certificates = append(certificates, theirs)
		}
		for _, method := range []string{"DELETE", "PUT", "GET"} {
			for _, certificate := range certificates {
				lives, err := misused(ctx, p, partner, neighbour, method, certificate)
				if err != nil || !lives {
					return err
				}
			}
		}
		return nil
	},
}

// urlIgnored is a server that takes the client from the token alone: whoever misuses a token harms itself.
var urlIgnored = &logbook.Breach{
	Broken:   "a registration token is taken at the configuration URL of another client",
	Why:      "the request was about another client, and something was done all the same: whoever mixes up two clients changes or deletes the wrong one, and the log names the other",
	Fix:      "compare the client that the URL names with the one of the registration access token, and refuse with 401 or 403",
	Severity: logbook.Low,
}

// reached says whether an accepted request with the neighbour's token reached the partner's registration. Some servers take
// the client from the token alone, and answer about the neighbour.
func reached(ctx context.Context, p *check.Pass, partner *cast.Member, x wire.Exchange) (bool, error) {
	if x.Request.Method != "DELETE" {
		if id, told := x.JSON("/client_id"); told {
			return id == partner.ID(), nil
		}
		now, _, err := p.Read(ctx, partner)
		if err != nil {
			return false, err
		}
		name, _ := now["client_name"].(string)
		return name == partner.Name()+changedBy, nil
	}
	_, answer, err := p.Becomes(ctx, p.AtConfiguration(partner), wire.Denied, p.Limits.Settle.D())
	if err == nil && answer.Decision == wire.Unknown {
		err = check.CannotTell("DELETE with the neighbour's registration token is answered %d, and whether the partner is gone could not be decided: %s", x.Status, answer.Why)
	}
	return answer.Decision != wire.Accepted, err
}

// changedBy stands behind the name of a client that the neighbour changed.
const changedBy = " (changed)"

// misused asks for the partner's registration with the neighbour's token, between two readings of it by the partner and
// after one of the neighbour's own. It tells whether the partner is still there and the neighbour's token good.
func misused(ctx context.Context, p *check.Pass, partner, neighbour *cast.Member, method string, certificate *tls.Certificate) (bool, error) {
	own, theirs := p.AtConfiguration(partner), p.AtConfiguration(neighbour)
	for _, control := range []check.Call{own, theirs} {
		err := p.Opens(ctx, control)
		if err != nil {
			return false, err
		}
	}
	request := partner.Client().ReadRequest(*partner.Server)
	request.Method = method
	if method == "PUT" {
		var err error
		changed := partner.Client().Metadata()
		changed["client_name"] = partner.Name() + changedBy
		request, err = p.Cast.UpdateRequest(partner, changed)
		if err != nil {
			return false, err
		}
	}
	request, err := forge.WithToken(neighbour.Client().RegistrationToken, "").Apply(request)
	if err != nil {
		return false, err
	}
	request.Who = neighbour.Role
	request.Over.Certificate = certificate
	x, err := p.Send(ctx, wire.Altered, request)
	if err != nil {
		return false, err
	}
	name, expected, differs := method+" with the neighbour's registration token", "refused, and the client is unchanged", method+", and whose token"
	if certificate != nil && certificate == neighbour.Client().RegistrationCertificate {
		name, differs = name+" and certificate", differs+" and certificate"
	}
	switch decision, why := oauth.ConfigurationDecision(x); decision {
	case wire.Unknown:
		p.Case(name, logbook.Inconclusive, expected, why, differs, why)
		return false, nil
	case wire.Accepted:
		hit, err := reached(ctx, p, partner, x)
		if err != nil {
			return false, err
		}
		if !hit {
			defer p.Besides(urlIgnored)()
			why += ", and it is not the partner's registration that was meant"
		}
		p.Case(name, logbook.Fail, expected, why, differs, "")
		return method == "GET" || method == "PUT" && hit, nil
	default:
		now, _, err := p.Read(ctx, partner)
		if err != nil {
			return false, err
		}
		if told, _ := now["client_name"].(string); told == partner.Name()+changedBy {
			p.Case(name, logbook.Fail, expected, why+", and the client is changed all the same", differs, "")
			return false, nil
		}
		p.Case(name, logbook.Pass, expected, why, differs, "")
	}
	_, answer, err := p.Do(ctx, wire.Control, theirs)
	if err != nil {
		return false, err
	}
	if answer.Decision == wire.Denied {
		p.Note("%s ends a registration token that is used at another client's URL (%s), so %s cannot be removed by RFC 7592 any more, and no second misuse was tried", p.Name, answer.Why, neighbour.Name())
	}
	return answer.Decision == wire.Accepted, nil
}
