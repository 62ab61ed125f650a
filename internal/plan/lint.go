package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Lint gives advice about a plan that is legal: what makes the ride worth less than it could be, or promises that
// cannot be meant. Each line begins with its promise.
func Lint(p *Plan, options ...Option) []string {
	var advice []string
	say := func(promise, format string, args ...any) {
		place := promise
		line, known := p.Source.Lines[promise]
		if known {
			place = fmt.Sprintf("%s (line %d)", promise, line)
		}
		advice = append(advice, place+": "+fmt.Sprintf(format, args...))
	}
	lintCast(p, say)
	lintAgreement(p, judge(options).now, say)
	for _, point := range p.Points {
		lintPoint(p, point, say)
	}
	lintAudit(p, say)
	lintLimits(p, say)
	lintHooks(p, say)
	lintProfile(p, say)
	lintProxy(p, say)
	return advice
}

type sayer = func(promise, format string, args ...any)

func lintCast(p *Plan, say sayer) {
	_, neighbour := p.Client("neighbour")
	if !neighbour {
		say("clients", "no neighbour: checks that compare two partners are not tested (another's token, certificate and objects, an outage told from a revocation, proof that denied routes exist)")
	}
	_, resourceServer := p.Client("resource_server")
	if !resourceServer {
		say("clients", "no resource_server: checks of introspection are not tested, and what the authorization server says of a revoked token cannot be compared with what the points do")
	}
	for _, c := range p.Clients {
		promise := "clients." + c.Name
		if c.SenderConstraint == "mtls" && c.Certificate == nil && c.Auth != "self_signed_tls_client_auth" {
			say(promise, "tokens are bound by mtls, but no certificate is given or issued: the ride uses a self-signed one, which your stack may refuse")
		}
		switch {
		case c.Certificate == nil:
		case c.Certificate.Issue == nil:
			say(promise+".certificate", "the certificate is given and not issued: expired, foreign and revoked certificates are not tested")
		case !c.Certificate.OfTestCA():
			say(promise+".certificate.issue", "the ride has not the key of a test CA: expired and foreign certificates are not tested")
		}
		if c.Name == "partner" && len(c.Scopes) == 0 {
			say(promise, "no scopes: missing and too wide scopes are not tested")
		}
		if !c.ID.Empty() && c.Name == "partner" && !slices.Contains(c.May, "disable") && !slices.Contains(c.May, "delete") {
			say(promise, "the partner may be neither disabled nor deleted: offboarding is not tested; add `may: [disable]` and the hooks suspend and resume")
		}
	}
}

func lintAgreement(p *Plan, now time.Time, say sayer) {
	a := p.Agreement
	if a.Owner == "" {
		say("agreement", "no owner: nobody answers for this partner's access")
	}
	if a.Purpose == "" {
		say("agreement", "no purpose: nobody can judge whether the access is still needed")
	}
	switch {
	case a.ValidUntil.IsZero():
		say("agreement", "no valid_until: the agreement never ends")
	case a.ValidUntil.Past(now):
		say("agreement.valid_until", "the agreement ended on %s: renew it or offboard the partner", a.ValidUntil)
	}
	if a.Review != nil && now.After(a.Review.Last.Add(a.Review.Every.D())) {
		say("agreement.review", "the review is overdue: the last was on %s, and it is due every %s", a.Review.Last, a.Review.Every)
	}
	lintEvidence(p, now, say)
	partner, _ := p.Client("partner")
	for _, scope := range partner.Scopes {
		if !slices.Contains(a.Scopes, scope) {
			say("agreement.scopes", "the partner asks for %q, which was not agreed", scope)
		}
	}
	if a.Window {
		for _, name := range []string{OpenWindow, CloseWindow} {
			_, there := p.Hooks[name]
			if !there {
				say("agreement.window", "access is just in time, but there is no hook %s: the window is not tested", name)
			}
		}
	}
}

func lintPoint(p *Plan, point Point, say sayer) {
	promise := "points." + point.Name
	partner, _ := p.Client("partner")
	if point.Binding && partner.SenderConstraint == "none" {
		say(promise+".binding", "the agreement demands bound tokens here, but the partner's sender_constraint is none")
	}
	if strings.HasPrefix(point.URL, "http://") {
		say(promise+".url", "plain http: whoever is on the way reads the token")
	}
	denies := false
	for _, o := range point.Operations {
		inner := promise + ".operations." + o.Name
		method, _, _ := strings.Cut(o.Request, " ")
		unsafe := method != "GET" && method != "HEAD" && method != "OPTIONS"
		denies = denies || o.Deny
		if o.Deny && o.RouteProof == "" {
			say(inner, "denied without route_proof: if the route does not exist, its refusal proves nothing and is not counted")
		}
		if o.Deny && unsafe && o.Body.Empty() && method != "DELETE" {
			say(inner, "a denied %s without a body: give one that is authorised but invalid, so that a broken point does no harm", method)
		}
		if unsafe && !o.Deny && o.ReachedWhen.Empty() {
			say(inner, "an allowed %s without reached_when: it would be carried out at each call; give an invalid body and say how the application answers to it", method)
		}
		if !o.Deny && o.IdentityAt == "" && o.NonceAt == "" && !p.covered(point.Name) {
			say(inner, "no identity_at, no nonce_at and no log: what gets in is only weakly proven")
		}
	}
	if !denies {
		say(promise, "no operation is denied here: too wide access is not tested")
	}
}

