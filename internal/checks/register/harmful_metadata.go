package register

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
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

// HarmfulMetadata registers clients whose way to prove themselves is worth nothing: a key set with a private, a symmetric
// or a short key, or with keys in two places; a certificate method without a certificate, without a subject, or with two.
// Each is refused, or what is wrong is left out and the answer tells so. What is taken is tried: a short key that logs
// nobody in harms nobody.
//
// RFC 7591 §2: jwks holds public keys, and jwks_uri and jwks MUST NOT both be there. RFC 7518 §3.3: RSA keys have at least
// 2048 bits. RFC 8705 §2.1.2: exactly one subject member; §2.2.2: the certificates are registered. They bind the client;
// that a server refuses what breaks them is our demand, since nobody else looks.
var HarmfulMetadata = &check.Check{
	ID:       "register.harmful-metadata",
	Title:    "a client is not registered with keys, certificates or subjects that prove nothing",
	Broken:   "a client is registered with keys, certificates or subjects that prove nothing",
	Why:      "a key of 1024 bits can be factored, and a client without a subject is whoever has a certificate of that CA",
	Fix:      "read every key of jwks and refuse short ones; ask for a subject with tls_client_auth, and for certificates with self_signed_tls_client_auth",
	Refs:     []frameworks.Ref{frameworks.RFC(7591, "2"), frameworks.RFC(7591, "3.2.2"), frameworks.RFC(7518, "3.3"), frameworks.RFC(7517, "9.2"), frameworks.RFC(8705, "2.1.2"), frameworks.RFC(8705, "2.2.2"), frameworks.House(), frameworks.NHI(4), frameworks.SP80053("SC-12")},
	Rows:     []string{"L-RG-11", "L-RG-12", "L-RG-15", "L-RG-16"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Waits:    func(l plan.Limits) time.Duration { return l.Settle.D() },
	Besides:  []*logbook.Breach{disclosed, ambiguous},
	Twin:     defect.Set{KeysUnchecked: true},
	Also:     []defect.Set{{SubjectsUnchecked: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		methods, err := p.Methods(ctx)
		if err != nil {
			return err
		}
		all, err := harmful(ctx, p, methods)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return check.NotApplicable("no partner registers for a key or a certificate at %s", p.Cast.HomeServer())
		}
		for _, one := range all {
			err = one.play(ctx, p)
			if err != nil {
				return err
			}
		}
		return p.RegistrationOpens(ctx, cast.Partner)
	},
}

// disclosed is a key that proves nothing any more once it was sent: its owner is not told.
var disclosed = &logbook.Breach{
	Broken:   "a client is registered with a private or a shared key among its public ones, and told it again",
	Why:      "a partner that sends its private key by mistake has lost it, and is not told: the key lies with the server, and with whoever reads the registration",
	Fix:      "read every key of jwks and refuse private and symmetric ones",
	Severity: logbook.Medium,
}

// ambiguous is what RFC 7591 §2 and RFC 8705 §2.1.2 want once.
var ambiguous = &logbook.Breach{
	Broken:   "a client is registered with two key sets, or with two subjects, where one must be",
	Why:      "which of the two proves the client is anybody's guess: what a review saw in one place, a login takes from the other",
	Fix:      "take jwks or jwks_uri, and exactly one subject with tls_client_auth",
	Severity: logbook.Medium,
}

// harm is one registration that must not come to be as it was asked for.
type harm struct {
	name, differs string
	auth          oauth.Method
	metadata      map[string]any
	key           oauth.Key       // with which a client that came of it would log in
	besides       *logbook.Breach // of which promise it is; nil: the title's
	// harms says what is wrong with what was registered: nothing, if what was wrong was left out or opens nothing.
	harms func(ctx context.Context, p *check.Pass, got check.Registered) (string, error)
}

// untold says that an answer does not tell what was registered.
var errUntold = errors.New("registered, and the answer does not tell its keys")

func (h harm) play(ctx context.Context, p *check.Pass) error {
	const expected = "refused, or registered without what is wrong"
	if h.besides != nil {
		defer p.Besides(h.besides)()
	}
	got, err := p.Register(ctx, wire.Altered, cast.Partner, cast.Wish{Auth: h.auth, Metadata: h.metadata})
	if err != nil {
		return err
	}
	method, told := got.Told("token_endpoint_auth_method")
	switch {
	case got.Decision == wire.Unknown:
		p.Case(h.name, logbook.Inconclusive, expected, got.Why, h.differs, got.Why)
		return nil
	case got.Decision != wire.Accepted:
		p.Case(h.name, logbook.Pass, expected, got.Why, h.differs, "")
		return nil
	case told && method != string(h.auth):
		p.Case(h.name, logbook.Pass, expected, "registered with "+method+" instead", h.differs, "")
		return nil
	}
	if h.key.Signer != nil {
		got.Member.Change(func(client *oauth.Client) { client.Key = h.key })
	}
	wrong, err := h.harms(ctx, p, got)
	switch {
	case errors.Is(err, errUntold):
		p.Case(h.name, logbook.Inconclusive, expected, "", h.differs, err.Error())
	case err != nil:
		return err
	case wrong != "":
		p.Case(h.name, logbook.Fail, expected, wrong, h.differs, "")
	default:
		p.Case(h.name, logbook.Pass, expected, got.Why+", and it does no harm", h.differs, "")
	}
	return nil
}

func harmful(ctx context.Context, p *check.Pass, methods []oauth.Method) ([]harm, error) {
	var all []harm
	gets := func(method oauth.Method) (bool, error) { // the control: with sound metadata such a client comes to be
		if !slices.Contains(methods, method) {
			return false, nil
		}
		_, err := p.By(ctx, cast.Partner, method)
		if check.IsAbsent(err) {
			return false, nil
		}
		return err == nil, err
	}
	byKey, err := gets(oauth.PrivateKeyJWT)
	if err != nil {
		return nil, err
	}
	if byKey {
		keys, err := badKeys(ctx, p)
		if err != nil {
			return nil, err
		}
		all = append(all, keys...)
	}
	selfSigned, err := gets(oauth.SelfSignedTLSClientAuth)
	if err != nil {
		return nil, err
	}
	if selfSigned {
		all = append(all, harm{
			name: "self_signed_tls_client_auth without certificates", differs: "no jwks", auth: oauth.SelfSignedTLSClientAuth,
			metadata: map[string]any{"jwks": nil},
			harms: func(ctx context.Context, p *check.Pass, got check.Registered) (string, error) {
				if set, told := got.Member.Client().Registered["jwks"].(map[string]any); told && len(oauth.Keys(set)) > 0 {
					return "", nil // that of the connection, say
				}
				return logsIn("a self-signed certificate that nobody registered logs in")(ctx, p, got)
			},
		})
	}
	if !slices.Contains(methods, oauth.TLSClientAuth) {
		return all, nil
	}
	good, err := p.By(ctx, cast.Partner, oauth.TLSClientAuth)
	if check.IsAbsent(err) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	const dn, dns = "tls_client_auth_subject_dn", "tls_client_auth_san_dns"
	none := map[string]any{}
	for _, kind := range []string{"subject_dn", "san_dns", "san_uri", "san_ip", "san_email"} {
		none["tls_client_auth_"+kind] = nil
	}
	second, value := dns, "other.checkride.invalid"
	if _, taken := good.Metadata()[dns]; taken {
		second, value = dn, "CN=other.checkride.invalid"
	}
	return append(all,
		harm{
			name: "tls_client_auth without a subject", differs: "no tls_client_auth_*", auth: oauth.TLSClientAuth,
			metadata: none,
			harms: func(ctx context.Context, p *check.Pass, got check.Registered) (string, error) {
				for member := range none { // it may be read in a statement, or in the certificate of the connection
					if now, _ := got.Told(member); now != "" {
						return "", nil
					}
				}
				return logsIn("a certificate whose subject nobody registered logs in")(ctx, p, got)
			},
		},
		harm{
			name: "tls_client_auth with two subjects", differs: second, auth: oauth.TLSClientAuth, besides: ambiguous,
			metadata: map[string]any{second: value},
			harms: func(ctx context.Context, p *check.Pass, got check.Registered) (string, error) {
				if now, _ := got.Told(second); now != value {
					return "", nil
				}
				return logsIn("both are registered, and a certificate that has one of them logs in")(ctx, p, got)
			},
		}), nil
}

// badKeys are key sets that hold what must not be there.
func badKeys(ctx context.Context, p *check.Pass) ([]harm, error) {
	key, err := oauth.NewKey("ES256")
	if err != nil {
		return nil, err
	}
	signer, ok := key.Signer.(*ecdsa.PrivateKey)
	if !ok {
		return nil, check.Broken("a key for ES256 is no ECDSA key")
	}
	scalar, err := signer.Bytes()
	if err != nil {
		return nil, err
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		return nil, err
	}
	server, err := p.Cast.Server(ctx, p.Cast.HomeServer())
	if err != nil {
		return nil, err
	}
	alg := "PS256"
	listed := oauth.Strings(server.Metadata["token_endpoint_auth_signing_alg_values_supported"])
	if !slices.Contains(listed, alg) && (len(listed) == 0 || slices.Contains(listed, "RS256")) {
		alg = "RS256"
	}
	private, secret := key.JWK(), "checkride-"+rand.Text()
	d, k := base64.RawURLEncoding.EncodeToString(scalar), base64.RawURLEncoding.EncodeToString([]byte(secret))
	p.Stack.Keeper.Keep("key", d)
	p.Stack.Keeper.Keep("key", k)
	private["d"] = d
	short := oauth.Key{ID: "short", Alg: alg, Signer: weak}
	shown := func(what string, members ...string) func(context.Context, *check.Pass, check.Registered) (string, error) {
		return func(_ context.Context, _ *check.Pass, got check.Registered) (string, error) {
			set, told := got.Member.Client().Registered["jwks"].(map[string]any)
			if !told {
				return "", errUntold
			}
			for _, one := range oauth.Keys(set) {
				for _, member := range members {
					if _, there := one[member]; there {
						return "registered, and told again with " + what, nil
					}
				}
			}
			return "", nil
		}
	}
	set := func(keys ...any) map[string]any { return map[string]any{"jwks": map[string]any{"keys": keys}} }
	symmetric := map[string]any{"kty": "oct", "kid": "symmetric", "alg": "HS256", "use": "sig", "k": k}
	both := keyHost(p) + "/checkride-" + strings.ToLower(rand.Text())
	return []harm{
		{name: "a private key in jwks", differs: "jwks: also d", auth: oauth.PrivateKeyJWT, metadata: set(private), key: key, besides: disclosed, harms: shown("its private part", "d", "p", "q")},
		{name: "a symmetric key in jwks", differs: "jwks: also a key of the type oct", auth: oauth.PrivateKeyJWT, metadata: set(key.JWK(), symmetric), key: key, besides: disclosed, harms: shown("the shared key", "k")},
		{name: "an RSA key of 1024 bits", differs: "jwks: a short key", auth: oauth.PrivateKeyJWT, metadata: set(short.JWK()), key: short, harms: logsIn("registered, and an assertion by it logs in")},
		{
			name: "jwks and jwks_uri", differs: "also jwks_uri", auth: oauth.PrivateKeyJWT, metadata: map[string]any{"jwks_uri": both}, besides: ambiguous,
			harms: func(_ context.Context, _ *check.Pass, got check.Registered) (string, error) {
				told := got.Member.Client().Registered
				_, inline := told["jwks"].(map[string]any)
				address, _ := told["jwks_uri"].(string)
				switch {
				case inline && address == both:
					return "registered with both", nil
				case !inline && address == "":
					return "", errUntold
				}
				return "", nil
			},
		},
	}, nil
}

// keyHost is where a partner's keys may lie, so that nothing but the second place is wrong.
func keyHost(p *check.Pass) string {
	if hosts := p.Stack.Plan.Agreement.KeyHosts; len(hosts) > 0 {
		return "https://" + hosts[0]
	}
	return "https://keys.checkride.invalid"
}

// logsIn says what is wrong if the client that came of it gets a token.
func logsIn(wrong string) func(context.Context, *check.Pass, check.Registered) (string, error) {
	return func(ctx context.Context, p *check.Pass, got check.Registered) (string, error) {
		issued, err := p.Issue(ctx, wire.Altered, got.Member, got.Member.Usual())
		if err == nil && issued.Decision == wire.Denied { // by a replica, maybe, that does not know it yet
			err = p.Wait(ctx, p.Limits.Settle.D())
			if err != nil {
				return "", err
			}
			issued, err = p.Issue(ctx, wire.Altered, got.Member, got.Member.Usual())
		}
		switch {
		case err != nil:
			return "", err
		case issued.Decision == wire.Unknown:
			return "", check.CannotTell("whether it logs in could not be decided: %s", issued.Why)
		case issued.Decision == wire.Accepted:
			return wrong, nil
		}
		p.Note("a client that proves nothing is registered; it gets no token: %s", issued.Why)
		return "", nil
	}
}
