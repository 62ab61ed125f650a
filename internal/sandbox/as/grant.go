package as

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	tokenExchange   = "urn:ietf:params:oauth:grant-type:token-exchange" // RFC 8693 §2.1
	jwtBearer       = "urn:ietf:params:oauth:grant-type:jwt-bearer"     // RFC 7523 §2.1
	accessTokenType = "urn:ietf:params:oauth:token-type:access_token"   // RFC 8693 §3
)

// grants are those that the server offers.
func (s *Server) grants() []string {
	offered := []string{clientCredentials}
	if s.cfg.Exchanges {
		offered = append(offered, tokenExchange)
	}
	if s.cfg.GrantIssuer != nil {
		offered = append(offered, jwtBearer)
	}
	return offered
}

// exchange is token exchange (RFC 8693): a client gives an access token that was issued to it, and proves by another that
// it acts itself. What it gets is for the same subject and never more than what it gave.
func (s *Server) exchange(c *call, cl *client) answer {
	key, refusal := s.proven(c, cl)
	if refusal != nil {
		return *refusal
	}
	subject, refusal := s.subjectToken(c, cl, key)
	if refusal != nil {
		return *refusal
	}
	refusal = s.actor(c, cl)
	if refusal != nil {
		return *refusal
	}
	scope, refusal := narrowed(c, subject)
	if refusal != nil {
		return *refusal
	}
	audience, refusal := s.target(c, subject)
	if refusal != nil {
		return *refusal
	}
	c.actor = cl.id
	t, err := s.issue(c, subject.client, scope, audience, key)
	if err != nil {
		return refuse(http.StatusInternalServerError, "server_error", "the token could not be signed")
	}
	c.event.TokenID = t.id
	a := tokenAnswer(c, t)
	if body, ok := a.body.(map[string]any); ok {
		body["issued_token_type"] = accessTokenType // §2.2.1: REQUIRED
	}
	return a
}

// unacceptable is how a subject or actor token is refused. RFC 8693 §2.2.2: whatever makes it invalid or unacceptable, the
// code MUST be invalid_request.
func unacceptable(reason string) *answer {
	return refused(http.StatusBadRequest, "invalid_request", reason)
}

// subjectToken finds the token on whose behalf the request is made. It must be good, the client's own, and shown with the
// key to which it is bound.
func (s *Server) subjectToken(c *call, cl *client, key string) (*token, *answer) {
	if asked := c.form.Get("requested_token_type"); asked != "" && asked != accessTokenType {
		return nil, unacceptable("only access tokens are issued here")
	}
	if c.form.Get("subject_token_type") != accessTokenType {
		return nil, unacceptable("subject_token_type must be that of an access token")
	}
	t := s.exchangeable(c, c.form.Get("subject_token"))
	switch {
	case t == nil:
		return nil, unacceptable("the subject token is not good here")
	case c.defects.ExchangeOfAnyone:
		return t, nil
	case t.client != cl:
		return nil, unacceptable("the subject token was issued to another client")
	case t.thumbprint != "" && (c.certificate == nil || thumbprint(c.certificate) != t.thumbprint), t.proofKey != key:
		return nil, unacceptable("the subject token is bound to another key")
	}
	return t, nil
}

// exchangeable finds a token that is good to be exchanged.
func (s *Server) exchangeable(c *call, raw string) *token {
	t := s.lookup(raw)
	if t == nil && c.defects.ExchangeUnverified {
		t = s.decodedAlone(raw)
	}
	if t == nil || !c.now.Before(t.expires) || t.client.deleted {
		return nil
	}
	if t.dead != "" && (t.dead != deadByRevocation || !c.defects.ExchangeOfRevoked) {
		return nil
	}
	return t
}

// decodedAlone is the bug of a library's decode that does not verify: what the token says of itself is believed.
func (s *Server) decodedAlone(raw string) *token {
	parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.PS256, jose.RS256, jose.EdDSA})
	if err != nil {
		return nil
	}
	var claims jwt.Claims
	err = parsed.UnsafeClaimsWithoutVerification(&claims)
	if err != nil {
		return nil
	}
	return s.withID(claims.ID)
}

// actor verifies the actor token, which the policy here demands: whoever acts for a subject is told in what is issued. RFC
// 8693 §2.1: the server MUST validate it, and its type goes along with it and never without it.
func (s *Server) actor(c *call, cl *client) *answer {
	if c.defects.ActorIgnored {
		return nil
	}
	raw, kind := c.form.Get("actor_token"), c.form.Get("actor_token_type")
	if raw == "" || kind != accessTokenType {
		return unacceptable("an actor token is needed, with the type of an access token")
	}
	t := s.lookup(raw)
	if t == nil || !s.active(c, t) || t.client != cl {
		return unacceptable("the actor token is not a good one of this client")
	}
	return nil
}

