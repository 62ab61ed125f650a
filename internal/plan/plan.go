// Package plan is what was agreed: one YAML file that names the stack under test, the partner, the agreement, the
// limits and what is out of scope.
//
// Start with [Load], which reads a file strictly, and with [Plan].
package plan

import (
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/secret"
)

// The members' tags say all that is known about a key, once, for the decoder, the schema and the docs:
// yaml is the key, doc one sentence, default what an absent key means (in the plan's own notation), words the allowed
// words, need that the key must be there, is a form that the value must have (see forms in forms.go), example a value.

// Plan is a whole plan. The zero value of every member means something safe; [Load] fills in the defaults.
type Plan struct {
	Name                 string                         `yaml:"name" need:"yes" doc:"What is tested, for people." example:"acme payments, staging"`
	Environment          string                         `yaml:"environment" words:"staging|test|sandbox|production" default:"staging" doc:"What kind of stack this is; production allows harmless checks only."`
	Authorization        *Authorization                 `yaml:"authorization" doc:"Who allowed the ride to do more than harmless things; allow needs it."`
	AuthorizationServers map[string]AuthorizationServer `yaml:"authorization_servers" is:"names" doc:"The authorization servers (AS), by a name of your choice."`
	Registration         Registration                   `yaml:"registration" need:"yes" doc:"How clients come to be." example:"{mode: dcr}"`
	Clients              []Client                       `yaml:"clients" need:"yes" doc:"The cast: exactly one partner; a neighbour and a resource_server make more checks possible." example:"[{name: partner, scopes: [payments:read]}]"`
	Grants               Grants                         `yaml:"grants" doc:"Grants beyond client_credentials that the partner uses at the authorization server where it is registered; absent: none." example:"{token_exchange: {scopes: [payments:read]}}"`
	Agreement            Agreement                      `yaml:"agreement" doc:"What the business agreed to."`
	Points               []Point                        `yaml:"points" need:"yes" doc:"The enforcement points: each place that must decide to let a call through." example:"[{name: edge, url: https://edge.example, revocation: introspect, operations: [{name: list, request: GET /payments}]}]"`
	Audit                Audit                          `yaml:"audit" doc:"The audit logs, or none."`
	Limits               Limits                         `yaml:"limits" doc:"Promises in time: how long trust may outlive its withdrawal, how long credentials may live."`
	Canary               *Canary                        `yaml:"canary" doc:"A listener of the ride's own that the stack can reach: it sees what the stack fetches because a partner named an address."`
	Hooks                map[string]Hook                `yaml:"hooks" doc:"What the operator offers for what has no standard endpoint, by the name of the hook."`
	Budget               Budget                         `yaml:"budget" doc:"Bounds on what a ride may create and try."`
	Pace                 Pace                           `yaml:"pace" doc:"Rate and concurrency, per host."`
	LongestWait          Duration                       `yaml:"longest_wait" default:"15m" doc:"What would have to wait longer is inconclusive, with that reason."`
	Profile              []string                       `yaml:"profile" words:"baseline|hygiene|elevated|fapi2" default:"baseline" doc:"How strict the ride is, one or several: which checks are required, how severe they are, and the most that limits may promise (docs/profiles.md)." example:"[elevated, hygiene]"`
	Catalogue            string                         `yaml:"catalogue" words:"2026-10|2026-11" doc:"The version of the catalogue by which the partner is judged; checks that came later are shown and not scored; absent: the program's own." example:"2026-10"`
	Blocks               Severity                       `yaml:"blocks" default:"high" doc:"Failures of this severity and above stop the partner."`
	Allow                []string                       `yaml:"allow" words:"shared-impact|load|lockout|smuggling|resource" doc:"Classes of harm that the ride may do beside harmless; needs authorization." example:"[shared-impact]"`
	Proxy                string                         `yaml:"proxy" is:"proxy" default:"none" doc:"An HTTP proxy by its URL, through which every connection of the ride goes (CONNECT), but for those to this machine and those of commands; none: directly, whatever the environment says." example:"http://proxy.example:3128"`
	ProxyCredentials     Reference                      `yaml:"proxy_credentials" is:"secret" doc:"user:password for the proxy by reference, shown as Basic (RFC 7617)." example:"env:PROXY_CREDENTIALS"`
	ProxyCA              Reference                      `yaml:"proxy_ca" is:"pem" doc:"The CA of the certificate of an https:// proxy as PEM; absent: the system's roots." example:"file:proxy-ca.pem"`
	OutOfScope           []Exclusion                    `yaml:"out_of_scope" doc:"Declared gaps: what is not tested, and who answers for that."`
	Waivers              []Exclusion                    `yaml:"waivers" doc:"Findings that somebody accepts for a time; the check still runs."`

	OtherEnvironment *OtherEnvironment `yaml:"other_environment" doc:"The same partner in another environment: what it holds there must be good for nothing here."`

	Source Source `yaml:"-" doc:"Where the plan came from."`
}

