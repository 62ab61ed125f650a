package authenticate

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// WrongSecret plays the thief who has a part of the secret: cut, altered in its last character, or too long. A server
// that compares a part of it, as old hashes did, takes some of them.
//
// RFC 6749 §5.2 answers invalid_client; if the client used the Authorization header, 401 with WWW-Authenticate is a
// MUST. It has one code for an unknown client and for a wrong secret, so that nobody learns which ids exist: what tells
// them apart is a note here.
var WrongSecret = &check.Check{
	ID:       "authenticate.wrong-secret",
	Title:    "a wrong client secret gets no token",
	Broken:   "a wrong client secret gets a token",
	Why:      "whoever knows the id of a partner and a part of its secret is that partner",
	Fix:      "compare the whole secret with the stored one, in constant time, and look for a hash that cuts its input",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "5.2"), frameworks.RFC(6749, "2.3.1"), frameworks.NHI(4), frameworks.ASVS("10.4.10"), frameworks.CSF("PR.AA-03"), frameworks.SP80053("IA-5(1)")},
	Rows:     []string{"L-CA-02", "L-CA-11", "A-TF-29"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.SecretLogin},
	Takes:    check.FailAuth,
	Twin:     defect.Set{SecretIgnored: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.ClientSecretBasic, oauth.ClientSecretPost)
		if err != nil {
			return err
		}
		login := p.Login(partner)
		changes := forge.WrongSecrets(p.Stack.Keeper)
		err = p.Refuses(ctx, login, changes...)
		if err != nil || partner.Client().Auth != oauth.ClientSecretBasic {
			return err
		}
		wrong := login.With(func(r *wire.Request) {
			altered, err := changes[len(changes)-1].Apply(*r)
			if err == nil {
				*r = altered
			}
		})
		known, _, err := p.Do(ctx, wire.Altered, wrong)
		if err != nil {
			return err
		}
		unknown, _, err := p.Do(ctx, wire.Altered, wrong.With(func(r *wire.Request) { r.Credentials[0].Basic = "nobody-" + r.Credentials[0].Basic }))
		if err != nil {
			return err
		}
		if known.Status != unknown.Status || known.Text("/error") != unknown.Text("/error") || known.Text("/error_description") != unknown.Text("/error_description") {
			p.Note("an unknown client is told apart from a wrong secret (%d and %d): whoever guesses learns which ids exist", unknown.Status, known.Status)
		}
		return nil
	},
}
