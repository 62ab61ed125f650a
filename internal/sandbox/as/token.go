package as

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	longLived = 100 // times the agreed life, under LongLivedToken

	deadByRevocation = "revoked"
	deadByDeletion   = "client deleted"
	deadBySuspension = "client suspended"
	deadByReduction  = "entitlement reduced"
	deadByWindow     = "window closed"
	deadByRole       = "role taken"
)

// A token is the server's state of an issued access token.
type token struct {
	id         string // jti
	raw        string
	kid        string // of the key that signed it; "" for one that is opaque
	client     *client
	generation int // of the client when it was issued
	scope      []string
	audience   any // a string, or several
	issued     time.Time
	expires    time.Time
	thumbprint string // of the certificate; "" when bound to none
	proofKey   string // jkt (RFC 9449 §6.1); "" when bound to none
	roles      []string
	orgID      string
	org        string
	dead       string // why it is dead, or ""
	request    string // what was asked: the same asks again get the same token from a same-token server
	actor      string // who acts for the subject, in an exchanged token (RFC 8693 §4.1); "": nobody else
}

// token is the token endpoint: the client credentials grant (RFC 6749 §4.4), token exchange (RFC 8693) and the JWT bearer
// grant (RFC 7523 §2.1).
func (s *Server) token(c *call) answer {
	cl, refused := s.authenticate(c, func(id string) *client {
		if cl := s.clients[id]; cl != nil && cl.deleted && c.defects.DeletedClientLives {
			return cl
		}
		return s.find(c, id)
	})
	if refused != nil {
		if id, ok := s.resourceServer(c); ok {
			c.event.ClientID = id
			return refuse(http.StatusBadRequest, "unauthorized_client", "a resource server gets no tokens")
		}
		if c.defects.FrameworkErrors && c.r.Header.Get("Authorization") != "" && refused.status == http.StatusUnauthorized {
			return ofFramework(c, *refused)
		}
		return *refused
	}
	refused = cl.overdrawn(c)
	if refused != nil {
		return *refused
	}
	refused = s.mayHaveTokens(c, cl)
	if refused == nil && s.withdrawn(c) {
		refused = invalidClient("the certificate was withdrawn")
	}
	if refused != nil {
		return *refused
	}
	switch c.form.Get("grant_type") {
	case tokenExchange:
		return s.exchange(c, cl)
	case jwtBearer:
		return s.granted(c, cl)
	}
	scope, refused := s.grantedScope(c, cl)
	if refused != nil {
		return *refused
	}
	audience, refused := s.audience(c)
	if refused != nil {
		return *refused
	}
	key, refused := s.proven(c, cl)
	if refused != nil {
		return *refused
	}
	t, err := s.issue(c, cl, scope, audience, key)
	if err != nil {
		return refuse(http.StatusInternalServerError, "server_error", "the token could not be signed")
	}
	t = s.cached(c, cl, t)
	c.event.TokenID = t.id
	a := tokenAnswer(c, t)
	if key != "" {
		a.header.Set("DPoP-Nonce", s.proofs.Next(c.now))
	}
	return a
}

func (s *Server) mayHaveTokens(c *call, cl *client) *answer {
	grant := c.form.Get("grant_type")
	if grant == "refresh_token" && c.form.Get(grant) != "" && c.defects.RefreshTokenIgnored {
		grant = "client_credentials"
	}
	switch {
	case grant == "password" && c.defects.PasswordGrantAlive:
		return refused(http.StatusBadRequest, "invalid_grant", "no such user")
	case grant == "":
		return refused(http.StatusBadRequest, "invalid_request", "grant_type is missing")
	case !slices.Contains(s.grants(), grant):
		return refused(http.StatusBadRequest, "unsupported_grant_type", "the grant is not supported")
	}
	if !slices.Contains(cl.registration.grants, grant) {
		return refused(http.StatusBadRequest, "unauthorized_client", "the client is not registered for this grant")
	}
	if cl.suspended && !c.defects.SuspendIgnored {
		return invalidClient("the client is suspended")
	}
	if !windowOpen(c, cl) && !c.defects.WindowIgnored {
		return refused(http.StatusBadRequest, "unauthorized_client", "the client's access window is closed")
	}
	return nil
}

