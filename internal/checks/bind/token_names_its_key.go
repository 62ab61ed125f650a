package bind

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
)

// TokenNamesItsKey reads what a bound token says of its key: in the token where it is a JWT, and in introspection. A
// resource server compares nothing else, so the thumbprint must be there and in the one right form: base64url of the
// SHA-256, 43 characters. In hexadecimal it is the known mistake; a point that follows the RFC then refuses everybody,
// or was taught to take both.
//
// RFC 9449 §5: token_type MUST be DPoP for a bound token; a server MAY give unbound ones all the same, and says Bearer. So
// that counts only where the client is registered for bound tokens (§5.2: MUST), or the plan asks for them. §6.1, §6.2: cnf.jkt in the token and in introspection. RFC 8705
// §3.1 (SHOULD for JWTs), §3.2: cnf.x5t#S256.
var TokenNamesItsKey = &check.Check{
	ID:       "bind.token-names-its-key",
	Title:    "a bound token says which key it is bound to, in the standard form",
	Broken:   "a token that should be bound does not say its key in the standard form",
	Why:      "a point can only compare what the token says: without a readable thumbprint the token is a bearer token, or is refused everywhere",
	Fix:      "put cnf into the token and into introspection: x5t#S256 is the base64url SHA-256 of the certificate's DER, jkt that of RFC 7638; say token_type DPoP",
	Refs:     []frameworks.Ref{frameworks.RFC(9449, "5"), frameworks.RFC(9449, "6.1"), frameworks.RFC(9449, "6.2"), frameworks.RFC(8705, "3.1"), frameworks.RFC(8705, "3.2"), frameworks.ASVS("10.3.5"), frameworks.NHI(4)},
	Rows:     []string{"L-DP-01", "L-SC-01"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Twin:     defect.Set{KeyThumbprintInHex: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		described, _ := p.Cast.Client(cast.Partner)
		if described.SenderConstraint == "mtls" {
			partner, err := p.Partner(ctx)
			if err != nil {
				return err
			}
			token, err := partner.TokenWith(ctx, partner.Usual())
			if err != nil {
				return err
			}
			err = namesKey(ctx, p, token, "x5t#S256", cast.Thumbprint(token.Certificate))
			if err != nil {
				return err
			}
		}
		prover, err := p.Prover(ctx)
		if err != nil {
			return err
		}
		token, err := prover.TokenWith(ctx, prover.Usual())
		if err != nil {
			return err
		}
		const typed = "token_type DPoP"
		if !strings.EqualFold(token.Type, oauth.TokenTypeDPoP) {
			if !p.MustBindByDPoP(prover) {
				return check.NotApplicable("%s gives unbound tokens where neither registration nor plan asks for bound ones, as RFC 9449 §5 lets it", p.Name)
			}
			p.Case(typed, logbook.Fail, typed, "token_type "+token.Type, "", "")
			return nil
		}
		p.Case(typed, logbook.Pass, typed, typed, "", "")
		return namesKey(ctx, p, token, "jkt", oauth.KeyThumbprint(token.Proof))
	},
}

// namesKey decides what each place says of a token's key.
func namesKey(ctx context.Context, p *check.Pass, token oauth.Token, member, thumbprint string) error {
	told, err := p.ClaimsOf(ctx, token)
	if err != nil {
		return err
	}
	if len(told) == 0 {
		return check.NotApplicable("the tokens are opaque and nobody may introspect them (clients.resource_server), so no client sees cnf.%s", member)
	}
	named := 0
	for _, place := range told {
		name, expected := "cnf."+member+" in "+strings.TrimPrefix(place.By, "the "), "the base64url SHA-256"
		confirmation, _ := place.Claims["cnf"].(map[string]any) // RFC 7800 §3.1
		value, there := confirmation[member].(string)
		switch {
		case !there:
			p.Note("%s says nothing of cnf.%s", place.By, member) // one place is enough for whoever reads that one
		case value == thumbprint:
			named++
			p.Case(name, logbook.Pass, expected, "as expected", "", "")
		default:
			named++
			p.Case(name, logbook.Fail, expected, mistaken(value, thumbprint), "", "")
		}
	}
	if named == 0 {
		p.Case("cnf."+member, logbook.Fail, "the thumbprint of the key, in the token or in introspection", "it stands nowhere", "", "")
	}
	return nil
}

// mistaken says how a thumbprint is written wrongly.
func mistaken(value, thumbprint string) string {
	raw, err := base64.RawURLEncoding.DecodeString(thumbprint)
	switch {
	case err == nil && strings.EqualFold(value, hex.EncodeToString(raw)):
		return "the thumbprint in hexadecimal"
	case err == nil && value == base64.StdEncoding.EncodeToString(raw), err == nil && value == base64.URLEncoding.EncodeToString(raw):
		return "the thumbprint in another base64"
	}
	return "the thumbprint of something else"
}