// narrowed is the scope of an exchanged token: within that of its subject token.
func narrowed(c *call, subject *token) ([]string, *answer) {
	asked, refusal := askedScope(c)
	if refusal != nil {
		return nil, refusal
	}
	if len(asked) == 0 {
		return subject.scope, nil
	}
	if c.defects.ExchangeWidens {
		return within(asked, asked), nil
	}
	granted := within(asked, subject.scope)
	if len(granted) == 0 {
		return nil, invalidScope("the subject token has none of the scopes")
	}
	return granted, nil
}

// target is for whom an exchanged token is: what resource and audience name (RFC 8693 §2.1), else as its subject token.
func (s *Server) target(c *call, subject *token) (any, *answer) {
	asked := slices.Concat(c.form["resource"], c.form["audience"])
	switch {
	case len(asked) == 0:
		return subject.audience, nil
	case len(within(asked, s.cfg.Resources)) != len(asked) && !c.defects.ExchangeWidens:
		return nil, refused(http.StatusBadRequest, "invalid_target", "a target is unknown or named twice") // §2.2.2
	case len(asked) == 1:
		return asked[0], nil
	}
	return asked, nil
}

// granted is the JWT bearer grant (RFC 7523 §2.1): an issuer that is trusted by configuration vouches for the client.
func (s *Server) granted(c *call, cl *client) answer {
	refusal := s.vouchedFor(c, cl)
	if refusal != nil {
		return *refusal
	}
	scope, refusal := s.grantedScope(c, cl)
	if refusal != nil {
		return *refusal
	}
	audience, refusal := s.audience(c)
	if refusal != nil {
		return *refusal
	}
	key, refusal := s.proven(c, cl)
	if refusal != nil {
		return *refusal
	}
	t, err := s.issue(c, cl, scope, audience, key)
	if err != nil {
		return refuse(http.StatusInternalServerError, "server_error", "the token could not be signed")
	}
	c.event.TokenID = t.id
	return tokenAnswer(c, t)
}

// badGrant is how an assertion is refused (RFC 7523 §3.1: invalid_grant).
func badGrant(reason string) *answer {
	return refused(http.StatusBadRequest, "invalid_grant", "the assertion "+reason)
}

// vouchedFor verifies the assertion of a request (RFC 7523 §3): algorithm by our list, issuer by our configuration,
// signature by that issuer's keys, then subject, audience and times. It is good once (§3(7)).
func (s *Server) vouchedFor(c *call, cl *client) *answer {
	raw := c.form.Get("assertion")
	if raw == "" {
		return refused(http.StatusBadRequest, "invalid_request", "assertion is missing")
	}
	parsed, err := jwt.ParseSigned(raw, statementAlgorithms())
	if err != nil || !canonical(raw) {
		return badGrant("is malformed or its algorithm is not allowed")
	}
	var claims jwt.Claims
	err = parsed.UnsafeClaimsWithoutVerification(&claims)
	if err != nil {
		return badGrant("has malformed claims")
	}
	if claims.Issuer != s.cfg.GrantIssuer.Issuer {
		return badGrant("is of an issuer that is not trusted here")
	}
	signed := slices.ContainsFunc(s.cfg.GrantIssuer.Keys().Keys, func(key jose.JSONWebKey) bool { return verifies(raw, parsed, key) })
	if !signed && !c.defects.GrantUnverified {
		return badGrant("is not signed by its issuer")
	}
	return s.badGrantClaims(c, cl, claims)
}

func (s *Server) badGrantClaims(c *call, cl *client, claims jwt.Claims) *answer {
	switch {
	case claims.Subject != cl.id:
		return badGrant("is not about a subject for which this client may act")
	case !claims.Audience.Contains(s.cfg.Issuer) && !c.defects.GrantAudienceIgnored:
		return badGrant("is for another server")
	case claims.Expiry == nil || !c.now.Before(claims.Expiry.Time()):
		return badGrant("has no exp or has expired")
	case claims.Expiry.Time().After(c.now.Add(assertionLife)):
		return badGrant("expires too far ahead")
	case claims.NotBefore != nil && c.now.Add(nbfLeeway).Before(claims.NotBefore.Time()):
		return badGrant("is not good yet")
	case claims.IssuedAt != nil && c.now.Add(nbfLeeway).Before(claims.IssuedAt.Time()):
		return badGrant("is from the future")
	case claims.ID == "" || len(claims.ID) > 256:
		return badGrant("has no jti or one that is too long")
	case c.defects.GrantReplay:
	case !s.firstUse(c.now, strings.Join([]string{"grant", claims.Issuer, claims.ID}, " "), claims.Expiry.Time()):
		return badGrant("was used before")
	}
	return nil
}
