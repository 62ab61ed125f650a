package authenticate

import (
	"context"
	"fmt"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// WeakSecret looks at the secrets that the server gave to clients of this ride, and to those of the plan that have one.
// How many bits they can have at most follows from their length, from the smallest usual alphabet that holds them all,
// and from what all of them have in common: too few are a finding, enough are no proof of a good source of randomness.
//
// RFC 6749 §10.10: "The authorization server MUST prevent attackers from guessing [...] client credentials." Here fails
// what somebody might really guess. What keeps nobody out but lacks some of the 128 bits, such as a random UUID with its
// 122, is a matter of issue.credential-entropy.
var WeakSecret = &check.Check{
	ID:       "authenticate.weak-secret",
	Title:    "client secrets cannot be found by trying",
	Broken:   "client secrets can be found by trying",
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
		secrets, names, err := p.ClientSecrets(ctx)
		if err != nil {
			return err
		}
		found := forge.StrengthOf(secrets, names...)
		p.Relevant("clients log in by secrets here")
		p.Holds(fmt.Sprintf("at least %d bits", forge.SafeBits), !found.CanBeGuessed(), fmt.Sprintf("%d secrets of %s", len(secrets), found.Text()))
		return nil
	},
}
