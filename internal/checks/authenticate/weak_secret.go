package authenticate

import (
	"context"
	"fmt"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/secret"
)

// WeakSecret looks at the secrets that the server gave to clients of this ride, and to those of the plan that have one.
// How many bits they can have at most follows from their length, from the smallest usual alphabet that holds them all,
// and from what all of them have in common: too few are a finding, enough are no proof of a good source of randomness.
//
// RFC 6749 §10.10: the probability that credentials which no end-user handles are guessed MUST be at most 2^-128 and
// SHOULD be at most 2^-160. A random UUID has 122 bits.
var WeakSecret = &check.Check{
	ID:       "authenticate.weak-secret",
	Title:    "client secrets have room for 128 bits of entropy",
	Broken:   "client secrets have room for less than 128 bits of entropy",
	Why:      "a short secret, or one that is made of a name and a number, is found by trying, without anybody's mistake",
	Fix:      "make each secret of at least 32 random bytes from the system's generator, and cut none of them off",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "10.10"), frameworks.ASVS("11.5.1"), frameworks.FAPI2("5.4.1"), frameworks.NHI(4), frameworks.SP80053("IA-5(1)")},
	Rows:     []string{"L-CA-09"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.SecretLogin},
	Twin:     defect.Set{ShortSecrets: true},
	Also:     []defect.Set{{SecretFromClock: true}}, // two clients have the same
	Run: func(ctx context.Context, p *check.Pass) error {
		var secrets []secret.Text
		var names []string
		for _, role := range []string{cast.Partner, cast.Neighbour} {
			if !p.Cast.Has(role) {
				continue
			}
			member, err := p.By(ctx, role, oauth.ClientSecretBasic, oauth.ClientSecretPost)
			if check.IsAbsent(err) {
				continue
			}
			if err != nil {
				return err
			}
			client := member.Client()
			if client.Secret.Empty() {
				continue
			}
			secrets, names = append(secrets, client.Secret), append(names, client.ID, member.Name(), client.Name)
		}
		if len(secrets) == 0 {
			return check.NotApplicable("no client of this ride has a secret")
		}
		found := forge.StrengthOf(secrets, names...)
		p.Relevant("clients log in by secrets here")
		p.Holds("at least 128 bits", found.Bits >= 128, fmt.Sprintf("at most %.0f bits by %d secrets: %s", found.Bits, len(secrets), found.How))
		return nil
	},
}
