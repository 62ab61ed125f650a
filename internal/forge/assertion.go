package forge

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// assertion makes a change of the JWT credential of a request. A sample of it is made and judged with the client's own
// public key: the original must be good, the forgery bad for the given reason. An empty reason is for claims on which
// the judge has no opinion.
func assertion(name, reason string, alter func(*wire.JWT) error) wire.Change {
	return remade(name, clientAssertion, alter, func(before, after wire.JWT) error { return badAssertion(before, after, reason) })
}

func clientAssertion(r *wire.Request) (*wire.JWT, error) {
	i := slices.IndexFunc(r.Credentials, func(c wire.Credential) bool { return c.JWT != nil && !c.JWT.Proof })
	if i < 0 || r.Credentials[i].JWT.Key == nil {
		return nil, errors.New("the request carries no client assertion with a key; give a private_key_jwt client's")
	}
	return r.Credentials[i].JWT, nil
}

func badAssertion(before, after wire.JWT, reason string) error {
	want := Expectation{}
	want.Subject, _ = before.Claims["sub"].(string)
	if audience := oauth.Strings(before.Claims["aud"]); len(audience) > 0 {
		want.Audience = audience[0]
	}
	return badFor(reason, "assertion", "give a good one", before, after, want, Judge)
}

// sample makes an assertion as wire will at sending.
func sample(j wire.JWT, now time.Time) (string, error) {
	header, err := segment(j.Header)
	if err != nil {
		return "", err
	}
	life := j.Life
	if life == 0 {
		life = time.Minute
	}
	claims := map[string]any{"jti": encode(random(16)), "iat": now.Unix(), "exp": now.Add(life).Unix()}
	for _, name := range j.Omit {
		delete(claims, name)
	}
	for name, v := range j.Claims {
		if offset, relative := v.(wire.FromNow); relative {
			v = now.Add(time.Duration(offset)).Unix()
		}
		claims[name] = v
	}
	payload, err := segment(claims)
	if err != nil {
		return "", err
	}
	input := header + "." + payload
	var s []byte
	switch {
	case j.Sign != nil:
		s, err = j.Sign([]byte(input))
	case j.Key != nil:
		alg, _ := j.Header["alg"].(string)
		s, err = sign(alg, j.Key, []byte(input))
	}
	return input + "." + encode(s), err
}

// reasonOf is why an assertion with a wrong claim is bad.
func reasonOf(claim string) string {
	switch claim {
	case "iss":
		return BadIssuer
	case "sub":
		return BadSubject
	case "aud":
		return BadAudience
	case "exp":
		return Expired
	case "nbf":
		return TooEarly
	}
	return Good
}

// AssertionWithout leaves a claim out (RFC 7523 §3(1) to (4): iss, sub, aud and exp are MUST; jti is MAY).
func AssertionWithout(claim string) wire.Change {
	reason := reasonOf(claim)
	if claim == "exp" {
		reason = NoExpiry
	}
	return assertion("assertion without "+claim, reason, func(j *wire.JWT) error {
		delete(j.Claims, claim)
		switch claim {
		case "jti", "iat", "exp":
			j.Omit = append(j.Omit, claim)
		}
		return nil
	})
}

// AssertionClaim sets a claim to a wrong value; a [wire.FromNow] becomes a time.
func AssertionClaim(name string, value any) wire.Change {
	return assertion(fmt.Sprintf("assertion with another %s", name), reasonOf(name), func(j *wire.JWT) error {
		if j.Claims == nil {
			j.Claims = map[string]any{}
		}
		j.Claims[name] = value
		return nil
	})
}

// AssertionExpired has expired five minutes ago (RFC 7523 §3(4)).
func AssertionExpired() wire.Change {
	return assertion("expired assertion", Expired, func(j *wire.JWT) error {
		// iat goes along, else the assertion would end before it began.
		j.Claims["exp"], j.Claims["iat"] = wire.FromNow(-10*time.Minute), wire.FromNow(-11*time.Minute)
		return nil
	})
}