// covered says whether a log records a point's decisions.
func (p *Plan) covered(point string) bool {
	return slices.ContainsFunc(p.Audit.Sources, func(s LogSource) bool { return slices.Contains(s.Covers, point) })
}

func lintAudit(p *Plan, say sayer) {
	if len(p.Audit.Sources) == 0 {
		declared := slices.ContainsFunc(p.OutOfScope, func(e Exclusion) bool { return e.Check == "audit.*" || e.Check == "*" })
		switch {
		case declared:
		case p.Audit.None:
			say("audit", "no log: whether a log can explain what happened is not tested, and the verdict says so; exports can be added later (checkride attach)")
		default:
			say("audit", "no log, and nothing says that there is none: the verdict is cannot tell; name sources, or write `audit: none`; exports can be added later (checkride attach)")
		}
		return
	}
	for _, point := range p.Points {
		if !p.covered(point.Name) {
			say("audit", "no log covers the point %s", point.Name)
		}
	}
	for _, name := range p.Servers() {
		if !p.covered(name) {
			say("audit", "no log covers the authorization server %s", name)
		}
	}
	for _, s := range p.Audit.Sources {
		if s.Delay > p.Limits.LogDelay {
			say("audit."+s.Name+".delay", "lines arrive after %s, later than limits.log_delay (%s) permits", s.Delay, p.Limits.LogDelay)
		}
	}
}

// lives are the limits that nobody waits for: what they bound is read.
var lives = []string{"limits.token_lifetime", "limits.secret_lifetime", "limits.certificate_lifetime", "limits.expiry_warning"}

func lintLimits(p *Plan, say sayer) {
	l := p.Limits
	for _, kind := range []string{"introspect", "push"} {
		limit, promise := l.Revocation.For(kind)
		used := slices.ContainsFunc(p.Points, func(point Point) bool { return point.Revocation == kind })
		if used && limit >= l.TokenLifetime.D() {
			say(promise, "%s is not shorter than limits.token_lifetime (%s): tokens die by expiry first, and revocation is not tested", Duration(limit), l.TokenLifetime)
		}
	}
	expires := slices.ContainsFunc(p.Points, func(point Point) bool { return point.Revocation == "expiry" })
	if expires && l.Revocation.Expiry < l.TokenLifetime {
		say("limits.revocation.expiry", "%s is shorter than limits.token_lifetime (%s): a token that lives as long as agreed breaks this promise", l.Revocation.Expiry, l.TokenLifetime)
	}
	for _, promise := range slices.Sorted(maps.Keys(l.Promises())) {
		limit, _ := parseDuration(l.Promises()[promise])
		if !slices.Contains(lives, promise) && limit+l.Patience > p.LongestWait {
			say(promise, "%s and the patience are longer than longest_wait (%s): it is not tested", limit, p.LongestWait)
		}
	}
}

func lintHooks(p *Plan, say sayer) {
	for _, pair := range [][2]string{{Suspend, Resume}, {ReduceEntitlement, RestoreEntitlement}, {OpenWindow, CloseWindow}, {Provision, Deprovision}, {ProvisionAPIKey, Deprovision}, {TakeRole, GiveRole}} {
		_, does := p.Hooks[pair[0]]
		_, undoes := p.Hooks[pair[1]]
		if does && !undoes {
			say("hooks."+pair[0], "there is no hook %s that undoes it", pair[1])
		}
	}
	if p.Registration.Mode == "dcr" {
		_, find := p.Hooks[FindClient]
		if !find {
			say("hooks", "no hook find_client: a client whose registration was cut off by a crash cannot be found again and is only listed")
		}
	}
}

func lintProxy(p *Plan, say sayer) {
	if p.ProxyHost() == "" {
		return
	}
	if !p.ProxyCredentials.Empty() && strings.HasPrefix(p.Proxy, "http://") {
		say("proxy_credentials", "the proxy is spoken to without TLS: whoever is on the way there reads its password")
	}
	if _, left := p.Excluded("discover.only-current-tls", "", time.Time{}); !left {
		say("proxy", "whether a host refuses old TLS is not told through a proxy, which may refuse it as well: put discover.only-current-tls out of scope, or ride from where no proxy is needed")
	}
	for _, name := range p.Servers() {
		if server := p.AuthorizationServers[name]; server.CA.Empty() && strings.HasPrefix(server.Issuer, "https://") {
			say("authorization_servers."+name, "no ca: if the proxy inspects TLS and this machine trusts its CA, the ride judges the proxy and does not know it")
		}
	}
	for _, point := range p.Points {
		if point.CA.Empty() && strings.HasPrefix(point.URL, "https://") {
			say("points."+point.Name, "no ca: if the proxy inspects TLS and this machine trusts its CA, the ride judges the proxy and does not know it")
		}
	}
}

// Empty says whether the oracle says nothing; it then means any 2xx.
func (o Oracle) Empty() bool { return len(o.Status) == 0 && o.JSON == "" }
