package frameworks

// How the OWASP tables were verified, and on which text:
//
//	NHI Top 10 2025     the list on owasp.org, and three independent lists of it
//	API Top 10 2023     OWASP/API-Security, editions/2023/en/0x11-t10.md
//	ASVS 5.0.0          OWASP/ASVS, 5.0/en, every id looked up; titles are our own short words, for requirements have none

// nhi holds the OWASP Non-Human Identities Top 10 2025 in order. There is one edition. It has no entry on logging, and
// neither has the API Top 10 of 2023: checks on logs cite ASVS V16, CSF PR.PS-04 and AU controls.
var nhi = []string{
	"Improper Offboarding", "Secret Leakage", "Vulnerable Third-Party NHI", "Insecure Authentication", "Overprivileged NHI",
	"Insecure Cloud Deployment Configurations", "Long-Lived Secrets", "Environment Isolation", "NHI Reuse", "Human Use of NHI",
}

// api holds the OWASP API Security Top 10 2023 in order; the id is the page's name.
var api = []entry{
	{"0xa1-broken-object-level-authorization", "Broken Object Level Authorization"},
	{"0xa2-broken-authentication", "Broken Authentication"},
	{"0xa3-broken-object-property-level-authorization", "Broken Object Property Level Authorization"},
	{"0xa4-unrestricted-resource-consumption", "Unrestricted Resource Consumption"},
	{"0xa5-broken-function-level-authorization", "Broken Function Level Authorization"},
	{"0xa6-unrestricted-access-to-sensitive-business-flows", "Unrestricted Access to Sensitive Business Flows"},
	{"0xa7-server-side-request-forgery", "Server Side Request Forgery"},
	{"0xa8-security-misconfiguration", "Security Misconfiguration"},
	{"0xa9-improper-inventory-management", "Improper Inventory Management"},
	{"0xaa-unsafe-consumption-of-apis", "Unsafe Consumption of APIs"},
}

// asvsChapters maps a chapter to its file in the OWASP/ASVS repository.
var asvsChapters = []entry{
	{"4", "0x13-V4-API-and-Web-Service"}, {"6", "0x15-V6-Authentication"}, {"8", "0x17-V8-Authorization"},
	{"9", "0x18-V9-Self-contained-Tokens"}, {"10", "0x19-V10-OAuth-and-OIDC"}, {"11", "0x20-V11-Cryptography"},
	{"12", "0x21-V12-Secure-Communication"}, {"13", "0x22-V13-Configuration"}, {"14", "0x23-V14-Data-Protection"}, {"16", "0x25-V16-Security-Logging-and-Error-Handling"},
}

