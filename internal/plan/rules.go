package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rules judge what no single value shows: whether the parts of a plan fit together.
type rules struct {
	*decoder
	plan *Plan
	now  time.Time

	operationNames []string
}

func (r *rules) check() {
	r.operationNames = operationNames(r.plan)
	r.servers()
	r.registration()
	r.trust()
	r.cast()
	r.points()
	r.audit()
	r.canary()
	r.hooks()
	r.harm()
	r.profile()
	r.otherEnvironment()
	r.grants()
	r.pace()
	r.proxy()
	r.exclusions("out_of_scope", r.plan.OutOfScope)
	r.exclusions("waivers", r.plan.Waivers)
}

// wrong complains about the value at a path, or about the nearest thing around it that stands in the file. What is
// complained about already is left alone: one cause, one error.
func (r *rules) wrong(path, message, hint string) {
	for p := path; ; {
		if r.bad[p] {
			return
		}
		cut := strings.LastIndexByte(p, '.')
		if cut < 0 {
			break
		}
		p = p[:cut]
	}
	for p := path; ; {
		where, found := r.at[p]
		if found {
			r.add(where.line, where.column, message, hint)
			return
		}
		cut := strings.LastIndexByte(p, '.')
		if cut < 0 {
			break
		}
		p = p[:cut]
	}
	r.add(1, 1, message, hint)
}

func (r *rules) servers() {
	if len(r.plan.AuthorizationServers) == 0 && slices.ContainsFunc(r.plan.Points, func(p Point) bool { return p.TakesTokens() }) {
		r.wrong("authorization_servers", "the plan names no authorization server, and a point takes tokens", "add `authorization_servers: {main: {issuer: https://as.example}}`")
	}
	for _, name := range r.plan.Servers() {
		path := "authorization_servers." + name
		message, hint := nameForm(name)
		if message != "" {
			r.wrong(path, "the name of an authorization server "+printable(message), hint)
		}
		server := r.plan.AuthorizationServers[name]
		r.quota(path, server.Quota)
		if server.Issuer == "" && server.Endpoints.Token == "" && len(server.Token.Exec) == 0 && !r.plan.HookMints(name) {
			r.wrong(path, fmt.Sprintf("`%s` has no way to get tokens", path), "give it an `issuer`, or `endpoints: {token: URL}`, or `token: {exec: [COMMAND]}`, or add the hook `mint_token`")
		}
	}
}

// knownServer complains about the name of an AS that does not exist.
func (r *rules) knownServer(path, key, name string) {
	names := r.plan.Servers()
	if name == "" || slices.Contains(names, name) {
		return
	}
	r.wrong(path, fmt.Sprintf("`%s` names the authorization server %q, which is not in the plan", key, printable(name)), suggest(name, names))
}

func (r *rules) registration() {
	reg := r.plan.Registration
	r.knownServer("registration.server", "server", reg.Server)
	if reg.Mode == "dcr" && reg.Server == "" && len(r.plan.AuthorizationServers) > 1 {
		r.wrong("registration", "`registration` does not say at which authorization server clients are registered", "add `server: "+r.plan.Servers()[0]+"`, or another of: "+strings.Join(r.plan.Servers(), ", "))
	}
	_, provision := r.plan.Hooks[Provision]
	if reg.Mode == "hook" && !provision {
		r.wrong("registration.mode", "mode hook needs the hook `provision`", "add `provision` to `hooks`, or choose dcr or given")
	}
}

