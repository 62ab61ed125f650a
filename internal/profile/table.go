package profile

import (
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

const day = 24 * time.Hour

// profiles is the table, the weakest first. A ceiling without a standard's number behind it is our own demand, and its
// reason says what it is for.
//
// FAPI 2.0 forbids authorization servers to rotate refresh tokens (§5.3.2.1, item 9, but for extraordinary
// circumstances). The stage rotate is about secrets, keys and certificates, of which §6.8 wants rotation; no check asks
// for the rotation of refresh tokens.
var profiles = []Profile{
	{
		Name: "baseline",
		For:  "a low-risk partner: coarse roles, reviewed from time to time",
		Text: "What must be true of every partner: whoever is not entitled does not get in, whoever was removed is out, " +
			"and the log can tell. Tokens may be bearer tokens, clients may authenticate by secret.",
		Low: LeftOut,
		Ceilings: []Ceiling{
			{"limits.revocation.introspect", 5 * time.Minute, "a cached introspection must not keep a thief's token alive for longer than somebody needs to act"},
			{"limits.revocation.push", 5 * time.Minute, "a revocation that is pushed and arrives later was not pushed"},
			{"limits.revocation.expiry", time.Hour, "where nothing but expiry ends a token, its life is the exposure"},
			{"limits.new_tokens_after_disable", 5 * time.Minute, "a removed partner that still gets tokens is not removed"},
			{"limits.deletion", time.Hour, "what a deleted client still holds opens no longer than an access token lives"},
			{"limits.entitlement", time.Hour, "rights that were taken away end with the tokens that carry them"},
			{"limits.key_withdrawal", time.Hour, "a withdrawn key is a key that may have leaked"},
			{"limits.certificate_withdrawal", time.Hour, "a withdrawn certificate is one whose key may have leaked"},
			{"limits.secret_overlap", 30 * day, "an overlap without an end is a second secret"},
			{"limits.window", 5 * time.Minute, "access that is just in time ends with its time"},
			{"limits.token_lifetime", time.Hour, "a stolen access token is good for as long as it lives (RFC 9700 §4.10)"},
			{"limits.log_delay", time.Hour, "who looks for an incident must find it on the same day"},
			{"limits.clock_skew", 5 * time.Minute, "leeway is no more than a few minutes (RFC 7519 §4.1.4)"},
		},
		Demands: Demands{ReviewEvery: 365 * day},
	},
	{
		Name: "hygiene",
		For:  "any partner, in addition: what the standards ask for to the letter",
		Text: "Adds the checks of low severity: error codes, header fields, metadata. They are shown and never block, " +
			"and no undecided one keeps the verdict from being ready.",
		Adds: "baseline",
		Low:  Shown,
	},
	{
		Name: "elevated",
		For:  "a partner that can do harm: scopes of its own, tokens bound to it, short-lived credentials, access just in time",
		Text: "Bearer tokens and long-lived secrets are what gets stolen. Here a stolen token opens nothing by itself, a " +
			"caught assertion works once, and whatever leaks dies soon.",
		Adds: "baseline",
		Low:  LeftOut,
		Raises: []Raise{
			{"bind.bound-client-without-proof", logbook.Critical, "a client that gets unbound tokens for the asking has no bound ones"},
			{"bind.proof-replay", logbook.High, "a caught proof must not work twice"},
			{"authenticate.certificate-lifetime", logbook.High, "credentials are short-lived"},
			{"register.secret-lifetime", logbook.High, "credentials are short-lived"},
			{"issue.approved-scope", logbook.High, "scopes are the partner's own, and somebody stands for each"},
			{"issue.unneeded-scope", logbook.Medium, "scopes are the partner's own, and it has none that it does not need"},
			{"compromise.replayed-assertion", logbook.High, "a caught assertion must not be a second login"},
			{"issue.response-not-stored", logbook.High, "a token that a cache keeps outlives every short life"},
			{"claims.token-profile", logbook.High, "points decide by these claims, so they must all be there"},
		},
		Ceilings: []Ceiling{
			{"limits.revocation.introspect", 30 * time.Second, "a revoked token must be out before its thief has used it up"},
			{"limits.revocation.push", 30 * time.Second, "a revoked token must be out before its thief has used it up"},
			{"limits.revocation.expiry", 5 * time.Minute, "where nothing but expiry ends a token, its life is the exposure"},
			{"limits.new_tokens_after_disable", 30 * time.Second, "a removed partner gets nothing more"},
			{"limits.deletion", 5 * time.Minute, "what a deleted client still holds ends with its short life"},
			{"limits.entitlement", 5 * time.Minute, "rights that were taken away end at once or with a short life"},
			{"limits.key_withdrawal", 5 * time.Minute, "a withdrawn key is a key that may have leaked"},
			{"limits.certificate_withdrawal", 5 * time.Minute, "a withdrawn certificate is one whose key may have leaked"},
			{"limits.secret_overlap", day, "both secrets work for no longer than a rollout takes"},
			{"limits.window", 30 * time.Second, "access that is just in time ends with its time"},
			{"limits.secret_lifetime", 90 * day, "a secret without an end is one that leaks at last"},
			{"limits.certificate_lifetime", 398 * day, "a certificate that lives for years is renewed by nobody who still knows how"},
			{"limits.token_lifetime", 10 * time.Minute, "short-lived credentials: what leaks dies by itself"},
			{"limits.log_delay", 5 * time.Minute, "an alert must come while it can still help"},
			{"limits.clock_skew", time.Minute, "leeway adds to every short life"},
		},
		Demands: Demands{
			SenderConstraint: true, OwnScopes: true, Window: true, ReviewEvery: 90 * day,
		},
	},
	{
		Name: "fapi2",
		For:  "a partner under the FAPI 2.0 Security Profile (final), as far as it is about client credentials",
		Text: "FAPI 2.0 as an authorization server and its resource servers must keep it for clients that act for themselves: " +
			"only sender-constrained tokens, clients by mTLS or private_key_jwt, the issuer alone as the audience of " +
			"assertions, strong algorithms. Its authorization endpoint is not ridden. It forbids the rotation of refresh " +
			"tokens (§5.3.2.1-9), so no check asks for it: what the stage rotate rotates are secrets, keys and certificates.",
		Adds: "baseline",
		Low:  LeftOut,
		Raises: []Raise{
			{"bind.bound-client-without-proof", logbook.Critical, "only sender-constrained access tokens are issued (FAPI 2.0 §5.3.2.1-4)"},
			{"discover.no-weak-algorithm", logbook.Critical, "PS256, ES256 or EdDSA, and never none (FAPI 2.0 §5.4.1)"},
			{"issue.credential-entropy", logbook.Medium, "credentials have at least 128 bits of entropy (FAPI 2.0 §5.4.1)"},
		},
		Ceilings: []Ceiling{
			{"limits.clock_skew", time.Minute, "a JWT from more than 60 seconds in the future is rejected (FAPI 2.0 §5.3.2.1-13)"},
		},
		Demands: Demands{
			SenderConstraint: true, AudienceIssuerOnly: true,
			ClientAuth:        []string{"tls_client_auth", "self_signed_tls_client_auth", "private_key_jwt"},
			SigningAlgorithms: []string{"PS256", "ES256", "EdDSA", "Ed25519"},
			AheadAccepted:     10 * time.Second,
		},
	},
}
