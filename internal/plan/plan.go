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

// Plan is a whole plan. The zero value of every member means something safe; [Load] fills in the defaults.
type Plan struct {
	Name                 string                         `yaml:"name" doc:"what is tested, for people: acme payments, staging"`
	Environment          string                         `yaml:"environment"` // staging (default), test, sandbox or production: production allows harmless checks only
	Authorization        *Authorization                 `yaml:"authorization"`
	AuthorizationServers map[string]AuthorizationServer `yaml:"authorization_servers"`
	Registration         Registration                   `yaml:"registration"`
	Clients              []Client                       `yaml:"clients"`
	Agreement            Agreement                      `yaml:"agreement"`
	Points               []Point                        `yaml:"points"`
	Audit                Audit                          `yaml:"audit"` // a list of sources, or: none
	Limits               Limits                         `yaml:"limits"`
	Hooks                map[string]Hook                `yaml:"hooks"` // suspend, resume, rotate_secret, rotate_signing_key, withdraw_signing_key, reduce_entitlement, restore_entitlement, open_window, close_window, find_client, remove_leftovers, ...
	Budget               Budget                         `yaml:"budget"`
	Pace                 Pace                           `yaml:"pace"`
	LongestWait          Duration                       `yaml:"longest_wait"` // what would wait longer is inconclusive
	Blocks               Severity                       `yaml:"blocks"`       // failures of this severity and above block; high
	Allow                []string                       `yaml:"allow"`        // classes of harm beside harmless: shared-impact, load, lockout, smuggling, resource
	Proxy                string                         `yaml:"proxy"`        // none: the environment's proxy is ignored
	OutOfScope           []Exclusion                    `yaml:"out_of_scope"`
	Waivers              []Exclusion                    `yaml:"waivers"`

	Source Source `yaml:"-"`
}

// Source is where the plan came from: its text, its SHA-256 in hex, and the line of each promise
// ("limits.revocation.push" -> 41, "points.edge" -> 20, "out_of_scope.0" -> 60).
type Source struct {
	File   string
	Dir    string // file: references are relative to it
	Text   string
	Digest string
	Lines  map[string]int
}

// Authorization says who allowed the ride to do more than harmless things.
type Authorization struct {
	Ticket   string `yaml:"ticket"`
	Approver string `yaml:"approver"`
	Until    Date   `yaml:"until"`
}

// AuthorizationServer is one AS. Its endpoints are discovered (RFC 8414) unless given by hand.
type AuthorizationServer struct {
	Issuer    string      `yaml:"issuer"`
	CA        Reference   `yaml:"ca"` // PEM; the system's roots when absent
	Endpoints Endpoints   `yaml:"endpoints"`
	Token     TokenSource `yaml:"token"` // tokens come from a command instead of a token endpoint
}

// TokenSource mints tokens outside OAuth, for instance a SAML bridge.
type TokenSource struct {
	Exec []string `yaml:"exec"`
}

// Endpoints given by hand win over the metadata.
type Endpoints struct {
	Metadata      string `yaml:"metadata"`
	Token         string `yaml:"token"`
	Registration  string `yaml:"registration"`
	Introspection string `yaml:"introspection"`
	Revocation    string `yaml:"revocation"`
	JWKS          string `yaml:"jwks"`
}

// Registration says how clients come to be.
type Registration struct {
	Mode               string         `yaml:"mode"`   // dcr (RFC 7591), given, hook, manual
	Server             string         `yaml:"server"` // which AS; the only one when absent
	InitialAccessToken Reference      `yaml:"initial_access_token"`
	Metadata           map[string]any `yaml:"metadata"` // further client metadata that every registration sends
}