// Source is where the plan came from: its text, its SHA-256 in hex, and the line of each promise
// ("limits.revocation.push" -> 41, "points.edge" -> 20, "out_of_scope.0" -> 60). Members of lists are named by their
// name if they have one, else by their number from 0. What does not stand in the file has no line.
type Source struct {
	File    string
	Dir     string // file: references are relative to it
	Text    string
	Digest  string
	Lines   map[string]int
	Servers []string // the names of the authorization servers in the file's order
	Lowered []Lowered
}

// Authorization says who allowed the ride to do more than harmless things.
type Authorization struct {
	Ticket   string `yaml:"ticket" need:"yes" doc:"Where the permission is written down." example:"SEC-1412"`
	Approver string `yaml:"approver" need:"yes" doc:"Who gave it." example:"security desk"`
	Until    Date   `yaml:"until" need:"yes" doc:"When it ends." example:"2027-01-31"`
}

// AuthorizationServer is one AS. Its endpoints are discovered (RFC 8414) unless given by hand.
type AuthorizationServer struct {
	Issuer    string      `yaml:"issuer" is:"issuer" doc:"The issuer identifier, from which the metadata is found (RFC 8414)." example:"https://as.example"`
	CA        Reference   `yaml:"ca" is:"pem" doc:"The CA of its server certificate as PEM; absent: the system's roots." example:"file:ca.pem"`
	Endpoints Endpoints   `yaml:"endpoints" doc:"Endpoints given by hand; they win over the metadata."`
	Token     TokenSource `yaml:"token" doc:"Tokens come from a command instead of a token endpoint."`

	MetadataDigest string `yaml:"metadata_digest" is:"digest" doc:"The digest of its metadata as it was when the agreement was made; a ride notes the digest that it sees, so that it can be written here." example:"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`

	Quota *Quota `yaml:"quota" doc:"How often one client may ask its token endpoint; absent: nothing is promised." example:"{requests: 60, within: 1m}"`

	InitialAccessToken Reference `yaml:"initial_access_token" is:"secret" doc:"Permits the registration of a client at an AS where partners are not registered, so that its real tokens can be shown to points that must not take them." example:"env:OTHER_IAT"`
}

// TokenSource mints tokens outside OAuth, for instance a SAML bridge.
type TokenSource struct {
	Exec []string `yaml:"exec" doc:"The command and its arguments; it prints the token; needs --allow-exec." example:"[./saml-token]"`
}

// Endpoints given by hand win over the metadata.
type Endpoints struct {
	Metadata      string `yaml:"metadata" is:"url" doc:"The metadata document, when it is not at its well-known place." example:"https://as.example/.well-known/openid-configuration"`
	Token         string `yaml:"token" is:"url" doc:"The token endpoint (RFC 6749)." example:"https://as.example/token"`
	Registration  string `yaml:"registration" is:"url" doc:"The client registration endpoint (RFC 7591)." example:"https://as.example/register"`
	Introspection string `yaml:"introspection" is:"url" doc:"The introspection endpoint (RFC 7662)." example:"https://admin.example/introspect"`
	Revocation    string `yaml:"revocation" is:"url" doc:"The revocation endpoint (RFC 7009)." example:"https://as.example/revoke"`
	JWKS          string `yaml:"jwks" is:"url" doc:"The key set with which tokens are verified (RFC 7517)." example:"https://as.example/jwks"`
}

