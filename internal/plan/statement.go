package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// AccessTokenPolicy says what is promised about the initial access tokens that the hook mint_initial_access_token mints.
// RFC 7591 leaves their rules to the server, so what is not promised here is not asked for.
type AccessTokenPolicy struct {
	SingleUse    bool     `yaml:"single_use" default:"false" doc:"A token permits one registration and no second one."`
	Organization bool     `yaml:"organization" default:"false" doc:"A token permits the registration of the organisation that it was minted for, and of no other."`
	Lifetime     Duration `yaml:"lifetime" doc:"How long a token may be used; absent: nothing is promised." example:"10m"`
}

// SoftwareStatement says how a trust framework's directory vouches for the clients that the ride registers (RFC 7591
// §2.3).
type SoftwareStatement struct {
	Issuer   string         `yaml:"issuer" need:"yes" doc:"Who vouches: the claim iss of the statements." example:"https://directory.example"`
	Key      Reference      `yaml:"key" is:"secret" doc:"The private key of the test directory as PEM or JWK, by reference; absent: the hook software_statement makes the statements, and forged ones are named as not tested." example:"file:directory.jwk"`
	Alg      string         `yaml:"alg" words:"ES256|ES384|ES512|PS256|PS384|PS512|RS256|RS384|RS512|EdDSA" doc:"The algorithm of the key; absent: what the JWK says, or what fits the key."`
	KeyID    string         `yaml:"kid" doc:"The kid under which the directory publishes the key; absent: what the JWK says, or its thumbprint (RFC 7638)." example:"directory-1"`
	Claims   map[string]any `yaml:"claims" doc:"Further claims of every statement; {name}, {client_name}, {organization}, {scope} and {subject_dn} (of the client's certificate) are replaced in their texts." example:"{org_id: \"{organization}\", software_id: \"{name}\"}"`
	Lifetime Duration       `yaml:"lifetime" default:"5m" doc:"How long the ride's statements are good: exp minus iat."`
	Oldest   Duration       `yaml:"oldest" doc:"How old the AS lets a statement be by its iat, which then may not lie in the future either; absent: exp alone decides." example:"10m"`
	Required bool           `yaml:"required" default:"true" doc:"The AS registers nobody without a statement."`
	OnUpdate bool           `yaml:"on_update" default:"false" doc:"An update of a client (RFC 7592) must carry a good statement, too."`
	Once     bool           `yaml:"once" default:"false" doc:"The same statement makes no second client: it is refused, or the answer is the old client."`
}

// SignedRequest says how registrations and updates are signed as a whole.
type SignedRequest struct {
	Key         Reference `yaml:"key" need:"yes" is:"secret" doc:"The private key of the software that registers, as PEM or JWK, by reference; the AS must find its public part where the trust framework says." example:"file:software.jwk"`
	Alg         string    `yaml:"alg" words:"ES256|ES384|ES512|PS256|PS384|PS512|RS256|RS384|RS512|EdDSA" doc:"The algorithm of the key; absent: what the JWK says, or what fits the key."`
	KeyID       string    `yaml:"kid" doc:"The kid of the key; absent: what the JWK says, or its thumbprint (RFC 7638)." example:"software-1"`
	Issuer      string    `yaml:"issuer" need:"yes" doc:"Who registers: the claim iss; {software_id} is that claim of the software statement, the other placeholders are those of software_statement.claims." example:"\"{software_id}\""`
	Audience    string    `yaml:"audience" doc:"Who the AS is to the trust framework: the claim aud; absent: its issuer." example:"0015800001041RHAAY"`
	Bound       bool      `yaml:"audience_bound" default:"true" doc:"The AS refuses a request that is for another server (RFC 7519 section 4.1.3); Open Banking UK lets it take one."`
	ContentType string    `yaml:"content_type" words:"application/jose|application/jwt" default:"application/jose" doc:"The media type of the request."`
	Lifetime    Duration  `yaml:"lifetime" default:"5m" doc:"How long a request is good: exp minus iat."`
	Required    bool      `yaml:"required" default:"true" doc:"The AS takes no registration by JSON, so the ride registers by none; false: it takes both."`
}

