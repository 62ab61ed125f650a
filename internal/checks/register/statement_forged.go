package register

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
)

// StatementForged registers with software statements that anybody can make who has seen one and has read the directory's
// public key: unsigned, with a flipped bit, keyed with the public key, signed by a key that the statement brings along or
// points to. A server that only fetches what is pointed to, and refuses, is a matter of register.statement-address-fetched.
//
// RFC 7591 §2.3: a statement is signed or MACed. RFC 8725 §3.1: the algorithm is not the token's to choose; §3.8: the keys
// must belong to the issuer.
var StatementForged = &check.Check{
	ID:       "register.statement-forged",
	Title:    "a software statement that its directory did not sign registers nobody",
	Broken:   "a software statement that its directory did not sign registers a client",
	Why:      "anybody writes a statement for any organisation and becomes that partner, with the rights that the statement claims",
	Fix:      "verify statements with the keys of the directory by configuration and a list of allowed algorithms; never use keys or addresses that a statement brings along",
	Refs:     []frameworks.Ref{frameworks.RFC(7591, "2.3"), frameworks.RFC(7591, "3.2.2"), frameworks.RFC(8725, "3.1"), frameworks.RFC(8725, "3.8"), frameworks.RFC(8725, "2.1"), frameworks.CSF("PR.AA-04"), frameworks.SP80053("IA-5")},
	Rows:     []string{"L-SS-03", "L-SS-05"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.DirectoryKey},
	Twin:     defect.Set{StatementUnverified: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		alg, err := statementAlgorithm(ctx, p)
		if err != nil {
			return err
		}
		own, err := oauth.NewKey(alg)
		if err != nil {
			return check.CannotTell("the directory signs with %s: %v", alg, err)
		}
		bait, err := p.Canary(oauth.JWKSet(own))
		if err != nil {
			return err
		}
		address := "https://checkride.invalid/jwks"
		if bait != nil {
			address = bait.URL()
		} else {
			p.Note("the plan has no listener at which the key could be found (canary), so who follows jku and x5u may refuse for that alone")
		}
		return p.RefusesRegistrations(ctx, p.AtRegistration(ctx, cast.Partner, cast.Wish{}), nil, forge.ForgedStatements(own, address)...)
	},
}

// statementAlgorithm is the algorithm with which the ride signs statements.
func statementAlgorithm(ctx context.Context, p *check.Pass) (string, error) {
	draft, err := p.Cast.Draft(ctx, cast.Partner, cast.Wish{})
	if err != nil {
		return "", err
	}
	statement := draft.Statement()
	if statement == nil || statement.JWT == nil {
		return "", check.CannotTell("the ride signs no statements")
	}
	alg, _ := statement.JWT.Header["alg"].(string)
	return alg, nil
}
