package check

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// Reissue gives a member another certificate for the same names, as [cast.Cast.Reissue] does, and keeps the hook that was
// played as evidence.
func (p *Pass) Reissue(ctx context.Context, member *cast.Member) (*tls.Certificate, wire.Exchange, error) {
	certificate, x, err := p.Cast.Reissue(ctx, member)
	p.witness(x)
	if err == nil && !member.Own {
		p.Note("the given client %s has one more certificate, good until %s; its key ends with this ride", member.ID(), certificate.Leaf.NotAfter.Format(time.DateOnly))
	}
	return certificate, x, err
}

// Renewed gives the call with a new certificate, of the same CA and for the subject of the old one, and with a token that
// was asked for with it: what a partner has after a renewal. The partner itself keeps the old one.
func (p *Pass) Renewed(ctx context.Context, call Call) (Call, error) {
	client := call.Member.Client()
	switch {
	case client.Certificate == nil || client.Auth == oauth.SelfSignedTLSClientAuth:
		return Call{}, NotApplicable("the partner's certificate is none of a CA")
	case !p.Cast.Reissues(call.Member.Role):
		return Call{}, CannotTell("needs hook `issue_certificate`, or a test CA under clients.%s.certificate.issue", call.Member.Role)
	}
	certificate, _, err := p.Reissue(ctx, call.Member)
	if err != nil {
		return Call{}, err
	}
	wish := cast.TokenWish{Resource: call.Token.Resource}
	request := call.Member.TokenRequest(wish)
	request.Over.Certificate = certificate
	x, err := p.through(ctx, wire.Setup, request, p.Cast.Ask)
	if err != nil {
		return Call{}, err
	}
	token, err := p.Cast.Keep(x, call.Member, wish)
	if err != nil {
		return Call{}, CannotTell("no token was issued with the renewed certificate: %v", err)
	}
	call = call.as(call.Member, token)
	call.Name += ", renewed"
	return call, nil
}
