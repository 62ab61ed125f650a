package frameworks

// How the CVE table was verified: not in the CVE list itself, but in texts of public repositories that tie the number to
// the product and to this meaning. Where sources disagree on what a number is, the text of the record decides.
//
//	CVE-2015-9235, CVE-2016-10555, CVE-2018-0114    the text of the record, quoted; others take the first for "none" too
//	CVE-2021-21378                                  the bulletin ISTIO-SECURITY-2021-001 of the vendor
//	CVE-2022-21449                                  the finder's report ("psychic signatures"), and tests that name it
//	CVE-2024-45410                                  the advisory GHSA-62c8-mh53-4cqv
//	CVE-2025-23419                                  the list of Cloudflare's reports, and nginx's version ranges quoted
//	CVE-2025-27370, CVE-2025-27371                  the manual of an implementer (Duende), which cites the disclosure
//	CVE-2025-30144                                  the advisory GHSA-gm45-q3v2-6cf8 for product and claim; that it is an
//	                                                array, in code that guards against it
//	CVE-2025-59420                                  the advisory GHSA-9ggr-2464-2j32, quoted
//	CVE-2025-64484                                  the advisory GHSA-vjrc-mh2v-45x6, quoted
//	CVE-2026-1180                                   the vendor's own issue, keycloak/keycloak#45645, titled by the number

// cves holds vulnerabilities that checks are modelled on. A number that could not be tied to its product is left out.
var cves = []entry{
	{"CVE-2015-9235", "jsonwebtoken: where RS or ES is expected, an HMAC is believed (algorithm confusion)"},
	{"CVE-2016-10555", "jwt-simple: the algorithm of the token is believed (public key used as HMAC secret)"},
	{"CVE-2018-0114", "node-jose: the key embedded in the token is believed"},
	{"CVE-2021-21378", "Envoy: tokens of an unknown issuer pass when missing ones are allowed"},
	{"CVE-2022-21449", "Java: an all-zero ECDSA signature verifies"},
	{"CVE-2024-45410", "Traefik: headers that it adds can be removed as hop-by-hop"},
	{"CVE-2025-23419", "nginx: TLS session resumption bypasses client certificate authentication"},
	{"CVE-2025-27370", "OpenID Connect: private_key_jwt assertions with an attacker-chosen audience"},
	{"CVE-2025-27371", "OAuth 2.0: JWT client assertions with an attacker-chosen audience"},
	{"CVE-2025-30144", "fast-jwt: an array as issuer passes"},
	{"CVE-2025-59420", "Authlib: unknown critical header parameters are accepted"},
	{"CVE-2025-64484", "oauth2-proxy: identity headers spelled with underscores are not removed"},
	{"CVE-2026-1180", "Keycloak: the jwks_uri of a client that registers itself is fetched wherever it leads"},
}
