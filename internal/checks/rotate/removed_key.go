package rotate

import (
	"context"
	"errors"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// RemovedKey rotates the key of a client as the standard has it: first the new key beside the old, and both work; then
// the new one alone. It measures how long the old key still gets tokens, with assertions that are signed after the
// removal and with those that were signed before and lie in store, as a thief would keep them.
//
// RFC 7591 §2: jwks holds the client's keys, and RFC 7592 §2.2 replaces it. RFC 7523 §3(9): an assertion without a valid
// signature is refused. How long the removal may take is the plan's to say.
var RemovedKey = &check.Check{
	ID:       "rotate.removed-key",
	Title:    "an assertion by a key that was taken out of the client's set gets no token within the agreed time",
	Broken:   "an assertion by a key that was taken out of the client's set gets a token after the agreed time",
	Why:      "beyond the time that the plan allows, a key that was removed because it leaked is still good for whoever found it",
	Fix:      "verify assertions with the keys that are registered now; drop caches of client keys when the registration changes",
	Refs:     []frameworks.Ref{frameworks.RFC(7523, "3(9)"), frameworks.RFC(7591, "2"), frameworks.RFC(7592, "2.2"), frameworks.House(), frameworks.NHI(7), frameworks.ASVS("13.3.4"), frameworks.SP80053("SC-12")},
	Rows:     []string{"L-CA-36", "L-JW-07", "L-OF-09"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Rotation(plan.RotateKey), check.Method("private_key_jwt")},
	Takes:    check.Rotate,
	Waits:    func(l plan.Limits) time.Duration { return (l.KeyWithdrawal + l.Patience).D() },
	Promise:  func(*plan.Point) string { return "limits.key_withdrawal" },
	Besides:  []*logbook.Breach{check.Outage},
	Twin:     defect.Set{OldKeyWorks: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.OwnBy(ctx, oauth.PrivateKeyJWT)
		if err != nil {
			return err
		}
		oldKey := partner.Client().Key
		newKey, err := oauth.NewKey(oldKey.Alg)
		if err != nil {
			return err
		}
		defer p.Lends(ctx, plan.RotateKey, partner, oauth.JWKSet(oldKey))()
		login := p.Login(partner)
		copied, err := login.Make()
		if err != nil {
			return err
		}
		old, stored, renewed := login, login, login
		old.Name, stored.Name, renewed.Name = "signed after the removal", "signed before the removal", "the new key"
		old.Make = func() (wire.Request, error) { return copied.Clone(), nil }

		restored, err := p.Service(ctx, partner)
		if err != nil {
			return err
		}
		both, err := p.SetKeys(ctx, plan.RotateKey, partner, oauth.JWKSet(oldKey, newKey))
		if err != nil {
			return err
		}
		partner.Change(func(client *oauth.Client) { client.Key = newKey })
		err = p.Opens(ctx, renewed)
		if err != nil {
			return err
		}
		err = restored(ctx, both, "the new key")
		if err != nil {
			return err
		}
		end := (p.Limits.KeyWithdrawal + p.Limits.Patience + p.Limits.ClockSkew).D() + 10*time.Second // an assertion that expired would prove nothing
		var store []wire.Request
		for range 8 + int(p.Limits.Patience.D()/(250*time.Millisecond)) { // each is good for one use
			one := copied.Clone()
			one.Credential("client_assertion").JWT.Life = max(end, time.Minute)
			one, err = forge.Signed(p.Stack.Keeper, one)
			if err != nil {
				return err
			}
			store = append(store, one)
		}
		stored.Token.Expires = time.Now().Add(max(end, time.Minute))
		stored.Make = func() (wire.Request, error) {
			if len(store) == 0 {
				return wire.Request{}, errors.New("all stored assertions are used up")
			}
			one := store[0]
			store = store[1:]
			return one, nil
		}
		return p.RefusedWithin(ctx, check.Withdrawal{
			What: "removed key", Limit: p.Limits.KeyWithdrawal.D(), Promise: "limits.key_withdrawal", Sibling: &renewed, Expires: check.TokenExpires,
			Watched: func(context.Context) ([]check.Watched, error) {
				return []check.Watched{{Call: old}, {Call: stored, Sparse: true}}, nil
			},
			All: func(ctx context.Context) (wire.Exchange, error) {
				return p.SetKeys(ctx, plan.RotateKey, partner, oauth.JWKSet(newKey))
			},
		})
	},
}
