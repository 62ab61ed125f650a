package profile

import "slices"

// Current is the version of the catalogue that this program has, by the month of its release.
const Current = "2026-11"

// first is the version of the catalogue from which versions are counted.
const first = "2026-10"

// versions lists, for every version before [Current], the checks that came with it. A check that no list has came with
// the current one, so that a new check needs no entry. When the current version changes, the checks without a list are
// listed under the old one: the tests of internal/checks ask for it.
var versions = []version{{first, []string{
	"audit.lifecycle-logged",
	"audit.no-secrets",
	"audit.refusals-logged",
	"audit.steps-logged",
	"authenticate.assertion-expired-or-elsewhere",
	"authenticate.assertion-forged",
	"authenticate.assertion-names-another",
	"authenticate.certificate-in-header",
	"authenticate.certificate-purpose",
	"authenticate.expired-certificate",
	"authenticate.neighbours-certificate",
	"authenticate.no-credentials",
	"authenticate.other-method",
	"authenticate.same-name-other-ca",
	"authenticate.wrong-secret",
	"bind.certificate-in-header",
	"bind.unbound-token",
	"bind.warm-cache",
	"bind.with-anothers-certificate",
	"bind.without-its-certificate",
	"claims.introspection-without-authentication",
	"claims.neighbour-introspects",
	"claims.same-identity-everywhere",
	"claims.token-profile",
	"compromise.recovery",
	"compromise.replayed-assertion",
	"compromise.thief-is-locked-out",
	"discover.issuer-is-itself",
	"discover.no-weak-algorithm",
	"discover.published-keys-are-public",
	"enforce.assertion-as-token",
	"enforce.denied-operations",
	"enforce.embedded-key",
	"enforce.foreign-issuer",
	"enforce.identity-headers",
	"enforce.key-confusion",
	"enforce.neighbours-object",
	"enforce.no-way-around",
	"enforce.other-audience",
	"enforce.points-agree",
	"enforce.shared-cache",
	"enforce.tampered-token",
	"enforce.unsigned-token",
	"enforce.without-token",
	"expire.token-past-expiry",
	"expire.window-closes",
	"issue.outside-window",
	"issue.response-not-stored",
	"issue.scope-beyond-entitlement",
	"issue.scopeless-token",
	"issue.token-lifetime",
	"offboard.deleted-client-gets-tokens",
	"offboard.leftovers",
	"offboard.nothing-of-a-whole-life-survives",
	"offboard.registration-token-dies",
	"offboard.suspended-client",
	"offboard.token-outlives-client",
	"register.configuration-without-token",
	"register.excess-grants",
	"register.excess-scope",
	"register.neighbours-registration-token",
	"register.public-client",
	"register.without-access-token",
	"revoke.neighbour-revokes",
	"revoke.not-revocable",
	"revoke.reduced-entitlement",
	"revoke.token-outlives-revocation",
	"revoke.without-authentication",
	"rotate.old-secret",
	"rotate.removed-key",
	"rotate.retired-certificate",
	"rotate.withdrawn-signing-key",
}}}

type version struct {
	name string
	ids  []string
}

// Versions gives all versions that a plan may pin, the oldest first.
func Versions() []string {
	var all []string
	for _, v := range versions {
		all = append(all, v.name)
	}
	return append(all, Current)
}

// Since is the version of the catalogue in which a check came.
func Since(id string) string {
	for _, v := range versions {
		if slices.Contains(v.ids, id) {
			return v.name
		}
	}
	return Current
}

// Listed gives the checks that the lists of older versions name.
func Listed() []string {
	var all []string
	for _, v := range versions {
		all = append(all, v.ids...)
	}
	return all
}

// Scored says whether a check counts for a plan that pins this version; an empty pin is the current one.
func Scored(id, pin string) bool {
	order := Versions()
	return pin == "" || slices.Index(order, Since(id)) <= slices.Index(order, pin)
}
