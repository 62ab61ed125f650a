package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The grants of a machine, as grant_type names them (RFC 6749 §4.4.2, RFC 8693 §2.1, RFC 7523 §2.1).
const (
	GrantClientCredentials = "client_credentials"
	GrantTokenExchange     = "urn:ietf:params:oauth:grant-type:token-exchange"
	GrantJWTBearer         = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// Grants are what the partner uses beyond client_credentials. What is nil is not used, and must not be there.
type Grants struct {
	Exchange *TokenExchange `yaml:"token_exchange" doc:"Token exchange (RFC 8693): the partner exchanges an access token of its own for another one."`
	Bearer   *JWTBearer     `yaml:"jwt_bearer" doc:"The JWT bearer grant (RFC 7523 section 2.1): an issuer that the authorization server trusts vouches for the partner by an assertion."`
}

// TokenExchange is how the partner exchanges its access tokens (RFC 8693 §2.1).
type TokenExchange struct {
	Audience string   `yaml:"audience" doc:"The target for which it exchanges, by its logical name (parameter audience)." example:"payments-backend"`
	Resource string   `yaml:"resource" doc:"The target for which it exchanges, by its URI (parameter resource)." example:"https://api.example"`
	Scopes   []string `yaml:"scopes" doc:"The scopes that it asks for; absent: no scope parameter." example:"[payments:read]"`
	Actor    string   `yaml:"actor" words:"none|optional|required" default:"none" doc:"Whether it shows an actor token, which is another access token of its own; required: an exchange without one is refused."`
}

// JWTBearer is how somebody vouches for the partner by assertions that are authorization grants (RFC 7523 §2.1, §3).
type JWTBearer struct {
	Issuer   string         `yaml:"issuer" need:"yes" doc:"Who vouches: the claim iss of the assertions." example:"https://idp.partner.example"`
	Key      Reference      `yaml:"key" need:"yes" is:"secret" doc:"The private key of that issuer as PEM or JWK, by reference: of one that exists for tests." example:"file:assertions.jwk"`
	Alg      string         `yaml:"alg" words:"ES256|ES384|ES512|PS256|PS384|PS512|RS256|RS384|RS512|EdDSA" doc:"The algorithm of the key; absent: what the JWK says, or what fits the key."`
	KeyID    string         `yaml:"kid" doc:"The kid under which the issuer publishes the key; absent: what the JWK says, or its thumbprint (RFC 7638)." example:"assertions-1"`
	Subject  string         `yaml:"subject" doc:"For whom it vouches: the claim sub; absent: the client_id; {client_id} is the id of the client that calls, {organization} its organisation." example:"acme"`
	Audience string         `yaml:"audience" doc:"The claim aud; absent: the issuer of the authorization server." example:"https://as.example"`
	Claims   map[string]any `yaml:"claims" doc:"Further claims of every assertion." example:"{acr: high}"`
	Lifetime Duration       `yaml:"lifetime" default:"1m" doc:"How long the ride's assertions are good: exp minus iat."`
	Resource string         `yaml:"resource" doc:"The resource for which tokens are asked (RFC 8707)." example:"https://api.example"`
	Scopes   []string       `yaml:"scopes" doc:"The scopes that are asked for; absent: the client's." example:"[payments:read]"`
	Once     bool           `yaml:"once" default:"false" doc:"An assertion is good once: the same bytes bring no second token (RFC 7523 section 3 leaves that to the server)."`
}

// GrantTypes are the grants that partners use by the plan, as client metadata names them (RFC 7591 §2).
func (p *Plan) GrantTypes() []any {
	all := []any{GrantClientCredentials}
	if p.Grants.Exchange != nil {
		all = append(all, GrantTokenExchange)
	}
	if p.Grants.Bearer != nil {
		all = append(all, GrantJWTBearer)
	}
	return all
}

// grants judges what a plan says of grants beyond client_credentials.
func (r *rules) grants() {
	grants := r.plan.Grants
	if grants.Exchange == nil && grants.Bearer == nil {
		return
	}
	home := r.plan.Registration.Server
	if server, known := r.plan.AuthorizationServers[home]; known && (len(server.Token.Exec) > 0 || r.plan.HookMints(home)) {
		r.wrong("grants", fmt.Sprintf("`grants` needs a token endpoint, and the tokens of %s come from a command or a hook", printable(home)), "remove `grants`, or give the server an `issuer` or `endpoints: {token: URL}`")
	}
	if exchange := grants.Exchange; exchange != nil {
		r.grantedScopes("grants.token_exchange.scopes", exchange.Scopes)
	}
	bearer := grants.Bearer
	if bearer == nil {
		return
	}
	const path = "grants.jwt_bearer"
	r.grantedScopes(path+".scopes", bearer.Scopes)
	if bearer.Lifetime == 0 {
		r.wrong(path+".lifetime", "`lifetime` is 0: the assertions would have expired when they are sent", "write 1m")
	}
	for _, found := range placeholder.FindAllString(bearer.Subject, -1) {
		if found != "{client_id}" && found != "{organization}" {
			r.wrong(path+".subject", "`subject` has the unknown placeholder "+printable(found), "known are: {client_id}, {organization}")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(bearer.Claims)) {
		if slices.Contains([]string{"iss", "sub", "aud", "iat", "exp", "jti"}, name) {
			r.wrong(path+".claims."+name, fmt.Sprintf("the claim %s is made anew for each assertion", name), "remove it; `issuer`, `subject`, `audience` and `lifetime` say what it becomes")
		}
	}
}

// grantedScopes complains about scopes that the partner must not get.
func (r *rules) grantedScopes(path string, scopes []string) {
	for _, scope := range scopes {
		if !slices.Contains(r.plan.Agreement.Scopes, scope) {
			r.wrong(path, fmt.Sprintf("the scope %q is not agreed", printable(scope)), "agreed are: "+strings.Join(r.plan.Agreement.Scopes, ", ")+" (agreement.scopes, or the partner's)")
		}
	}
}