// grantedScope narrows what was asked to what is registered; the answer tells (RFC 6749 §3.3). nil is a token without
// scope.
func (s *Server) grantedScope(c *call, cl *client) ([]string, *answer) {
	asked, refused := askedScope(c)
	if refused != nil {
		return nil, refused
	}
	if len(asked) == 0 {
		asked = cl.registration.scope
		if c.defects.DefaultScopeUnbounded {
			return union(asked, s.cfg.Privileged("neighbour")), nil
		}
	}
	bound := cl.registration.scope
	if c.defects.RegisteredScopeIgnored {
		bound = union(bound, cl.allowed)
	}
	granted := within(asked, bound)
	if len(granted) == 0 {
		if c.defects.ScopelessToken && len(asked) > 0 {
			return nil, nil
		}
		return nil, invalidScope("the client is entitled to none of the scopes")
	}
	if c.defects.ScopeBeyondGrant {
		granted = within(asked, asked)
	}
	granted = s.known(c, granted)
	if len(granted) == 0 {
		return nil, invalidScope("the resource knows none of the scopes")
	}
	if c.defects.DefaultScopeAdded {
		granted = union(granted, []string{"reports:read"})
	}
	if c.defects.EndedApprovalGranted {
		granted = union(granted, []string{"payments:history"})
	}
	if c.defects.UnusedScopeGranted {
		granted = union(granted, []string{"payments:export"})
	}
	return granted, nil
}

// known downscopes to what the resources of a request know (RFC 8707 §2.2). Whether they exist is asked later.
func (s *Server) known(c *call, scope []string) []string {
	if c.defects.ScopeOfAnyResource {
		return scope
	}
	asked := c.form["resource"]
	if len(asked) == 0 {
		asked = s.cfg.Resources[:1]
	}
	var known []string
	for _, resource := range asked {
		scopes, told := s.cfg.Scopes[resource]
		if !told {
			return scope
		}
		known = append(known, scopes...)
	}
	return within(scope, known)
}

// audience is what the token is for (RFC 8707 §2). Without resource it is the default (RFC 9068 §3).
func (s *Server) audience(c *call) (any, *answer) {
	asked := c.form["resource"]
	if c.defects.AudienceWidened {
		return s.cfg.Resources, nil
	}
	if len(asked) == 0 {
		return s.cfg.Resources[0], nil
	}
	if len(within(asked, s.cfg.Resources)) != len(asked) && !c.defects.ResourceUnchecked {
		return nil, refused(http.StatusBadRequest, "invalid_target", "a resource is unknown or named twice")
	}
	if len(asked) == 1 {
		return asked[0], nil
	}
	return asked, nil
}

// issue makes a token and remembers it. It is bound to the key of the proof, if there was one (RFC 9449 §5), and to the
// certificate of the connection whenever there is one (RFC 8705 §3), but not to a certificate that only authenticates a
// client which proves another key.
func (s *Server) issue(c *call, cl *client, scope []string, audience any, proofKey string) (*token, error) {
	bound := ""
	if c.certificate != nil && (proofKey == "" || cl.registration.bound) {
		bound = thumbprint(c.certificate)
	}
	return s.issueBound(c, cl, scope, audience, bound, proofKey)
}

func (s *Server) issueBound(c *call, cl *client, scope []string, audience any, bound, proofKey string) (*token, error) {
	life := s.cfg.TokenLife
	if c.defects.LongLivedToken {
		life *= longLived
	}
	issued := c.now.Truncate(time.Second)
	t := &token{
		id: newID(), client: cl, generation: cl.generation, scope: scope, audience: audience,
		issued: issued, expires: endsWithWindow(c, cl, issued.Add(life)), org: cl.org(), proofKey: proofKey,
		thumbprint: bound, roles: slices.Clone(cl.roles), orgID: orgID(c, cl), actor: c.actor,
	}
	t.request = strings.Join(append([]string{cl.id, t.thumbprint, t.proofKey, strings.Join(scope, " "), t.actor, c.form.Get("audience")}, c.form["resource"]...), "\n")
	if before := s.sameToken(c, t.request); before != nil {
		return before, nil
	}
	key := s.signing()
	raw, err := key.sign(tokenType(c), s.claims(c, t))
	if err != nil {
		return nil, err
	}
	t.raw, t.kid = raw, key.kid
	if c.defects.GuessableToken && audience == s.cfg.Resources[len(s.cfg.Resources)-1] {
		t.raw, t.kid = s.counted(), ""
	}
	if c.defects.CredentialsAreUUIDs && audience == s.cfg.Resources[len(s.cfg.Resources)-1] {
		t.raw, t.kid = randomUUID(), ""
	}
	s.forgetExpired(c.now)
	s.tokens[t.raw] = t
	return t, nil
}