// Registration says how clients come to be.
type Registration struct {
	Mode               string         `yaml:"mode" need:"yes" words:"dcr|given|hook|manual" doc:"dcr: the ride registers them (RFC 7591); given: they exist; hook: the hook provision makes them; manual: people make them while the ride is parked, and their ids are then added to the plan." example:"dcr"`
	Server             string         `yaml:"server" doc:"The AS at which clients are registered; absent: the only one." example:"main"`
	InitialAccessToken Reference      `yaml:"initial_access_token" is:"secret" doc:"The token that permits registrations (RFC 7591 section 3), by reference." example:"env:IAT"`
	Metadata           map[string]any `yaml:"metadata" doc:"Further client metadata that every registration sends." example:"{software_id: checkride}"`
	ExpiringSecret     map[string]any `yaml:"expiring_secret" doc:"Further client metadata by which the AS issues a client secret that expires soon." example:"{client_secret_lifetime: 60}"`
	QuotaClient        map[string]any `yaml:"quota_client" doc:"Further client metadata by which a client is under the quotas that the plan promises; absent: every client is." example:"{tier: trial}"`

	// Identity proofing: statement.go.
	ClientCertificate string             `yaml:"client_certificate" words:"none|optional|required" default:"none" doc:"Whether the registration and client configuration endpoints ask for a client certificate."`
	AccessTokens      AccessTokenPolicy  `yaml:"initial_access_token_policy" doc:"What is promised about the initial access tokens that the hook mint_initial_access_token mints."`
	Statement         *SoftwareStatement `yaml:"software_statement" doc:"Software statements: how a directory vouches for the clients (RFC 7591 section 2.3)."`
	SignedRequest     *SignedRequest     `yaml:"signed_request" doc:"Registrations that are signed as a whole: a JWT in the place of the JSON body, as Open Banking UK has it."`
}

// Client is one member of the cast: partner, neighbour or resource_server.
type Client struct {
	Name             string            `yaml:"name" need:"yes" words:"partner|neighbour|resource_server|second_resource_server" doc:"partner: the one under test; neighbour: a second honest partner; resource_server: it introspects; second_resource_server: it introspects too, but only tokens for its own resource." example:"partner"`
	ID               Reference         `yaml:"id" doc:"The client_id of a client that exists already." example:"env:PARTNER_ID"`
	Auth             string            `yaml:"auth" words:"client_secret_basic|client_secret_post|private_key_jwt|tls_client_auth|self_signed_tls_client_auth" default:"client_secret_basic" doc:"How it authenticates at the AS."`
	Secret           Reference         `yaml:"secret" is:"secret" doc:"The client secret of an existing client, by reference." example:"env:PARTNER_SECRET"`
	Key              Reference         `yaml:"key" is:"secret" doc:"The private key for private_key_jwt as PEM or JWK, by reference." example:"file:partner.pem"`
	Scopes           []string          `yaml:"scopes" doc:"The scopes that it asks for." example:"[payments:read]"`
	Resource         string            `yaml:"resource" doc:"The resource indicator that it asks for (RFC 8707); of a second_resource_server, the resource that it serves." example:"https://api.example"`
	SenderConstraint string            `yaml:"sender_constraint" words:"none|mtls|dpop" default:"none" doc:"How its tokens are bound to it: mtls (RFC 8705) or dpop (RFC 9449)."`
	Certificate      *Certificate      `yaml:"certificate" doc:"Its client certificate: issued for the ride by a test CA, or given."`
	Metadata         map[string]any    `yaml:"metadata" doc:"Further client metadata of its registration." example:"{tls_client_auth_san_dns: partner.example}"`
	APIKey           Reference         `yaml:"api_key" is:"secret" doc:"Its key for points with credential: api_key, by reference." example:"env:PARTNER_API_KEY"`
	May              []string          `yaml:"may" words:"read|fail_auth|revoke_tokens|rotate|disable|delete" doc:"What the ride may do to a client that exists already; absent: read." example:"[read, revoke_tokens]"`
	Owns             map[string]string `yaml:"owns" is:"targets" doc:"By operation, the request target of an object that belongs to this client alone." example:"{get: /payments/17}"`

	Organization string `yaml:"organization" doc:"The organisation that it belongs to: {organization} of software statements and hooks, and O in the certificates that the ride issues for it." example:"acme"`
}

