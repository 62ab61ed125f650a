package as

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	assertionLife = 10 * time.Minute // the furthest exp; RFC 7523 §3(4) lets the server refuse a far future
	nbfLeeway     = 10 * time.Second // RFC 7519 §4.1.5
)

func assertionAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.EdDSA} // FAPI 2.0 §5.4.1
}

func assertionAlgorithmNames() []string {
	names := []string{}
	for _, a := range assertionAlgorithms() {
		names = append(names, string(a))
	}
	return names
}

// byAssertion proves a client by a JWT that it signed (RFC 7523 §2.2, §3).
func (s *Server) byAssertion(c *call, claimedID string, find func(string) *client) (*client, *answer) {
	if c.form.Get("client_assertion_type") != assertionType {
		return nil, invalidClient("unknown client_assertion_type")
	}
	raw := c.form.Get("client_assertion")
	token, err := jwt.ParseSigned(raw, takenAlgorithms(c.defects))
	if err != nil || !canonical(raw) {
		return nil, invalidClient("the assertion is malformed or its algorithm is not allowed")
	}
	var claims jwt.Claims
	err = token.UnsafeClaimsWithoutVerification(&claims)
	if err != nil {
		return nil, invalidClient("the assertion's claims are malformed")
	}
	if claimedID == "" {
		c.event.ClientID = bounded(claims.Subject)
	}
	cl := signerOf(c, raw, token, assertionClients(c, claimedID, claims, find))
	if cl == nil {
		return nil, invalidClient("the assertion is not signed by a key of the client")
	}
	if c.defects.AssertionKeyByIssuer {
		cl = find(claims.Subject)
	}
	if cl == nil {
		return nil, invalidClient("the assertion is of a client that nobody knows")
	}
	c.event.ClientID, c.event.Org = cl.id, cl.org()
	reason := s.badClaims(c, cl, claimedID, token, claims)
	if reason != "" {
		return nil, invalidClient("assertion: " + reason)
	}
	return cl, nil
}

// assertionClients are the clients whose key may have signed. RFC 7523 §3(2): sub is the client's id. RFC 7521 §4.2:
// client_id, if given, must name the same.
func assertionClients(c *call, claimedID string, claims jwt.Claims, find func(string) *client) []*client {
	ids := []string{claims.Subject}
	if c.defects.AssertionKeyByIssuer {
		ids = []string{claims.Issuer}
	}
	if c.defects.AssertionSubjectIgnored {
		ids = []string{claims.Subject, claims.Issuer}
		if claimedID != "" {
			ids = []string{claimedID}
		}
	}
	clients := []*client{}
	for _, id := range ids {
		cl := find(id)
		if cl != nil && cl.registration.method == privateKeyJWT {
			clients = append(clients, cl)
		}
	}
	return clients
}

func signerOf(c *call, raw string, token *jwt.JSONWebToken, clients []*client) *client {
	for _, cl := range clients {
		if signedBy(c, raw, token, cl) {
			return cl
		}
	}
	return nil
}

func signedBy(c *call, raw string, token *jwt.JSONWebToken, cl *client) bool {
	alg := token.Headers[0].Algorithm
	if want := cl.registration.signingAlg; want != "" && want != alg && alg != string(jose.HS256) {
		return false
	}
	keys := c.server.keysOf(cl)
	if c.defects.OldKeyWorks {
		keys = append(keys, cl.formerKeys...)
	}
	if own := token.Headers[0].JSONWebKey; own != nil && c.defects.AssertionBringsKey {
		keys = append(keys, *own)
	}
	for _, key := range keys {
		if verifies(raw, token, key) {
			return true
		}
	}
	return false
}

func publicPEM(key jose.JSONWebKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(key.Key)
	if err != nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// badClaims says what is wrong with the claims of an assertion whose signature is good, or nothing. A good one is
// remembered until its exp, for that client.
func (s *Server) badClaims(c *call, cl *client, claimedID string, token *jwt.JSONWebToken, claims jwt.Claims) string {
	if !c.defects.AssertionSubjectIgnored && !c.defects.AssertionKeyByIssuer {
		if claims.Issuer != cl.id || claims.Subject != cl.id {
			return "iss and sub must both be the client's id"
		}
		if claimedID != "" && claimedID != cl.id {
			return "client_id names another client"
		}
	}
	if reason := badTimes(c, claims); reason != "" {
		return reason
	}
	if !c.defects.AssertionExpiryIgnored {
		if !s.isAudience(c, token, claims.Audience) {
			return "aud is not the issuer, as a string"
		}
		if claims.Expiry == nil || !c.now.Before(claims.Expiry.Time()) {
			return "exp is missing or over"
		}
	}
	if claims.ID == "" || len(claims.ID) > 256 {
		return "jti is missing or too long"
	}
	if c.defects.AssertionReplay {
		return ""
	}
	until := c.now.Add(assertionLife)
	if claims.Expiry != nil && claims.Expiry.Time().After(c.now) {
		until = claims.Expiry.Time()
	}
	if s.firstUse(c.now, cl.id+" "+claims.ID, until) {
		return ""
	}
	if c.defects.AssertionReplayElsewhere && s.firstUse(c.now, "second replica "+cl.id+" "+claims.ID, until) {
		return ""
	}
	return "jti was used before"
}

// badTimes says which time of an assertion lies too far ahead, or nothing. FAPI 2.0 §5.3.2.1-13: iat and nbf up to 10
// seconds ahead are accepted, over 60 are not.
func badTimes(c *call, claims jwt.Claims) string {
	ahead := func(at *jwt.NumericDate, leeway time.Duration) bool {
		return at != nil && c.now.Add(leeway).Before(at.Time())
	}
	switch {
	case c.defects.AssertionTimesIgnored:
	case ahead(claims.NotBefore, nbfLeeway):
		return "not valid yet"
	case ahead(claims.IssuedAt, nbfLeeway):
		return "iat is in the future"
	case ahead(claims.Expiry, assertionLife) && !c.defects.AssertionExpiryIgnored:
		return "exp is more than 10 minutes ahead"
	}
	return ""
}

// isAudience says whether an assertion is for this server and for no other: one that is good at several can be taken from
// one of them to the next. FAPI 2.0 §5.3.2.1-8: the issuer, as a string; what RFC 7523 §3(3) admits beside it is not taken.
func (s *Server) isAudience(c *call, token *jwt.JSONWebToken, audience jwt.Audience) bool {
	if c.defects.AssertionAudienceMixed {
		return audience.Contains(s.cfg.Issuer) || audience.Contains(s.cfg.Issuer+"/token")
	}
	var said struct {
		Audience any `json:"aud"`
	}
	err := token.UnsafeClaimsWithoutVerification(&said) // the signature was looked at before
	return err == nil && said.Audience == s.cfg.Issuer
}

// firstUse remembers an assertion until its time is over (RFC 7523 §3(7)).
func (s *Server) firstUse(now time.Time, use string, until time.Time) bool {
	end, seen := s.assertions[use]
	if seen && now.Before(end) {
		return false
	}
	if len(s.assertions)%1024 == 1023 {
		for key, end := range s.assertions {
			if !now.Before(end) {
				delete(s.assertions, key)
			}
		}
	}
	s.assertions[use] = until
	return true
}

// canonical tells whether a compact JWS has the one right spelling: RFC 7515 §2 knows base64url without padding, line
// breaks or other characters, and stray bits behind the last byte would give one token several spellings.
func canonical(compact string) bool {
	if strings.ContainsAny(compact, "\r\n") {
		return false
	}
	for _, part := range strings.Split(compact, ".") {
		_, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil {
			return false
		}
	}
	return true
}
