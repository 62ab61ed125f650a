package check

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
)

// SecretLogin needs a partner that authenticates by a secret, or that can be registered for it.
var SecretLogin = Need{Name: "a client secret", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	missing, reason, gap := Method(string(oauth.ClientSecretBasic)).Has(p, at)
	if missing == Present {
		return missing, reason, gap
	}
	missing, _, _ = Method(string(oauth.ClientSecretPost)).Has(p, at)
	if missing == Present {
		return Present, "", ""
	}
	return Absent, "the given partner does not authenticate by a secret", ""
}}

// Methods gives the authentication methods by which the ride can have a partner: the given client's own, the one with
// which the operator's hook makes clients, or those that the home server says it supports (RFC 8414 §2;
// client_secret_basic where it says nothing) and the plan has means for.
func (p *Pass) Methods(ctx context.Context) ([]oauth.Method, error) {
	described, ok := p.Cast.Client(cast.Partner)
	if !ok {
		return nil, CannotTell("the plan has no partner; add one under clients")
	}
	if described.ID.Text != "" || p.Stack.Plan.Registration.Mode == "hook" {
		return []oauth.Method{oauth.Method(described.Auth)}, nil
	}
	server, err := p.Cast.Server(ctx, p.Cast.HomeServer())
	if err != nil {
		return nil, err
	}
	told := oauth.Strings(server.Metadata["token_endpoint_auth_methods_supported"])
	if server.Metadata != nil && told == nil {
		told = []string{string(oauth.ClientSecretBasic)}
	}
	var methods []oauth.Method
	for _, method := range []oauth.Method{oauth.ClientSecretBasic, oauth.ClientSecretPost, oauth.PrivateKeyJWT, oauth.TLSClientAuth, oauth.SelfSignedTLSClientAuth} {
		if method == oauth.TLSClientAuth && described.Certificate == nil {
			continue
		}
		if server.Metadata == nil || slices.Contains(told, string(method)) || string(method) == described.Auth {
			methods = append(methods, method)
		}
	}
	return methods, nil
}

// By gives a member of a role that authenticates by one of these methods, the first that the stack has. It is shared,
// and another than the partner that most checks use: it may be refused without harm to them.
func (p *Pass) By(ctx context.Context, role string, methods ...oauth.Method) (*cast.Member, error) {
	return p.firstOf(ctx, methods, func(method oauth.Method) (*cast.Member, error) {
		return p.Cast.MemberWith(ctx, role, cast.Wish{Auth: method})
	})
}

// OwnBy gives a partner of the pass's own that authenticates by one of these methods.
func (p *Pass) OwnBy(ctx context.Context, methods ...oauth.Method) (*cast.Member, error) {
	return p.firstOf(ctx, methods, func(method oauth.Method) (*cast.Member, error) {
		return p.Cast.Own(ctx, cast.Partner, cast.Wish{Auth: method})
	})
}

// firstOf gives the first member who authenticates as wanted. RFC 7591 §2: the server may register another method than
// the one that was asked for, and then the member proves itself by that.
func (p *Pass) firstOf(ctx context.Context, wanted []oauth.Method, give func(oauth.Method) (*cast.Member, error)) (*cast.Member, error) {
	has, err := p.Methods(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, method := range wanted {
		names = append(names, string(method))
		if !slices.Contains(has, method) {
			continue
		}
		member, err := give(method)
		if err != nil {
			return nil, err
		}
		got := member.Client().Auth
		if got == method {
			return member, nil
		}
		p.Note("%s registers %s where %s is asked for", p.Cast.HomeServer(), got, method)
	}
	return nil, NotApplicable("no partner authenticates by %s at %s", strings.Join(names, " or "), p.Cast.HomeServer())
}

// IsAbsent says whether an error is [NotApplicable]: the stack does not have what was wanted.
func IsAbsent(err error) bool {
	var stopped *stop
	return errors.As(err, &stopped) && stopped.outcome == logbook.NotApplicable
}

// Login is the token request by which a member proves who it is, as a call.
func (p *Pass) Login(member *cast.Member) Call { return p.AtToken(member, member.Usual()) }