// Certificate is a client certificate: issued for the ride, or given.
type Certificate struct {
	Issue *Issuer   `yaml:"issue" doc:"Certificates are issued for the ride: by a test CA of which it has the key, or by the hook issue_certificate."`
	Cert  Reference `yaml:"cert" is:"pem" doc:"The certificate chain as PEM." example:"file:partner.crt"`
	Key   Reference `yaml:"key" is:"secret" doc:"The certificate's private key as PEM, by reference." example:"file:partner.key"`
}

// OfTestCA says whether the ride mints the certificate itself. Another one has a life that somebody chose.
func (c *Certificate) OfTestCA() bool { return c != nil && c.Issue != nil && !c.Issue.CA.Empty() }

// Issuer says how certificates are issued for the ride. With the key of a test CA it mints them, also such as have one
// fault; without, the hook issue_certificate has the operator's own CA do it. Subject and DNS name may hold {name}, the
// member's name.
type Issuer struct {
	CA      Reference `yaml:"ca" is:"pem" doc:"A test CA's certificate as PEM; absent: the hook issue_certificate issues, and faulty certificates are not tested." example:"file:test-ca.pem"`
	Key     Reference `yaml:"key" is:"secret" doc:"The test CA's private key as PEM, by reference." example:"file:test-ca.key"`
	Subject string    `yaml:"subject" is:"named" doc:"The common name of the certificates; {name} is the member of the cast." example:"checkride-{name}"`
	DNS     string    `yaml:"dns" is:"named" doc:"The DNS name in the certificates; {name} is the member of the cast." example:"{name}.partner.example"`
}

// Agreement is what the business agreed to.
type Agreement struct {
	Owner      string            `yaml:"owner" doc:"Who in your house answers for this partner's access." example:"payments team"`
	Purpose    string            `yaml:"purpose" doc:"What the access is for." example:"reads the status of its own payments"`
	ValidUntil Date              `yaml:"valid_until" doc:"When the agreement ends." example:"2027-06-30"`
	Review     *Review           `yaml:"review" doc:"The periodic review of the agreement."`
	Claims     map[string]string `yaml:"claims" doc:"Claims that the partner's tokens must carry." example:"{org_id: acme}"`
	Scopes     []string          `yaml:"scopes" doc:"All scopes that the partner may ever get; absent: the partner's." example:"[payments:read]"`
	Unentitled []string          `yaml:"unentitled_scopes" doc:"Scopes that exist at the AS and that the partner must not get." example:"[payments:write]"`
	KeyHosts   []string          `yaml:"key_hosts" is:"address" doc:"The hosts from which the AS may fetch a partner's keys (jwks_uri), with a port if one is meant; absent: any that is not internal." example:"[keys.partner.example]"`
	Window     bool              `yaml:"window" default:"false" doc:"Access is just in time: the hooks open_window and close_window open and close it."`

	Roles     []string   `yaml:"roles" doc:"All roles that the partner's tokens may carry (claim roles, RFC 9068 section 2.2.3.1); absent: roles are not judged." example:"[reader]"`
	Audiences []string   `yaml:"audiences" doc:"All audiences that the partner's tokens may have; absent: those of the points." example:"[https://api.example]"`
	Facts     Reference  `yaml:"facts" doc:"The source of truth about the partner as a JSON object of claims, by reference; the hook facts gives it too." example:"file:facts.json"`
	Approvals []Approval `yaml:"approvals" doc:"Who approved which scopes, and until when." example:"[{by: payments owner, scopes: [payments:read], until: 2027-06-30}]"`
}

// Approval is the evidence that somebody approved what the partner gets.
type Approval struct {
	By     string   `yaml:"by" need:"yes" doc:"Who approved." example:"payments owner"`
	Scopes []string `yaml:"scopes" need:"yes" doc:"What was approved." example:"[payments:read]"`
	Until  Date     `yaml:"until" need:"yes" doc:"When the approval ends." example:"2027-06-30"`
}