// Client is one member of the cast: partner, neighbour or resource_server.
type Client struct {
	Name             string            `yaml:"name"`
	ID               Reference         `yaml:"id"`   // given clients
	Auth             string            `yaml:"auth"` // client_secret_basic, client_secret_post, private_key_jwt, tls_client_auth, self_signed_tls_client_auth
	Secret           Reference         `yaml:"secret"`
	Key              Reference         `yaml:"key"` // PEM or JWK, for private_key_jwt
	Scopes           []string          `yaml:"scopes"`
	Resource         string            `yaml:"resource"`          // RFC 8707
	SenderConstraint string            `yaml:"sender_constraint"` // none, mtls, dpop
	Certificate      *Certificate      `yaml:"certificate"`
	Metadata         map[string]any    `yaml:"metadata"` // further client metadata of this client's registration (tls_client_auth_san_dns)
	APIKey           Reference         `yaml:"api_key"`  // for points with credential: api_key
	May              []string          `yaml:"may"`      // read, fail_auth, revoke_tokens, rotate, disable, delete: what the ride may do to a given client
	Owns             map[string]string `yaml:"owns"`     // operation -> request target of an object that belongs to this client alone, for BOLA
}

// Certificate is a client certificate: issued for the ride by a test CA, or given.
type Certificate struct {
	Issue *Issuer   `yaml:"issue"`
	Cert  Reference `yaml:"cert"` // PEM chain
	Key   Reference `yaml:"key"`  // PEM
}

// Issuer is a test CA with which the ride mints certificates. Subject and DNS name may hold {name}, the member's name.
type Issuer struct {
	CA      Reference `yaml:"ca"`
	Key     Reference `yaml:"key"`
	Subject string    `yaml:"subject"` // CN of the certificate
	DNS     string    `yaml:"dns"`
}

// Agreement is what the business agreed to.
type Agreement struct {
	Owner      string            `yaml:"owner"`
	Purpose    string            `yaml:"purpose"`
	ValidUntil Date              `yaml:"valid_until"`
	Review     *Review           `yaml:"review"`
	Claims     map[string]string `yaml:"claims"`
	Scopes     []string          `yaml:"scopes"`            // all that the partner may ever get; the partner's scopes when absent
	Unentitled []string          `yaml:"unentitled_scopes"` // exist at the AS, and the partner must not get them
	Window     bool              `yaml:"window"`            // access is just in time: hooks open_window and close_window
}

// Review is the periodic review of the agreement.
type Review struct {
	Last  Date     `yaml:"last"`
	Every Duration `yaml:"every"`
}

// Point is an enforcement point.
type Point struct {
	Name            string            `yaml:"name"`
	URL             string            `yaml:"url"`
	CA              Reference         `yaml:"ca"`
	TokenFrom       string            `yaml:"token_from"`
	Resource        string            `yaml:"resource"`           // the audience that this point wants (RFC 8707); the client's when absent
	Credential      string            `yaml:"credential"`         // bearer, dpop, mtls, api_key, basic, exec
	Header          string            `yaml:"header"`             // for api_key: the header field
	Exec            []string          `yaml:"exec"`               // for exec: a signer
	TLSClient       string            `yaml:"client_certificate"` // none, optional, required
	Binding         bool              `yaml:"binding"`            // the agreement demands sender-constrained tokens here
	Revocation      string            `yaml:"revocation"`         // introspect, push, expiry
	Format          string            `yaml:"token_format"`       // jwt, opaque, or absent: as it comes
	Operations      []Operation       `yaml:"operations"`
	Addresses       []string          `yaml:"addresses"`        // replicas: host:port
	Origin          string            `yaml:"origin"`           // the upstream's direct address, which must not be open
	WAF             string            `yaml:"waf"`              // active: something in front answers on its own
	IdentityHeaders []string          `yaml:"identity_headers"` // further header fields by which this point's upstream is told who calls
	Identity        map[string]string `yaml:"identity"`         // how this point's log and echo name the partner, when not by client_id
}

// Operation is one request at a point that the agreement allows or denies.
type Operation struct {
	Name         string            `yaml:"name"`
	Request      string            `yaml:"request"` // GET /payments
	Header       map[string]string `yaml:"headers"`
	Body         Reference         `yaml:"body"`
	Deny         bool              `yaml:"deny"`
	Scopes       []string          `yaml:"scopes"` // that it needs; for the tests of missing scope
	AcceptedWhen Oracle            `yaml:"accepted_when"`
	ReachedWhen  Oracle            `yaml:"reached_when"` // for unsafe operations: authorised, and the application said no to the body
	IdentityAt   string            `yaml:"identity_at"`  // json:/seen/client_id or header:x-client-id
	NonceAt      string            `yaml:"nonce_at"`     // json:/seen/trace: where the answer carries this exchange's trace id
	RouteProof   string            `yaml:"route_proof"`  // member of the cast that may
	ObjectOf     string            `yaml:"object_of"`    // the object belongs to this member of the cast
}

