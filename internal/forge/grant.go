package forge

import (
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// Exchanging shows another token in an exchange, as its subject ([oauth.SubjectMember]) or its actor
// ([oauth.ActorMember]). The label says whose.
func Exchanging(member string, token secret.Text, label string) wire.Change {
	return wire.Change{Name: label, Apply: func(r wire.Request) (wire.Request, error) {
		c := r.Credential(member)
		if c == nil {
			return r, fmt.Errorf("%s: the request carries no %s; give a token exchange that has one", label, member)
		}
		c.Text = token
		return r, nil
	}}
}

// WithoutActor exchanges without an actor token. Its type goes with it: RFC 8693 §2.1 has it nowhere else.
func WithoutActor() wire.Change {
	const name = "no actor token"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		if r.Credential(oauth.ActorMember) == nil {
			return r, fmt.Errorf("%s: the request carries none already", name)
		}
		return r.WithoutCredential(oauth.ActorMember).WithoutForm(oauth.ActorTypeMember), nil
	}}
}

// WithoutSubject exchanges nothing (RFC 8693 §2.1: subject_token is REQUIRED).
func WithoutSubject() wire.Change {
	const name = "no subject token"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		if r.Credential(oauth.SubjectMember) == nil {
			return r, fmt.Errorf("%s: the request carries none already", name)
		}
		return r.WithoutCredential(oauth.SubjectMember), nil
	}}
}

// ForgedSubjects are subject tokens that nobody issued: one bit of the signature flipped, unsigned, and signed by a key of
// ours. Each is judged as forged tokens at points are.
func (f *Forger) ForgedSubjects() []wire.Change {
	var all []wire.Change
	for _, some := range [][]wire.Change{f.Tampered(), f.Unsigned(), f.OtherKey()} {
		all = append(all, exchanged(some[0]))
	}
	return all
}

// exchanged makes a change of a token in the header into one of the subject token of an exchange.
func exchanged(change wire.Change) wire.Change {
	name := "subject token: " + change.Name
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		c := r.Credential(oauth.SubjectMember)
		if c == nil {
			return r, fmt.Errorf("%s: the request carries no subject token; give a token exchange", name)
		}
		alone, err := change.Apply(wire.Request{Credentials: []wire.Credential{*c}})
		if err != nil {
			return r, err
		}
		*c = alone.Credentials[0]
		return r, nil
	}}
}

// grant makes a change of the assertion that is an authorization grant. A sample of it is made and judged with its
// issuer's own public key: the original must be good, the forgery bad for the given reason.
func grant(name, reason string, alter func(*wire.JWT) error) wire.Change {
	find := carried(oauth.AssertionMember, "assertion that we sign; give a request of the JWT bearer grant")
	return remade(name, find, alter, func(before, after wire.JWT) error { return badAssertion(before, after, reason) })
}

// ForgedGrants are assertions that the trusted issuer did not sign: one bit flipped, unsigned, and signed by a key of ours
// under the issuer's kid and under its own (RFC 7523 §3(9)). The key must be for the algorithm of the assertions.
func ForgedGrants(own oauth.Key) []wire.Change {
	return []wire.Change{
		grant("assertion with one bit of the signature flipped", BadSignature, flip),
		grant("assertion with alg none", BadAlgorithm, func(j *wire.JWT) error {
			j.Header["alg"], j.Key, j.Sign = "none", nil, nil
			return nil
		}),
		grant("assertion signed by a key of nobody under the issuer's kid", BadSignature, func(j *wire.JWT) error {
			j.Key, j.Signer = own.Signer, "a key of nobody"
			return sameAlg(j, own)
		}),
	}
}

// GrantsOfAnotherIssuer are assertions of an issuer that nobody trusts: signed by its own key under its own kid, and by the
// key of the trusted one, which vouches for nobody else (RFC 7523 §3(1), RFC 8725 §3.8).
func GrantsOfAnotherIssuer(own oauth.Key) []wire.Change {
	const issuer = "https://issuer.checkride.invalid"
	all := []wire.Change{grant("assertion of an unknown issuer, signed by the trusted one", BadIssuer, func(j *wire.JWT) error {
		j.Claims["iss"] = issuer
		return nil
	})}
	return append(all, wire.Change{Name: "assertion of an unknown issuer", Apply: func(r wire.Request) (wire.Request, error) {
		reason := UnknownKey
		if c := r.Credential(oauth.AssertionMember); c != nil && c.JWT != nil && c.JWT.Header["kid"] == nil {
			reason = BadSignature // then the keys are tried one by one
		}
		return grant("assertion of an unknown issuer", reason, func(j *wire.JWT) error {
			j.Claims["iss"], j.Key, j.Signer = issuer, own.Signer, "a key of nobody"
			if j.Header["kid"] != nil {
				j.Header["kid"] = own.ID
			}
			return sameAlg(j, own)
		}).Apply(r)
	}})
}

// UnfitGrants are assertions that the trusted issuer signed and that are not for this server, or not good now: RFC 7523
// §3(2) to (5).
func UnfitGrants() []wire.Change {
	return []wire.Change{
		grant("assertion for another server", BadAudience, func(j *wire.JWT) error {
			j.Claims["aud"] = "https://as.checkride.invalid"
			return nil
		}),
		grant("assertion without aud", BadAudience, func(j *wire.JWT) error {
			delete(j.Claims, "aud")
			return nil
		}),
		grant("assertion without sub", BadSubject, func(j *wire.JWT) error {
			delete(j.Claims, "sub")
			return nil
		}),
		grant("expired assertion", Expired, expire),
		grant("assertion without exp", NoExpiry, func(j *wire.JWT) error {
			j.Omit = append(j.Omit, "exp")
			return nil
		}),
		grant("assertion that is not good yet (nbf)", TooEarly, func(j *wire.JWT) error {
			j.Claims["nbf"], j.Claims["exp"] = wire.FromNow(5*time.Minute), wire.FromNow(6*time.Minute)
			return nil
		}),
	}
}

// SignedGrant gives r with the assertion that is its grant signed now: what is sent are the same bytes each time.
func SignedGrant(keep *secret.Keeper, r wire.Request) (wire.Request, error) {
	r = r.Clone()
	c := r.Credential(oauth.AssertionMember)
	if c == nil || c.JWT == nil {
		return r, fmt.Errorf("the request carries no assertion; give a request of the JWT bearer grant")
	}
	text, err := sample(*c.JWT, time.Now().Add(c.JWT.Clock))
	if err != nil {
		return r, fmt.Errorf("sign an assertion: %w", err)
	}
	c.Text, c.JWT = keep.Keep("assertion", text), nil
	return r, nil
}
