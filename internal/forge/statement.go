package forge

import (
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// Why a software statement is bad, beside what [Judge] says of every JWT.
const (
	TooOld     = "age"           // issued longer ago than its reader allows
	FromFuture = "date of issue" // issued later than now
)

// statement makes a change of the software statement that a registration carries. A sample of it is made and judged with
// the directory's own public key: the original must be good, the forgery bad for the given reason.
func statement(name, reason string, oldest time.Duration, alter func(*wire.JWT) error) wire.Change {
	find := carried(oauth.StatementMember, "software statement that we sign; give the directory's key")
	return remade(name, find, alter, func(before, after wire.JWT) error {
		judge := func(compact string, set map[string]any, want Expectation) string {
			return judgeStatement(compact, set, want, oldest)
		}
		return badFor(reason, "software statement", "look at registration.software_statement", before, after, Expectation{}, judge)
	})
}

// judgeStatement judges a statement as a strict server does that believes the keys of the set and lets no statement be
// older than oldest; 0 lets its age be.
func judgeStatement(text string, set map[string]any, want Expectation, oldest time.Duration) string {
	why := Judge(text, set, want)
	if why != Good || oldest == 0 {
		return why
	}
	j, err := oauth.Decode(text)
	if err != nil {
		return BadForm
	}
	issued, told := oauth.Date(j.Claims["iat"])
	switch {
	case !told || want.Now.Sub(issued) > oldest:
		return TooOld
	case issued.After(want.Now):
		return FromFuture
	}
	return Good
}

// WithoutStatement registers without a software statement.
func WithoutStatement() wire.Change {
	const name = "no software statement"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		if r.Credential(oauth.StatementMember) == nil {
			return r, fmt.Errorf("%s: the request carries none already", name)
		}
		return r.WithoutCredential(oauth.StatementMember), nil
	}}
}

// WithStatement carries another software statement: somebody else's. The label says whose.
func WithStatement(other wire.Credential, label string) wire.Change {
	return wire.Change{Name: label, Apply: func(r wire.Request) (wire.Request, error) {
		altered, had := r.ReplaceCredential(oauth.StatementMember, other)
		if !had {
			return r, fmt.Errorf("%s: the request carries no software statement that could be replaced", label)
		}
		return altered, nil
	}}
}

// StatementTampered has one bit of its signature flipped (RFC 7591 §2.3: it is signed or MACed).
func StatementTampered() wire.Change {
	return statement("statement with one bit of the signature flipped", BadSignature, 0, flip)
}

// ForgedStatements are what anybody can make who has seen a statement and read the directory's public key: unsigned, with
// one bit of the signature flipped, keyed with what is public, and signed by a key that the statement brings along or
// points to (RFC 8725 §2.1, §3.1, §3.8; RFC 7515 §4.1.6). The key is ours and for the algorithm of the statements; its key
// set is found at the address.
func ForgedStatements(own oauth.Key, address string) []wire.Change {
	unsigned := func(name, alg, reason string) wire.Change {
		return statement(name, reason, 0, func(j *wire.JWT) error {
			if alg != "" {
				j.Header["alg"] = alg
			}
			j.Key, j.Sign = nil, nil
			return nil
		})
	}
	all := []wire.Change{
		StatementTampered(),
		unsigned("statement with alg none", "none", BadAlgorithm),
		unsigned("statement with alg nOnE", "nOnE", BadAlgorithm),
		unsigned("statement with an empty signature", "", BadSignature),
	}
	for _, form := range []string{"SPKI PEM", "SPKI DER", "JWK of RFC 7638"} {
		all = append(all, statement("statement with alg HS256, keyed with the directory's public key as "+form, BadAlgorithm, 0, func(j *wire.JWT) error {
			key, err := formOf(j, form)
			if err != nil {
				return err
			}
			j.Header["alg"], j.Key, j.Signer = "HS256", nil, "HMAC with the public key as "+form
			j.Sign = func(input []byte) ([]byte, error) { return mac(key, string(input)), nil }
			return nil
		}))
	}
	return append(all,
		broughtAlong(own, "own key in the header (jwk)", BadSignature, func(h map[string]any) error {
			h["jwk"] = oauth.PublicJWK(own.Signer.Public(), "", own.Alg)
			return nil
		}),
		broughtAlong(own, "own certificate in the header (x5c)", BadSignature, func(h map[string]any) error {
			der, err := selfSigned(own.Signer)
			h["x5c"] = []any{base64.StdEncoding.EncodeToString(der)} // base64, not base64url
			return err
		}),
		StatementPointsToKey(own, "jku", address),
		StatementPointsToKey(own, "x5u", address),
	)
}

