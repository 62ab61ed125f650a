package check

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// Another gives a good call at the pass's point by somebody who shows another certificate than the partner: the
// neighbour, or a second partner of the ride's own. Needed to play a thief with a good certificate in hand.
func (p *Pass) Another(ctx context.Context, partner Call) (Call, error) {
	member, err := p.another(ctx)
	if err != nil {
		return Call{}, err
	}
	token, err := member.Token(ctx, p.Point)
	if err != nil {
		return Call{}, err
	}
	switch {
	case token.Certificate == nil:
		return Call{}, CannotTell("the %s shows no certificate; give it one under clients.%s.certificate", member.Role, member.Role)
	case cast.Thumbprint(token.Certificate) == cast.Thumbprint(partner.Token.Certificate):
		return Call{}, CannotTell("the %s has the partner's certificate; give it another under clients.%s.certificate", member.Role, member.Role)
	}
	call := p.Call(member, token)
	call.Name += " as " + member.Role
	return call, nil
}

func (p *Pass) another(ctx context.Context) (*cast.Member, error) {
	neighbour, ok := p.Cast.Client(cast.Neighbour)
	if ok && neighbour.Certificate != nil {
		return p.Neighbour(ctx)
	}
	if p.Cast.Registers() && p.Cast.Issues(cast.Partner) {
		return p.Cast.MemberWith(ctx, cast.Partner, cast.Wish{Shared: "a second partner"})
	}
	return nil, CannotTell("needs a second client certificate: give clients.neighbour one")
}

// GoodSomewhere gives a call that shows that a token which no point may take is good all the same: its server says that
// it is active, if somebody may ask, else its server issues such tokens to this very client.
func (p *Pass) GoodSomewhere(ctx context.Context, member *cast.Member, token oauth.Token, wish cast.TokenWish) (Call, error) {
	issued := p.AtToken(member, wish)
	if member.Server.Name != p.Cast.HomeServer() || !p.Cast.Has(cast.ResourceServer) || member.Server.Endpoints.Introspection == "" {
		p.Note("that the token is good is known from its issuance alone")
		return issued, nil
	}
	asker, err := p.ResourceServer(ctx)
	if err != nil {
		return Call{}, err
	}
	active := p.AtIntrospection(asker, token.Text)
	_, answer, err := p.Do(ctx, wire.Setup, active)
	if err != nil {
		return Call{}, err
	}
	if answer.Decision == wire.Accepted {
		return active, nil
	}
	// RFC 7662 §2.2: a server may say inactive of a token that is not for whoever asks.
	p.Note("the resource server is not told that the token is active (%s), so that it is good is known from its issuance alone", answer.Why)
	return issued, nil
}

// ClientCertificate needs a point that asks for a client certificate.
var ClientCertificate = Need{Name: "a client certificate", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	switch {
	case at == nil || at.TLSClient != "none":
		return Present, "", ""
	case at.Binding:
		return Gap, "the agreement demands binding here, and the point asks for no client certificate: correct points.client_certificate or points.binding", "binding"
	}
	return Absent, "the point asks for no client certificate (points.client_certificate)", ""
}}
