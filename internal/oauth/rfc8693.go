package oauth

// RFC 8693: token exchange. RFC 7523 §2.1: the JWT bearer grant.

import (
	"maps"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

const (
	exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"
	bearerGrant   = "urn:ietf:params:oauth:grant-type:jwt-bearer"

	// AccessTokenType names an access token among the types of tokens (RFC 8693 §3).
	AccessTokenType = "urn:ietf:params:oauth:token-type:access_token"

	// SubjectMember carries the token that is exchanged (RFC 8693 §2.1).
	SubjectMember = "subject_token"

	// ActorMember carries the token of whoever acts (RFC 8693 §2.1).
	ActorMember = "actor_token"

	// AssertionMember carries the assertion that is an authorization grant (RFC 7523 §2.1).
	AssertionMember = "assertion"

	// ActorTypeMember tells the type of an actor token, and stands beside one and never without (RFC 8693 §2.1).
	ActorTypeMember = "actor_token_type"
)

// Exchange is what is exchanged, and for what (RFC 8693 §2.1).
type Exchange struct {
	Subject, Actor secret.Text // access tokens; no actor where it is empty
	Audience       string      // the target by its logical name; empty: no such parameter
	Resource       string      // the target by its URI; empty: no such parameter
	Scopes         []string    // none: no scope parameter
	Who            string
}

// ExchangeRequest asks for an access token in exchange for another one.
func (s Server) ExchangeRequest(c Client, e Exchange) wire.Request {
	r := form(s.Name, s.endpoints(c).Token, wire.Field{Name: "grant_type", Value: exchangeGrant})
	r = s.aim(r, e.Audience, e.Resource, e.Scopes)
	r = field(r, "subject_token_type", AccessTokenType)
	if !e.Actor.Empty() {
		r = field(r, ActorTypeMember, AccessTokenType)
	}
	r.Who = first(e.Who, c.Name)
	r = Authenticate(r, s, c)
	r = present(r, wire.Credential{In: wire.InForm, Name: SubjectMember, Text: e.Subject})
	if !e.Actor.Empty() {
		r = present(r, wire.Credential{In: wire.InForm, Name: ActorMember, Text: e.Actor})
	}
	return Prove(r, c.Proof, s.Clock)
}

// Assertion is what an issuer vouches for (RFC 7523 §3).
type Assertion struct {
	Key                       Key
	Issuer, Subject, Audience string
	Claims                    map[string]any // further ones
	Life                      time.Duration
	Resource                  string
	Scopes                    []string
	Who                       string
}

// AssertionRequest asks for an access token by an assertion that is a grant (RFC 7523 §2.1). jti, iat and exp are filled in
// at sending, in the server's time.
func (s Server) AssertionRequest(c Client, a Assertion) wire.Request {
	r := form(s.Name, s.endpoints(c).Token, wire.Field{Name: "grant_type", Value: bearerGrant})
	r = s.aim(r, "", a.Resource, a.Scopes)
	r.Who = first(a.Who, c.Name)
	header := map[string]any{"alg": a.Key.Alg, "typ": "JWT"}
	if a.Key.ID != "" {
		header["kid"] = a.Key.ID
	}
	claims := map[string]any{}
	maps.Copy(claims, a.Claims)
	claims["iss"], claims["sub"], claims["aud"] = a.Issuer, a.Subject, a.Audience
	r = present(Authenticate(r, s, c), wire.Credential{In: wire.InForm, Name: AssertionMember, JWT: &wire.JWT{Header: header, Claims: claims, Life: a.Life, Key: a.Key.Signer, Clock: s.Clock}})
	return Prove(r, c.Proof, s.Clock)
}

func (s Server) aim(r wire.Request, audience, resource string, scopes []string) wire.Request {
	if audience != "" {
		r = field(r, "audience", audience)
	}
	if resource != "" {
		r = field(r, "resource", resource)
	}
	if len(scopes) > 0 {
		r = field(r, "scope", strings.Join(scopes, " "))
	}
	return r
}