func (s *Server) sameToken(c *call, request string) *token {
	if !s.cfg.Situation.SameToken {
		return nil
	}
	for _, t := range s.tokens {
		if t.request == request && s.active(c, t) {
			return t
		}
	}
	return nil
}

func tokenType(c *call) string {
	if c.defects.TokenTypeMissing {
		return "JWT"
	}
	return "at+jwt" // RFC 9068 §2.1
}

// claims are those of RFC 9068 §2.2.
func (s *Server) claims(c *call, t *token) map[string]any {
	claims := map[string]any{
		"iss":       s.cfg.Issuer,
		"sub":       t.client.id,
		"client_id": t.client.id,
		"aud":       t.audience,
		"iat":       t.issued.Unix(),
		"exp":       t.expires.Unix(),
		"jti":       t.id,
		"org":       t.org,
		"org_id":    t.orgID,
	}
	if len(t.roles) > 0 {
		claims["roles"] = t.roles
	}
	if t.scope != nil {
		claims["scope"] = strings.Join(t.scope, " ")
	}
	if cnf := t.confirmation(c); cnf != nil {
		claims["cnf"] = cnf
	}
	if t.actor != "" {
		claims["act"] = map[string]string{"sub": t.actor}
	}
	if c.defects.TokenTypeMissing {
		delete(claims, "client_id")
	}
	if c.defects.PersonInToken {
		claims["name"], claims["email"] = "Jo Doe", "jo.doe@"+t.client.id+".example"
	}
	return claims
}

func tokenAnswer(c *call, t *token) answer {
	body := map[string]any{
		"access_token": t.raw,
		"token_type":   t.kind(),
		"expires_in":   int64(t.expires.Sub(c.now.Truncate(time.Second)) / time.Second),
	}
	if t.scope != nil {
		body["scope"] = strings.Join(t.scope, " ")
	}
	if c.defects.ScopeUntold {
		delete(body, "scope")
	}
	if c.defects.LifetimeAsText {
		body["expires_in"] = fmt.Sprint(body["expires_in"])
	}
	a := reply(http.StatusOK, body)
	if c.defects.ResponseStorable {
		a.header.Del("Cache-Control")
	}
	return a
}

// lookup finds the state of an access token: the very text that was issued, signed by a key that is still published. Its
// signature need not be verified, for only the text that this server signed is found.
func (s *Server) lookup(raw string) *token {
	t := s.tokens[raw]
	if t == nil || t.kid == "" {
		return t
	}
	_, ok := s.published(t.kid)
	if !ok {
		return nil
	}
	return t
}

// claimed finds the token that a JWT says it is. Whoever goes by that alone believes anybody.
func (s *Server) claimed(raw string) *token {
	parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256})
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

func (s *Server) withID(id string) *token {
	for _, t := range s.tokens {
		if t.id == id {
			return t
		}
	}
	return nil
}

// active tells whether a token is good: issued, signed by a published key, not over and not dead (RFC 7662 §4).
func (s *Server) active(c *call, t *token) bool {
	return t.dead == "" && c.now.Before(t.expires) && s.lookup(t.raw) == t
}

func (s *Server) tokensOf(cl *client) []*token {
	all := []*token{}
	for _, t := range s.tokens {
		if t.client == cl {
			all = append(all, t)
		}
	}
	return all
}

// kill ends a token: introspection and the feed know at once. The first reason stays, but for a suspension, which a
// later reason makes final.
func (s *Server) kill(t *token, why string) {
	switch t.dead {
	case "":
		s.feed.revoked(t)
		t.dead = why
	case deadBySuspension:
		t.dead = why
	}
}

// forgetExpired keeps memory bounded: what is over is inactive whether it is known or not.
func (s *Server) forgetExpired(now time.Time) {
	if len(s.tokens)%1024 != 1023 {
		return
	}
	for raw, t := range s.tokens {
		if !now.Before(t.expires) {
			delete(s.tokens, raw)
		}
	}
	s.feed.forgetExpired(now)
}
