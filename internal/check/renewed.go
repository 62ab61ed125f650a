package check

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// Renewed gives the call with a new certificate, of the test CA and for the subject of the old one, and with a token
// that was asked for with it: what a partner has after a renewal. The partner itself keeps the old one.
func (p *Pass) Renewed(ctx context.Context, call Call) (Call, error) {
	client := call.Member.Client()
	switch {
	case client.Certificate == nil || client.Auth == oauth.SelfSignedTLSClientAuth:
		return Call{}, NotApplicable("the partner's certificate is none of a CA")
	case !p.Cast.Issues(call.Member.Role):
		return Call{}, CannotTell("needs a test CA: add clients.%s.certificate.issue", call.Member.Role)
	}
	certificate, err := p.Cast.Issue(call.Member.Role, client.Certificate.Leaf.Subject.CommonName, cast.Fault{})
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
	call = call.As(call.Member, token)
	call.Name += ", renewed"
	return call, nil
}
