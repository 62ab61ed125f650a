package authenticate

import (
	"context"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// AssertionAlgorithm registers a client with two keys, for an algorithm that the server lists for client assertions and
// for one that it does not, and signs with either. Both signatures are good, so only the algorithm can be the reason.
//
// RFC 8725 §3.1: the caller says which algorithms are supported, and no other is used. RFC 8414 §2 lists them in the
// metadata. A profile may list fewer: FAPI 2.0 §5.4.1.
var AssertionAlgorithm = &check.Check{
	ID:       "authenticate.assertion-algorithm",
	Title:    "a client assertion by an algorithm that the server does not list gets no token",
	Broken:   "a client assertion by an algorithm that the server does not list gets a token",
	Why:      "whoever breaks the weakest algorithm that the server's library knows logs in as the partner, though nobody ever agreed to that algorithm",
	Fix:      "give the library that verifies assertions the same list of algorithms as the metadata, and let it take no others",
	Refs:     []frameworks.Ref{frameworks.RFC(8725, "3.1"), frameworks.RFC(8414, "2"), frameworks.FAPI2("5.4.1"), frameworks.NHI(4), frameworks.ASVS("9.1.2"), frameworks.ASVS("11.6.1"), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-CA-32"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.Method(string(oauth.PrivateKeyJWT))},
	Takes:    check.FailAuth,
	Twin:     defect.Set{AssertionAlgorithmsOpen: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		_, err := p.By(ctx, cast.Partner, oauth.PrivateKeyJWT)
		if err != nil {
			return err
		}
		server, err := p.Discovered(ctx)
		if err != nil {
			return err
		}
		const member = "token_endpoint_auth_signing_alg_values_supported"
		listed, by := oauth.Strings(server.Metadata[member]), "the metadata ("+member+")"
		if allowed := p.Profile().SigningAlgorithms; allowed != nil {
			listed, by = slices.DeleteFunc(slices.Clone(listed), func(alg string) bool { return !slices.Contains(allowed, alg) }), by+" and the profile "+p.ProfileName()
		}
		good := first([]string{"ES256", "EdDSA", "ES384", "PS256", "RS256"}, func(alg string) bool { return slices.Contains(listed, alg) })
		others := []string{"ES384", "ES512", "EdDSA", "RS256", "PS384"}
		if p.Profile().SigningAlgorithms != nil { // it is RS256 that profiles leave out; an RSA key takes a while to make
			others = append([]string{"RS256"}, others...)
		}
		other := first(others, func(alg string) bool {
			return !slices.Contains(listed, alg) && (alg != "EdDSA" || !slices.Contains(listed, "Ed25519")) // two names of one
		})
		switch {
		case good == "":
			return check.NotApplicable("%s lists no algorithm for client assertions that the ride can sign with", by)
		case other == "":
			return check.NotApplicable("%s lists every algorithm for client assertions that the ride can sign with", by)
		}
		p.Relevant("%s lists %s", by, strings.Join(listed, ", "))
		var keys []oauth.Key
		for _, alg := range []string{good, other} {
			key, err := oauth.NewKey(alg)
			if err != nil {
				return err
			}
			keys = append(keys, key)
		}
		registered, err := p.Register(ctx, wire.Setup, cast.Partner, cast.Wish{Auth: oauth.PrivateKeyJWT, Keys: keys})
		if err != nil {
			return err
		}
		switch registered.Decision {
		case wire.Accepted:
		case wire.Denied:
			p.Case("a key for "+other, logbook.Pass, "refused", "not even registered: "+registered.Why, "", "")
			return p.RegistrationOpens(ctx, cast.Partner)
		default:
			return check.CannotTell("the registration of a client with a key for %s could not be decided: %s", other, registered.Why)
		}
		err = p.Cast.Settle(ctx, registered.Member)
		if err != nil {
			return err
		}
		return p.Refuses(ctx, p.Login(registered.Member), forge.AssertionBy(keys[1]))
	},
}

func first(all []string, fits func(string) bool) string {
	i := slices.IndexFunc(all, fits)
	if i < 0 {
		return ""
	}
	return all[i]
}
