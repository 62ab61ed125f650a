package frameworks

// How the OpenID tables were verified, and on which text:
//
//	FAPI 2.0 Security Profile   openid/publication, final text; numbers by heading, as in its draft 05, which has the same
//	OpenID Connect Core         errata set 2, same repository
//	OpenID Registration         same repository

var fapi2 = []entry{
	{"5.2.1", "Requirements for all endpoints"},
	{"5.2.2", "Requirements for endpoints not used by web browsers"},
	{"5.3.2", "Requirements for authorization servers"},
	{"5.3.2.1", "General requirements (authorization servers)"},
	{"5.3.4", "Requirements for resource servers"},
	{"5.4.1", "General requirements (cryptography and secrets)"},
	{"5.4.2", "JSON Web Key Sets"},
	{"5.4.3", "Handling Duplicate Key Identifiers"},
}

var oidcCore = []entry{
	{"9", "Client Authentication"},
	{"10.1.1", "Rotation of Asymmetric Signing Keys"},
}

var oidcRegistration = []entry{{"2", "Client Metadata"}}
