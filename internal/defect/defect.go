// Package defect holds the sandbox's switches: real bugs with names, all off by default and never random. Start with
// [Set], whose zero value is a healthy sandbox.
package defect

import "time"

// Set is a sandbox's defects. Each is a bug that was seen in a real system; the comment says where it sits: at the
// authorization server (AS), at edge (verifies JWTs offline, polls a revocation feed), at gateway (introspects, with a
// cache), at legacy (introspects, turns the identity into headers for the API, takes API keys) or at the API.
type Set struct {
	// discover
	IssuerMismatch    bool `json:"issuer_mismatch,omitempty"`     // AS: the metadata's issuer has a trailing slash that tokens do not have
	IssuerBehindProxy bool `json:"issuer_behind_proxy,omitempty"` // AS: the metadata's issuer is the address that the server has behind the proxy, which tokens do not have
	NoneAdvertised    bool `json:"none_advertised,omitempty"`     // AS: the metadata lists the algorithm none for client assertions
	PrivateKeyInJWKS  bool `json:"private_key_in_jwks,omitempty"` // AS: a retired key is published with its private part
	// discover: what the metadata and the connections say
	MetadataTypo              bool `json:"metadata_typo,omitempty"`                // AS: the metadata writes a list under a name that nobody knows, with value in the singular
	MetadataAsText            bool `json:"metadata_as_text,omitempty"`             // AS: the metadata is served as text/plain
	AliasOverHTTP             bool `json:"alias_over_http,omitempty"`              // AS: the mTLS alias of introspection is written with http, since the proxy that ends TLS does not tell
	AliasLeadsNowhere         bool `json:"alias_leads_nowhere,omitempty"`          // AS: the mTLS alias of introspection is a path that does not exist
	BindingUnadvertised       bool `json:"binding_unadvertised,omitempty"`         // AS: the metadata does not say that tokens can be bound to a certificate
	DocumentsDisagree         bool `json:"documents_disagree,omitempty"`           // AS: openid-configuration is an old copy that names another revocation endpoint
	AdvertisedOnly            bool `json:"advertised_only,omitempty"`              // AS: PS256 is listed for client assertions and refused
	MetadataDrift             bool `json:"metadata_drift,omitempty"`               // AS: an update began to offer another scope
	ResourceMetadataOfAnother bool `json:"resource_metadata_of_another,omitempty"` // gateway: its protected resource metadata names the address that it has behind the proxy
	OldTLS                    bool `json:"old_tls,omitempty"`                      // gateway: takes TLS 1.0 and 1.1
	RC4                       bool `json:"rc4,omitempty"`                          // legacy: takes RC4 from clients that offer nothing better
	// register
	OpenRegistration          bool `json:"open_registration,omitempty"`           // AS: registers without an initial access token
	GrantsUnfiltered          bool `json:"grants_unfiltered,omitempty"`           // AS: a registration gets whatever grant_types it asks for
	RegisteredScopeUnfiltered bool `json:"registered_scope_unfiltered,omitempty"` // AS: a registration gets whatever scope it asks for, and tokens follow
	PublicClients             bool `json:"public_clients,omitempty"`              // AS: token_endpoint_auth_method none is registered and such a client gets tokens
	ConfigurationOpen         bool `json:"configuration_open,omitempty"`          // AS: the client configuration endpoint answers GET without a registration token
	AnyRegistrationToken      bool `json:"any_registration_token,omitempty"`      // AS: any live registration token opens any client's configuration
	// register: what is registered, and what a client may change
	JWKSURIUnchecked          bool `json:"jwks_uri_unchecked,omitempty"`           // AS: a client's jwks_uri may lead anywhere, by http and to addresses within, and is fetched (seen: Keycloak, CVE-2026-1180)
	KeysUnchecked             bool `json:"keys_unchecked,omitempty"`               // AS: jwks is kept as it comes and told again: private parts, symmetric keys, RSA of 1024 bits
	SubjectsUnchecked         bool `json:"subjects_unchecked,omitempty"`           // AS: tls_client_auth is registered without a subject, which any certificate of the CA then has, or with several, of which the first counts
	SecretForEveryMethod      bool `json:"secret_for_every_method,omitempty"`      // AS: every client gets a secret, and Basic with it passes whatever method is registered
	SecretExpiryUntold        bool `json:"secret_expiry_untold,omitempty"`         // AS: a secret is told without client_secret_expires_at
	RegisteredScopeIgnored    bool `json:"registered_scope_ignored,omitempty"`     // AS: tokens go by what the partner is entitled to, whatever narrower scope its client registered
	BadMetadataCrashes        bool `json:"bad_metadata_crashes,omitempty"`         // AS: registration metadata of another JSON type than expected is a 500 with a page of HTML
	AccessTokenManages        bool `json:"access_token_manages,omitempty"`         // AS: the client configuration endpoint takes the client's access token (seen: a profile of Open Banking UK asks for that)
	OldRegistrationTokenWorks bool `json:"old_registration_token_works,omitempty"` // AS: an update gives a new registration token, and the one before it still opens the registration
	UpdateForgotten           bool `json:"update_forgotten,omitempty"`             // AS: an update is answered as it was asked, and what was before stays
	UpdateUnfiltered          bool `json:"update_unfiltered,omitempty"`            // AS: scope, grants and method are filtered at registration, and taken as they come in an update
	UpdateTakesSecret         bool `json:"update_takes_secret,omitempty"`          // AS: an update may choose the client's new secret
	UpdateByBody              bool `json:"update_by_body,omitempty"`               // AS: an update is kept for the client that its body names, with the registration token of another
	DeleteUnsupported         bool `json:"delete_unsupported,omitempty"`           // AS: DELETE of a registration answers 501
	// identity proofing
	StatementClaimsLose             bool `json:"statement_claims_lose,omitempty"`             // AS: a JSON member of a registration wins over the same claim of its software statement
	StatementUnverified             bool `json:"statement_unverified,omitempty"`              // AS: the software statement of a registration is decoded and its issuer compared, and its signature is not verified
	StatementAddressFetched         bool `json:"statement_address_fetched,omitempty"`         // AS: gets what jku and x5u of a software statement point to before it looks at who signed
	StatementOptional               bool `json:"statement_optional,omitempty"`                // AS: registers without a software statement, and verifies one only if it is there
	StatementTimesIgnored           bool `json:"statement_times_ignored,omitempty"`           // AS: exp and iat of a software statement are not looked at
	StatementIssuerIgnored          bool `json:"statement_issuer_ignored,omitempty"`          // AS: whatever the directory's key has signed is believed, whoever iss says it is of
	StatementOfAnyone               bool `json:"statement_of_anyone,omitempty"`               // AS: a software statement is not compared with the client certificate beside it
	StatementNotReturned            bool `json:"statement_not_returned,omitempty"`            // AS: the client information leaves the software statement out
	StatementReused                 bool `json:"statement_reused,omitempty"`                  // AS: the jti of software statements is not remembered, so one makes any number of clients
	StatementSkippedOnUpdate        bool `json:"statement_skipped_on_update,omitempty"`       // AS: an update needs no software statement, and one that it has is decoded and not verified
	RequestClaimsIgnored            bool `json:"request_claims_ignored,omitempty"`            // AS: exp, aud and iss of a registration that is signed as a whole are not looked at
	RequestUnverified               bool `json:"request_unverified,omitempty"`                // AS: a registration that is signed as a whole is decoded, and its signature is not verified
	RegistrationCertificateOptional bool `json:"registration_certificate_optional,omitempty"` // AS: registration and client configuration do without a client certificate, and verify one only if it is there
	InitialAccessTokenStateless     bool `json:"initial_access_token_stateless,omitempty"`    // AS: an initial access token is only looked up: used ones, expired ones and those of other organisations register too
	ReregistrationRevives           bool `json:"reregistration_revives,omitempty"`            // AS: registering the software of a deleted client brings that client back, with its tokens and its registration token
	// authenticate
	SecretIgnored             bool `json:"secret_ignored,omitempty"`               // AS: the Basic password is compared by its first eight bytes
	ClientIDAlone             bool `json:"client_id_alone,omitempty"`              // AS: client_id without any credential passes for clients with a secret
	MethodDowngrade           bool `json:"method_downgrade,omitempty"`             // AS: a client registered for client_secret_basic may use client_secret_post
	AnyTrustedCertificate     bool `json:"any_trusted_certificate,omitempty"`      // AS: any certificate of the trusted CA authenticates any tls_client_auth client
	ChainNotVerified          bool `json:"chain_not_verified,omitempty"`           // AS: compares the subject and does not verify the chain
	CertificateExpiryIgnored  bool `json:"certificate_expiry_ignored,omitempty"`   // AS: verifies the chain as of the certificate's own notBefore
	CertificateUsageIgnored   bool `json:"certificate_usage_ignored,omitempty"`    // AS: verifies the chain for any extended key usage
	ASTrustsCertificateHeader bool `json:"as_trusts_certificate_header,omitempty"` // AS: takes the client certificate from Client-Cert, X-Forwarded-Client-Cert or X-SSL-Client-Cert
	AssertionKeyByIssuer      bool `json:"assertion_key_by_issuer,omitempty"`      // AS: the key of an assertion is the one of its iss, and the client is the one of its sub
	AssertionSubjectIgnored   bool `json:"assertion_subject_ignored,omitempty"`    // AS: iss and sub of an assertion need not be the client that signed; client_id names it
	AssertionKeyConfusion     bool `json:"assertion_key_confusion,omitempty"`      // AS: accepts HS256 keyed with the client's public key (SPKI PEM)
	AssertionExpiryIgnored    bool `json:"assertion_expiry_ignored,omitempty"`     // AS: exp and aud of an assertion are not looked at
	AssertionAddressFetched   bool `json:"assertion_address_fetched,omitempty"`    // AS: gets what jku and x5u of an assertion point to before it looks at who signed
	AssertionReplay           bool `json:"assertion_replay,omitempty"`             // AS: does not remember the jti of assertions
	// authenticate: forms, certificates, secrets, assertions and errors beside the honest path
	BasicNotDecoded          bool `json:"basic_not_decoded,omitempty"`          // AS: id and secret of Basic are taken as they stand and not form-decoded
	CredentialsInURI         bool `json:"credentials_in_uri,omitempty"`         // AS: the parameters of a token request are taken from the query too
	TwoMethodsAccepted       bool `json:"two_methods_accepted,omitempty"`       // AS: of two authentication methods in a request one is looked at, the header first
	SelfSignedBySerial       bool `json:"self_signed_by_serial,omitempty"`      // AS: a self-signed certificate is compared with the registered one by issuer and serial number
	CommonNameForSAN         bool `json:"common_name_for_san,omitempty"`        // AS: where no alternative name is the registered one, the common name is compared with it
	SecretExpiryIgnored      bool `json:"secret_expiry_ignored,omitempty"`      // AS: client_secret_expires_at is told and never looked at
	ShortSecrets             bool `json:"short_secrets,omitempty"`              // AS: client secrets are ten letters and digits
	GuessingUnlimited        bool `json:"guessing_unlimited,omitempty"`         // AS: wrong secrets of a client are counted by nobody
	FormerMethodWorks        bool `json:"former_method_works,omitempty"`        // AS: the secret of a client that was moved to another method stays good
	AssertionTimesIgnored    bool `json:"assertion_times_ignored,omitempty"`    // AS: nbf, iat and a far exp of an assertion are not looked at
	AssertionAudienceMixed   bool `json:"assertion_audience_mixed,omitempty"`   // AS: an assertion for several servers passes if this one is among them
	AssertionAlgorithmsOpen  bool `json:"assertion_algorithms_open,omitempty"`  // AS: an assertion may use any signature that the library knows, listed or not
	AssertionReplayElsewhere bool `json:"assertion_replay_elsewhere,omitempty"` // AS: the jti of an assertion is remembered by the replica that saw it and by no other
	AssertionBringsKey       bool `json:"assertion_brings_key,omitempty"`       // AS: an assertion is verified with the jwk of its own header
	FrameworkErrors          bool `json:"framework_errors,omitempty"`           // AS: a failed Basic is answered by the web framework: its own JSON, no WWW-Authenticate
	MalformedCrashes         bool `json:"malformed_crashes,omitempty"`          // AS: Basic without a colon ends in status 500
	ErrorsTellInternals      bool `json:"errors_tell_internals,omitempty"`      // AS: the description of a registration error is the exception's text
	// issue
	ScopeBeyondGrant bool `json:"scope_beyond_grant,omitempty"` // AS: a mix of granted and other scopes is issued as asked
	ScopelessToken   bool `json:"scopeless_token,omitempty"`    // AS: only unentitled scopes give a token without scope; every point takes a missing scope for all
	ResponseStorable bool `json:"response_storable,omitempty"`  // AS: the token response lacks Cache-Control: no-store
	LongLivedToken   bool `json:"long_lived_token,omitempty"`   // AS: tokens live a hundred times longer than agreed, expires_in tells
	WindowIgnored    bool `json:"window_ignored,omitempty"`     // AS: a closed just-in-time window does not stop new tokens
	// issue: grants beyond client_credentials
	ExchangeOfAnyone     bool `json:"exchange_of_anyone,omitempty"`     // AS: token exchange takes a subject token that was issued to any client (seen: Keycloak before #11542)
	ExchangeUnverified   bool `json:"exchange_unverified,omitempty"`    // AS: the subject token of an exchange is decoded, and its signature is not verified
	ExchangeOfRevoked    bool `json:"exchange_of_revoked,omitempty"`    // AS: the subject token of an exchange is verified by its signature and its end, and nobody asks whether it was revoked
	ExchangeWidens       bool `json:"exchange_widens,omitempty"`        // AS: an exchanged token has the scope and the audience that were asked for, whatever its subject token has
	ActorIgnored         bool `json:"actor_ignored,omitempty"`          // AS: the actor token of an exchange is neither demanded nor looked at
	GrantUnverified      bool `json:"grant_unverified,omitempty"`       // AS: the assertion of the JWT bearer grant is decoded and its issuer compared, and its signature is not verified
	GrantAudienceIgnored bool `json:"grant_audience_ignored,omitempty"` // AS: the assertion of the JWT bearer grant may be for any server
	GrantReplay          bool `json:"grant_replay,omitempty"`           // AS: the jti of assertions of the JWT bearer grant is not remembered
	// issue: what a token answer says
	RefreshTokenIgnored   bool `json:"refresh_token_ignored,omitempty"`   // AS: the refresh_token grant gives an authenticated client a token and looks neither at the refresh token nor at the client's grants
	PasswordGrantAlive    bool `json:"password_grant_alive,omitempty"`    // AS: the password grant of a time before is there for every client, and finds no user
	ScopeUntold           bool `json:"scope_untold,omitempty"`            // AS: the token answer never tells the scope, also where it is another than was asked
	DefaultScopeUnbounded bool `json:"default_scope_unbounded,omitempty"` // AS: a request without scope gets what the most privileged client may have
	ParameterRepeated     bool `json:"parameter_repeated,omitempty"`      // AS: of a repeated form parameter the last one counts
	LifetimeAsText        bool `json:"lifetime_as_text,omitempty"`        // AS: expires_in is a text ("300") and not a number
	GuessableToken        bool `json:"guessable_token,omitempty"`         // AS: tokens for the last resource are opaque numbers that count up
	CredentialsAreUUIDs   bool `json:"credentials_are_uuids,omitempty"`   // AS: client secrets, and tokens for the last resource, are random UUIDs (seen: DefaultTokenServices of Spring Security OAuth)
	AudienceWidened       bool `json:"audience_widened,omitempty"`        // AS: aud names every resource, whichever was asked for
	TokensMixed           bool `json:"tokens_mixed,omitempty"`            // AS: under a burst of two clients answers come from a cache whose key forgets the client
	ResourceUnchecked     bool `json:"resource_unchecked,omitempty"`      // AS: any resource is taken for an audience, as it was asked
	ScopeOfAnyResource    bool `json:"scope_of_any_resource,omitempty"`   // AS: a token keeps all the scope of its client, whichever resource it is for
	// bind
	BindingOptional              bool `json:"binding_optional,omitempty"`                // edge: without a client certificate cnf is not looked at
	BindingAnyCertificate        bool `json:"binding_any_certificate,omitempty"`         // edge: any certificate of the CA satisfies cnf
	CacheSkipsBinding            bool `json:"cache_skips_binding,omitempty"`             // gateway: a cached introspection skips the comparison with cnf
	UnboundAccepted              bool `json:"unbound_accepted,omitempty"`                // edge: tokens without cnf pass where binding is agreed
	PointTrustsCertificateHeader bool `json:"point_trusts_certificate_header,omitempty"` // gateway: without a TLS certificate takes Client-Cert, X-Forwarded-Client-Cert, X-SSL-Client-Cert or X-Client-Cert-Hash
	// bind: DPoP
	KeyThumbprintInHex    bool `json:"key_thumbprint_in_hex,omitempty"`   // AS: cnf.jkt is the thumbprint in hexadecimal
	DPoPBindingOptional   bool `json:"dpop_binding_optional,omitempty"`   // AS: a client registered with dpop_bound_access_tokens gets a bearer token without a proof
	DPoPTokenAsBearer     bool `json:"dpop_token_as_bearer,omitempty"`    // edge: a token with cnf.jkt passes as a bearer token, without proof
	ProofHashOptional     bool `json:"proof_hash_optional,omitempty"`     // edge: a proof without ath passes
	ProofAgeIgnored       bool `json:"proof_age_ignored,omitempty"`       // edge: iat of a proof is not looked at, and no nonce is asked for
	ProofSeenByOneNode    bool `json:"proof_seen_by_one_node,omitempty"`  // edge: each node remembers the jti of proofs for itself
	BindingBySubject      bool `json:"binding_by_subject,omitempty"`      // edge: any certificate with the subject of the bound one satisfies cnf
	ProofSignatureIgnored bool `json:"proof_signature_ignored,omitempty"` // gateway: decodes a proof without verifying it
	ProofHostIgnored      bool `json:"proof_host_ignored,omitempty"`      // gateway: compares the path of htu alone
	ProofURIVerbatim      bool `json:"proof_uri_verbatim,omitempty"`      // gateway: compares htu as text, query and all
	ProofNonceOptional    bool `json:"proof_nonce_optional,omitempty"`    // gateway: asks for a nonce and takes proofs without one
	// claims
	PartnerRenamed         bool `json:"partner_renamed,omitempty"`          // legacy: hands the partner to the API in upper case and cut to 8 characters
	TokenTypeMissing       bool `json:"token_type_missing,omitempty"`       // AS: access tokens say typ JWT and lack client_id
	IntrospectionOpen      bool `json:"introspection_open,omitempty"`       // AS: introspection answers without authentication
	IntrospectionAnyClient bool `json:"introspection_any_client,omitempty"` // AS: any client may introspect any token
	// claims: what introspection and tokens tell
	IntrospectionScopeOfClient bool `json:"introspection_scope_of_client,omitempty"` // AS: introspection tells the scope that the client is registered for, and not the token's
	IntrospectionIgnoresExpiry bool `json:"introspection_ignores_expiry,omitempty"`  // AS: introspection calls an expired token active
	IntrospectionAnyAudience   bool `json:"introspection_any_audience,omitempty"`    // AS: a resource server may introspect tokens for other resources than its own
	IntrospectionByID          bool `json:"introspection_by_id,omitempty"`           // AS: introspection looks a token up by its jti and never compares it with what was signed
	InactiveExplained          bool `json:"inactive_explained,omitempty"`            // AS: of what is no token introspection tells the resource server so, unlike of one that is over
	HintTrusted                bool `json:"hint_trusted,omitempty"`                  // AS: introspection and revocation look only among tokens of the hinted type
	PersonInToken              bool `json:"person_in_token,omitempty"`               // AS: tokens carry name and e-mail address of the client's contact
	// enforce
	PublicRoute          bool `json:"public_route,omitempty"`           // gateway: GET of the allowed operation passes without a token; the API sees anonymous
	SignatureIgnored     bool `json:"signature_ignored,omitempty"`      // edge: decodes without verifying the signature when the kid is known
	AlgNone              bool `json:"alg_none,omitempty"`               // edge: accepts alg none in any spelling but none itself
	KeyConfusion         bool `json:"key_confusion,omitempty"`          // edge: accepts HS256 keyed with its public key (SPKI PEM)
	TokenAddressFetched  bool `json:"token_address_fetched,omitempty"`  // edge: gets what jku and x5u of a token point to before it looks at who signed
	EmbeddedKey          bool `json:"embedded_key,omitempty"`           // edge: verifies with the jwk of the token's header
	IssuerUnion          bool `json:"issuer_union,omitempty"`           // edge: verifies with the keys of both issuers and does not look at iss
	AudienceIgnored      bool `json:"audience_ignored,omitempty"`       // edge: does not look at aud
	ScopeIgnored         bool `json:"scope_ignored,omitempty"`          // gateway: a valid token opens every route
	ObjectOwnerIgnored   bool `json:"object_owner_ignored,omitempty"`   // API behind edge: an object is served to whoever asks
	IdentityHeaderPassed bool `json:"identity_header_passed,omitempty"` // legacy: identity headers of the caller reach the API and win
	OriginOpen           bool `json:"origin_open,omitempty"`            // API: answers calls that do not come from a point
	ChallengeMissing     bool `json:"challenge_missing,omitempty"`      // gateway: refusals have an error page of its own and no WWW-Authenticate
	QueryToken           bool `json:"query_token,omitempty"`            // legacy: takes access_token from the query
	SharedCache          bool `json:"shared_cache,omitempty"`           // gateway: answers of GET are cached by path and served to everybody
	AnyJWTIsAToken       bool `json:"any_jwt_is_a_token,omitempty"`     // edge: does not look at typ, and a client assertion for the issuer passes
	// enforce: what is shown in the place of tokens
	KeysByPrefix bool `json:"keys_by_prefix,omitempty"` // legacy: an API key is looked up by its first twelve characters, and the rest is not compared
	KeyInQuery   bool `json:"key_in_query,omitempty"`   // legacy: takes the API key from the query, too
	// enforce: how often one client may ask
	QuotaUncounted    bool `json:"quota_uncounted,omitempty"`      // AS: how often a client asks for tokens is counted by nobody
	QuotaShutsAddress bool `json:"quota_shuts_address,omitempty"`  // gateway: when a client has used its quota up, all that comes from its address is held off
	RetryAfterTooSoon bool `json:"retry_after_too_soon,omitempty"` // AS: a client that asked too often is told to come again in a second, and is let in again after a minute
	// enforce: when introspection fails
	FailsOpen        bool `json:"fails_open,omitempty"`        // gateway: lets in what the token itself claims when introspection answers an error
	AudienceOptional bool `json:"audience_optional,omitempty"` // gateway: an introspection without aud passes
	// audit
	GrantsUnlogged    bool `json:"grants_unlogged,omitempty"`    // AS: token issuance leaves no record
	DenialsUnlogged   bool `json:"denials_unlogged,omitempty"`   // legacy: refused calls leave no record
	LifecycleUnlogged bool `json:"lifecycle_unlogged,omitempty"` // AS: update and deletion of clients leave no record
	TokenInLog        bool `json:"token_in_log,omitempty"`       // gateway: the record holds the Authorization header
	// audit: what a record says
	RecordRepeated bool `json:"record_repeated,omitempty"` // legacy: adds the record of an accepted call a second time, as a new one, half a second later
	LogClockWrong  bool `json:"log_clock_wrong,omitempty"` // gateway: its records are stamped an hour off: local time, written as UTC
	LogUnescaped   bool `json:"log_unescaped,omitempty"`   // AS: the client_name stands in the record as it was sent, line breaks included
	// rotate
	OldSecretWorks      bool `json:"old_secret_works,omitempty"`         // AS: a rotated secret stays valid
	OldKeyWorks         bool `json:"old_key_works,omitempty"`            // AS: a key removed from a client's jwks still signs assertions
	OldCertificateWorks bool `json:"old_certificate_works,omitempty"`    // AS: a certificate removed from a client's jwks still authenticates it
	KeysNeverRefetched  bool `json:"keys_never_refetched,omitempty"`     // edge: keys once fetched are trusted until restart
	KeySetCachedForADay bool `json:"key_set_cached_for_a_day,omitempty"` // AS: says that its key set may be kept for a day
	RotationDropsOldKey bool `json:"rotation_drops_old_key,omitempty"`   // AS: a rotation takes the old key out of the set at once, while its tokens live
	KeyPublishedLate    bool `json:"key_published_late,omitempty"`       // AS: a new key signs before it is in the key set
	UnknownKidsLockOut  bool `json:"unknown_kids_lock_out,omitempty"`    // edge: many unknown kids use up the bound for fetches of keys, and then every token is refused for a while
	FetchedKeysKept     bool `json:"fetched_keys_kept,omitempty"`        // AS: keys that were fetched from a client's jwks_uri are believed for a minute, whatever their place says
	// expire
	CertificateEndsSoon bool `json:"certificate_ends_soon,omitempty"` // gateway: its server certificate has a week left
	ExpiryIgnored       bool `json:"expiry_ignored,omitempty"`        // edge: exp is not looked at
	WindowKeepsTokens   bool `json:"window_keeps_tokens,omitempty"`   // AS: closing the window leaves its tokens alive
	// revoke
	TokenCache           time.Duration `json:"token_cache,omitempty"`            // gateway: introspection is cached this long
	FeedStopped          bool          `json:"feed_stopped,omitempty"`           // edge: the revocation feed is read once at start
	JWTNotRevocable      bool          `json:"jwt_not_revocable,omitempty"`      // AS: revocation answers unsupported_token_type and does nothing
	YoungTokensSurvive   bool          `json:"young_tokens_survive,omitempty"`   // AS: revoking a token within a second of its issuance answers 200 and does nothing
	RevocationOpen       bool          `json:"revocation_open,omitempty"`        // AS: revocation needs no client authentication
	RevocationAnyClient  bool          `json:"revocation_any_client,omitempty"`  // AS: any client may revoke any token
	ReductionKeepsTokens bool          `json:"reduction_keeps_tokens,omitempty"` // AS: reducing an entitlement leaves tokens with the old scope alive
	// revoke: what is answered
	RevocationOfUnknownFails bool `json:"revocation_of_unknown_fails,omitempty"` // AS: revoking a token that is unknown or revoked already is answered 400
	// compromise
	SuspendKeepsTokens bool `json:"suspend_keeps_tokens,omitempty"` // AS: suspending a client leaves its tokens alive
	ResumeRevives      bool `json:"resume_revives,omitempty"`       // AS: resuming a client revives the tokens that were dead
	// offboard
	DeleteKeepsTokens         bool `json:"delete_keeps_tokens,omitempty"`         // AS: deleting a client leaves its tokens alive
	DeletedClientLives        bool `json:"deleted_client_lives,omitempty"`        // AS: a deleted client still gets tokens
	SuspendIgnored            bool `json:"suspend_ignored,omitempty"`             // AS: a suspended client still gets tokens
	RegistrationTokenSurvives bool `json:"registration_token_survives,omitempty"` // AS: the registration token of a deleted client still reads its configuration
	LeftoverAPIKey            bool `json:"leftover_api_key,omitempty"`            // legacy: deprovisioning a partner leaves its API key
	DeleteForgetsOldTokens    bool `json:"delete_forgets_old_tokens,omitempty"`   // AS: deletion ends only the tokens issued since the client's last update

	// the agreement: purpose, windows, roles, environments
	EndedApprovalGranted      bool `json:"ended_approval_granted,omitempty"`      // AS: every token keeps payments:history, for which the approval ended and which nobody took away
	UnusedScopeGranted        bool `json:"unused_scope_granted,omitempty"`        // AS: every token has payments:export, agreed and approved for a function that was never built
	DefaultScopeAdded         bool `json:"default_scope_added,omitempty"`         // AS: every token gets the server's default scope reports:read on top of what was asked
	OrgFromName               bool `json:"org_from_name,omitempty"`               // AS: the claim org_id is made of client_name, which the client chooses itself
	RoleKeepsTokens           bool `json:"role_keeps_tokens,omitempty"`           // AS: taking a role leaves tokens with the old roles alive
	WindowStartIgnored        bool `json:"window_start_ignored,omitempty"`        // AS: a scheduled window is open from the moment when it was announced
	WindowEndIgnored          bool `json:"window_end_ignored,omitempty"`          // AS: a scheduled window does not close by itself
	SecretFromClock           bool `json:"secret_from_clock,omitempty"`           // AS: a client's secret comes from a generator that is seeded with the day
	OtherEnvironmentKnown     bool `json:"other_environment_known,omitempty"`     // AS: knows the clients of the other environment too, as after a copy of its database
	WithdrawnCertificateWorks bool `json:"withdrawn_certificate_works,omitempty"` // AS: does not look at the CA's list of withdrawn certificates
	WithdrawnCertificateOpens bool `json:"withdrawn_certificate_opens,omitempty"` // edge: does not look at the CA's list of withdrawn certificates
	RenewedCertificateUnknown bool `json:"renewed_certificate_unknown,omitempty"` // AS: knows a client by the first certificate that it showed, and no more by its subject
	FirstCertificateKept      bool `json:"first_certificate_kept,omitempty"`      // edge: has the first certificate of each client on file, and refuses its tokens with another
	RouteForgotten            bool `json:"route_forgotten,omitempty"`             // legacy: its route table lacks the statements that were agreed
	LongLivedCertificate      bool `json:"long_lived_certificate,omitempty"`      // CA: the certificate of the partner in the other environment lives for ten years
}