// asvs holds the requirements that can concern a partner's path to an API. Left out: what concerns users, browsers,
// the code flow and documentation.
var asvs = []entry{
	{"4.1.2", "machine endpoints do not redirect from HTTP to HTTPS"},
	{"4.1.3", "header fields set by an intermediary cannot be overridden from outside"},
	{"4.1.4", "only methods that are explicitly supported are allowed"},
	{"4.2.1", "message boundaries are determined alike by all components: no request smuggling"},
	{"4.2.2", "generated messages have a Content-Length that fits their framing"},
	{"4.2.3", "HTTP/2 and HTTP/3 messages have no connection-specific header fields"},
	{"4.2.4", "HTTP/2 and HTTP/3 header fields hold no CR or LF"},
	{"4.2.5", "requests that the application builds are not too long for their receiver"},
	{"6.3.1", "guessing and stuffing of credentials is held off"},
	{"6.3.2", "no default accounts"},
	{"6.3.4", "no undocumented ways to authenticate, and equal strength on all"},
	{"6.3.8", "a failed authentication does not tell whether the account exists"},
	{"6.8.2", "signatures of authentication assertions are always validated"},
	{"8.2.1", "function-level access only with explicit permission"},
	{"8.2.2", "object-level access only with explicit permission"},
	{"8.2.3", "field-level access only with explicit permission"},
	{"8.3.1", "authorization is enforced at a trusted service layer"},
	{"8.3.2", "changes to what authorization rests on take effect immediately"},
	{"8.3.3", "access rests on the originating subject's permissions, not on an intermediary's"},
	{"8.4.1", "tenants are kept apart"},
	{"9.1.1", "a token's signature or MAC is validated before its content is used"},
	{"9.1.2", "only algorithms of an allowlist, never none, no key confusion"},
	{"9.1.3", "keys come from configured sources; jku, x5u and jwk are not trusted"},
	{"9.2.1", "tokens are accepted only within their validity span"},
	{"9.2.2", "tokens are accepted only as the type that they are"},
	{"9.2.3", "tokens are accepted only by their audience"},
	{"9.2.4", "tokens of one key for several audiences are restricted to one"},
	{"10.1.1", "tokens go only to components that need them"},
	{"10.2.3", "the client asks only for the scopes that it needs"},
	{"10.3.1", "the resource server accepts only access tokens meant for it"},
	{"10.3.2", "the resource server decides by the token's claims"},
	{"10.3.4", "demanded authentication strength and recentness are verified"},
	{"10.3.5", "stolen access tokens are useless: sender-constrained by mTLS or DPoP"},
	{"10.4.4", "a client may use only the grants that it needs"},
	{"10.4.5", "replay of refresh tokens of public clients is held off"},
	{"10.4.7", "risks of unauthenticated dynamic registration are mitigated"},
	{"10.4.8", "refresh tokens have an absolute expiration"},
	{"10.4.10", "confidential clients are authenticated on back-channel requests"},
	{"10.4.11", "a client is assigned only the scopes that it needs"},
	{"10.4.14", "only sender-constrained access tokens are issued"},
	{"10.4.16", "strong, replay-resistant client authentication is required"},
	{"10.5.3", "metadata with another issuer is rejected"},
	{"11.5.1", "what must not be guessed has at least 128 bits of entropy from a CSPRNG"},
	{"11.6.1", "only approved algorithms and sound keys for signatures"},
	{"12.1.1", "only current TLS versions are enabled"},
	{"12.1.2", "only recommended cipher suites are enabled"},
	{"12.1.3", "client certificates are validated before their identity is used"},
	{"12.1.4", "certificate revocation, such as OCSP stapling, is enabled"},
	{"12.2.1", "TLS for all external traffic, without fallback"},
	{"12.2.2", "external services use publicly trusted certificates"},
	{"12.3.1", "an encrypted protocol for all inbound and outbound connections, partner systems included"},
	{"12.3.2", "TLS clients validate the server's certificate"},
	{"12.3.3", "encryption between internal HTTP services"},
	{"12.3.4", "internal TLS trusts only specific CAs or certificates"},
	{"12.3.5", "internal services authenticate each other strongly"},
	{"13.2.1", "backend components authenticate each other with individual, short-lived or certificate credentials"},
	{"13.2.2", "backend accounts have the least privileges"},
	{"13.2.3", "no default service credentials"},
	{"13.3.4", "secrets expire and are rotated"},
	{"13.4.4", "no TRACE in production"},
	{"13.4.5", "internal documentation and monitoring endpoints are not exposed"},
	{"14.2.1", "sensitive data is sent in body or header fields, never in the URL"},
	{"16.2.1", "log entries say when, where, who and what"},
	{"16.2.2", "log clocks are synchronized, in UTC or with an offset"},
	{"16.2.3", "logs go only where the inventory says"},
	{"16.2.4", "logs can be correlated, in a common format"},
	{"16.2.5", "sensitive data is not logged, tokens only hashed or masked"},
	{"16.3.1", "all authentication operations are logged, success and failure"},
	{"16.3.2", "failed authorization is logged"},
	{"16.3.3", "attempts to bypass security controls are logged"},
	{"16.3.4", "unexpected errors and failing security controls are logged"},
	{"16.4.1", "log injection is prevented by encoding"},
	{"16.4.2", "logs are protected from access and change"},
	{"16.4.3", "logs are sent to a separate system"},
	{"16.5.1", "errors tell the caller nothing internal"},
	{"16.5.2", "operation stays secure when an external resource fails"},
	{"16.5.3", "failures are closed, never open"},
}
