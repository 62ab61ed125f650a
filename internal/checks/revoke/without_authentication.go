package revoke

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// WithoutAuthentication plays a stranger who has seen a token and wants to cut the partner off: revocation without
// client authentication and with a wrong one. What counts is that the token lives on.
//
// RFC 7009 §2.1: the server first validates the client's credentials and refuses the request otherwise; §2.2.1 names
// the errors.
var WithoutAuthentication = &check.Check{
	ID:       "revoke.without-authentication",
	Title:    "a revocation without the client's authentication is refused, and the token lives",
	Broken:   "a token is revoked for whoever asks, without the client's authentication",
	Why:      "whoever has seen a token in a log can cut the partner off",
	Fix:      "authenticate the client at the revocation endpoint as at the token endpoint",
	Refs:     []frameworks.Ref{frameworks.RFC(7009, "2.1"), frameworks.RFC(7009, "2.2.1"), frameworks.ASVS("10.4.10"), frameworks.NHI(4), frameworks.API(2)},
	Rows:     []string{"L-RV-03", "L-CA-61"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Takes:    check.RevokeTokens,
	Twin:     defect.Set{RevocationOpen: true},
	Also:     []defect.Set{{AnyTrustedCertificate: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		if partner.Server.Endpoints.Revocation == "" {
			return check.NotApplicable("the server has no revocation endpoint")
		}
		usual := p.AtRevocation(partner, p.Stack.Keeper.Keep("garbage token", rand.Text()+rand.Text()))
		changes, err := wrongAuthentications(ctx, p, usual)
		if err != nil {
			return err
		}
		var attempts []check.Attempt
		for _, change := range append([]wire.Change{withoutAuthentication()}, changes...) {
			attempts = append(attempts, attempt(p, partner, change))
		}
		return p.NobodyElseEnds(ctx, partner, attempts...)
	},
}

// attempt sends the owner's revocation, altered.
func attempt(p *check.Pass, partner *cast.Member, change wire.Change) check.Attempt {
	return check.Attempt{Name: change.Name, Send: func(ctx context.Context, token oauth.Token) (check.Answer, string, error) {
		good := p.AtRevocation(partner, token.Text)
		request, err := good.Make()
		if err != nil {
			return check.Answer{}, "", err
		}
		altered, err := change.Apply(request.Clone())
		if err != nil {
			return check.Answer{}, "", check.Broken("the change %q could not be made: %v", change.Name, err)
		}
		var differs []string
		for _, difference := range wire.Diff(p.Stack.Keeper, request, altered) {
			differs = append(differs, difference.String())
		}
		_, answer, err := p.Do(ctx, wire.Altered, good.With(func(r *wire.Request) { *r = altered }))
		return answer, strings.Join(differs, "; "), err
	}}
}

func withoutAuthentication() wire.Change {
	return wire.Change{Name: "no client authentication", Apply: func(r wire.Request) (wire.Request, error) {
		var rest []wire.Credential
		for _, credential := range r.Credentials {
			if credential.Name == "token" {
				rest = append(rest, credential)
			}
		}
		r.Credentials, r.Over.Certificate = rest, nil
		return r.WithoutForm("client_assertion_type"), nil
	}}
}

// wrongAuthentications gives one wrong credential of the partner's own method. Where the method is a certificate, the
// wrong one is the neighbour's: right for its owner.
func wrongAuthentications(ctx context.Context, p *check.Pass, good check.Call) ([]wire.Change, error) {
	request, err := good.Make()
	if err != nil {
		return nil, err
	}
	for _, credential := range request.Credentials {
		switch {
		case credential.Name == "token":
		case credential.JWT != nil:
			return []wire.Change{forge.AssertionTampered()}, nil
		default:
			wrong := forge.WrongSecrets(p.Stack.Keeper)
			return wrong[len(wrong)-1:], nil // altogether another
		}
	}
	if request.Over.Certificate == nil || !p.Cast.Has(cast.Neighbour) {
		return nil, nil
	}
	neighbour, err := p.Neighbour(ctx)
	if err != nil {
		return nil, err
	}
	certificate := neighbour.Client().Certificate
	if certificate == nil {
		return nil, nil
	}
	return []wire.Change{forge.WithCertificate(certificate, "the neighbour's certificate")}, nil
}