// Situation is not a defect: it is an honest stack that traps a naive tester. The zero value has none.
type Situation struct {
	WAF              bool          `json:"waf,omitempty"`               // something in front of gateway answers 403 with its own page to requests it finds odd (unknown algorithms, long headers)
	LaggingReplicas  time.Duration `json:"lagging_replicas,omitempty"`  // AS and edge: the second replica learns of writes this much later
	SameToken        bool          `json:"same_token,omitempty"`        // AS: the same client, scope and resource gets the same token until it expires
	CacheInFront     bool          `json:"cache_in_front,omitempty"`    // a shared cache in front of edge that honours no-store and keys by Authorization, and answers with an old nonce and Age
	WrongClock       time.Duration `json:"wrong_clock,omitempty"`       // AS: its clock is this much ahead
	MissingRoute     bool          `json:"missing_route,omitempty"`     // gateway: the denied operation of the plan does not exist (404 for everybody)
	RateLimit        int           `json:"rate_limit,omitempty"`        // gateway: after this many requests within a second answers 429 with Retry-After
	BanAfter         int           `json:"ban_after,omitempty"`         // gateway: after this many refusals the address is banned: 403 for everything
	DuplicateLog     bool          `json:"duplicate_log,omitempty"`     // every audit record is delivered twice, with the same id
	DeleteLies       bool          `json:"delete_lies,omitempty"`       // AS: DELETE answers 204 and keeps the client until the management port removes it
	ConnectionSticky bool          `json:"connection_sticky,omitempty"` // edge: a kept connection stays on its replica, and only the second replica is healthy
}
