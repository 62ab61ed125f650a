package oauth

// RFC 7591 §2.3: software statements.

import (
	"maps"
	"time"

	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// StatementMember is the member of a registration that carries a software statement (RFC 7591 §3.1.1).
const StatementMember = "software_statement"

// Vouch makes a software statement: a JWT that a directory signs about a client. iss names the directory; jti, iat and
// exp are filled in at sending, in the server's time, so that each sending carries a statement of its own. The kid is
// left out where the key has none.
func Vouch(key Key, issuer string, claims map[string]any, life, clock time.Duration) wire.Credential {
	header := map[string]any{"alg": key.Alg, "typ": "JWT"}
	if key.ID != "" {
		header["kid"] = key.ID
	}
	all := maps.Clone(claims)
	if all == nil {
		all = map[string]any{}
	}
	all["iss"] = issuer
	return wire.Credential{In: wire.InJSON, Name: StatementMember, JWT: &wire.JWT{Header: header, Claims: all, Life: life, Key: key.Signer, Clock: clock, Statement: true}}
}

// Statement presents a software statement as it is: what somebody else has signed.
func Statement(text secret.Text) wire.Credential {
	return wire.Credential{In: wire.InJSON, Name: StatementMember, Text: text}
}