// Oracle tells how an answer looks. An empty oracle means any 2xx.
type Oracle struct {
	Status []int  `yaml:"status"` // one or a list
	JSON   string `yaml:"json"`   // a pointer that must be there
}

// Audit is the list of log sources. None is set by `audit: none`.
type Audit struct {
	None    bool
	Sources []LogSource
}

// LogSource is one audit log.
type LogSource struct {
	Name     string            `yaml:"name"`
	File     string            `yaml:"file"`
	Exec     []string          `yaml:"exec"`
	Preset   string            `yaml:"preset"`   // checkride, nginx-json, haproxy-json, oidc-provider, plain
	Fields   map[string]string `yaml:"fields"`   // normal name -> dotted path
	Covers   []string          `yaml:"covers"`   // points and authorization servers
	Filtered bool              `yaml:"filtered"` // shows only lines with our marker
	Delay    Duration          `yaml:"delay"`
}

// Limits are promises: how long trust may outlive its withdrawal, how long credentials may live.
type Limits struct {
	Revocation            RevocationLimits `yaml:"revocation"`
	NewTokensAfterDisable Duration         `yaml:"new_tokens_after_disable"`
	Deletion              Duration         `yaml:"deletion"` // tokens issued before the client's deletion; the longest of revocation when absent
	Entitlement           Duration         `yaml:"entitlement"`
	KeyWithdrawal         Duration         `yaml:"key_withdrawal"`
	SecretOverlap         Duration         `yaml:"secret_overlap"` // how long an old secret may work after its rotation
	Window                Duration         `yaml:"window"`
	TokenLifetime         Duration         `yaml:"token_lifetime"`
	LogDelay              Duration         `yaml:"log_delay"`
	ClockSkew             Duration         `yaml:"clock_skew"`
	Patience              Duration         `yaml:"patience"` // how long is watched beyond a limit
	Settle                Duration         `yaml:"settle"`   // budget for a write to reach all replicas
}

// RevocationLimits bound revocation by the kind of a point.
type RevocationLimits struct {
	Introspect Duration `yaml:"introspect"`
	Push       Duration `yaml:"push"`
	Expiry     Duration `yaml:"expiry"`
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

// Hook is what the operator offers for what has no standard endpoint: an HTTP request or a command. {client_id},
// {scope}, {kid} and the like are replaced by values of the cast: literally, in one pass, no expressions.
type Hook struct {
	HTTP    string               `yaml:"http"` // POST https://admin.example/clients/{client_id}/suspend
	Header  map[string]Reference `yaml:"headers"`
	Body    string               `yaml:"body"`
	CA      Reference            `yaml:"ca"`
	Exec    []string             `yaml:"exec"`
	Timeout Duration             `yaml:"timeout"`
}

// Budget bounds what a ride may create and try.
type Budget struct {
	Tokens        int        `yaml:"tokens"`
	Registrations int        `yaml:"registrations"`
	FailedAuth    FailedAuth `yaml:"failed_auth"`
}

// FailedAuth bounds failed authentications.
type FailedAuth struct {
	PerClient int `yaml:"per_client"`
}

// Pace limits rate and concurrency, per host.
type Pace struct {
	RequestsPerSecond float64  `yaml:"requests_per_second"` // 0: unlimited
	Concurrency       int      `yaml:"concurrency"`
	Timeout           Duration `yaml:"timeout"` // of one exchange
}

// Exclusion is a declared gap or a waiver. Owner, reason and expiry are required.
type Exclusion struct {
	Check   string `yaml:"check"`
	Point   string `yaml:"point"`
	Reason  string `yaml:"reason"`
	Owner   string `yaml:"owner"`
	Expires Date   `yaml:"expires"`
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
// secret. [Plan.Resolve] reads it.
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
