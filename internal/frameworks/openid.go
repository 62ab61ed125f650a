package frameworks

// How the OpenID tables were verified, and on which text:
//
//	FAPI 2.0 Security Profile   openid/publication, final text; numbers from the anchors of its page; items of 5.3.2.1,
//	                            5.3.3.1 and 5.3.4 are counted as in its lists, from 1
//	OpenID Connect Core         errata set 2, same repository
//	OpenID Registration         same repository

var fapi2 = []entry{
	{"5.1.2", "Profiling this document"},
	{"5.2", "Network layer protections"},
	{"5.2.1", "Requirements for all endpoints"},
	{"5.2.2", "Requirements for endpoints not used by web browsers"},
	{"5.2.2.1", "MTLS ecosystems"},
	{"5.3", "Profile"},
	{"5.3.1", "General"},
	{"5.3.2", "Requirements for authorization servers"},
	{"5.3.2.1", "General requirements (authorization servers)"},
	{"5.3.3", "Requirements for clients"},
	{"5.3.3.1", "General requirements (clients)"},
	{"5.3.4", "Requirements for resource servers"},
	{"5.4", "Cryptography and secrets"},
	{"5.4.1", "General requirements (cryptography and secrets)"},
	{"5.4.2", "JSON Web Key Sets"},
	{"5.4.3", "Handling Duplicate Key Identifiers"},
	{"6.1", "Access token lifetimes"},
	{"6.2", "DPoP proof replay"},
	{"6.3", "Injection of stolen access tokens"},
	{"6.7", "Client Impersonating Resource Owner"},
	{"6.8", "Key Compromise"},
}

var oidcCore = []entry{
	{"9", "Client Authentication"},
	{"10.1.1", "Rotation of Asymmetric Signing Keys"},
}

var oidcRegistration = []entry{{"2", "Client Metadata"}}
