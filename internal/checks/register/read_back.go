package register

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
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

// ReadBack compares what must be one: what a registration answered, what reading it says, twice, what an update answered,
// and what reading says after that. Then what is told must be so: the key that the update brought logs in, and a client
// that registered fewer scopes than its partner may have gets no more than these.
//
// RFC 7591 §3.2.1 and RFC 7592 §3: the answer holds all registered metadata, as they are and not as they were asked for.
// RFC 7592 §2.2: an update replaces. RFC 7591 §2: scope holds the values that the client can use. What an answer leaves
// out, or what an update that omits it leaves in, is remarked and no finding: it endangers nobody.
var ReadBack = &check.Check{
	ID:       "register.read-back",
	Title:    "what the answer to a registration says is what is registered, and what holds",
	Broken:   "what the answer to a registration says does not hold",
	Why:      "whoever onboards a partner files the answer: a key that was replaced on paper alone, or rights that the paper does not hold, are noticed by nobody until they are used",
	Fix:      "answer registrations and updates from what was stored, let the token endpoint read the same record, and let the registered scope bound every token",
	Refs:     []frameworks.Ref{frameworks.RFC(7591, "3.2.1"), frameworks.RFC(7591, "2"), frameworks.RFC(7592, "2.1"), frameworks.RFC(7592, "2.2"), frameworks.RFC(7592, "3"), frameworks.SP80053("AC-3"), frameworks.NHI(5)},
	Rows:     []string{"L-RG-01", "L-RM-01", "L-RM-05", "L-RM-10"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Besides:  []*logbook.Breach{readsOtherwise, plainAddress, check.SilentScope},
	Waits:    func(l plan.Limits) time.Duration { return l.Settle.D() },
	Twin:     defect.Set{UpdateForgotten: true},
	Also:     []defect.Set{{RegisteredScopeIgnored: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		err := narrowed(ctx, p)
		if err != nil && !check.IsAbsent(err) {
			return err
		}
		wish := cast.Wish{Metadata: map[string]any{"client_uri": "https://partner.checkride.invalid/before", "contacts": []any{"desk@checkride.invalid"}}}
		methods, err := p.Methods(ctx)
		if err != nil {
			return err
		}
		if slices.Contains(methods, oauth.PrivateKeyJWT) {
			wish.Auth = oauth.PrivateKeyJWT
		}
		partner, err := p.Newcomer(ctx, cast.Partner, wish)
		if err != nil {
			return err
		}
		answered := partner.Client().Registered
		asked := partner.Metadata()
		for _, name := range slices.Sorted(maps.Keys(asked)) {
			if _, told := answered[name]; !told && len(spelled(asked[name])) > 2 { // "" and [] are nothing to tell
				p.Note("the answer does not tell %s, though RFC 7591 §3.2.1 wants all registered metadata told", name)
			}
		}
		err = p.Manageable(partner)
		if err != nil {
			return err
		}
		uri := partner.Client().RegistrationURI
		titled := p.Besides(plainAddress)
		p.Case("address of the registration", outcome(strings.HasPrefix(uri, "https://")), "https", uri, "", "")
		titled()
		for _, name := range []string{"read", "read again"} {
			_, err = readsAs(ctx, p, partner, name, answered)
			if err != nil {
				return err
			}
		}
		return updated(ctx, p, partner)
	},
}

// updated replaces what can be replaced, and looks whether it is told, stays told and holds.
func updated(ctx context.Context, p *check.Pass, partner *cast.Member) error {
	_, knowsURI := partner.Client().Registered["client_uri"]
	_, knowsContacts := partner.Client().Registered["contacts"]
	changes := map[string]any{"client_uri": "https://partner.checkride.invalid/after", "contacts": nil}
	key := partner.Client().Key
	if partner.Client().Auth == oauth.PrivateKeyJWT {
		var err error
		key, err = oauth.NewKey(key.Alg)
		if err != nil {
			return err
		}
		changes["jwks"] = oauth.JWKSet(key)
	}
	got, err := p.TryUpdate(ctx, partner, changes)
	switch {
	case err != nil:
		return err
	case got.Decision == wire.Unknown:
		return check.CannotTell("an update could not be decided: %s", got.Why)
	case got.Exchange.Status == 404 || got.Exchange.Status == 405 || got.Exchange.Status == 501:
		p.Note("%s lets its clients update nothing (%s)", p.Name, got.Why)
		return nil
	case got.Decision != wire.Accepted: // RFC 7592 §2.2: the server MAY
		p.Note("%s refuses an update of client_uri and jwks (%s)", p.Name, got.Why)
		return nil
	}
	answered := got.Told
	read, err := readsAs(ctx, p, partner, "read after an update", answered)
	if err != nil {
		return err
	}
	if told, _ := answered["client_uri"].(string); knowsURI && told != changes["client_uri"] { // RFC 7592 §3: the server MAY replace values
		p.Note("an update of client_uri was answered %s, and client_uri is %q", got.Why, told)
	}
	if _, kept := read["contacts"]; knowsContacts && kept {
		p.Note("contacts were left out of the update and are there all the same: RFC 7592 §2.2 replaces metadata and does not merge them")
	}
	if partner.Client().Auth != oauth.PrivateKeyJWT {
		return nil
	}
	const name, expected = "login by the key of the update", "a token"
	set, tells := answered["jwks"].(map[string]any)
	if tells && !holdsKey(set, key) { // RFC 7592 §3: the server MAY replace what was asked for, and tells so
		p.Note("an update of jwks was answered %s, and the key that it brought is not among those that the answer tells", got.Why)
		return nil
	}
	partner.Change(func(client *oauth.Client) { client.Key = key })
	_, answer, err := p.Becomes(ctx, p.Login(partner), wire.Accepted, p.Limits.Settle.D())
	if err != nil {
		return err
	}
	if !tells && answer.Decision != wire.Accepted {
		p.Case(name, logbook.Inconclusive, expected, answer.Why, "jwks", "the update was accepted, no answer tells its keys, and the key that it brought gets no token: "+answer.Why)
		return nil
	}
	if answer.Decision == wire.Unknown {
		p.Case(name, logbook.Inconclusive, expected, answer.Why, "jwks", answer.Why)
		return nil
	}
	p.Case(name, outcome(answer.Decision == wire.Accepted), expected, answer.Why, "jwks", "")
	return nil
}

// holdsKey says whether a JWK Set holds the public part of a key.
func holdsKey(set map[string]any, key oauth.Key) bool {
	own := key.JWK()
	return slices.ContainsFunc(oauth.Keys(set), func(one map[string]any) bool {
		return one["x"] != nil && one["x"] == own["x"] || one["n"] != nil && one["n"] == own["n"]
	})
}

// narrowed registers a client of whoever may have several scopes with the first of them alone, and asks for the others.
func narrowed(ctx context.Context, p *check.Pass) error {
	for _, role := range []string{cast.Partner, cast.Neighbour} {
		described, ok := p.Cast.Client(role)
		if !ok || len(described.Scopes) < 2 {
			continue
		}
		got, err := p.Register(ctx, wire.Control, role, cast.Wish{Scopes: described.Scopes[:1]})
		if err != nil {
			return err
		}
		if got.Decision != wire.Accepted {
			return check.CannotTell("a registration of a %s with one of its scopes was not accepted: %s", role, got.Why)
		}
		told, known := got.Told("scope")
		if !known || told != described.Scopes[0] {
			p.Note("a client that asks for the scope %s is registered with %q, so whether fewer scopes bind it cannot be seen", described.Scopes[0], told)
			return nil
		}
		got.Member.Plan.Scopes = described.Scopes[:1]
		err = p.Cast.Settle(ctx, got.Member)
		if err != nil {
			return err
		}
		foreign := slices.DeleteFunc(slices.Clone(p.Stack.Plan.Agreement.Unentitled), func(scope string) bool { return slices.Contains(described.Scopes, scope) })
		unbound, err := exceeds(ctx, p, got.Member, foreign)
		if err != nil || unbound {
			return err
		}
		return p.NeverGrants(ctx, got.Member, described.Scopes[1:])
	}
	p.Note("no client of the plan has several scopes, so whether a registration with fewer of them binds was not asked")
	return nil
}

var readsOtherwise = &logbook.Breach{
	Broken:   "a registration does not read as it was answered",
	Why:      "whoever onboards a partner files the answer, and the record says otherwise: which of the two holds, the next incident tells",
	Fix:      "answer registrations and updates from what was stored, and let every replica read the same record",
	Severity: logbook.Medium,
}

var plainAddress = &logbook.Breach{
	Broken:   "the address at which a registration is managed is not https",
	Why:      "the registration token goes there in clear, and with it whoever sits on the way reads, changes and deletes the client",
	Fix:      "answer registration_client_uri with https, and mind a proxy that ends TLS and does not tell",
	Severity: logbook.Medium,
}

// readsAs reads a registration, compares it with what was answered before, and gives what it tells. A replica may not know
// of a change yet (rule 13), so what differs is read once more after limits.settle.
func readsAs(ctx context.Context, p *check.Pass, partner *cast.Member, name string, answered map[string]any) (map[string]any, error) {
	read, _, err := p.Read(ctx, partner)
	if err == nil && len(differing(p, name, answered, read)) > 0 {
		err = p.Wait(ctx, p.Limits.Settle.D())
		if err == nil {
			read, _, err = p.Read(ctx, partner)
		}
	}
	if err != nil {
		return nil, err
	}
	differ := differing(p, name, answered, read)
	observed := "as it was answered"
	if len(differ) > 0 {
		observed = "another value of " + strings.Join(differ, ", ")
	}
	defer p.Besides(readsOtherwise)()
	p.Case(name, outcome(len(differ) == 0), "what was answered", observed, "", "")
	return read, nil
}

// differing gives the members of which reading tells another value than was answered before. RFC 7592 §3: an answer may
// bring a new registration token or secret; they say nothing about the rest. The order of a list, and of the words of scope,
// means nothing.
func differing(p *check.Pass, name string, answered, read map[string]any) []string {
	var differ []string
	for _, member := range slices.Sorted(maps.Keys(answered)) {
		switch member {
		case "registration_access_token", "registration_client_uri", "client_secret", "client_secret_expires_at", "client_id_issued_at":
			continue
		}
		now, told := read[member]
		switch {
		case !told || spelled(now) == spelled(answered[member]):
		case registered(member):
			differ = append(differ, member)
		default: // a server's own, such as the time of the last change
			p.Note("%s: another value of %s, which no RFC knows", name, member)
		}
	}
	return differ
}

// registered says whether a member of client metadata is one of RFC 7591 §2 or §3.2.1, or of RFC 8705 §2.1.2.
func registered(member string) bool {
	return strings.HasPrefix(member, "tls_client_") || slices.Contains([]string{
		"client_id", "redirect_uris", "token_endpoint_auth_method", "token_endpoint_auth_signing_alg", "grant_types", "response_types", "client_name", "client_uri", "logo_uri",
		"scope", "contacts", "tos_uri", "policy_uri", "jwks_uri", "jwks", "software_id", "software_version", "software_statement",
	}, member)
}

// spelled writes a value of metadata so that two can be compared.
func spelled(value any) string {
	if list := oauth.Strings(value); list != nil {
		if len(list) == 1 {
			list = strings.Fields(list[0])
		}
		list = slices.Clone(list)
		slices.Sort(list)
		return strings.Join(list, " ")
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	return string(text)
}

func outcome(ok bool) logbook.Outcome {
	if ok {
		return logbook.Pass
	}
	return logbook.Fail
}
