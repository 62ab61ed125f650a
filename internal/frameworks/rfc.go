package frameworks

// How the RFC table was verified. "read as" says on which text the sections stand:
//
//	final text    the published RFC
//	last source   the working group's last source before publication: equal numbers, small editorial changes possible
//	quoted        only sentences quoted with their section elsewhere; read the RFC before a check says MUST
//
// Sections that nobody has looked up are left out, so that a reference to one is not Known. RFC 8446 keeps its numbers
// here; the text that will obsolete it moves 4.4.2.4 to 4.5.1.3 and 4.4.3 to 4.5.2.
var rfcs = []document{
	// read as: final text
	{3986, "Uniform Resource Identifier (URI): Generic Syntax", []entry{
		{"6.2.1", "Simple String Comparison"},
		{"6.2.2", "Syntax-Based Normalization"},
	}},
	// read as: final text
	{5280, "Internet X.509 Public Key Infrastructure Certificate and CRL Profile", []entry{
		{"4.2.1.3", "Key Usage"},
		{"4.2.1.9", "Basic Constraints"},
		{"4.2.1.10", "Name Constraints"},
		{"4.2.1.12", "Extended Key Usage"},
		{"6.1", "Basic Path Validation"},
		{"6.1.3", "Basic Certificate Processing"},
		{"6.3", "CRL Validation"},
	}},
	// read as: final text
	{6585, "Additional HTTP Status Codes", []entry{
		{"4", "429 Too Many Requests"},
	}},
	// read as: final text
	{6749, "The OAuth 2.0 Authorization Framework", []entry{
		{"2.3", "Client Authentication"},
		{"2.3.1", "Client Password"},
		{"3.2", "Token Endpoint"},
		{"3.2.1", "Client Authentication"},
		{"3.3", "Access Token Scope"},
		{"4.4", "Client Credentials Grant"},
		{"4.4.3", "Access Token Response"},
		{"5.1", "Successful Response"},
		{"5.2", "Error Response"},
		{"10.3", "Access Tokens"},
		{"10.10", "Credentials-Guessing Attacks"},
		{"B", "Use of application/x-www-form-urlencoded Media Type"},
	}},
	// read as: last source
	{6750, "The OAuth 2.0 Authorization Framework: Bearer Token Usage", []entry{
		{"2", "Authenticated Requests"},
		{"2.1", "Authorization Request Header Field"},
		{"2.2", "Form-Encoded Body Parameter"},
		{"2.3", "URI Query Parameter"},
		{"3", "The WWW-Authenticate Response Header Field"},
		{"3.1", "Error Codes"},
		{"5.3", "Summary of Recommendations"},
	}},
	// read as: last source
	{7009, "OAuth 2.0 Token Revocation", []entry{
		{"2", "Token Revocation"},
		{"2.1", "Revocation Request"},
		{"2.2", "Revocation Response"},
		{"2.2.1", "Error Response"},
		{"2.3", "Cross-Origin Support"},
		{"3", "Implementation Note"},
		{"4.1.1", `The "unsupported_token_type" Error Value`},
		{"5", "Security Considerations"},
	}},
	// read as: quoted
	{7515, "JSON Web Signature (JWS)", []entry{
		{"2", "Terminology"},
		{"4.1.6", `"x5c" (X.509 Certificate Chain) Header Parameter`},
		{"4.1.9", `"typ" (Type) Header Parameter`},
		{"4.1.11", `"crit" (Critical) Header Parameter`},
		{"5.2", "Message Signature or MAC Validation"},
	}},
	// read as: quoted
	{7517, "JSON Web Key (JWK)", []entry{
		{"4", "JSON Web Key (JWK) Format"},
		{"4.5", `"kid" (Key ID) Parameter`},
		{"5", "JWK Set Format"},
		{"9.2", "Preventing Disclosure of Non-public Key Information"},
	}},
	// read as: quoted
	{7518, "JSON Web Algorithms (JWA)", []entry{
		{"3.2", "HMAC with SHA-2 Functions"},
		{"3.3", "Digital Signature with RSASSA-PKCS1-v1_5"},
		{"3.5", "Digital Signature with RSASSA-PSS"},
	}},
	// read as: final text for 4.1.2 to 7.3
	{7519, "JSON Web Token (JWT)", []entry{
		{"4", "JWT Claims"},
		{"4.1.1", `"iss" (Issuer) Claim`},
		{"4.1.2", `"sub" (Subject) Claim`},
		{"4.1.3", `"aud" (Audience) Claim`},
		{"4.1.4", `"exp" (Expiration Time) Claim`},
		{"4.1.5", `"nbf" (Not Before) Claim`},
		{"4.1.6", `"iat" (Issued At) Claim`},
		{"4.1.7", `"jti" (JWT ID) Claim`},
		{"5.1", `"typ" (Type) Header Parameter`},
		{"7.2", "Validating a JWT"},
	}},
	// read as: quoted
	{7521, "Assertion Framework for OAuth 2.0 Client Authentication and Authorization Grants", []entry{
		{"4.2", "Using Assertions for Client Authentication"},
		{"5.2", "General Assertion Format and Processing Rules"},
	}},
	// read as: quoted
	{7523, "JSON Web Token (JWT) Profile for OAuth 2.0 Client Authentication and Authorization Grants", []entry{
		{"2.1", "Using JWTs as Authorization Grants"},
		{"2.2", "Using JWTs for Client Authentication"},
		{"3", "JWT Format and Processing Requirements"},
		{"3.1", "Authorization Grant Processing"},
		{"3.2", "Client Authentication Processing"},
	}},
	// read as: final text
	{7591, "OAuth 2.0 Dynamic Client Registration Protocol", []entry{
		{"1.2", "Terminology"},
		{"1.3", "Protocol Flow"},
		{"2", "Client Metadata"},
		{"2.1", "Relationship between Grant Types and Response Types"},
		{"2.2", "Human-Readable Client Metadata"},
		{"2.3", "Software Statement"},
		{"3", "Client Registration Endpoint"},
		{"3.1", "Client Registration Request"},
		{"3.1.1", "Client Registration Request Using a Software Statement"},
		{"3.2", "Responses"},
		{"3.2.1", "Client Information Response"},
		{"3.2.2", "Client Registration Error Response"},
		{"5", "Security Considerations"},
		{"6", "Privacy Considerations"},
	}},
	// read as: final text
	{7592, "OAuth 2.0 Dynamic Client Registration Management Protocol", []entry{
		{"1.3", "Protocol Flow"},
		{"2", "Client Configuration Endpoint"},
		{"2.1", "Client Read Request"},
		{"2.2", "Client Update Request"},
		{"2.3", "Client Delete Request"},
		{"3", "Client Information Response"},
		{"5", "Security Considerations"},
		{"6", "Privacy Considerations"},
	}},
	// read as: final text
	{7662, "OAuth 2.0 Token Introspection", []entry{
		{"2", "Introspection Endpoint"},
		{"2.1", "Introspection Request"},
		{"2.2", "Introspection Response"},
		{"2.3", "Error Response"},
		{"4", "Security Considerations"},
		{"5", "Privacy Considerations"},
	}},
	// read as: quoted; 5 and 6.2 heading only
	{8414, "OAuth 2.0 Authorization Server Metadata", []entry{
		{"2", "Authorization Server Metadata"},
		{"2.1", "Signed Authorization Server Metadata"},
		{"3", "Obtaining Authorization Server Metadata"},
		{"3.1", "Authorization Server Metadata Request"},
		{"3.2", "Authorization Server Metadata Response"},
		{"3.3", "Authorization Server Metadata Validation"},
		{"4", "String Operations"},
		{"5", "Compatibility Notes"},
		{"6.1", "TLS Requirements"},
		{"6.2", "Impersonation Attacks"},
	}},
	// read as: last source
	{8446, "The Transport Layer Security (TLS) Protocol Version 1.3", []entry{
		{"4.4.2.2", "Server Certificate Selection"},
		{"4.4.2.3", "Client Certificate Selection"},
		{"4.4.2.4", "Receiving a Certificate Message"},
		{"4.4.3", "Certificate Verify"},
	}},
	// read as: last source
	{8693, "OAuth 2.0 Token Exchange", []entry{
		{"2.1", "Request"},
		{"2.1.1", "Relationship between Resource, Audience, and Scope"},
		{"2.2.1", "Successful Response"},
		{"2.2.2", "Error Response"},
		{"4.1", `"act" (Actor) Claim`},
		{"4.2", `"scope" (Scopes) Claim`},
		{"4.3", `"client_id" (Client Identifier) Claim`},
		{"4.4", `"may_act" (Authorized Actor) Claim`},
	}},
	// read as: last source
	{8705, "OAuth 2.0 Mutual-TLS Client Authentication and Certificate-Bound Access Tokens", []entry{
		{"2", "Mutual TLS for OAuth Client Authentication"},
		{"2.1", "PKI Mutual-TLS Method"},
		{"2.1.2", "Client Registration Metadata"},
		{"2.2", "Self-Signed Certificate Mutual-TLS Method"},
		{"2.2.2", "Client Registration Metadata"},
		{"3", "Mutual-TLS Client Certificate-Bound Access Tokens"},
		{"3.1", "JWT Certificate Thumbprint Confirmation Method"},
		{"3.2", "Confirmation Method for Token Introspection"},
		{"3.3", "Authorization Server Metadata"},
		{"3.4", "Client Registration Metadata"},
		{"5", "Metadata for Mutual-TLS Endpoint Aliases"},
		{"6", "Implementation Considerations"},
		{"6.1", "Authorization Server"},
		{"6.2", "Resource Server"},
		{"6.3", "Certificate Expiration and Bound Access Tokens"},
		{"6.4", "Implicit Grant Unsupported"},
		{"6.5", "TLS Termination"},
		{"7", "Security Considerations"},
		{"7.1", "Certificate-Bound Refresh Tokens"},
		{"7.2", "Certificate Thumbprint Binding"},
		{"7.3", "TLS Versions and Best Practices"},
		{"7.4", "X.509 Certificate Spoofing"},
		{"7.5", "X.509 Certificate Parsing and Validation Complexity"},
	}},
	// read as: last source
	{8707, "Resource Indicators for OAuth 2.0", []entry{
		{"2", "Resource Parameter"},
		{"2.1", "Authorization Request"},
		{"2.2", "Access Token Request"},
		{"3", "Security Considerations"},
	}},
	// read as: last source
	{8725, "JSON Web Token Best Current Practices", []entry{
		{"2.1", "Weak Signatures and Insufficient Signature Validation"},
		{"2.2", "Weak Symmetric Keys"},
		{"2.3", "Incorrect Composition of Encryption and Signature"},
		{"2.4", "Plaintext Leakage through Analysis of Ciphertext Length"},
		{"2.5", "Insecure Use of Elliptic Curve Encryption"},
		{"2.6", "Multiplicity of JSON Encodings"},
		{"2.7", "Substitution Attacks"},
		{"2.8", "Cross-JWT Confusion"},
		{"2.9", "Indirect Attacks on the Server"},
		{"3.1", "Perform Algorithm Verification"},
		{"3.2", "Use Appropriate Algorithms"},
		{"3.3", "Validate All Cryptographic Operations"},
		{"3.4", "Validate Cryptographic Inputs"},
		{"3.5", "Ensure Cryptographic Keys have Sufficient Entropy"},
		{"3.6", "Avoid Length-Dependent Encryption Inputs"},
		{"3.7", "Use UTF-8"},
		{"3.8", "Validate Issuer and Subject"},
		{"3.9", "Use and Validate Audience"},
		{"3.10", "Do Not Trust Received Claims"},
		{"3.11", "Use Explicit Typing"},
		{"3.12", "Use Mutually Exclusive Validation Rules for Different Kinds of JWTs"},
	}},
	// read as: quoted; headings in the published text
	{9068, "JSON Web Token (JWT) Profile for OAuth 2.0 Access Tokens", []entry{
		{"2.1", "Header"},
		{"2.2", "Data Structure"},
		{"2.2.3", "Authorization Claims"},
		{"3", "Requesting a JWT Access Token"},
		{"4", "Validating JWT Access Tokens"},
		{"5", "Security Considerations"},
	}},
	// read as: final text
	{9110, "HTTP Semantics", []entry{
		{"5.3", "Field Order"},
		{"7.4", "Rejecting Misdirected Requests"},
		{"11.1", "Authentication Scheme"},
		{"11.6.1", "WWW-Authenticate"},
		{"11.6.2", "Authorization"},
		{"15.5.2", "401 Unauthorized"},
		{"15.5.20", "421 Misdirected Request"},
	}},
	// read as: final text
	{9111, "HTTP Caching", []entry{
		{"3.5", "Storing Responses to Authenticated Requests"},
		{"5.2.2.1", "max-age"},
	}},
	// read as: last source
	{9113, "HTTP/2", []entry{
		{"8.3.1", "Request Pseudo-Header Fields"},
		{"9.2.3", "TLS 1.3 Features"},
	}},
	// read as: last source
	{9325, "Recommendations for Secure Use of Transport Layer Security (TLS) and Datagram Transport Layer Security (DTLS)", []entry{
		{"3.1.1", "SSL/TLS Protocol Versions"},
		{"3.1.3", "Fallback to Lower Versions"},
		{"3.4", "TLS Session Resumption"},
		{"3.5", "Renegotiation in TLS 1.2"},
		{"3.6", "Post-Handshake Authentication"},
		{"3.10", "Zero Round Trip Time (0-RTT) Data in TLS 1.3"},
		{"4.1", "General Guidelines"},
		{"4.2", "Cipher Suites for TLS 1.2"},
		{"4.3", "Cipher Suites for TLS 1.3"},
		{"4.5", "Public Key Length"},
		{"7.1", "Host Name Validation"},
		{"7.3", "Forward Secrecy"},
		{"7.5", "Certificate Revocation"},
	}},
	// read as: last source
	{9440, "Client-Cert HTTP Header Field", []entry{
		{"2.1", "Encoding"},
		{"2.2", "Client-Cert HTTP Header Field"},
		{"2.3", "Client-Cert-Chain HTTP Header Field"},
		{"2.4", "Processing Rules"},
		{"3.3", "TLS Session Resumption"},
		{"4", "Security Considerations"},
	}},
	// read as: last source
	{9449, "OAuth 2.0 Demonstrating Proof of Possession (DPoP)", []entry{
		{"4", "DPoP Proof JWTs"},
		{"4.1", "The DPoP HTTP Header"},
		{"4.2", "DPoP Proof JWT Syntax"},
		{"4.3", "Checking DPoP Proofs"},
		{"5", "DPoP Access Token Request"},
		{"5.1", "Authorization Server Metadata"},
		{"5.2", "Client Registration Metadata"},
		{"6", "Public Key Confirmation"},
		{"6.1", "JWK Thumbprint Confirmation Method"},
		{"6.2", "JWK Thumbprint Confirmation Method in Token Introspection"},
		{"7", "Protected Resource Access"},
		{"7.1", "The DPoP Authentication Scheme"},
		{"7.2", "Compatibility with the Bearer Authentication Scheme"},
		{"7.3", "Client Considerations"},
		{"8", "Authorization Server-Provided Nonce"},
		{"8.1", "Nonce Syntax"},
		{"8.2", "Providing a New Nonce Value"},
		{"9", "Resource Server-Provided Nonce"},
		{"11", "Security Considerations"},
		{"11.1", "DPoP Proof Replay"},
		{"11.2", "DPoP Proof Pre-Generation"},
		{"11.3", "DPoP Nonce Downgrade"},
		{"11.4", "Untrusted Code in the Client Context"},
		{"11.5", "Signed JWT Swapping"},
		{"11.6", "Signature Algorithms"},
		{"11.7", "Request Integrity"},
		{"11.8", "Access Token and Public Key Binding"},
		{"11.9", "Authorization Code and Public Key Binding"},
		{"11.10", "Hash Algorithm Agility"},
		{"11.11", "Binding to Client Identity"},
	}},
	// read as: last source
	{9700, "Best Current Practice for OAuth 2.0 Security", []entry{
		{"2.2.1", "Access Tokens"},
		{"2.2.2", "Refresh Tokens"},
		{"2.3", "Access Token Privilege Restriction"},
		{"2.5", "Client Authentication"},
		{"2.6", "Other Recommendations"},
		{"4.3.2", "Access Token in Browser History"},
		{"4.9", "Access Token Leakage at the Resource Server"},
		{"4.9.2", "Compromised Resource Server"},
		{"4.9.3", "Countermeasures"},
		{"4.10", "Misuse of Stolen Access Tokens"},
		{"4.10.1", "Sender-Constrained Access Tokens"},
		{"4.10.2", "Audience-Restricted Access Tokens"},
		{"4.13", "TLS Terminating Reverse Proxies"},
		{"4.14", "Refresh Token Protection"},
		{"4.14.2", "Recommendations"},
		{"4.15", "Client Impersonating Resource Owner"},
	}},
	// read as: last source
	{9728, "OAuth 2.0 Protected Resource Metadata", []entry{
		{"2", "Protected Resource Metadata"},
		{"2.2", "Signed Protected Resource Metadata"},
		{"3", "Obtaining Protected Resource Metadata"},
		{"3.1", "Protected Resource Metadata Request"},
		{"3.2", "Protected Resource Metadata Response"},
		{"3.3", "Protected Resource Metadata Validation"},
		{"4", "Authorization Server Metadata"},
		{"5", "Use of WWW-Authenticate for Protected Resource Metadata"},
		{"5.1", "WWW-Authenticate Response"},
		{"7.3", "Impersonation Attacks"},
		{"7.7", "Server-Side Request Forgery (SSRF)"},
	}},
}
