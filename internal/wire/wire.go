// Package wire is the only door to the network. It paces, checks the allow-list, dials, speaks, discovers secrets,
// masks and records.
//
// Start with [Request], a plain value, and with [Wire.Do].
package wire

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/secret"
)

// Purpose says why a request is sent.
type Purpose string

const (
	Setup    Purpose = "setup"
	Control  Purpose = "control"
	Altered  Purpose = "altered"
	Baseline Purpose = "baseline"
	Probe    Purpose = "probe"
	Cleanup  Purpose = "cleanup"
	Burst    Purpose = "burst" // one of many at once, beyond the pace: a 429 is what it asks for, and pauses nobody else
)

// Field is a header or form field, in its order and spelling.
type Field struct{ Name, Value string }

// Request is one request as a value: two of them can be compared, and what differs can be printed.
type Request struct {
	Point       string // where it goes: a point's or an authorization server's name
	Check       string // on whose behalf
	Purpose     Purpose
	Who         string // the member of the cast that speaks
	Method      string
	Origin      string // https://edge.example:8443
	Target      string // byte for byte: /payments?limit=1
	Header      []Field
	Form        []Field // when not nil, the body is its form encoding
	Body        []byte
	Credentials []Credential
	Over        Line
	Unrecorded  bool // the sender records it with [Wire.Record]: a watch keeps most of its probes as ticks
}

// Place is where a credential stands.
type Place string

const (
	InHeader Place = "header"
	InForm   Place = "form"
	InQuery  Place = "query"
	InJSON   Place = "json" // a member of the JSON object that is the body: software_statement
	InBody   Place = "body" // a JWT to which the JSON object that is the body gives its claims, sent in its place; the name is its media type
)

// Credential is something that a request presents to be let in. It stands in one place and is either a text, the
// Basic pair of User and Text, a JWT that is made and signed anew for each sending (an assertion, a DPoP proof), or header
// fields that a signer makes of the request as it is sent.
type Credential struct {
	In     Place
	Name   string      // Authorization, client_secret, client_assertion, X-Api-Key
	Prefix string      // "Bearer ", "DPoP "
	Text   secret.Text // the token, key or secret
	Basic  string      // when set: RFC 6749 §2.3.1 Basic with this client id and Text as the password
	JWT    *JWT

	Sign   func(Signing) ([]Field, error) // when set: gives the header fields; nothing of the others but Name counts
	Signer string                         // names Sign in differences: the operator's signer
}

// Signing is what a signer is told of the request that it signs, as it is sent.
type Signing struct {
	Method string
	URL    string
	Header []Field
	Digest string // of the body as Content-Digest has it (RFC 9530 §2): sha-256=:...:
}

// JWT is a JSON Web Token to be made. What is not given in Claims and not in Omit is filled in freshly at each sending:
// jti (random), iat (now), exp (now + Life). A DPoP proof has no exp, and htm, htu, ath and nonce are filled in of the
// request that it goes with.
type JWT struct {
	Header    map[string]any                            // alg is taken from here
	Claims    map[string]any                            // a [FromNow] value becomes a NumericDate at sending
	Omit      []string                                  // of what is filled in
	Life      time.Duration                             // 0: a minute
	Key       crypto.Signer                             // nil: no signature
	Sign      func(signingInput []byte) ([]byte, error) // wins over Key: for forgeries
	Signer    string                                    // names Sign in differences: HMAC with the public key
	Clock     time.Duration                             // the reader's clock minus ours: assertions are minted in the AS's time
	Proof     bool                                      // a DPoP proof (RFC 9449 §4.2)
	Statement bool                                      // a software statement (RFC 7591 §2.3)
	Request   bool                                      // a whole request, signed
}

// FromNow is a claim's value relative to the time of sending.
type FromNow time.Duration

// Line is one connection of one kind. The zero value is a kept connection without client certificate.
type Line struct {
	Certificate *tls.Certificate // shown to the server when it asks
	Fresh       bool             // open a new connection for this exchange and close it afterwards
	Keep        bool             // with Fresh: keep the new connection for later exchanges of its kind
	Lane        string           // kept connections that exchanges of this lane alone use: they were opened for it
	Address     string           // host:port to dial instead of the origin's: one replica
	ServerName  string           // SNI instead of the origin's host
	Roots       *x509.CertPool   // that the server's certificate must chain to; nil: the pool that was set for the origin

	Offer Offer // what the TLS handshake offers
}

// Offer narrows what a TLS handshake offers, so that a server can be asked for what it must not take. The zero value
// offers TLS 1.2 and 1.3 with what crypto/tls calls good.
type Offer struct {
	Min, Max uint16   // versions as crypto/tls numbers them; 0: 1.2 and 1.3
	Suites   []uint16 // for TLS 1.2 and before, as crypto/tls numbers them; nil: its own choice
}

