package forge

import (
	"errors"
	"slices"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// elsewhere is a server that is nobody's.
const elsewhere = "https://as.checkride.invalid"

// signing finds the JWT that a request is sent as.
func signing(r *wire.Request) (*wire.JWT, error) {
	for i := range r.Credentials {
		if c := &r.Credentials[i]; c.In == wire.InBody && c.JWT != nil && c.JWT.Key != nil {
			return c.JWT, nil
		}
	}
	return nil, errors.New("the request is not signed as a whole")
}

// RequestAlgorithm is the algorithm with which a request is signed as a whole; empty: it is not.
func RequestAlgorithm(r wire.Request) string {
	j, err := signing(&r)
	if err != nil {
		return ""
	}
	alg, _ := j.Header["alg"].(string)
	return alg
}

// signedRequest makes a change of the JWT that a request is sent as. A sample of it is made and judged with the software's
// own public key: the original must be good, the forgery bad for the given reason.
func signedRequest(name, reason string, alter func(*wire.JWT) error) wire.Change {
	return remade(name, signing, alter, func(before, after wire.JWT) error {
		audience, _ := before.Claims["aud"].(string)
		return badFor(reason, "signed request", "look at registration.signed_request", before, after, Expectation{Audience: audience}, Judge)
	})
}

// RequestForAnother is signed as a whole, for another server (RFC 7519 §4.1.3).
func RequestForAnother() wire.Change {
	return signedRequest("request for another server", BadAudience, func(j *wire.JWT) error {
		j.Claims["aud"] = elsewhere
		return nil
	})
}

// SignedRequests are registrations that are signed as a whole and good for nobody: expired, by another issuer, with one bit
// of the signature flipped, signed by a key of ours, unsigned (RFC 7519 §4.1.1, §4.1.4; RFC 8725 §3.3).
func SignedRequests(own oauth.Key) []wire.Change {
	return []wire.Change{
		signedRequest("expired request", Expired, expire),
		signedRequest("request of another issuer", BadIssuer, func(j *wire.JWT) error {
			j.Claims["iss"] = "checkride-nobody"
			return nil
		}),
		signedRequest("request with one bit of the signature flipped", BadSignature, flip),
		signedRequest("request signed by another key", BadSignature, func(j *wire.JWT) error {
			err := sameAlg(j, own)
			if err != nil {
				return err
			}
			j.Key, j.Signer = own.Signer, ""
			return nil
		}),
		signedRequest("request with alg none", BadAlgorithm, func(j *wire.JWT) error {
			j.Header["alg"] = "none"
			j.Key, j.Sign = nil, nil
			return nil
		}),
	}
}

// UnsignedRequest sends the JSON as it is.
func UnsignedRequest() wire.Change {
	const name = "request by JSON, unsigned"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		_, err := signing(&r)
		if err != nil {
			return r, err
		}
		r.Credentials = slices.DeleteFunc(r.Credentials, func(c wire.Credential) bool { return c.In == wire.InBody })
		return r, nil
	}}
}
