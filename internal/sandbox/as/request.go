package as

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	signedRequest = "application/jose" // of registrations that are signed as a whole (Open Banking UK, DCR 3.3)
	softwareKeys  = "software_jwks"    // the claim of a software statement with the keys of its software
)

// signed judges a registration or an update that is a JWT: the software signs it that its statement vouches for, by a
// statement that was believed. One by JSON is not signed, and good.
func (s *Server) signed(c *call, st *statement) *answer {
	if mediaType(c.r) != signedRequest {
		return nil
	}
	if st == nil {
		return badRequest("a signed request needs a software statement")
	}
	line := string(c.body)
	token, err := jwt.ParseSigned(line, statementAlgorithms())
	var set jose.JSONWebKeySet
	if err == nil {
		err = json.Unmarshal(st.claims[softwareKeys], &set)
	}
	verified := err == nil && canonical(line) && slices.ContainsFunc(set.Keys, func(key jose.JSONWebKey) bool { return verifies(line, token, key) })
	if !verified && !c.defects.RequestUnverified {
		return badRequest("the request is not signed by the software that its statement vouches for")
	}
	if c.defects.RequestClaimsIgnored {
		return nil
	}
	var claims jwt.Claims
	payload, err := decoded(line)
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	software, _ := text(st.claims, "software_id")
	switch {
	case err != nil:
		return badRequest("the claims of the request are malformed")
	case claims.Issuer != software || software == "":
		return badRequest("the request is not of the software that its statement vouches for")
	case !claims.Audience.Contains(s.cfg.Issuer):
		return badRequest("the request is for another server")
	case claims.Expiry == nil || !c.now.Before(claims.Expiry.Time()):
		return badRequest("the request has no exp or has expired")
	}
	return nil
}

// badRequest is how a signed request is refused (RFC 7591 §3.2.2).
func badRequest(reason string) *answer {
	return refused(http.StatusBadRequest, "invalid_client_metadata", reason)
}