// StatementPointsToKey is signed by a key of ours that the header says is found at an address: as jku or as x5u. The kid is
// that of our key, since in the set that stands there no other is found.
func StatementPointsToKey(own oauth.Key, member, address string) wire.Change {
	return broughtAlong(own, "a key elsewhere ("+member+")", UnknownKey, func(h map[string]any) error {
		h[member], h["kid"] = address, own.ID
		return nil
	})
}

// broughtAlong is signed by a key of ours which the header names.
func broughtAlong(own oauth.Key, name, reason string, bring func(header map[string]any) error) wire.Change {
	return statement("statement signed by "+name, reason, 0, func(j *wire.JWT) error {
		err := sameAlg(j, own)
		if err != nil {
			return err
		}
		j.Key, j.Signer = own.Signer, ""
		return bring(j.Header)
	})
}

// StatementsOutOfTime are a statement that expired five minutes ago (RFC 7519 §4.1.4) and, where the reader judges the
// age of statements, one that is older than that and one from the future.
func StatementsOutOfTime(oldest time.Duration) []wire.Change {
	all := []wire.Change{statement("expired statement", Expired, 0, expire)}
	if oldest == 0 {
		return all
	}
	return append(all,
		statement("statement that is too old and not expired", TooOld, oldest, func(j *wire.JWT) error {
			j.Claims["iat"], j.Claims["exp"] = wire.FromNow(-oldest-5*time.Minute), wire.FromNow(life(j))
			return nil
		}),
		statement("statement from the future", FromFuture, oldest, func(j *wire.JWT) error {
			j.Claims["iat"], j.Claims["exp"] = wire.FromNow(10*time.Minute), wire.FromNow(10*time.Minute+life(j))
			return nil
		}),
	)
}

// unknownIssuer vouches for nobody whom anybody trusts.
const unknownIssuer = "https://directory.checkride.invalid"

// StatementsOfAnotherIssuer are statements of an issuer that nobody trusts: signed by a key of its own under a kid of its
// own, and signed by the trusted directory's key, which vouches for what that directory says and for nobody else (RFC
// 8725 §3.8).
func StatementsOfAnotherIssuer() []wire.Change {
	return []wire.Change{
		statement("statement of an unknown issuer", UnknownKey, 0, func(j *wire.JWT) error {
			alg, _ := j.Header["alg"].(string)
			key, err := oauth.NewKey(alg)
			if err != nil {
				return err
			}
			if j.Header["kid"] == nil {
				return errors.New("the directory's key has no kid, so another one cannot be named; give registration.software_statement.kid")
			}
			j.Claims["iss"], j.Header["kid"], j.Key = unknownIssuer, key.ID, key.Signer
			return nil
		}),
		statement("statement of an unknown issuer, signed by the trusted one", BadIssuer, 0, func(j *wire.JWT) error {
			j.Claims["iss"] = unknownIssuer
			return nil
		}),
	}
}

// StatementClaims are the claims of a software statement, whoever signed it.
func StatementClaims(statement wire.Credential) (map[string]any, error) {
	if statement.JWT != nil {
		return statement.JWT.Claims, nil
	}
	decoded, err := oauth.Decode(statement.Text.Reveal())
	if err != nil {
		return nil, err
	}
	return decoded.Claims, nil
}
