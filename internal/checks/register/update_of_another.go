package register

import (
	"context"
	"crypto/rand"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// UpdateOfAnother lets a client update its registration under the client_id of another, and with what only the server
// gives: a registration token and URI of its own choice, other dates.
//
// RFC 7592 §2.2 binds the client: client_id must be its own, and those members must not be sent. It names no answer, so a
// server may refuse, or ignore what it does not take; what it must not do is take it over. That an update without a
// client_id is taken is remarked alone.
var UpdateOfAnother = &check.Check{
	ID:       "register.update-of-another",
	Title:    "an update changes the client whose registration token it shows, and nothing that the server alone may set",
	Broken:   "an update changes another client than the one whose registration token it shows",
	Why:      "with its own token a partner replaces the keys of any other",
	Fix:      "take the client from the registration token and the URL, and compare client_id in the body with it",
	Refs:     []frameworks.Ref{frameworks.RFC(7592, "2.2"), frameworks.RFC(7592, "5"), frameworks.API(1), frameworks.API(3), frameworks.ASVS("8.2.2"), frameworks.SP80053("AC-3")},
	Rows:     []string{"L-RM-06", "L-RM-07"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Besides:  []*logbook.Breach{reservedSet},
	Twin:     defect.Set{UpdateByBody: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Newcomer(ctx, cast.Partner, cast.Wish{})
		if err != nil {
			return err
		}
		err = p.Manageable(partner)
		if err != nil {
			return err
		}
		other, err := p.Newcomer(ctx, cast.Partner, cast.Wish{})
		if err != nil {
			return err
		}
		own := partner.Client()
		before, _, err := p.Read(ctx, other)
		if err != nil {
			return err
		}
		const differs = "client_id of another"
		got, err := p.TryUpdate(ctx, partner, map[string]any{"client_id": other.ID()})
		if err != nil {
			return err
		}
		const expected = "refused, or the other client is as before"
		if stolen := partner.Client(); stolen.ID != own.ID { // what was told of the other is the other's
			partner.Change(func(client *oauth.Client) { *client = own })
			other.Change(func(client *oauth.Client) { client.RegistrationToken = stolen.RegistrationToken })
			p.Case("the client_id of another", logbook.Fail, expected, got.Why+"; the answer is about the other client, with its registration token", differs, "")
			return nil
		}
		_, answer, err := p.Do(ctx, wire.Control, p.AtConfiguration(other))
		if err != nil {
			return err
		}
		switch after := other.Client().Registered; {
		case answer.Decision == wire.Unknown || got.Decision == wire.Unknown:
			p.Case("the client_id of another", logbook.Inconclusive, expected, "", differs, got.Why+"; reading the other client: "+answer.Why)
			return nil
		case answer.Decision != wire.Accepted:
			p.Case("the client_id of another", logbook.Fail, expected, got.Why+"; the other client's registration token is not good any more: "+answer.Why, differs, "")
			return nil
		case got.Decision == wire.Accepted && (before["client_name"] == nil || after["client_name"] == nil):
			p.Case("the client_id of another", logbook.Inconclusive, expected, "", differs, "the update was accepted, and no answer tells the other's client_name, by which a change would be seen")
			return nil
		case spelled(before["client_name"]) != spelled(after["client_name"]):
			p.Case("the client_id of another", logbook.Fail, expected, got.Why+"; the other client has another client_name", differs, "")
			return nil
		default:
			p.Case("the client_id of another", logbook.Pass, expected, got.Why, differs, "")
		}
		if got.Decision == wire.Accepted {
			p.Note("%s takes an update that names another client for one of the client whose token it is", p.Name)
		}
		none, err := p.TryUpdate(ctx, partner, map[string]any{"client_id": nil})
		if err != nil {
			return err
		}
		if none.Decision == wire.Accepted {
			p.Note("%s takes an update without client_id, which RFC 7592 §2.2 has every client send", p.Name)
		}
		return reserved(ctx, p, partner)
	},
}

var reservedSet = &logbook.Breach{
	Broken:   "an update sets what the server alone may set",
	Why:      "a client plants a registration token that somebody else knows, or lets its secret live on after its end",
	Fix:      "store none of registration_access_token, registration_client_uri, client_secret_expires_at and client_id_issued_at from what a client sends",
	Severity: logbook.Medium,
}

// reserved sends what only the server gives, and looks whether it was taken over.
func reserved(ctx context.Context, p *check.Pass, partner *cast.Member) error {
	const expected = "refused, or not taken over"
	defer p.Besides(reservedSet)()
	plain := "chosen-" + rand.Text() + rand.Text()
	chosen := p.Stack.Keeper.Keep("chosen registration token", plain)
	for _, one := range []struct {
		member string
		value  any
	}{
		{"registration_access_token", plain},
		{"registration_client_uri", "https://partner.checkride.invalid/register"},
		{"client_secret_expires_at", 4102444800},
		{"client_id_issued_at", 1},
	} {
		name := "a chosen " + one.member
		err := p.Opens(ctx, p.AtConfiguration(partner))
		if err != nil {
			return err
		}
		uri := partner.Client().RegistrationURI
		got, err := p.TryUpdate(ctx, partner, map[string]any{one.member: one.value})
		if err != nil {
			return err
		}
		now := partner.Client()
		switch {
		case got.Decision == wire.Unknown:
			p.Case(name, logbook.Inconclusive, expected, "", one.member, got.Why)
		case got.Decision != wire.Accepted:
			p.Case(name, logbook.Pass, expected, got.Why, one.member, "")
		case now.RegistrationURI != uri && now.RegistrationURI == one.value:
			p.Case(name, logbook.Fail, expected, got.Why+"; the answer tells it", one.member, "")
			partner.Change(func(client *oauth.Client) { client.RegistrationURI = uri }) // nobody should send a token to the other
			return nil
		case one.member != "registration_access_token" && spelled(got.Told[one.member]) == spelled(one.value) && harmless(one.member, now):
			p.Note("%s takes %s from an update; nothing hangs on it here", p.Name, one.member)
		case now.RegistrationToken == chosen, one.member != "registration_access_token" && spelled(got.Told[one.member]) == spelled(one.value):
			p.Case(name, logbook.Fail, expected, got.Why+"; the answer tells it", one.member, "")
		default:
			p.Case(name, logbook.Pass, expected, got.Why+"; not taken over", one.member, "")
		}
		if one.member == "registration_access_token" && now.RegistrationToken != chosen {
			err = p.Refuses(ctx, p.AtConfiguration(partner), forge.WithToken(chosen, "the chosen one"))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// harmless says whether nobody has anything of a member that a client chose: a date of birth, and the end of a secret that
// is not there.
func harmless(member string, client oauth.Client) bool {
	return member == "client_id_issued_at" || member == "client_secret_expires_at" && client.Secret.Empty()
}