// freshClaims are made anew for each statement.
var freshClaims = []string{"iss", "iat", "exp", "jti"}

// statementPlaceholders are replaced in the claims of software statements.
var statementPlaceholders = []string{"{name}", "{client_name}", "{organization}", "{scope}", "{subject_dn}"}

// trust judges what a plan says of statements, of their hooks, and of client certificates at registration.
func (r *rules) trust() {
	reg := r.plan.Registration
	if statement := reg.Statement; statement != nil {
		r.statement(*statement)
	}
	if signed := reg.SignedRequest; signed != nil {
		r.signedRequest(*signed)
	}
	if reg.ClientCertificate == "" || reg.ClientCertificate == "none" || reg.Mode != "dcr" {
		return
	}
	for i, client := range r.plan.Clients {
		if client.ID.Empty() && client.Certificate == nil {
			r.wrong("clients."+strconv.Itoa(i)+".certificate", fmt.Sprintf("client %s has no `certificate`, and registration.client_certificate says that one is shown at registration", printable(client.Name)),
				"add `certificate: {issue: {ca: file:PATH, key: file:PATH}}`, or say `client_certificate: none` in `registration`")
		}
	}
}

func (r *rules) signedRequest(s SignedRequest) {
	const path = "registration.signed_request"
	switch {
	case r.plan.Registration.Mode != "dcr":
		r.wrong(path, fmt.Sprintf("`%s` is for mode dcr, and the mode is %s", path, printable(r.plan.Registration.Mode)), "remove it, or choose `mode: dcr`")
	case s.Lifetime == 0:
		r.wrong(path+".lifetime", "`lifetime` is 0: the requests would have expired when they are sent", "write 5m")
	}
	r.knownPlaceholders(path+".issuer", "`issuer`", s.Issuer, "{software_id}")
}

// knownPlaceholders complains about placeholders that nothing is put for.
func (r *rules) knownPlaceholders(path, what, text string, more ...string) {
	known := append(more, statementPlaceholders...)
	for _, found := range placeholder.FindAllString(text, -1) {
		if !slices.Contains(known, found) {
			r.wrong(path, fmt.Sprintf("%s has the unknown placeholder %s", what, printable(found)), "known are: "+strings.Join(known, ", "))
		}
	}
}

func (r *rules) statement(s SoftwareStatement) {
	const path = "registration.software_statement"
	if r.plan.Registration.Mode != "dcr" {
		r.wrong(path, fmt.Sprintf("`%s` is for mode dcr, and the mode is %s", path, printable(r.plan.Registration.Mode)), "remove it, or choose `mode: dcr`")
		return
	}
	_, hook := r.plan.Hooks[MakeStatement]
	switch {
	case s.Key.Empty() && !hook:
		r.wrong(path, "nothing makes the software statements", "add `key: file:PATH` of a test directory, or the hook `software_statement` to `hooks`")
	case s.Key.Empty() && (s.Alg != "" || s.KeyID != ""):
		r.wrong(path, "`alg` and `kid` speak of a key, and there is no `key`", "add `key: file:PATH`, or remove them: the hook software_statement signs as it does")
	case !s.Key.Empty() && s.Lifetime == 0:
		r.wrong(path+".lifetime", "`lifetime` is 0: the statements would have expired when they are sent", "write 5m")
	}
	if s.Oldest > 0 && s.Oldest < s.Lifetime {
		r.wrong(path+".oldest", fmt.Sprintf("`oldest` (%s) is less than `lifetime` (%s): a statement would grow too old while it is good", s.Oldest.D(), s.Lifetime.D()), "shorten `lifetime`, or correct `oldest`")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Claims)) {
		if slices.Contains(freshClaims, name) {
			r.wrong(path+".claims."+name, fmt.Sprintf("the claim %s is made anew for each statement", name), "remove it; `issuer` and `lifetime` say what it becomes")
			continue
		}
		text, _ := s.Claims[name].(string)
		r.knownPlaceholders(path+".claims", "the claim "+printable(name), text)
	}
}