// OtherEnvironment is the same partner in another environment: staging where this is production, or the reverse.
type OtherEnvironment struct {
	Name        string       `yaml:"name" need:"yes" doc:"Which environment it is." example:"production"`
	Issuer      string       `yaml:"issuer" is:"issuer" doc:"Its authorization server, at which the credentials are seen to be good; absent: they are not tried there, and a refusal here decides nothing." example:"https://as.production.example"`
	CA          Reference    `yaml:"ca" is:"pem" doc:"The CA of that server's certificate as PEM; absent: the system's roots." example:"file:ca.pem"`
	ID          Reference    `yaml:"id" doc:"The partner's client_id there." example:"env:OTHER_ID"`
	Auth        string       `yaml:"auth" words:"client_secret_basic|client_secret_post|private_key_jwt|tls_client_auth|self_signed_tls_client_auth" default:"client_secret_basic" doc:"How it authenticates there."`
	Secret      Reference    `yaml:"secret" is:"secret" doc:"Its secret there, by reference." example:"env:OTHER_SECRET"`
	Key         Reference    `yaml:"key" is:"secret" doc:"Its private key there as PEM or JWK, by reference." example:"file:other.pem"`
	Certificate *Certificate `yaml:"certificate" doc:"Its client certificate there."`
	Token       Reference    `yaml:"token" is:"secret" doc:"An access token of there, by reference, where the ride cannot get one itself." example:"env:OTHER_TOKEN"`
	Scopes      []string     `yaml:"scopes" doc:"The scopes that it asks for there; absent: the partner's." example:"[payments:read]"`
}

// Review is the periodic review of the agreement.
type Review struct {
	Last  Date     `yaml:"last" need:"yes" doc:"When it was last reviewed." example:"2026-06-01"`
	Every Duration `yaml:"every" need:"yes" doc:"How often it must be." example:"90d"`
}

// Point is an enforcement point.
type Point struct {
	Name            string            `yaml:"name" need:"yes" is:"name" doc:"The point's name in reports." example:"edge"`
	URL             string            `yaml:"url" need:"yes" is:"base" doc:"Where it is reached: scheme, host and port; paths stand in the operations." example:"https://edge.example"`
	CA              Reference         `yaml:"ca" is:"pem" doc:"The CA of its server certificate as PEM; absent: the system's roots." example:"file:ca.pem"`
	TokenFrom       string            `yaml:"token_from" doc:"The AS whose tokens it takes; absent: the only one." example:"main"`
	Resource        string            `yaml:"resource" doc:"The audience that it wants (RFC 8707); absent: the client's." example:"https://api.example"`
	Scopes          []string          `yaml:"scopes" doc:"All scopes that its resource knows: a token for it should carry no other (RFC 8707 section 2.2); absent: not told." example:"[payments:read, payments:write]"`
	Credential      string            `yaml:"credential" words:"bearer|dpop|mtls|api_key|basic|exec" default:"bearer" doc:"What it wants to see; exec: header fields that a signer of yours makes of each request."`
	DPoP            bool              `yaml:"dpop" default:"false" doc:"It takes tokens bound by DPoP (RFC 9449 section 7.1) beside bearer tokens; needless with credential: dpop."`
	Header          string            `yaml:"header" is:"header" default:"X-API-Key" doc:"For credential: api_key, the header field that carries it."`
	Exec            []string          `yaml:"exec" doc:"For credential: exec, the signer and its arguments: it gets a JSON object with client, client_id, method, url, headers and digest on its standard input and prints the header fields to add as a JSON object of texts; needs --allow-exec." example:"[./sign]"`
	TLSClient       string            `yaml:"client_certificate" words:"none|optional|required" default:"none" doc:"Whether it asks for a client certificate."`
	Binding         bool              `yaml:"binding" default:"false" doc:"The agreement demands sender-constrained tokens here."`
	Revocation      string            `yaml:"revocation" words:"introspect|push|expiry" doc:"How it learns of a revocation, which says which limit binds it; needed for bearer and dpop." example:"introspect"`
	Format          string            `yaml:"token_format" words:"jwt|opaque" doc:"What tokens look like here (jwt: a signed JWT); others are a finding, and where JWTs were promised and do not come, what only they can show is not green; absent: as they come." example:"jwt"`
	Operations      []Operation       `yaml:"operations" need:"yes" doc:"Requests that the agreement allows or denies here; at least one is allowed." example:"[{name: list, request: GET /payments}]"`
	Quota           *Quota            `yaml:"quota" doc:"How often one client may call it; absent: nothing is promised." example:"{requests: 60, within: 1m}"`
	Addresses       []string          `yaml:"addresses" is:"address" doc:"The replicas behind the URL's host, as host:port or host (then the URL's port)." example:"[192.0.2.10, 192.0.2.11:8443]"`
	Origin          string            `yaml:"origin" is:"origin" doc:"The upstream's direct address behind the point, which must not be open: a URL, or host:port with the URL's scheme." example:"https://origin.example:8443"`
	IdentityHeaders []string          `yaml:"identity_headers" is:"header" doc:"Further header fields by which its upstream is told who calls." example:"[X-Partner]"`
	Identity        map[string]string `yaml:"identity" doc:"How its log and echo name each member of the cast, when not by client_id." example:"{partner: acme}"`
}

