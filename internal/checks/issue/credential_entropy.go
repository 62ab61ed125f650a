package issue

import (
	"context"
	"fmt"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// CredentialEntropy measures what the server makes for its clients by the letter of the standard: secrets and opaque
// tokens, by the same measure. Nobody will guess the 122 bits of a random UUID; yet it has less than what is asked for.
// What can be guessed is a matter of authenticate.weak-secret and of issue.tokens-cannot-be-guessed.
//
// RFC 6749 §10.10: "The probability of an attacker guessing generated tokens (and other credentials not intended for
// handling by end-users) MUST be less than or equal to 2^(-128) and SHOULD be less than or equal to 2^(-160)." RFC 9562
// §8: UUIDs "MUST NOT be used as security capabilities (identifiers whose mere possession grants access)".
var CredentialEntropy = &check.Check{
	ID:       "issue.credential-entropy",
	Title:    "client secrets and opaque tokens have room for 128 bits of entropy",
	Broken:   "client secrets or opaque tokens have room for less than 128 bits of entropy",
	Why:      "nobody tries out the 122 bits of a UUID, but the standard asks for more, and so do those who certify by it",
	Fix:      "make secrets and opaque tokens of at least 32 random bytes from the system's generator, and use no UUIDs for them",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "10.10"), frameworks.RFC(9562, "8"), frameworks.ASVS("11.5.1"), frameworks.FAPI2("5.4.1"), frameworks.NHI(4)},
	Rows:     []string{"L-CA-09", "L-TK-13"},
	Severity: logbook.Low,
	At:       check.HomeServer,
	Twin:     defect.Set{CredentialsAreUUIDs: true},
	Also:     []defect.Set{{ShortSecrets: true}, {SecretFromClock: true}, {GuessableToken: true}}, // what can be guessed has too few bits, too
	Follows:  []string{"authenticate.weak-secret", "issue.tokens-cannot-be-guessed"},
	Run: func(ctx context.Context, p *check.Pass) error {
		measured := 0
		secrets, names, err := p.ClientSecrets(ctx)
		if err != nil && !check.IsAbsent(err) {
			return err
		}
		if err == nil {
			measured++
			enough(p, fmt.Sprintf("%d client secrets", len(secrets)), forge.StrengthOf(secrets, names...))
		}
		for _, point := range sampledPoints(p) {
			tokens, again, err := p.SampledTokens(ctx, point)
			if err != nil {
				return err
			}
			if !again && tokens[0].JWT == nil {
				measured++
				enough(p, tokensFor(p, point), strengthOf(tokens))
			}
		}
		if measured == 0 {
			return check.NotApplicable("no client of this ride has a secret, and there are no opaque tokens to compare")
		}
		return nil
	},
}

// enough judges one kind of credential.
func enough(p *check.Pass, name string, found forge.Strength) {
	outcome := logbook.Pass
	if found.Bits < forge.MustBits {
		outcome = logbook.Fail
	}
	if outcome == logbook.Pass && found.Bits < forge.ShouldBits {
		p.Note("%s have %s; RFC 6749 §10.10 says that they should have %d", name, found.Text(), forge.ShouldBits)
	}
	p.Case(name, outcome, fmt.Sprintf("at least %d bits", forge.MustBits), found.Text(), "", "")
}
