package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// DPoP needs a place that takes DPoP proofs: a point that does by the plan, or the authorization server, which tells of
// it itself ([Pass.Prover]).
var DPoP = Need{Name: "DPoP", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	if at == nil || at.TakesProofs() {
		return Present, "", ""
	}
	return Absent, "the plan does not say that tokens bound by DPoP are taken here (points.dpop)", ""
}}

// Prover gives a partner whose tokens are bound by DPoP (RFC 9449): the partner itself where the plan says so, else one
// that is shared for this and shows no certificate if it can do without. Where the server knows no DPoP there is none.
func (p *Pass) Prover(ctx context.Context) (*cast.Member, error) {
	described, ok := p.Cast.Client(cast.Partner)
	if ok && described.SenderConstraint == "dpop" {
		return p.Cast.Member(ctx, cast.Partner)
	}
	server, err := p.Cast.Server(ctx, p.Cast.HomeServer())
	if err != nil {
		return nil, err
	}
	if len(server.ProofAlgorithms()) == 0 {
		return nil, NotApplicable("%s does not say that it knows DPoP (dpop_signing_alg_values_supported), and the plan does not ask for it (clients.partner.sender_constraint)", server.Name)
	}
	if !p.Cast.Makes(cast.Partner) {
		if described.SenderConstraint == "mtls" {
			return nil, NotApplicable("the given partner's tokens are bound to its certificate (clients.partner.sender_constraint)")
		}
		return p.Cast.MemberWith(ctx, cast.Partner, cast.Wish{DPoP: true})
	}
	methods := []oauth.Method{oauth.PrivateKeyJWT, oauth.ClientSecretBasic, oauth.ClientSecretPost, oauth.TLSClientAuth, oauth.SelfSignedTLSClientAuth}
	return p.firstOf(ctx, methods, func(method oauth.Method) (*cast.Member, error) {
		return p.Cast.MemberWith(ctx, cast.Partner, cast.Wish{Auth: method, DPoP: true})
	})
}

// Proven gives a call that shows a DPoP proof and was just accepted: at a point with the prover's token, at the
// authorization server its request for one.
func (p *Pass) Proven(ctx context.Context) (Call, error) {
	prover, err := p.Prover(ctx)
	if err != nil {
		return Call{}, err
	}
	if p.Point == nil {
		token, err := prover.TokenWith(ctx, prover.Usual())
		if err != nil {
			return Call{}, err
		}
		err = p.boundByDPoP(prover, token) // who does not bind need not look at proofs
		if err != nil {
			return Call{}, err
		}
		call := p.AtToken(prover, prover.Usual())
		return call, p.Opens(ctx, call)
	}
	if p.Cast.TokenServer(p.Point) != prover.Server.Name {
		return Call{}, NotApplicable("the point takes tokens of %s, where partners are not registered", p.Cast.TokenServer(p.Point))
	}
	token, err := prover.Token(ctx, p.Point)
	if err != nil {
		return Call{}, err
	}
	err = p.boundByDPoP(prover, token)
	if err != nil {
		return Call{}, err
	}
	call, err := p.throughTLS(ctx, p.Call(prover, token))
	if err != nil {
		return Call{}, err
	}
	return call, p.Opens(ctx, call)
}

func (p *Pass) boundByDPoP(prover *cast.Member, token oauth.Token) error {
	switch {
	case token.Proof.Signer != nil:
		return nil
	case !p.MustBindByDPoP(prover):
		return NotApplicable("%s gives unbound tokens where neither registration nor plan asks for bound ones, as RFC 9449 §5 lets it", prover.Server.Name)
	}
	return BecauseOf("bind.token-names-its-key", "the token that was asked for with a DPoP proof has token_type %s", token.Type)
}

// MustBindByDPoP says whether somebody asks that the prover's tokens be bound: its registration (RFC 9449 §5.2), or the
// plan for the partner or at a point. Else the server MAY give unbound ones, and says Bearer (§5).
func (p *Pass) MustBindByDPoP(prover *cast.Member) bool {
	registered, _ := prover.Client().Registered["dpop_bound_access_tokens"].(bool)
	wanted := slices.ContainsFunc(p.Stack.Plan.Points, func(point plan.Point) bool { return point.TakesProofs() })
	partner, _ := p.Cast.Client(cast.Partner)
	return registered || wanted || partner.SenderConstraint == "dpop"
}

// throughTLS gives the call with the partner's certificate where its point lets nobody in without one and its member has
// none: whoever ends TLS there knows no tokens.
func (p *Pass) throughTLS(ctx context.Context, call Call) (Call, error) {
	if call.Point.TLSClient != "required" || call.Member.Client().Certificate != nil || !p.Cast.Has(cast.Partner) {
		return call, nil
	}
	partner, err := p.Cast.Member(ctx, cast.Partner)
	if err != nil {
		return call, err
	}
	certificate := partner.Client().Certificate
	return call.With(func(r *wire.Request) {
		if r.Over.Certificate == nil {
			r.Over.Certificate = certificate
		}
	}), nil
}

// OtherURIs are the changes by which the proof of a call says another method or another URI than its request has: that
// of another path, of another host, and of each other point of the plan.
func (p *Pass) OtherURIs(call Call) ([]wire.Change, error) {
	request, err := call.Make()
	if err != nil {
		return nil, err
	}
	method := "PUT"
	if request.Method == method {
		method = "GET"
	}
	path, _, _ := strings.Cut(request.Target, "?")
	changes := []wire.Change{
		forge.ProofOf("htm", method, "proof of another method"),
		forge.ProofOf("htu", request.Origin+path+"/checkride", "proof of another path"),
		forge.ProofOf("htu", "https://checkride.invalid"+path, "proof of another host"),
	}
	for i := range p.Stack.Plan.Points {
		other := &p.Stack.Plan.Points[i]
		origin := strings.TrimSuffix(other.URL, "/")
		if other.Name != p.Name && origin != request.Origin {
			changes = append(changes, forge.ProofOf("htu", origin+path, fmt.Sprintf("proof for %s", other.Name)))
		}
	}
	return changes, nil
}
