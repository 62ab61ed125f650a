package register

import (
	"context"
	"fmt"

	"github.com/checkride/checkride/internal/canary"
	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// KeysFromAnywhere registers a partner whose keys lie where no partner's keys may lie: at a host that was not agreed upon,
// behind plain http, and at addresses within a network. Where the server takes such a jwks_uri, the partner logs in, which
// makes the server fetch it (seen: Keycloak fetches at the first assertion and not at registration), and the ride's own
// listener sees whether somebody comes.
//
// OpenID Connect Registration §2 and FAPI 2.0 §5.4.2: jwks_uri is https. That a server does not fetch from wherever it is
// told is OWASP API7:2023; no RFC speaks of it, and a public https address is what the member is for, unless the plan says
// otherwise (agreement.key_hosts). The link-local address is of a block that no host has: that of a cloud's metadata
// service would bring the server's credentials to light, and a test must not ask for them.
var KeysFromAnywhere = &check.Check{
	ID:       "register.keys-from-anywhere",
	Title:    "a client's keys are fetched from agreed hosts alone, by https",
	Broken:   "a client's keys are fetched from wherever it says",
	Why:      "whoever may register makes the authorization server call addresses inside your network, and with plain http whoever sits on the way gives it the partner's key",
	Fix:      "take https for jwks_uri, from hosts that were agreed with the partner; refuse addresses within when the name is resolved, and follow no redirects",
	Refs:     []frameworks.Ref{frameworks.OIDCRegistration("2"), frameworks.FAPI2("5.4.2"), frameworks.API(7), frameworks.CVE("CVE-2026-1180"), frameworks.House(), frameworks.SP80053("SC-7")},
	Rows:     []string{"L-RG-13", "A-RG-02"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.Method("private_key_jwt")},
	Besides:  []*logbook.Breach{addressTaken},
	Twin:     defect.Set{JWKSURIUnchecked: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		_, err := p.By(ctx, cast.Partner, oauth.PrivateKeyJWT) // the control: with the keys themselves it is taken
		if err != nil {
			return err
		}
		key, err := oauth.NewKey("ES256")
		if err != nil {
			return err
		}
		leave, err := p.AloneAtCanary(ctx)
		if err != nil {
			return err
		}
		defer leave()
		bait, err := p.Canary(oauth.JWKSet(key))
		if err != nil {
			return err
		}
		plainly, err := p.Canary(oauth.JWKSet(key))
		if err != nil {
			return err
		}
		foreign, plain := "https://keys.checkride.invalid/jwks", "http://keys.checkride.invalid/jwks"
		watched := bait != nil && !p.MayFetchFrom(p.Stack.Canary.Host())
		if bait == nil {
			p.Note("the plan has no listener that could see what the server fetches (canary), so only what it refuses is judged")
		} else {
			foreign, plain = bait.URL(), plainly.Plainly()
		}
		more, err := keysAt(ctx, p, address{"plain http", plain, key, plainly}, bait != nil, false, func(told bool) (logbook.Outcome, string) {
			if told {
				return logbook.Fail, ", with http"
			}
			return logbook.Pass, ", without it"
		})
		if err != nil {
			return err
		}
		seen, err := keysAt(ctx, p, address{"a host that was not agreed upon", foreign, key, bait}, watched, more == turnedAway, func(told bool) (logbook.Outcome, string) {
			switch {
			case watched:
				return logbook.Pass, ", and not fetched"
			case bait != nil:
				return logbook.Pass, ", and the agreement has nothing against the canary's host"
			case len(p.Stack.Plan.Agreement.KeyHosts) > 0 && told:
				return logbook.Fail, ", though agreement.key_hosts does not name its host"
			}
			return logbook.Pass, ", and the agreement does not bound from which hosts keys come"
		})
		if err != nil {
			return err
		}
		for _, within := range []struct{ name, url string }{
			{"a link-local address", "https://169.254.0.1/jwks"}, // RFC 3927 §2.1: the first 256 are reserved and no host may select one
			{"a loopback address", "https://127.0.0.1:1/jwks"},
		} {
			_, err = keysAt(ctx, p, address{within.name, within.url, key, nil}, false, false, func(told bool) (logbook.Outcome, string) {
				switch {
				case !told:
					return logbook.Pass, ", without it"
				case watched && seen == fetched, more == fetched:
					return logbook.Fail, ", and what is registered is fetched: see the canary"
				case watched && seen != untold:
					return logbook.Pass, "; it is judged when it is fetched, as at the canary's address"
				}
				return logbook.Inconclusive, ", and nobody sees whether it is fetched: give the plan a canary at an address within"
			})
			if err != nil {
				return err
			}
		}
		return p.RegistrationOpens(ctx, cast.Partner)
	},
}

// addressTaken is an address that was registered, and that nobody was seen to fetch.
var addressTaken = &logbook.Breach{
	Broken:   "a client is registered with keys at an address that must not be",
	Why:      "the server takes its partners' keys from where it was not agreed, or over plain http, where whoever sits on the way gives it the partner's key; whether it fetches them there, a canary in the plan would show",
	Fix:      "take https for jwks_uri, from hosts that were agreed with the partner, and refuse addresses within",
	Severity: logbook.Medium,
}

// address is where a client's keys lie. It is a bait's, or nobody sees whether it is fetched.
type address struct {
	name, url string
	key       oauth.Key
	bait      *canary.Bait
}

// visit is what the canary saw of an address.
type visit int

const (
	untold     visit = iota // nobody looked, or who came left it open what for
	nobody                  // nobody came
	turnedAway              // somebody came and left without asking
	fetched                 // it was fetched
)

// keysAt registers a client whose keys lie at an address, and where it is taken lets the client log in. That the address
// was fetched is a finding if it is watched. Otherwise the outcome of what was registered follows from whether the address
// is told in the answer.
//
// Seen: oidc-provider looks at the address when it is connected to it, and goes. Of https it is a handshake that is seen
// then, and what a server does that trusts no certificate of ours looks alike. So it counts for one that is shy: that turned
// away without a word from plain http.
func keysAt(ctx context.Context, p *check.Pass, at address, watched, shy bool, taken func(told bool) (logbook.Outcome, string)) (visit, error) {
	const expected, differs = "refused, or never fetched", "jwks_uri instead of jwks"
	got, err := p.Register(ctx, wire.Altered, cast.Partner, cast.Wish{Auth: oauth.PrivateKeyJWT, Metadata: map[string]any{"jwks": nil, "jwks_uri": at.url}})
	if err != nil {
		return untold, err
	}
	observed, seen := got.Why, untold
	told, _ := got.Told("jwks_uri")
	if at.bait != nil {
		if got.Decision == wire.Accepted {
			got.Member.Change(func(client *oauth.Client) { client.Key = at.key })
			issued, err := p.Issue(ctx, wire.Altered, got.Member, got.Member.Usual())
			if err != nil {
				return untold, err
			}
			observed += "; the login by a key of that set: " + issued.Why
		}
		fetches, err := p.Fetched(ctx, at.bait)
		switch {
		case ctx.Err() != nil:
			return untold, ctx.Err()
		case len(fetches) > 0:
			seen = fetched
		case err == nil && at.bait.TurnedAway() > 0, err != nil && shy:
			seen = turnedAway
			p.Note("%s: somebody came to the canary and left without asking, as a server does that looks at an address when it is connected to it", at.name)
		case err == nil:
			seen = nobody
		default:
			if outcome, how := taken(told == at.url); got.Decision == wire.Accepted && outcome == logbook.Fail { // whoever came
				defer p.Besides(addressTaken)()
				p.Case(at.name, outcome, expected, "registered"+how, differs, "")
				return untold, nil
			}
			p.Case(at.name, logbook.Inconclusive, expected, "", differs, err.Error())
			return untold, nil
		}
		if seen == fetched && watched {
			first := fetches[0]
			p.Case(at.name, logbook.Fail, expected, fmt.Sprintf("fetched by %s from %s (%s)", first.Method, first.From, observed), differs, "")
			return seen, nil
		}
		if seen == nobody && watched && got.Decision == wire.Accepted {
			p.Note("nobody came to the canary; that the server could reach it is the plan's word")
		}
	}
	switch got.Decision {
	case wire.Unknown:
		p.Case(at.name, logbook.Inconclusive, expected, got.Why, differs, got.Why)
	case wire.Accepted:
		outcome, how := taken(told == at.url)
		defer p.Besides(addressTaken)()
		p.Case(at.name, outcome, expected, "registered"+how, differs, "registered"+how)
	default:
		p.Case(at.name, logbook.Pass, expected, observed, differs, "")
	}
	return seen, nil
}
