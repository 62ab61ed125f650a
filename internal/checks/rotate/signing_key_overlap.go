package rotate

import (
	"context"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// SigningKeyOverlap plays a planned rotation of the server's signing key, in which nothing may be lost: the new key is in
// the set before the first token by it is given, that token is taken at every point within the plan's time, and the old
// key stays in the set, so that tokens by it live on.
//
// OpenID Connect Core §10.1.1: the signer begins to use a new key and signals it by the kid; verifiers then fetch the set
// anew, and the set SHOULD keep recently decommissioned keys for a while. That the new key is published first is our
// demand. How long the old one must stay is seen here at one moment only: when every point has learned of the new one.
var SigningKeyOverlap = &check.Check{
	ID:       "rotate.signing-key-overlap",
	Title:    "a planned rotation of the signing key loses no token: the new key is published before its use, and the old one is kept",
	Broken:   "a planned rotation of the signing key makes good tokens fail",
	Why:      "a rotation that is an outage is not done again, and then the key lives for years; on the day on which it leaks nobody dares",
	Fix:      "publish the new key first and sign with it when caches have seen it; take the old one out when its last token has expired",
	Refs:     []frameworks.Ref{frameworks.OIDC("10.1.1"), frameworks.RFC(7517, "4.5"), frameworks.House(), frameworks.NHI(7), frameworks.ASVS("13.3.4"), frameworks.SP80053("SC-12"), frameworks.SP80053("IA-13(1)")},
	Rows:     []string{"L-JW-03", "L-JW-04"},
	Severity: logbook.Medium,
	At:       check.WholeStack,
	Needs:    []check.Need{check.Hook(plan.RotateSigningKey)},
	Alone:    true,
	Harm:     check.SharedImpact,
	Waits:    func(l plan.Limits) time.Duration { return l.KeyWithdrawal.D() },
	Promise:  func(*plan.Point) string { return "limits.key_withdrawal" },
	Twin:     defect.Set{RotationDropsOldKey: true},
	Also:     []defect.Set{{KeyPublishedLate: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		server, err := p.Cast.Server(ctx, p.Cast.HomeServer())
		if err != nil {
			return err
		}
		if server.Endpoints.JWKS == "" {
			return check.NotApplicable("%s publishes no keys", server.Name)
		}
		kid := ""
		var old []check.Call
		for i := range p.Cast.Plan().Points {
			point := &p.Cast.Plan().Points[i]
			if p.Cast.TokenServer(point) != p.Cast.HomeServer() || !point.TakesTokens() {
				continue
			}
			token, err := partner.NewToken(ctx, point)
			if err != nil {
				return err
			}
			if token.JWT == nil {
				p.Note("%s takes opaque tokens, which no key signs", point.Name)
				continue
			}
			call := p.CallAt(point, p.Allowed(point), partner, token)
			shut := p.Opens(ctx, call)
			if shut != nil && ctx.Err() != nil {
				return ctx.Err()
			}
			if shut != nil { // it loses nothing by a rotation; the others may
				p.Case(point.Name, logbook.Inconclusive, "", "", "", fmt.Sprintf("%s takes no token before the rotation: %v", point.Name, shut))
				p.Where(point.Name)
				continue
			}
			if len(old) == 0 { // tokens for other points may be signed by other keys
				kid, _ = token.JWT.Header["kid"].(string)
			}
			old = append(old, call)
		}
		if len(old) == 0 {
			return check.NotApplicable("no point takes JWTs of %s", server.Name)
		}
		p.Relevant("%d points take JWTs of %s, signed by a key that it publishes", len(old), server.Name)
		if kid == "" {
			return check.CannotTell("the tokens name no kid, so a new key could not be told from the old")
		}
		defer p.ForgetKeys()
		rotation, err := p.Hook(ctx, plan.RotateSigningKey, nil, nil)
		if err != nil {
			return err
		}
		err = publishedFirst(ctx, p, *server, kid, old[0].Point)
		if err != nil {
			return err
		}
		limit := p.Limits.KeyWithdrawal.D()
		for _, call := range old {
			token, err := partner.NewToken(ctx, call.Point)
			if err != nil {
				return err
			}
			renewed := p.CallAt(call.Point, p.Allowed(call.Point), partner, token)
			_, answer, err := p.Becomes(ctx, renewed, wire.Accepted, limit)
			if err != nil {
				return err
			}
			took := time.Since(rotation.Received)
			name := fmt.Sprintf("a token by the new key at %s within %v", call.Point.Name, limit)
			switch answer.Decision {
			case wire.Accepted:
				p.Case(name, logbook.Pass, "accepted", fmt.Sprintf("accepted %v after the rotation", took.Round(time.Millisecond)), "", "")
				p.Opening("a token by the new signing key", call.Point.Name, took, answer.Decision, limit)
			case wire.Unknown:
				p.Case(name, logbook.Inconclusive, "accepted", answer.Why, "", name+" could not be decided: "+answer.Why)
			default:
				p.Case(name, logbook.Fail, "accepted", answer.Why, "", "")
				p.Opening("a token by the new signing key", call.Point.Name, took, answer.Decision, limit)
			}
			p.Where(call.Point.Name)
		}
		kids, err := publishedKids(ctx, p, *server)
		if err != nil {
			return err
		}
		if ends := old[0].Token.Expires; !ends.IsZero() && time.Now().After(ends) {
			p.Note("the old token expired before the set was read again, so the old key need not be in it")
			return nil
		}
		p.Case("the old key is in the set while its tokens live", held(kids[kid]), "published", fmt.Sprintf("%d keys, the old one among them: %v", len(kids), kids[kid]), "", "")
		for _, call := range old {
			if !call.Token.Expires.IsZero() && time.Now().After(call.Token.Expires) {
				p.Note("the old token for %s expired before it could be tried again", call.Point.Name)
				continue
			}
			_, err = p.Works(ctx, call, "a token by the old key at "+call.Point.Name)
			if err != nil {
				return err
			}
			p.Where(call.Point.Name)
		}
		return nil
	},
}

// publishedFirst reads the set and then asks for a token, until one is signed by a new key: that key must be in the set
// that was read just before.
func publishedFirst(ctx context.Context, p *check.Pass, server oauth.Server, old string, point *plan.Point) error {
	partner, err := p.Partner(ctx)
	if err != nil {
		return err
	}
	for until := time.Now().Add(p.Limits.Settle.D()); ; {
		kids, err := publishedKids(ctx, p, server)
		if err != nil {
			return err
		}
		token, err := partner.NewToken(ctx, point)
		if err != nil {
			return err
		}
		if token.JWT == nil {
			return check.CannotTell("after the rotation the tokens are no JWTs any more")
		}
		kid, _ := token.JWT.Header["kid"].(string)
		if kid != old {
			p.Case("the new key is published before its first use", held(kids[kid]), "in the set that was read before the token was asked for", fmt.Sprintf("%d keys, the new one among them: %v", len(kids), kids[kid]), "", "")
			return nil
		}
		if time.Now().After(until) {
			return check.CannotTell("after the hook `rotate_signing_key` tokens are signed by the old key still")
		}
		err = p.Wait(ctx, max(200*time.Millisecond, p.Limits.Settle.D()/20)) // each turn costs a token
		if err != nil {
			return err
		}
	}
}

func publishedKids(ctx context.Context, p *check.Pass, server oauth.Server) (map[string]bool, error) {
	request := server.JWKSRequest()
	request.Over.Fresh = true
	x, err := p.Send(ctx, wire.Setup, request)
	if err != nil {
		return nil, err
	}
	set, err := oauth.ReadJWKS(x)
	if err != nil {
		return nil, err
	}
	kids := map[string]bool{}
	for _, key := range oauth.Keys(set) {
		kid, _ := key["kid"].(string)
		kids[kid] = true
	}
	return kids, nil
}

func held(ok bool) logbook.Outcome {
	if ok {
		return logbook.Pass
	}
	return logbook.Fail
}