func (r *rules) cast() {
	partners := 0
	first := map[string]int{}
	for i, c := range r.plan.Clients {
		path := "clients." + strconv.Itoa(i)
		if c.Name == "partner" {
			partners++
		}
		line, twice := first[c.Name]
		if twice && c.Name != "" {
			r.wrong(path+".name", fmt.Sprintf("there are two clients named %s, the first in line %d", printable(c.Name), line), "partner, neighbour, resource_server and second_resource_server each stand once")
		}
		first[c.Name] = r.at[path].line
		r.client(path, c)
	}
	if partners == 0 && !r.nameIsBad() {
		r.wrong("clients", "no client is named partner", "name the client under test partner")
	}
	for i, scope := range r.plan.Agreement.Unentitled {
		if slices.Contains(r.plan.Agreement.Scopes, scope) {
			r.wrong("agreement.unentitled_scopes."+strconv.Itoa(i), fmt.Sprintf("the scope %q is both agreed and unentitled", printable(scope)), "remove it from scopes or from unentitled_scopes")
		}
	}
}

// nameIsBad says whether a client's name is complained about: it may have been meant as partner.
func (r *rules) nameIsBad() bool {
	for i := range r.plan.Clients {
		if r.bad["clients."+strconv.Itoa(i)] || r.bad[fmt.Sprintf("clients.%d.name", i)] {
			return true
		}
	}
	return false
}

func (r *rules) client(path string, c Client) {
	named := "client " + printable(c.Name)
	given := !c.ID.Empty()
	if r.plan.Registration.Mode == "given" && !given {
		r.wrong(path+".id", named+" has no `id`, and mode given says that it exists", "add `id: env:NAME` or the client_id itself")
	}
	if c.Name == "second_resource_server" && c.Resource == "" {
		r.wrong(path+".resource", named+" does not say which resource it serves", "add `resource`: the audience of the tokens that it may ask about")
	}
	byHand := r.plan.Registration.Mode == "manual" && !given
	if byHand && c.Auth == "private_key_jwt" && c.Key.Empty() {
		r.wrong(path+".key", named+" will authenticate by private_key_jwt, but has no `key`", "add `key: file:PATH`: its public part is handed over, so it must be there before the client is")
	}
	if byHand && c.Auth == "self_signed_tls_client_auth" && c.Certificate == nil {
		r.wrong(path+".certificate", named+" will authenticate by a certificate of its own, but has none", "add `certificate: {cert: file:PATH, key: file:PATH}`: it is handed over, so it must be there before the client is")
	}
	if given && strings.HasPrefix(c.Auth, "client_secret") && c.Secret.Empty() && c.APIKey.Empty() {
		r.wrong(path+".secret", fmt.Sprintf("%s exists and authenticates by %s, but has no `secret`", named, c.Auth), "add `secret: env:NAME`, or say another `auth`")
	}
	if given && c.Auth == "private_key_jwt" && c.Key.Empty() {
		r.wrong(path+".key", named+" exists and authenticates by private_key_jwt, but has no `key`", "add `key: file:PATH`")
	}
	if c.Auth == "tls_client_auth" && c.Certificate == nil {
		r.wrong(path+".certificate", named+" authenticates by tls_client_auth, but has no `certificate`", "add `certificate: {cert: file:PATH, key: file:PATH}` or `certificate: {issue: {ca: file:PATH, key: file:PATH}}`")
	}
	if c.May != nil && !given && r.plan.Registration.Mode == "dcr" {
		r.wrong(path+".may", named+" has `may`, but no `id`", "`may` bounds what is done to a client that exists; what the ride registers it may do anything to")
	}
	if c.Certificate != nil {
		r.certificate(path+".certificate", named, *c.Certificate)
	}
	for _, operation := range slices.Sorted(maps.Keys(c.Owns)) {
		names := r.operationNames
		if len(names) > 0 && !slices.Contains(names, operation) {
			r.wrong(path+".owns."+operation, fmt.Sprintf("`owns` names the operation %q, which no point has", printable(operation)), suggest(operation, names))
		}
	}
}

