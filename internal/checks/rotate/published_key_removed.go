package rotate

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// PublishedKeyRemoved rotates the key of a client that publishes its keys itself, at its jwks_uri: the new key beside the
// old, then the new one alone. Nobody tells the server; it must look. Servers cache such sets for hours, or look again
// only when they meet an unknown kid, and for a key that is gone no kid is unknown.
//
// RFC 7591 §2: a jwks_uri is there so that keys can be rotated without a change of the registration. RFC 7523 §3(9): an
// assertion without a valid signature is refused. How long the removal may take is the plan's to say.
var PublishedKeyRemoved = &check.Check{
	ID:       "rotate.published-key-removed",
	Title:    "a key that a client publishes no more gets no token within the agreed time, and its new key does",
	Broken:   "a key that a client publishes no more gets a token after the agreed time",
	Why:      "a partner that takes a leaked key out of its set believes that all is well, while the thief logs in until a cache that nobody knows of is stale",
	Fix:      "follow the Cache-Control of the key set, bound by the agreed time; fetch it anew on an unknown kid, and replace the old copy",
	Refs:     []frameworks.Ref{frameworks.RFC(7523, "3(9)"), frameworks.RFC(7591, "2"), frameworks.RFC(9111, "5.2.2.1"), frameworks.House(), frameworks.NHI(7), frameworks.ASVS("13.3.4"), frameworks.SP80053("SC-12")},
	Rows:     []string{"L-JW-07", "L-CA-36"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.Method("private_key_jwt"), publishing},
	Takes:    check.Rotate,
	Waits:    func(l plan.Limits) time.Duration { return (l.KeyWithdrawal + l.Patience).D() },
	Promise:  func(*plan.Point) string { return "limits.key_withdrawal" },
	Besides:  []*logbook.Breach{unseenKey},
	Twin:     defect.Set{FetchedKeysKept: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		oldKey, err := oauth.NewKey("ES256")
		if err != nil {
			return err
		}
		newKey, err := oauth.NewKey("ES256")
		if err != nil {
			return err
		}
		name := "checkride-" + oldKey.ID
		x, err := publish(ctx, p, name, oldKey)
		if err != nil {
			return err
		}
		place := x.Text("/jwks_uri")
		if place == "" {
			return check.CannotTell("the answer of the hook `publish_keys` does not name the place (jwks_uri)")
		}
		registered, err := p.Register(ctx, wire.Setup, cast.Partner, cast.Wish{Auth: oauth.PrivateKeyJWT, Metadata: map[string]any{"jwks": nil, "jwks_uri": place}})
		if err != nil {
			return err
		}
		switch {
		case registered.Decision == wire.Unknown:
			return check.CannotTell("the registration of a client with a jwks_uri could not be decided: %s", registered.Why)
		case registered.Decision != wire.Accepted:
			return check.NotApplicable("%s takes no client with this jwks_uri: %s", p.Name, registered.Why)
		}
		p.Relevant("%s registers clients that publish their keys (jwks_uri)", p.Name)
		partner := registered.Member
		partner.Change(func(client *oauth.Client) { client.Key = oldKey })
		login := p.Login(partner)
		err = p.Opens(ctx, login)
		if err != nil {
			return err
		}
		copied, err := login.Make()
		if err != nil {
			return err
		}
		old, renewed := login, login
		old.Name, renewed.Name = "the old key", "the new key"
		old.Make = func() (wire.Request, error) { return copied.Clone(), nil }

		_, err = publish(ctx, p, name, oldKey, newKey)
		if err != nil {
			return err
		}
		partner.Change(func(client *oauth.Client) { client.Key = newKey })
		within := max(p.Limits.KeyWithdrawal, p.Limits.Settle).D()
		took, answer, err := p.Becomes(ctx, renewed, wire.Accepted, within)
		if err != nil {
			return err
		}
		if answer.Decision == wire.Unknown || answer.Decision == wire.Odd {
			return check.CannotTell("whether the new key works could not be decided: %s", answer.Why)
		}
		// A server that does not look for the new key has not seen that the old one is gone either, so the story goes on.
		const works = "the new key works within the agreed time of its publication"
		if answer.Decision == wire.Accepted {
			p.Case("the new key", logbook.Pass, works, fmt.Sprintf("accepted after %v", took.Round(10*time.Millisecond)), "", "")
		} else {
			done := p.Besides(unseenKey)
			p.Case("the new key", logbook.Fail, works, fmt.Sprintf("refused for %v: %s", within, answer.Why), "", "")
			done()
		}
		err = p.Opens(ctx, old)
		if err != nil {
			return err
		}
		return p.RefusedWithin(ctx, check.Withdrawal{
			What: "key that is published no more", Limit: p.Limits.KeyWithdrawal.D(), Promise: "limits.key_withdrawal", Sibling: &renewed, Expires: check.TokenExpires,
			Watched: func(context.Context) ([]check.Watched, error) { return []check.Watched{{Call: old}}, nil },
			All:     func(ctx context.Context) (wire.Exchange, error) { return publish(ctx, p, name, newKey) },
		})
	},
}

// unseenKey is seen of servers that do not look again for a kid that they do not know.
var unseenKey = &logbook.Breach{
	Broken:   "a new key that a client publishes gets no token within the agreed time",
	Why:      "a client that changes its key as the standard has it shuts itself out until a cache is stale, so it does that seldom, and what leaked stays good",
	Fix:      "fetch the key set anew for a kid that it does not hold, and bound how often",
	Severity: logbook.Medium,
}

// publishing needs a place where the partner publishes its keys. Where nothing says that partners do, none is missed.
var publishing = check.Need{Name: "published keys", Has: func(p *plan.Plan, at *plan.Point) (check.Missing, string, string) {
	missing, reason, gap := check.Hook(plan.PublishKeys).Has(p, at)
	if missing == check.Present {
		return missing, reason, gap
	}
	_, by := p.Registration.Metadata["jwks_uri"]
	for _, client := range p.Clients {
		_, one := client.Metadata["jwks_uri"]
		by = by || one
	}
	if by || len(p.Agreement.KeyHosts) > 0 {
		return missing, reason, gap
	}
	return check.Absent, "the plan does not say that partners publish their keys (agreement.key_hosts, hook publish_keys)", ""
}}

// publish lets the operator's hook put keys where a client publishes its own.
func publish(ctx context.Context, p *check.Pass, name string, keys ...oauth.Key) (wire.Exchange, error) {
	set, err := json.Marshal(oauth.JWKSet(keys...))
	if err != nil {
		return wire.Exchange{}, err
	}
	return p.Hook(ctx, plan.PublishKeys, nil, map[string]string{"client_name": name, "jwks": string(set)})
}
