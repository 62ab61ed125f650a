// Package point is what all enforcement points of the sandbox share: which route needs which scope, how a client
// certificate is verified, how a refusal looks, and how a call that got in reaches the API. Start with [New] and
// [Point.Serve].
package point

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/api"
	"github.com/checkride/checkride/internal/sandbox/auditlog"
	"github.com/checkride/checkride/internal/sandbox/chain"
)

const (
	maxAnswer       = 1 << 20
	upstreamTimeout = 5 * time.Second
	// Leeway bounds the difference of clocks that exp and nbf forgive.
	Leeway = 500 * time.Millisecond
)

// Config is what a [Point] needs.
type Config struct {
	Name     string
	Resource string         // its own audience (RFC 8707)
	Issuer   string         // of the authorization server whose tokens it takes
	Partners *x509.CertPool // client certificates that a CA issued must chain to it
	API      string         // host:port of the API
	Key      string         // the credential that this point shares with the API
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	Defects  func() defect.Set
	Log      func(auditlog.Record)
	Proofs   bool     // it takes tokens that are bound by DPoP
	Scopes   []string // that it knows; it has no route that needs another

	Withdrawn func(thumbprint string) bool // whether the partners' CA has withdrawn a certificate; nil: none
}

// Point decides and relays.
type Point struct {
	Config
	upstream *http.Transport
	partners *chain.Verifier
}

// New makes the shared part of a point. Close it.
func New(cfg Config) *Point {
	return &Point{
		Config:   cfg,
		upstream: &http.Transport{DialContext: cfg.Dial, MaxIdleConnsPerHost: 64, DisableCompression: true},
		partners: chain.New(cfg.Partners),
	}
}

// Close closes the connections to the API.
func (p *Point) Close() { p.upstream.CloseIdleConnections() }

// Grant is what a credential allows, to whom.
type Grant struct {
	ClientID   string
	Org        string
	TokenID    string
	Scope      *string // nil: the credential names no scope
	Roles      []string
	Thumbprint string // cnf.x5t#S256 (RFC 8705 §3.1)
	ProofKey   string // cnf.jkt (RFC 9449 §6.1)
	Audience   []string
	PerSecond  int    // how often its client may call; 0: as it likes
	NextNonce  string // to be told in DPoP-Nonce (RFC 9449 §8.2)
}

// Refusal is why a call is not let in.
type Refusal struct {
	Status  int
	Code    string // RFC 6750 §3.1; empty when the request had no credential
	Reason  string
	Claimed Grant         // who it claimed to be, unproven
	Proving bool          // the request used the scheme DPoP
	Nonce   string        // for the field DPoP-Nonce (RFC 9449 §9)
	After   time.Duration // for the field Retry-After (RFC 6585 §4)
}

// Invalid is the refusal of a credential.
func Invalid(claimed Grant, format string, args ...any) *Refusal {
	return &Refusal{Status: http.StatusUnauthorized, Code: "invalid_token", Reason: fmt.Sprintf(format, args...), Claimed: claimed}
}

// Policy is how one point decides.
type Policy struct {
	// Authenticate turns the request's credential into a grant. Presented is the thumbprint of the verified client
	// certificate, or "".
	Authenticate func(r *http.Request, presented string) (Grant, *Refusal)
	// Header are the fields of the request to the API, without the identity; nil takes the few that an API needs.
	Header func(r *http.Request) http.Header
	// Identify tells the API who calls; nil takes [Identify].
	Identify func(h http.Header, g Grant)
	// AnyScope opens every route to every grant.
	AnyScope bool
	// Public is a route that needs no credential.
	Public func(r *http.Request) bool
	// Resource is what its metadata names (RFC 9728 §2); empty: its own.
	Resource string
	// Missing is a route that does not exist, for nobody.
	Missing func(r *http.Request) bool
	// Edit changes the record before it is written.
	Edit func(record *auditlog.Record, r *http.Request)
}