func (r *rules) certificate(path, named string, c Certificate) {
	_, hooked := r.plan.Hooks[IssueCertificate]
	hasOwn := !c.Cert.Empty() || !c.Key.Empty()
	switch {
	case c.Issue != nil && hasOwn:
		r.wrong(path, "the certificate of "+named+" is both issued and given", "keep `issue`, or `cert` and `key`")
	case c.Issue == nil && (c.Cert.Empty() || c.Key.Empty()):
		r.wrong(path, "the certificate of "+named+" is neither issued nor given", "add `cert` and `key`, or `issue: {ca: file:PATH, key: file:PATH}`")
	case c.Issue != nil && c.Issue.CA.Empty() != c.Issue.Key.Empty():
		r.wrong(path+".issue", "a test CA is named by half", "give both `ca` and `key`, or neither and the hook `issue_certificate`")
	case c.Issue != nil && c.Issue.CA.Empty() && !hooked:
		r.wrong(path+".issue", "nobody issues the certificate of "+named, "give a test CA by `ca` and `key`, or add the hook `issue_certificate`")
	}
}

// operationNames gives the names of all operations, each once, sorted.
func operationNames(p *Plan) []string {
	names := map[string]bool{}
	for _, point := range p.Points {
		for _, operation := range point.Operations {
			names[operation.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func (r *rules) members() []string {
	var names []string
	for _, c := range r.plan.Clients {
		names = append(names, c.Name)
	}
	return names
}

func (r *rules) points() {
	if len(r.plan.Points) == 0 {
		r.wrong("points", "the plan has no enforcement point", "add `- {name: edge, url: https://edge.example, ...}` below `points`")
	}
	first := map[string]int{}
	for i, p := range r.plan.Points {
		path := "points." + strconv.Itoa(i)
		line, twice := first[p.Name]
		if twice && p.Name != "" {
			r.wrong(path+".name", fmt.Sprintf("there are two points named %s, the first in line %d", printable(p.Name), line), "give each point a name of its own")
		}
		first[p.Name] = r.at[path].line
		r.point(path, p)
	}
}

func (r *rules) point(path string, p Point) {
	named := "point " + printable(p.Name)
	r.knownServer(path+".token_from", "token_from", p.TokenFrom)
	if p.TakesTokens() && p.TokenFrom == "" && len(r.plan.AuthorizationServers) > 1 {
		r.wrong(path+".token_from", named+" does not say whose tokens it takes", "add `token_from: "+r.plan.Servers()[0]+"`, or another of: "+strings.Join(r.plan.Servers(), ", "))
	}
	if p.TakesTokens() && p.Revocation == "" {
		r.wrong(path+".revocation", named+" does not say how it learns of a revocation", "add `revocation: introspect`, or push, or expiry when it waits for the token's end")
	}
	if p.Credential == "exec" && len(p.Exec) == 0 {
		r.wrong(path+".exec", named+" wants a signer, but has no `exec`", "add `exec: [./sign]`")
	}
	if p.Credential != "exec" && len(p.Exec) > 0 {
		r.wrong(path+".exec", named+" has `exec`, but another credential", "say `credential: exec` or remove `exec`")
	}
	if partner, there := r.plan.Client("partner"); p.Credential == "dpop" && there && partner.SenderConstraint != "dpop" {
		r.wrong(path+".credential", named+" wants DPoP, and the partner's tokens are not bound by it", "say `sender_constraint: dpop` under the partner, or here `credential: bearer` and `dpop: true` if the point takes both")
	}
	if p.DPoP && !p.TakesTokens() {
		r.wrong(path+".dpop", named+" takes DPoP-bound tokens, but its credential is no token", "say `credential: bearer` or `credential: dpop`, or remove `dpop`")
	}
	for _, member := range slices.Sorted(maps.Keys(p.Identity)) {
		if !slices.Contains(r.members(), member) {
			r.wrong(path+".identity."+member, fmt.Sprintf("`identity` names %q, which is not in the cast", printable(member)), suggest(member, r.members()))
		}
	}
	allowed := false
	first := map[string]int{}
	r.quota(path, p.Quota)
	for i, o := range p.Operations {
		inner := path + ".operations." + strconv.Itoa(i)
		line, twice := first[o.Name]
		if twice && o.Name != "" {
			r.wrong(inner+".name", fmt.Sprintf("%s has two operations named %s, the first in line %d", named, printable(o.Name), line), "give each operation a name of its own")
		}
		first[o.Name] = r.at[inner].line
		allowed = allowed || !o.Deny
		r.operation(inner, o)
		for _, scope := range o.Scopes {
			if p.Scopes != nil && !slices.Contains(p.Scopes, scope) {
				r.wrong(inner+".scopes", fmt.Sprintf("the operation %s needs the scope %q, which the `scopes` of %s do not name", printable(o.Name), printable(scope), named), "add it to the `scopes` of the point: all that its resource knows")
			}
		}
	}
	if !allowed {
		r.wrong(path+".operations", named+" has no operation that is allowed", "add one that the partner may call: a refusal counts only beside a call that gets in")
	}
}

func (r *rules) quota(path string, quota *Quota) {
	if quota == nil {
		return
	}
	if quota.Requests == 0 {
		r.wrong(path+".quota.requests", "`requests` is 0: no request would be let through", "write 1 or more, or remove `quota`")
	}
	if quota.Within == 0 {
		r.wrong(path+".quota.within", "`within` is 0: every rate keeps to that", "write 1s or more")
	}
}

func (r *rules) operation(path string, o Operation) {
	members := r.members()
	for _, ref := range []struct{ key, member string }{{"route_proof", o.RouteProof}, {"object_of", o.ObjectOf}} {
		if ref.member != "" && !slices.Contains(members, ref.member) {
			r.wrong(path+"."+ref.key, fmt.Sprintf("`%s` names %s, which is not in the cast", ref.key, printable(ref.member)), "add that client to `clients`, or choose from: "+strings.Join(members, ", "))
		}
	}
	if o.Deny && o.RouteProof == "partner" {
		r.wrong(path+".route_proof", "the partner cannot prove a route that is denied to it", "name a client that may, such as neighbour")
	}
	for _, name := range slices.Sorted(maps.Keys(o.Header)) {
		if slices.Contains(credentialHeaders, strings.ToLower(name)) {
			r.hide(o.Header[name])
			r.wrong(path+".headers."+name, fmt.Sprintf("the header field %s of an operation would be a credential", printable(name)), "remove it: credentials come from the cast")
		} else if !legalHeader.MatchString(name) {
			r.wrong(path+".headers."+name, fmt.Sprintf("%q is no header field", printable(name)), "write the name of a header field: Content-Type")
		}
	}
}

func (r *rules) audit() {
	places := r.plan.Servers()
	for _, p := range r.plan.Points {
		places = append(places, p.Name)
	}
	first := map[string]int{}
	for i, s := range r.plan.Audit.Sources {
		path := "audit." + strconv.Itoa(i)
		line, twice := first[s.Name]
		if twice && s.Name != "" {
			r.wrong(path+".name", fmt.Sprintf("there are two logs named %s, the first in line %d", printable(s.Name), line), "give each log a name of its own")
		}
		first[s.Name] = r.at[path].line
		if (s.File == "") == (len(s.Exec) == 0) {
			r.wrong(path, fmt.Sprintf("the log %s wants exactly one of `file` and `exec`", printable(s.Name)), "add `file: PATH` or `exec: [COMMAND]`, not both")
		}
		for j, covered := range s.Covers {
			if !slices.Contains(places, covered) {
				r.wrong(path+".covers."+strconv.Itoa(j), fmt.Sprintf("`covers` names %q, which is no point and no authorization server", printable(covered)), suggest(covered, places))
			}
		}
	}
}

func (r *rules) hooks() {
	for _, name := range slices.Sorted(maps.Keys(r.plan.Hooks)) {
		path, hook := "hooks."+name, r.plan.Hooks[name]
		if !slices.Contains(HookNames, name) {
			r.wrong(path, fmt.Sprintf("there is no hook %q", printable(name)), suggest(name, HookNames))
		}
		if (hook.HTTP == "") == (len(hook.Exec) == 0) {
			r.wrong(path, fmt.Sprintf("the hook %s wants exactly one of `http` and `exec`", printable(name)), "add `http: POST https://admin.example/...` or `exec: [COMMAND]`, not both")
		}
		for _, header := range slices.Sorted(maps.Keys(hook.Header)) {
			message, hint := placeholderForm(hook.Header[header].Text)
			if !legalHeader.MatchString(header) {
				message, hint = "is no header field", "write the name of a header field: Authorization"
			}
			if message != "" {
				r.wrong(path+".headers."+header, fmt.Sprintf("`%s` %s", printable(header), printable(message)), hint)
			}
		}
		if hook.HTTP == "" && (hook.Body != "" || len(hook.Header) > 0) {
			r.wrong(path, fmt.Sprintf("the hook %s has a body or header fields, but no `http`", printable(name)), "a command takes arguments only")
		}
	}
}

// harm holds the classes beyond harmless to what was permitted.
func (r *rules) harm() {
	p := r.plan
	if len(p.Allow) == 0 {
		if p.Authorization != nil && p.Authorization.Until.Past(r.now) {
			r.wrong("authorization.until", r.ended(), "ask for it again or remove `authorization`")
		}
		return
	}
	switch {
	case p.Environment == "production":
		r.wrong("allow", "in production only harmless checks are allowed", "remove `allow`, or ride against staging")
	case p.Authorization == nil:
		r.wrong("allow", "`allow` needs `authorization`", "add `authorization: {ticket: SEC-1412, approver: security desk, until: 2027-01-31}`")
	case p.Authorization.Until.Past(r.now):
		r.wrong("authorization.until", r.ended(), "ask for it again, or remove `allow` and `authorization`")
	}
}

func (r *rules) ended() string {
	a := r.plan.Authorization
	return fmt.Sprintf("the authorization %s by %s ended on %s", printable(a.Ticket), printable(a.Approver), a.Until)
}

func (r *rules) pace() {
	if r.plan.Pace.Concurrency == 0 {
		r.wrong("pace.concurrency", "`concurrency` is 0: nothing could be sent", "write 1 or more")
	}
	if r.plan.Pace.Timeout == 0 {
		r.wrong("pace.timeout", "`timeout` is 0: no answer could arrive", "write 10s")
	}
}

// proxy refuses what would be given for nobody.
func (r *rules) proxy() {
	for _, given := range []struct {
		key   string
		is    Reference
		wants string
	}{{"proxy_credentials", r.plan.ProxyCredentials, "http"}, {"proxy_ca", r.plan.ProxyCA, "https://"}} {
		if !given.is.Empty() && !strings.HasPrefix(r.plan.Proxy, given.wants) {
			r.wrong(given.key, fmt.Sprintf("`%s` is for a proxy, and `proxy` is %s", given.key, printable(r.plan.Proxy)), "say `proxy: "+strings.TrimSuffix(given.wants, "://")+"://proxy.example:3128`, or remove it")
		}
	}
}

func (r *rules) exclusions(key string, all []Exclusion) {
	places := r.plan.Servers()
	for _, p := range r.plan.Points {
		places = append(places, p.Name)
	}
	for i, e := range all {
		path := key + "." + strconv.Itoa(i)
		if e.Point != "" && !slices.Contains(places, e.Point) {
			r.wrong(path+".point", fmt.Sprintf("`point` names %q, which is no point and no authorization server", printable(e.Point)), suggest(e.Point, places))
		}
		if e.Expires.Past(r.now) {
			r.wrong(path+".expires", fmt.Sprintf("%s of %s expired on %s; %s owns it", singular(key), printable(e.Check), e.Expires, printable(e.Owner)), "ask the owner to renew it, or remove it")
		}
	}
}

func singular(key string) string {
	if key == "waivers" {
		return "the waiver"
	}
	return "the exclusion"
}
