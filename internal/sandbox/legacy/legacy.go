// Package legacy is the sandbox's older middleware: it introspects every token, or takes an API key, and turns the
// caller's identity into header fields for the API. Start with [New] and [Legacy.ServeHTTP].
package legacy

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/sandbox/api"
	"github.com/checkride/checkride/internal/sandbox/auditlog"
	"github.com/checkride/checkride/internal/sandbox/point"
)

// APIKey is the header field of API keys.
const APIKey = "X-Api-Key"

// Config is what a [Legacy] needs.
type Config struct {
	Point      point.Config
	Introspect point.Introspector
}

// Legacy is the middleware and its API keys.
type Legacy struct {
	cfg   Config
	point *point.Point
	keys  *keys
	late  sync.WaitGroup // records that are still to be repeated
	done  chan struct{}
}

// New makes the middleware. Close it.
func New(cfg Config) *Legacy {
	l := &Legacy{cfg: cfg, keys: newKeys(), done: make(chan struct{})}
	config := cfg.Point
	config.Log = l.record
	l.point = point.New(config)
	return l
}

// Close closes the connections to the API.
func (l *Legacy) Close() {
	close(l.done)
	l.late.Wait()
	l.point.Close()
}

func (l *Legacy) record(r auditlog.Record) {
	if r.Decision == auditlog.Deny && l.cfg.Point.Defects().DenialsUnlogged {
		return
	}
	l.cfg.Point.Log(r)
	if r.Decision == auditlog.Allow && l.cfg.Point.Defects().RecordRepeated {
		l.late.Go(func() { l.repeat(r) })
	}
}

// repeat is the defect RecordRepeated: a writer that did not hear its own success in time tries again.
func (l *Legacy) repeat(r auditlog.Record) {
	timer := time.NewTimer(500 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		l.cfg.Point.Log(r)
	case <-l.done:
	}
}

func (l *Legacy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.point.Serve(w, r, point.Policy{Authenticate: l.authenticate, Header: l.header, Identify: l.identify, Missing: l.missing})
}

// missing is what the route table lacks.
func (l *Legacy) missing(r *http.Request) bool {
	return l.cfg.Point.Defects().RouteForgotten && api.StatementOf(r.URL.EscapedPath()) != ""
}

func (l *Legacy) authenticate(r *http.Request, presented string) (point.Grant, *point.Refusal) {
	given := r.Header[APIKey]
	if inQuery := r.URL.Query().Get("api_key"); inQuery != "" && l.cfg.Point.Defects().KeyInQuery {
		given = append(given, inQuery)
	}
	if len(given) == 0 {
		return l.byToken(r, presented)
	}
	if len(given) > 1 || len(r.Header["Authorization"]) > 0 {
		return point.Grant{}, point.Invalid(point.Grant{}, "more than one credential")
	}
	grant, ok := l.keys.grant(given[0], l.cfg.Point.Defects().KeysByPrefix)
	if !ok {
		return point.Grant{}, point.Invalid(grant, "API key is not valid")
	}
	return grant, nil
}

func (l *Legacy) byToken(r *http.Request, presented string) (point.Grant, *point.Refusal) {
	token, refusal := l.token(r)
	if refusal != nil {
		return point.Grant{}, refusal
	}
	claimed := point.Claimed(token)
	claims, err := l.cfg.Introspect.Ask(r.Context(), token)
	if err != nil {
		return point.Grant{}, point.Unavailable(claimed)
	}
	if !claims.Active {
		return point.Grant{}, point.Invalid(claimed, "token is not active")
	}
	grant := claims.Grant()
	if !l.point.ForMe(grant) {
		return point.Grant{}, point.Invalid(grant, "aud is not this resource")
	}
	refusal = point.Bound(grant, presented)
	if refusal != nil {
		return point.Grant{}, refusal
	}
	return grant, nil
}

func (l *Legacy) token(r *http.Request) (string, *point.Refusal) {
	if inQuery := r.URL.Query().Get("access_token"); inQuery != "" && l.cfg.Point.Defects().QueryToken {
		return inQuery, nil
	}
	return point.Bearer(r)
}

// header passes the caller's fields on, as a middleware in the way of a request does, without those that concern the
// connection, the credentials and everything that could tell the API an identity.
func (l *Legacy) header(r *http.Request) http.Header {
	h := r.Header.Clone()
	for _, field := range r.Header["Connection"] {
		for name := range strings.SplitSeq(field, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range []string{"Connection", "Proxy-Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Authorization", "Proxy-Authorization", APIKey, "Accept-Encoding"} {
		h.Del(name)
	}
	passed := l.cfg.Point.Defects().IdentityHeaderPassed
	for name := range h {
		folded := fold(name)
		if folded == fold(api.PointKey) || (!passed && slices.Contains(identityFields, folded)) {
			delete(h, name)
		}
	}
	return h
}

// identify sets the identity. Fields of the caller are there only by the defect IdentityHeaderPassed, and win.
func (l *Legacy) identify(h http.Header, g point.Grant) {
	if l.cfg.Point.Defects().PartnerRenamed {
		g.ClientID = strings.ToUpper(g.ClientID)
		g.ClientID = g.ClientID[:min(len(g.ClientID), 8)]
	}
	mine := http.Header{}
	l.point.Identify(mine, g)
	given := map[string]bool{}
	for name := range h {
		given[fold(name)] = true
	}
	for name, values := range mine {
		if !given[fold(name)] {
			h[name] = values
		}
	}
}

// fold is a field's name as a CGI-like API reads it: case and the difference of - and _ are lost (RFC 3875 §4.1.18).
func fold(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "-")) }

// identityFields are all fields, folded, by which some proxy or framework tells an application who calls.
var identityFields = []string{
	"x-client-id", "x-org", "x-scopes", "x-auth-via", "x-token-id", "x-cert-sha256",
	"x-forwarded-user", "x-forwarded-email", "x-forwarded-preferred-username", "x-forwarded-groups", "x-forwarded-access-token",
	"x-auth-request-user", "x-auth-request-email", "x-auth-request-groups", "x-auth-request-access-token",
	"remote-user", "x-remote-user", "x-remote-group", "x-user", "x-user-id", "x-username", "x-email", "x-groups", "x-roles", "x-scope",
	"x-tenant-id", "x-org-id", "x-partner-id", "x-client-name", "x-authenticated-userid", "x-authenticated-client-id", "x-authenticated-scope",
	"x-consumer-id", "x-consumer-username", "x-consumer-custom-id", "x-credential-identifier",
	"client-cert", "client-cert-chain", "x-forwarded-client-cert", "x-ssl-client-cert", "x-ssl-client-s-dn", "x-ssl-client-verify",
	"x-client-cert", "x-client-cert-hash", "x-client-dn", "x-jwt-assertion", "x-jwt-payload", "x-userinfo", "x-id-token",
	"x-amzn-oidc-identity", "x-amzn-oidc-data", "x-goog-authenticated-user-email", "x-ms-client-principal", "x-ms-client-principal-id",
	"x-webauth-user", "x-forwarded-for", "x-real-ip", "forwarded", "x-original-url", "x-rewrite-url", "x-http-method-override",
}