// Serve decides about one call, relays it to the API if it may pass, and writes one record.
func (p *Point) Serve(w http.ResponseWriter, r *http.Request, policy Policy) {
	if r.Method == http.MethodGet && r.URL.EscapedPath() == metadataPath {
		p.describe(w, policy.Resource)
		return
	}
	record := auditlog.Of("access", r)
	if policy.Edit != nil {
		policy.Edit(&record, r)
	}
	if policy.Missing != nil && policy.Missing(r) {
		p.Refuse(w, record, &Refusal{Status: http.StatusNotFound, Code: "not_found", Reason: "no such route"})
		return
	}
	presented, refusal := p.presented(r.TLS)
	if refusal == nil && presented != "" && p.Withdrawn != nil && p.Withdrawn(presented) {
		refusal = Invalid(Grant{}, "client certificate was withdrawn")
	}
	record.CertSHA256 = presented
	if refusal != nil {
		refusal.Claimed = claimedBy(r)
		p.Refuse(w, record, refusal)
		return
	}
	grant := Grant{}
	if policy.Public == nil || !policy.Public(r) {
		grant, refusal = p.decide(r, presented, policy)
	}
	if refusal != nil {
		p.Refuse(w, record, refusal)
		return
	}
	record.ClientID, record.Org, record.TokenID = grant.ClientID, grant.Org, grant.TokenID
	p.relay(w, r, record, grant, policy)
}

func (p *Point) decide(r *http.Request, presented string, policy Policy) (Grant, *Refusal) {
	grant, refusal := policy.Authenticate(r, presented)
	if refusal != nil {
		return Grant{}, refusal
	}
	scope, ok := ScopeOf(r.Method, r.URL.EscapedPath())
	switch {
	case !ok || !slices.Contains(p.Scopes, scope):
		return Grant{}, &Refusal{Status: http.StatusNotFound, Code: "not_found", Reason: "no such route", Claimed: grant}
	case !slices.Contains(grant.Roles, RoleOf(r.Method, r.URL.EscapedPath())) && RoleOf(r.Method, r.URL.EscapedPath()) != "" && !policy.AnyScope:
		return Grant{}, &Refusal{Status: http.StatusForbidden, Code: "insufficient_scope", Reason: "needs a role that the credential has not", Claimed: grant}
	case policy.AnyScope || p.has(grant, scope):
		return grant, nil
	}
	return Grant{}, &Refusal{Status: http.StatusForbidden, Code: "insufficient_scope", Reason: "needs the scope " + scope, Claimed: grant}
}

func (p *Point) has(g Grant, scope string) bool {
	if g.Scope == nil || *g.Scope == "" {
		return p.Defects().ScopelessToken
	}
	return slices.Contains(strings.Fields(*g.Scope), scope)
}

// Archive is the scope of the archive, which not every point stands before.
const Archive = "archive:read"

// ScopeOf is the scope that a route needs, and whether there is such a route. Paths are compared as they were sent:
// /payments/, //payments and /%70ayments are other paths.
func ScopeOf(method, path string) (string, bool) {
	switch {
	case method == http.MethodGet && path == "/payments":
		return "payments:read", true
	case method == http.MethodPost && path == "/payments":
		return "payments:write", true
	case method == http.MethodGet && api.StatementOf(path) != "":
		return "payments:read", true
	case method == http.MethodGet && path == api.Archive:
		return Archive, true
	}
	return "", false
}

// RoleOf is the role that a route needs, or "".
func RoleOf(method, path string) string {
	if method == http.MethodGet && api.StatementOf(path) != "" {
		return "reader"
	}
	return ""
}

// ForMe tells whether the grant is for this point.
func (p *Point) ForMe(g Grant) bool { return slices.Contains(g.Audience, p.Resource) }