// Quota is the promise that a client which asks more often is held off (429, RFC 6585 §4), and nobody else is.
type Quota struct {
	Requests int      `yaml:"requests" need:"yes" doc:"How many requests of one client are let through in that time; a ride sends twice as many and some more at once, within budget.burst." example:"60"`
	Within   Duration `yaml:"within" need:"yes" doc:"In which time." example:"1m"`
}

// Operation is one request at a point that the agreement allows or denies.
type Operation struct {
	Name         string            `yaml:"name" need:"yes" is:"name" doc:"The operation's name." example:"list"`
	Request      string            `yaml:"request" need:"yes" is:"request" doc:"METHOD and request target, as sent; {client_id} is the id of the client that calls." example:"GET /payments"`
	Header       map[string]string `yaml:"headers" is:"plainheaders" doc:"Header fields that it sends; never credentials." example:"{Content-Type: application/json}"`
	Body         Reference         `yaml:"body" doc:"The body, as text or by reference; for unsafe operations authorised but invalid." example:"file:invalid.json"`
	Deny         bool              `yaml:"deny" default:"false" doc:"The agreement denies it to the partner."`
	Scopes       []string          `yaml:"scopes" doc:"The scopes that it needs." example:"[payments:read]"`
	Roles        []string          `yaml:"roles" doc:"The roles that it needs." example:"[reader]"`
	AcceptedWhen Oracle            `yaml:"accepted_when" doc:"How an answer looks that let the call through; absent: any 2xx."`
	ReachedWhen  Oracle            `yaml:"reached_when" doc:"For unsafe operations: the call was let through and the application said no to the body."`
	IdentityAt   string            `yaml:"identity_at" is:"spot" doc:"Where the answer tells which identity was seen." example:"json:/seen/client_id"`
	NonceAt      string            `yaml:"nonce_at" is:"spot" doc:"Where the answer carries this exchange's trace id." example:"json:/seen/trace"`
	RouteProof   string            `yaml:"route_proof" words:"partner|neighbour|resource_server" doc:"For denied operations: the member of the cast that may, which proves that the route exists." example:"neighbour"`
	ObjectOf     string            `yaml:"object_of" words:"partner|neighbour|resource_server" doc:"The object of the request belongs to this member of the cast." example:"neighbour"`
}

// Oracle tells how an answer looks. An empty oracle means any 2xx.
type Oracle struct {
	Status []int  `yaml:"status" is:"status" doc:"The status code, one or a list." example:"[400, 422]"`
	JSON   string `yaml:"json" is:"pointer" doc:"A JSON pointer that must be there (RFC 6901)." example:"/items"`
}

// Audit is the list of log sources. None is set by `audit: none`.
type Audit struct {
	None    bool        `yaml:"-" doc:"There is no access to any log."`
	Sources []LogSource `yaml:"-" doc:"The logs."`
}