// String names the versions and the number of suites: TLS 1.0 to TLS 1.1, 3 suites.
func (o Offer) String() string {
	if o.Min == 0 && o.Max == 0 && len(o.Suites) == 0 {
		return "TLS 1.2 and 1.3"
	}
	text := tls.VersionName(o.Min) + " to " + tls.VersionName(o.Max)
	if o.Min == o.Max {
		text = tls.VersionName(o.Min)
	}
	for i, suite := range o.Suites {
		text += map[bool]string{true: " with ", false: ", "}[i == 0] + tls.CipherSuiteName(suite)
	}
	return text
}

// Failure is why there is no whole answer. Status and Header may be set beside it when the header was whole.
type Failure string

const (
	None      Failure = ""
	Timeout   Failure = "timeout"
	Reset     Failure = "reset"     // the connection was reset or closed before any byte of an answer
	Alert     Failure = "alert"     // the peer sent a TLS alert
	Refused   Failure = "refused"   // nobody listens
	Untrusted Failure = "untrusted" // the server's certificate is not good for us
	Oversized Failure = "oversized" // header or body larger than we read
	Malformed Failure = "malformed"
	Broke     Failure = "broke"   // the breaker is open: not sent
	Command   Failure = "command" // a command of the operator failed
	Proxied   Failure = "proxy"   // the plan's proxy stood in the way: nothing is known of the host behind it
)

// Exchange is one request and its answer, live: unmasked, for checks to look at. What is recorded is masked.
type Exchange struct {
	Serial   uint64
	Trace    string // trace id in the traceparent
	Request  Request
	Sent     time.Time // monotonic
	Received time.Time // first byte of the answer, or the failure
	Status   int
	Header   http.Header
	Body     []byte // at most Config.MaxBody
	Failure  Failure
	Detail   string
	Remote   string    // the node that was dialled
	Fresh    bool      // the connection had carried nothing before
	Date     time.Time // the Date header, or zero
	TLS      string    // TLS 1.3, or empty
	Nonce    string    // that was filled into its DPoP proof, or empty

	Suite string              // the suite that was agreed on, or empty
	Asked bool                // in the handshake the server asked for a client certificate
	Chain []*x509.Certificate // the server's certificate and what it was seen to chain to, the root last

	shown    shown // the request as it is recorded
	document *document
	secrets  map[string]secret.Text
}

// Config is what a [Wire] needs.
type Config struct {
	Ride        string // 16 hex digits: the first half of every trace id
	Agent       string // User-Agent: checkride/1.0 (ride ...)
	Keeper      *secret.Keeper
	Record      func(logbook.Entry)                                                  // where exchanges go; called in order, never concurrently
	Since       time.Time                                                            // the ride's start
	Allow       []string                                                             // host:port that may be dialled; all else is refused at dial time
	Dial        func(ctx context.Context, network, address string) (net.Conn, error) // nil: net.Dialer
	Proxy       *Proxy                                                               // nil: every host is dialled directly
	Roots       map[string]*x509.CertPool                                            // origin -> roots; absent: the system's
	Rate        float64                                                              // requests per second and host; 0: unlimited. A 429 with Retry-After pauses the host, for a minute at most
	Concurrency int                                                                  // exchanges under way per host; 0: 8
	Timeout     time.Duration                                                        // of one exchange; 0: 10 s
	MaxBody     int64                                                                // bytes read of an answer; 0: 1 MiB
	Idle        time.Duration                                                        // a kept connection that was idle for longer is not used any more; 0: 30 s
	Breaker     int                                                                  // consecutive dead controls on one host after which it is not knocked at any more, but for cleanup; 0: 3
}

// Change is one alteration of a request: the altered request must differ from the control in exactly this.
type Change struct {
	Name  string                         // alg-none, header X-Client-Id
	Apply func(Request) (Request, error) // gets a deep copy
}

// Decision is what an answer says about a request. The zero value is [Unknown], which is never a pass.
type Decision uint8

const (
	Unknown  Decision = iota // 429, timeout, a reset on a reused connection: could not tell
	Accepted                 // the request got in
	Denied                   // refused in a way that the kind of endpoint allows
	Odd                      // refused, in a way that no standard names: a pass with a note
)

func (d Decision) String() string {
	return [...]string{"unknown", "accepted", "refused", "odd refusal"}[d]
}

// Doer sends a request. [Wire] is one.
type Doer interface {
	Do(ctx context.Context, r Request) (Exchange, error)
}