// Refuse answers as RFC 6750 §3 asks. The body names the point, so that its refusals can be told from other hops'.
func (p *Point) Refuse(w http.ResponseWriter, record auditlog.Record, refusal *Refusal) {
	record.Decision, record.Status, record.Reason = auditlog.Deny, refusal.Status, refusal.Reason
	record.ClientID, record.Org, record.TokenID = refusal.Claimed.ClientID, refusal.Claimed.Org, refusal.Claimed.TokenID
	p.Log(record)

	name := refusal.Code
	if name == "" {
		name = "unauthorized"
	}
	body, err := json.Marshal(map[string]string{"error": name, "error_description": refusal.Reason, "point": p.Name})
	if err != nil {
		body = []byte(`{"error":"unauthorized"}`)
	}
	if refusal.Status == http.StatusUnauthorized || refusal.Code == "insufficient_scope" {
		w.Header()["Www-Authenticate"] = challenges(p.Name, refusal, p.Proofs)
	}
	if refusal.Nonce != "" {
		w.Header().Set("DPoP-Nonce", refusal.Nonce)
	}
	if refusal.After > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(refusal.After/time.Second)))
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(refusal.Status)
	_, _ = w.Write(body)
}

// challenge omits the code when the request had no credential, as RFC 6750 §3.1 asks.
func challenge(realm, code string) string {
	text := `Bearer realm="` + realm + `"`
	if code != "" {
		text += `, error="` + code + `"`
	}
	return text
}

func (p *Point) relay(w http.ResponseWriter, r *http.Request, record auditlog.Record, grant Grant, policy Policy) {
	answer, body, err := p.call(r, grant, policy)
	if err != nil {
		p.Refuse(w, record, &Refusal{Status: http.StatusBadGateway, Code: "bad_gateway", Reason: "the API does not answer", Claimed: grant})
		return
	}
	record.Decision, record.Status = auditlog.Allow, answer.StatusCode
	if answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden {
		record.Decision, record.Reason = auditlog.Deny, "refused by the API"
	}
	p.Log(record)
	for _, name := range []string{"Content-Type", "Cache-Control"} {
		if v := answer.Header.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
	if grant.NextNonce != "" {
		w.Header().Set("DPoP-Nonce", grant.NextNonce)
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(body)
}

func (p *Point) call(r *http.Request, grant Grant, policy Policy) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(r.Context(), upstreamTimeout)
	defer cancel()

	target := url.URL{Scheme: "http", Host: p.API, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	var sent io.Reader
	if r.Method != http.MethodGet {
		sent = r.Body
	}
	out, err := http.NewRequestWithContext(ctx, r.Method, target.String(), sent)
	if err != nil {
		return nil, nil, fmt.Errorf("make the request of %s to the API: %w", p.Name, err)
	}
	out.Header = p.header(r, policy)
	out.Header.Set(api.PointKey, p.Key)
	identify := policy.Identify
	if identify == nil {
		identify = p.Identify
	}
	identify(out.Header, grant)
	if sent != nil {
		out.ContentLength = r.ContentLength
	}
	answer, err := p.upstream.RoundTrip(out)
	if err != nil {
		return nil, nil, fmt.Errorf("call the API from %s: %w", p.Name, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, nil, fmt.Errorf("read the API's answer at %s: %w", p.Name, err)
	}
	return answer, body, nil
}

func (p *Point) header(r *http.Request, policy Policy) http.Header {
	if policy.Header != nil {
		return policy.Header(r)
	}
	h := http.Header{}
	for _, name := range []string{"Accept", "Content-Type", "Traceparent", "X-Request-Id", "User-Agent"} {
		if v := r.Header.Get(name); v != "" {
			h.Set(name, v)
		}
	}
	return h
}

// Identify tells the API who calls, in its header fields.
func (p *Point) Identify(h http.Header, g Grant) {
	scope := ""
	if g.Scope != nil {
		scope = *g.Scope
	}
	set := map[string]string{
		api.ClientID: g.ClientID, api.Org: g.Org, api.Scopes: scope, api.Via: p.Name,
		api.TokenID: g.TokenID, api.CertSHA256: g.Thumbprint,
	}
	for name, value := range set {
		if value != "" {
			h.Set(name, value)
		}
	}
}
