package frameworks

// cves holds vulnerabilities that checks are modelled on, each found in advisories or release notes with this meaning.
// A number that could not be tied to its product is left out.
var cves = []entry{
	{"CVE-2015-9235", "jsonwebtoken: verification bypass by algorithm none or by algorithm confusion"},
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
}
