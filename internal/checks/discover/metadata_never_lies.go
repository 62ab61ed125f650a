package discover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// MetadataNeverLies tries what the metadata offers to a partner, word by word: each authentication method, each algorithm
// of client assertions, the grant, the endpoints. And of each kind it tries one that is not offered. Documents are often
// written by hand or derived from what the product could do, and not from what this deployment does.
//
// RFC 8414 §2: the lists hold what the server supports. That what is not listed is refused is our demand: what nobody
// knows to be there nobody watches.
var MetadataNeverLies = &check.Check{
	ID:       "discover.metadata-never-lies",
	Title:    "what the metadata offers works, and what it does not offer is refused",
	Broken:   "the metadata offers what does not work",
	Why:      "a partner builds on a method that fails on the first day and gets a weaker one in haste",
	Fix:      "list what this deployment takes and nothing else",
	Refs:     []frameworks.Ref{frameworks.RFC(8414, "2"), frameworks.RFC(6749, "5.2"), frameworks.House(), frameworks.NHI(4), frameworks.SP80053("CM-7"), frameworks.SP80053("IA-13")},
	Rows:     []string{"L-MD-12"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Takes:    check.FailAuth,
	Besides:  []*logbook.Breach{hidden},
	Waits:    func(l plan.Limits) time.Duration { return l.Settle.D() },
	Twin:     defect.Set{AdvertisedOnly: true},
	Also:     []defect.Set{{AssertionAlgorithmsOpen: true}, {PasswordGrantAlive: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		server, err := p.Discovered(ctx)
		if err != nil {
			return err
		}
		for _, try := range []func(context.Context, *check.Pass, oauth.Server) error{methodsWork, algorithmsWork, grantsAreListed, endpointsAnswer} {
			err = try(ctx, p, server)
			if err != nil {
				return err
			}
		}
		return nil
	},
}

// hidden is what works although it is not offered.
var hidden = &logbook.Breach{
	Broken:   "the server takes what its metadata does not offer",
	Why:      "a method, algorithm or grant that is not listed is a way in that no review has seen and nobody watches",
	Fix:      "switch off what is not listed, or list it",
	Severity: logbook.Medium,
}

const methodsMember = "token_endpoint_auth_methods_supported"

// methodsWork lets a client log in by each method that is listed, and has none registered for one that is not.
func methodsWork(ctx context.Context, p *check.Pass, server oauth.Server) error {
	listed := oauth.Strings(server.Metadata[methodsMember])
	if listed == nil {
		listed = []string{string(oauth.ClientSecretBasic)}
	}
	p.Relevant("the metadata offers %s", strings.Join(listed, ", "))
	possible, err := p.Methods(ctx)
	if err != nil {
		return err
	}
	for _, method := range []oauth.Method{oauth.ClientSecretBasic, oauth.ClientSecretPost, oauth.PrivateKeyJWT, oauth.TLSClientAuth, oauth.SelfSignedTLSClientAuth} {
		switch {
		case slices.Contains(listed, string(method)) && slices.Contains(possible, method):
			err = methodWorks(ctx, p, method)
		case !slices.Contains(listed, string(method)) && (method != oauth.TLSClientAuth || p.Cast.Issues(cast.Partner)):
			err = methodIsRefused(ctx, p, method)
		}
		if err != nil {
			return err
		}
	}
	for _, method := range listed {
		if !slices.Contains(possible, oauth.Method(method)) {
			p.Note("%s is offered and was not tried", method)
		}
	}
	return nil
}

// methodWorks logs in by a client that others use too. Where there is none, one is registered to see whether it is
// registration or the login that does not take the method.
func methodWorks(ctx context.Context, p *check.Pass, method oauth.Method) error {
	name := fmt.Sprintf("%s, which %s holds", method, methodsMember)
	member, err := p.Cast.MemberWith(ctx, cast.Partner, cast.Wish{Auth: method})
	var missing *cast.FactError
	if errors.As(err, &missing) {
		registered, err := p.Register(ctx, wire.Setup, cast.Partner, cast.Wish{Auth: method})
		if err != nil {
			return err
		}
		if registered.Decision == wire.Unknown {
			p.Case(name, logbook.Inconclusive, "", "", "", name+": registration: "+registered.Why)
			return nil
		}
		if registered.Decision != wire.Accepted {
			p.Case(name, logbook.NotApplicable, "", "", "", "no client can be registered for it: "+registered.Why)
			return nil
		}
		member = registered.Member
	} else if err != nil {
		return err
	}
	if got := member.Client().Auth; got != method {
		p.Case(name, logbook.NotApplicable, "", "", "", "registration gives "+string(got)+" instead")
		return nil
	}
	_, err = p.Works(ctx, p.Login(member), name)
	return err
}

func methodIsRefused(ctx context.Context, p *check.Pass, method oauth.Method) error {
	defer p.Besides(hidden)()
	name := fmt.Sprintf("%s, which %s does not hold", method, methodsMember)
	registered, err := p.Register(ctx, wire.Altered, cast.Partner, cast.Wish{Auth: method})
	if err != nil {
		return err
	}
	switch {
	case registered.Decision == wire.Unknown:
		p.Case(name, logbook.Inconclusive, "refused", "", "", name+": registration: "+registered.Why)
		return nil
	case registered.Decision != wire.Accepted:
		err = p.RegistrationOpens(ctx, cast.Partner) // else it is no refusal of the method
		if err != nil {
			return err
		}
		p.Case(name, logbook.Pass, "refused", "registration: "+registered.Why, "", "")
		return nil
	case registered.Member.Client().Auth != method:
		p.Case(name, logbook.Pass, "refused", "registration gives "+string(registered.Member.Client().Auth)+" instead", "", "")
		return nil
	}
	_, answer, err := p.Do(ctx, wire.Altered, p.Login(registered.Member))
	if err != nil {
		return err
	}
	if answer.Decision == wire.Denied { // by a replica, maybe, that does not know the client yet
		err = p.Wait(ctx, p.Limits.Settle.D())
		if err != nil {
			return err
		}
		_, answer, err = p.Do(ctx, wire.Altered, p.Login(registered.Member))
		if err != nil {
			return err
		}
	}
	tell(p, name, answer)
	return nil
}

func tell(p *check.Pass, name string, answer check.Answer) {
	outcome, because := logbook.Pass, ""
	switch answer.Decision {
	case wire.Accepted:
		outcome = logbook.Fail
	case wire.Unknown:
		outcome, because = logbook.Inconclusive, name+": "+answer.Why
	}
	p.Case(name, outcome, "refused", answer.Why, "", because)
}

const algorithmsMember = "token_endpoint_auth_signing_alg_values_supported"

// algorithmsWork lets one client with a key for each algorithm sign by each that is listed, and by one that is not.
func algorithmsWork(ctx context.Context, p *check.Pass, server oauth.Server) error {
	listed := oauth.Strings(server.Metadata[algorithmsMember])
	possible, err := p.Methods(ctx)
	if err != nil {
		return err
	}
	if len(listed) == 0 || !slices.Contains(possible, oauth.PrivateKeyJWT) {
		return nil
	}
	keys, err := keysFor(p, listed)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return nil
	}
	var unlisted *oauth.Key
	for _, alg := range []string{"ES384", "ES512", "ES256", "EdDSA"} {
		if !slices.Contains(listed, alg) && (alg != "EdDSA" || !slices.Contains(listed, "Ed25519")) {
			key, err := p.Cast.NewKey(alg)
			if err != nil {
				return err
			}
			unlisted = &key
			break
		}
	}
	registered, err := withKeys(ctx, p, keys, unlisted)
	if err != nil {
		return err
	}
	if registered.Decision == wire.Denied && unlisted != nil {
		refusal := registered.Why
		registered, err = withKeys(ctx, p, keys, nil)
		if err != nil {
			return err
		}
		if registered.Decision == wire.Accepted { // so it was the unlisted one's key that was refused
			p.Case(unlisted.Alg+", which "+algorithmsMember+" does not hold", logbook.Pass, "refused", "registration of a key for it: "+refusal, "", "")
		}
		unlisted = nil
	}
	if registered.Decision != wire.Accepted {
		p.Note("no client could be registered with a key for each algorithm, so none was tried: %s", registered.Why)
		return nil
	}
	only, fixed := registered.Told("token_endpoint_auth_signing_alg")
	var good *check.Call
	for _, key := range keys {
		if fixed && only != "" && only != key.Alg {
			p.Note("registration fixes %s, so %s was not tried", only, key.Alg)
			continue
		}
		call := signing(p.Login(registered.Member), key)
		works, err := p.Works(ctx, call, key.Alg+", which "+algorithmsMember+" holds")
		if err != nil {
			return err
		}
		if works && good == nil {
			good = &call
		}
	}
	if good == nil || unlisted == nil {
		return nil
	}
	defer p.Besides(hidden)()
	return p.Refuses(ctx, *good, wire.Change{Name: unlisted.Alg + ", which " + algorithmsMember + " does not hold", Apply: func(r wire.Request) (wire.Request, error) {
		sign(&r, *unlisted)
		return r, nil
	}})
}

// keysFor makes a key for each algorithm that can be made. RSA keys are dear, so one serves all algorithms, under a kid for
// each.
func keysFor(p *check.Pass, algorithms []string) ([]oauth.Key, error) {
	var keys []oauth.Key
	var rsa oauth.Key
	for _, alg := range algorithms {
		isRSA := strings.HasPrefix(alg, "RS") || strings.HasPrefix(alg, "PS")
		if isRSA && rsa.Signer != nil {
			keys = append(keys, oauth.Key{ID: rsa.ID + "-" + alg, Alg: alg, Signer: rsa.Signer})
			continue
		}
		key, err := p.Cast.NewKey(alg)
		if err != nil {
			continue // HS256 needs a secret, and what we do not know we cannot try
		}
		if isRSA {
			rsa = key
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func withKeys(ctx context.Context, p *check.Pass, keys []oauth.Key, more *oauth.Key) (check.Registered, error) {
	all := slices.Clone(keys)
	if more != nil {
		all = append(all, *more)
	}
	return p.Register(ctx, wire.Setup, cast.Partner, cast.Wish{Auth: oauth.PrivateKeyJWT, Metadata: map[string]any{"jwks": oauth.JWKSet(all...)}})
}

func signing(call check.Call, key oauth.Key) check.Call {
	return call.With(func(r *wire.Request) { sign(r, key) })
}

func sign(r *wire.Request, key oauth.Key) {
	assertion := r.Credential("client_assertion").JWT
	assertion.Key = key.Signer
	assertion.Header["alg"], assertion.Header["kid"] = key.Alg, key.ID
}

// grantsAreListed asks by a grant that is not listed, with credentials that nobody has. Invalid_grant says that the server
// looked at them (RFC 6749 §5.2), so the grant is alive.
func grantsAreListed(ctx context.Context, p *check.Pass, server oauth.Server) error {
	listed := oauth.Strings(server.Metadata["grant_types_supported"])
	if listed == nil {
		return nil // then the default is authorization_code and implicit, which no-weak-algorithm notes
	}
	partner, err := p.Cast.Member(ctx, cast.Partner)
	if err != nil {
		return err
	}
	if slices.Contains(listed, "client_credentials") {
		_, err = p.Works(ctx, p.Login(partner), "client_credentials, which grant_types_supported holds")
		if err != nil {
			return err
		}
	}
	for _, grant := range listed {
		tried, err := grantWorks(ctx, p, partner, grant)
		if err != nil {
			return err
		}
		if !tried && grant != plan.GrantClientCredentials {
			p.Note("the grant %s is offered and was not tried", grant)
		}
	}
	grant, fields := "password", [][2]string{{"username", "nobody"}, {"password", "of nobody"}}
	if slices.Contains(listed, grant) {
		grant, fields = plan.GrantJWTBearer, [][2]string{{"assertion", "e30.e30.e30"}}
	}
	if slices.Contains(listed, grant) {
		return nil
	}
	login := p.Login(partner)
	decide := login.Decide
	login.Decide = func(ctx context.Context, x wire.Exchange) check.Answer {
		refusal := oauth.ReadError(x)
		if refusal != nil && refusal.Code == "invalid_grant" && x.Request.Purpose == wire.Altered {
			return check.Answer{Decision: wire.Accepted, Strong: true, Why: "invalid_grant, so the grant is alive"}
		}
		return decide(ctx, x)
	}
	defer p.Besides(hidden)()
	return p.Refuses(ctx, login, wire.Change{Name: grant + ", which grant_types_supported does not hold", Apply: func(r wire.Request) (wire.Request, error) {
		r = r.SetForm("grant_type", grant)
		for _, field := range fields {
			r = r.AddForm(field[0], field[1])
		}
		return r, nil
	}})
}

// grantWorks asks for a token by a grant that the plan names beside client_credentials, and says whether it did.
func grantWorks(ctx context.Context, p *check.Pass, partner *cast.Member, grant string) (bool, error) {
	grants := p.Stack.Plan.Grants
	var call check.Call
	switch {
	case grant == plan.GrantTokenExchange && grants.Exchange != nil:
		subject, err := partner.Token(ctx, p.HomePoint())
		if err != nil {
			return false, err
		}
		call, err = p.AtExchange(ctx, partner, subject)
		if err != nil {
			return false, err
		}
	case grant == plan.GrantJWTBearer && grants.Bearer != nil:
		call = p.AtAssertion(partner)
	default:
		return false, nil
	}
	_, err := p.Works(ctx, call, grant+", which grant_types_supported holds")
	return true, err
}

// endpointsAnswer knocks at what the metadata names and nothing else of this check uses.
func endpointsAnswer(ctx context.Context, p *check.Pass, server oauth.Server) error {
	for _, name := range []string{"introspection_endpoint", "revocation_endpoint", "pushed_authorization_request_endpoint", "device_authorization_endpoint", "jwks_uri", "authorization_endpoint"} {
		address, ok := server.Metadata[name].(string)
		if !ok || !strings.HasPrefix(address, "https://") {
			continue
		}
		request := oauth.Get(p.Name, address)
		if takesForms(name) {
			request = oauth.Knock(p.Name, address)
		}
		x, err := p.Send(ctx, wire.Setup, request)
		switch {
		case errors.Is(err, wire.ErrNotAllowed):
			p.Note("%s is at a host that is not in the plan, and was not tried", name)
			continue
		case err != nil:
			return err
		case x.Failure == wire.None && x.Status == 503 || x.Status == 429 || x.Failure == wire.Timeout || x.Failure == wire.Reset || x.Failure == wire.Proxied:
			p.Case(name, logbook.Inconclusive, "", "", "", name+" could not be decided: "+told(x))
			continue
		}
		if x.Failure == wire.Alert { // as to everybody who shows no certificate
			p.Note("%s speaks to nobody without a certificate, so whether it answers was not seen", name)
			continue
		}
		dead := x.Failure != wire.None || x.Status == 404 || x.Status >= 500 || takesForms(name) && x.Status == 405
		p.Case(name, map[bool]logbook.Outcome{true: logbook.Fail, false: logbook.Pass}[dead], "it answers", told(x), "", "")
	}
	return nil
}

// told is what came of a request, for people: the status, or how it failed.
func told(x wire.Exchange) string {
	if x.Failure != wire.None {
		return strings.TrimSpace(string(x.Failure) + " " + x.Detail)
	}
	return fmt.Sprint(x.Status)
}
