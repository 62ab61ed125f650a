package offboard

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
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// DeletedClientGetsTokens asks for tokens as a client that was deleted: with its credential, and with an assertion that
// it made before its end, which still looks fresh.
//
// RFC 7592 §2.3: a successful deletion ends the client_id, the client_secret and the registration token.
var DeletedClientGetsTokens = &check.Check{
	ID:       "offboard.deleted-client-gets-tokens",
	Title:    "a deleted client gets no more tokens",
	Broken:   "a deleted client still gets tokens",
	Why:      "the partner was offboarded on paper: its credential still opens everything",
	Fix:      "look the client up at each token request, and drop caches of clients and of their keys on deletion",
	Refs:     []frameworks.Ref{frameworks.RFC(7592, "2.3"), frameworks.NHI(1), frameworks.CSF("PR.AA-01"), frameworks.SP80053("AC-2(3)")},
	Rows:     []string{"L-OF-01", "L-OF-09", "A-RV-04"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Deletion},
	Takes:    check.Delete,
	Waits:    func(l plan.Limits) time.Duration { return (l.NewTokensAfterDisable + l.Patience).D() },
	Promise:  func(*plan.Point) string { return "limits.new_tokens_after_disable" },
	Twin:     defect.Set{DeletedClientLives: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		signer, err := signing(ctx, p, partner)
		if err != nil {
			return err
		}
		other, err := another(ctx, p, partner)
		if err != nil {
			return err
		}
		login := p.Login(partner)
		login.Name = "its credential"
		return p.RefusedWithin(ctx, check.Withdrawal{
			What: "deleted client", Limit: p.Limits.NewTokensAfterDisable.D(), Promise: "limits.new_tokens_after_disable", Alive: other,
			Watched: func(context.Context) ([]check.Watched, error) {
				watched := []check.Watched{{Call: login}}
				if signer == nil {
					return watched, nil
				}
				before, err := signedBefore(p, signer)
				return append(watched, check.Watched{Call: before, Sparse: true}), err
			},
			All: func(ctx context.Context) (wire.Exchange, error) {
				if signer != nil && signer != partner {
					_, err := p.Delete(ctx, signer)
					if err != nil {
						return wire.Exchange{}, err
					}
				}
				return p.Delete(ctx, partner)
			},
		})
	},
}

// signing gives a client that authenticates by an assertion and may be deleted, if the stack has such clients.
func signing(ctx context.Context, p *check.Pass, partner *cast.Member) (*cast.Member, error) {
	if partner.Client().Auth == oauth.PrivateKeyJWT {
		return partner, nil
	}
	signer, err := p.OwnBy(ctx, oauth.PrivateKeyJWT)
	if check.IsAbsent(err) {
		p.Note("no client authenticates by an assertion here, so none that was signed before the deletion was tried")
		return nil, nil
	}
	return signer, err
}

// another is a token request of somebody who is not deleted.
func another(ctx context.Context, p *check.Pass, partner *cast.Member) (*check.Call, error) {
	member, err := p.Unharmed(ctx, partner)
	if err != nil || member == nil {
		return nil, err
	}
	call := p.Login(member)
	return &call, nil
}

// signedBefore is a token request with an assertion that was signed now and lives beyond the watch.
func signedBefore(p *check.Pass, signer *cast.Member) (check.Call, error) {
	call := p.Login(signer)
	call.Name = "an assertion that was made before"
	request, err := call.Make()
	if err != nil {
		return call, err
	}
	life := (p.Limits.NewTokensAfterDisable + p.Limits.Patience + p.Limits.ClockSkew).D() + 10*time.Second
	if credential := request.Credential("client_assertion"); credential != nil && credential.JWT != nil {
		credential.JWT.Life = max(credential.JWT.Life, life)
	}
	signed, err := forge.Signed(p.Stack.Keeper, request)
	call.Make = func() (wire.Request, error) { return signed.Clone(), nil }
	return call, err
}