// LogSource is one audit log.
type LogSource struct {
	Name     string            `yaml:"name" need:"yes" is:"name" doc:"The log's name in reports." example:"edge"`
	File     string            `yaml:"file" doc:"A file of log lines, relative to the plan; it may grow during the ride." example:"edge.jsonl"`
	Exec     []string          `yaml:"exec" doc:"A command that prints log lines; needs --allow-exec." example:"[./fetch-log]"`
	Preset   string            `yaml:"preset" words:"checkride|nginx-json|haproxy-json|oidc-provider|plain" default:"checkride" doc:"How a line is read."`
	Fields   map[string]string `yaml:"fields" doc:"Where to find a field when not at the preset's place: normal name to dotted path." example:"{client: auth.client_id}"`
	Covers   []string          `yaml:"covers" need:"yes" doc:"The points and authorization servers whose decisions it records." example:"[edge, main]"`
	Filtered bool              `yaml:"filtered" default:"false" doc:"It shows only lines with the ride's marker."`
	Delay    Duration          `yaml:"delay" default:"0s" doc:"How late lines arrive; limits.log_delay is the promise." example:"5s"`
}

// Limits are promises: how long trust may outlive its withdrawal, how long credentials may live.
type Limits struct {
	Revocation            RevocationLimits `yaml:"revocation" doc:"How long a revoked token may still be accepted, by the kind of the point."`
	NewTokensAfterDisable Duration         `yaml:"new_tokens_after_disable" default:"5s" doc:"How long a disabled client may still get tokens."`
	Deletion              Duration         `yaml:"deletion" doc:"How long tokens outlive the deletion of their client; absent: the longest of revocation introspect and push." example:"10s"`
	Entitlement           Duration         `yaml:"entitlement" default:"10s" doc:"How long a token may carry rights that were taken away."`
	KeyWithdrawal         Duration         `yaml:"key_withdrawal" default:"10s" doc:"How long a token signed with a withdrawn key may still be accepted."`
	SecretOverlap         Duration         `yaml:"secret_overlap" default:"0s" doc:"How long an old secret may work after its rotation."`
	SecretLifetime        Duration         `yaml:"secret_lifetime" default:"0s" doc:"How long a client secret may live, as its registration tells (RFC 7591 section 3.2.1); 0s is without an end."`
	Window                Duration         `yaml:"window" default:"10s" doc:"How long access may outlive the end of its window."`
	TokenLifetime         Duration         `yaml:"token_lifetime" default:"10m" doc:"How long an access token may live."`
	LogDelay              Duration         `yaml:"log_delay" default:"30s" doc:"How late a record may arrive in the audit log."`
	ClockSkew             Duration         `yaml:"clock_skew" default:"10s" doc:"How far clocks may differ, and the leeway that verifiers may give."`
	Patience              Duration         `yaml:"patience" default:"5s" doc:"How long the ride watches beyond a limit."`
	ExpiryWarning         Duration         `yaml:"expiry_warning" default:"14d" doc:"How long certificates, keys and other credentials that end must still last at the time of a ride."`
	Settle                Duration         `yaml:"settle" default:"10s" doc:"How long a write may take to reach all replicas."`

	CertificateWithdrawal Duration `yaml:"certificate_withdrawal" default:"10s" doc:"How long a client certificate that its CA has withdrawn may still be accepted."`
	CertificateLifetime   Duration `yaml:"certificate_lifetime" default:"400d" doc:"How long a client certificate may live." example:"90d"`
}

// RevocationLimits bound revocation by the kind of a point.
type RevocationLimits struct {
	Introspect Duration `yaml:"introspect" default:"10s" doc:"At points that introspect."`
	Push       Duration `yaml:"push" default:"10s" doc:"At points to which revocations are pushed."`
	Expiry     Duration `yaml:"expiry" default:"5m" doc:"At points that wait for the token's expiry: its remaining life is the exposure."`
}

// For gives the limit of a point's kind of revocation and the promise's key.
func (l RevocationLimits) For(kind string) (time.Duration, string) {
	switch kind {
	case "introspect":
		return l.Introspect.D(), "limits.revocation.introspect"
	case "push":
		return l.Push.D(), "limits.revocation.push"
	}
	return l.Expiry.D(), "limits.revocation.expiry"
}