// AssertionAudience is for another server (RFC 7523 §3(3)).
func AssertionAudience(audience any) wire.Change { return AssertionClaim("aud", audience) }

// AssertionAlgNone is unsigned (RFC 8725 §3.1, §3.2).
func AssertionAlgNone() []wire.Change {
	unsigned := func(name, alg, reason string) wire.Change {
		return assertion(name, reason, func(j *wire.JWT) error {
			if alg != "" {
				j.Header["alg"] = alg
			}
			j.Key, j.Sign = nil, nil
			return nil
		})
	}
	return []wire.Change{
		unsigned("assertion with alg none", "none", BadAlgorithm),
		unsigned("assertion with alg nOnE", "nOnE", BadAlgorithm),
		unsigned("assertion with an empty signature", "", BadSignature),
	}
}

// AssertionHS256PublicKey is signed with HS256, keyed with the client's own public key in its textual forms (RFC 8725
// §2.1, §3.1).
func AssertionHS256PublicKey() []wire.Change {
	var all []wire.Change
	for _, name := range []string{"SPKI PEM", "SPKI PEM without its last line end", "SPKI DER", "JWK of RFC 7638"} {
		all = append(all, assertion("assertion with alg HS256, keyed with the public key as "+name, BadAlgorithm, func(j *wire.JWT) error {
			key, err := formOf(j, name)
			if err != nil {
				return err
			}
			j.Header["alg"], j.Key, j.Signer = "HS256", nil, "HMAC with the public key as "+name
			j.Sign = func(input []byte) ([]byte, error) { return mac(key, string(input)), nil }
			return nil
		}))
	}
	return all
}

func formOf(j *wire.JWT, name string) ([]byte, error) {
	p := public{key: j.Key.Public(), jwk: oauth.PublicJWK(j.Key.Public(), "", "")}
	for _, form := range p.forms() {
		if form.name == name {
			return form.bytes, nil
		}
	}
	return nil, fmt.Errorf("the client's key has no form %q; give an EC, RSA or Ed25519 key", name)
}

// AssertionSignedBy is signed with another key under the client's kid: one of ours, or the neighbour's, as the label
// says (RFC 7523 §3(9)). The key must be for the same algorithm, else that would be a second difference.
func AssertionSignedBy(other oauth.Key, label string) wire.Change {
	return assertion("assertion signed with "+label, BadSignature, func(j *wire.JWT) error {
		err := sameAlg(j, other)
		if err != nil {
			return err
		}
		j.Key = other.Signer
		return nil
	})
}

// AssertionOfUnknownKey is signed with a key that nobody registered, under its own kid.
func AssertionOfUnknownKey(other oauth.Key) wire.Change {
	return assertion("assertion signed with an unknown key under its own kid", UnknownKey, func(j *wire.JWT) error {
		err := sameAlg(j, other)
		if err != nil {
			return err
		}
		j.Header["kid"], j.Key, j.Signer = other.ID, other.Signer, "a key that nobody registered"
		return nil
	})
}

// AssertionTampered has one bit of its signature flipped.
func AssertionTampered() wire.Change {
	return assertion("assertion with one bit of the signature flipped", BadSignature, flip)
}

func sameAlg(j *wire.JWT, k oauth.Key) error {
	if alg, _ := j.Header["alg"].(string); alg != k.Alg {
		return fmt.Errorf("the other key is for %s and the assertion for %s; give a key for the same algorithm", k.Alg, alg)
	}
	return nil
}

// FormField sets a field of the form: client_id, client_assertion_type.
func FormField(name, value string) wire.Change {
	return wire.Change{Name: fmt.Sprintf("form field %s changed", name), Apply: func(r wire.Request) (wire.Request, error) {
		return r.SetForm(name, value), nil
	}}
}