// Longest is the longest limit of the points that learn of a revocation before the token's expiry.
func (l RevocationLimits) Longest() time.Duration { return max(l.Introspect, l.Push).D() }

// Hook is what the operator offers for what has no standard endpoint: an HTTP request or a command. {client_id},
// {scope}, {kid} and the like are replaced by values of the cast: in one pass, no expressions, escaped as the place asks.
type Hook struct {
	HTTP    string               `yaml:"http" is:"call" doc:"METHOD and absolute URL." example:"POST https://admin.example/clients/{client_id}/suspend"`
	Header  map[string]Reference `yaml:"headers" is:"headers" doc:"Header fields; credentials by reference, the whole value." example:"{Authorization: env:ADMIN_AUTHORIZATION}"`
	Body    string               `yaml:"body" is:"placeholders" doc:"The request's body." example:"client={client_id}"`
	CA      Reference            `yaml:"ca" is:"pem" doc:"The CA of the host's certificate as PEM; absent: the system's roots." example:"file:ca.pem"`
	Exec    []string             `yaml:"exec" is:"placeholders" doc:"A command and its arguments; needs --allow-exec." example:"[./suspend.sh, \"{client_id}\"]"`
	Timeout Duration             `yaml:"timeout" default:"30s" doc:"How long it may take."`
}

// Budget bounds what a ride may create and try.
type Budget struct {
	Tokens        int        `yaml:"tokens" default:"2000" doc:"How many tokens it may ask for."`
	Registrations int        `yaml:"registrations" default:"300" doc:"How many clients it may register."`
	FailedAuth    FailedAuth `yaml:"failed_auth" doc:"Failed authentications; they may lock a client out."`
	Burst         int        `yaml:"burst" default:"200" doc:"How many requests it may send at once and beyond the pace, where a quota is tried; allow: [load] permits it."`
}

// FailedAuth bounds failed authentications.
type FailedAuth struct {
	PerClient int `yaml:"per_client" default:"50" doc:"How many it may cause for one client."`
}

// Pace limits rate and concurrency, per host.
type Pace struct {
	RequestsPerSecond float64  `yaml:"requests_per_second" default:"50" doc:"How many requests start in a second; 0 is unlimited."`
	Concurrency       int      `yaml:"concurrency" default:"8" doc:"How many are under way at once."`
	Timeout           Duration `yaml:"timeout" default:"10s" doc:"How long one exchange may take."`
}

// Exclusion is a declared gap or a waiver. Owner, reason and expiry are required.
type Exclusion struct {
	Check   string `yaml:"check" need:"yes" is:"pattern" doc:"A check's id, all of a stage as stage.*, or all checks as \"*\"." example:"rotate.*"`
	Point   string `yaml:"point" doc:"Only at this point or authorization server; absent: everywhere." example:"edge"`
	Reason  string `yaml:"reason" need:"yes" doc:"Why." example:"vendor change freeze"`
	Owner   string `yaml:"owner" need:"yes" doc:"Who answers for it." example:"payments team"`
	Expires Date   `yaml:"expires" need:"yes" doc:"When it ends; an expired one is an error." example:"2026-12-31"`
}

// Severity in a plan: low, medium, high, critical.
type Severity logbook.Severity

// Duration is a length of time, written as 10s, 5m, 90d.
type Duration time.Duration

// D gives the duration.
func (d Duration) D() time.Duration { return time.Duration(d) }

// Date is a day, written 2027-01-31, or an RFC 3339 instant. A day ends at its end in UTC.
type Date struct{ time.Time }

// Reference is a value by reference: env:NAME, file:PATH or exec:COMMAND, or the text itself where the member is no
// secret. [Resolver] reads it.
type Reference struct {
	Text string // as written
	Line int
}

// Resolver reads references. Exec is refused unless AllowExec.
type Resolver struct {
	Dir       string
	AllowExec bool
	Env       func(string) (string, bool)
	Keeper    *secret.Keeper
}
