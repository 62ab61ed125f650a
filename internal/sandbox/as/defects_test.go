package as_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/ca"
)

// Each row is one story, told to a healthy server and to one with that defect alone.
var defectRows = []struct {
	set             defect.Set
	story           func(g *rig) string
	healthy, broken string
}{
	{defect.Set{IssuerMismatch: true}, func(g *rig) string {
		_, claims := g.verified(g.partner().access(""))
		return g.send(g.protocol, "GET", "/.well-known/oauth-authorization-server", "", "").text("issuer") + " " + claims["iss"].(string)
	}, issuer + " " + issuer, issuer + "/ " + issuer},
	{defect.Set{IssuerBehindProxy: true}, func(g *rig) string {
		return g.send(g.protocol, "GET", wellKnown, "", "").text("issuer")
	}, issuer, "https://as-0.internal:8443"},
	{defect.Set{NoneAdvertised: true}, func(g *rig) string {
		a := g.send(g.protocol, "GET", "/.well-known/openid-configuration", "", "")
		return fmt.Sprint(slices.Contains(a.body["token_endpoint_auth_signing_alg_values_supported"].([]any), any("none")))
	}, "false", "true"},
	{defect.Set{PrivateKeyInJWKS: true}, func(g *rig) string {
		return fmt.Sprint(strings.Count(g.send(g.protocol, "GET", "/jwks", "", "").raw, `"d":`))
	}, "0", "1"},
	{defect.Set{KeyThumbprintInHex: true}, func(g *rig) string {
		_, claims := g.verified(g.partner().grant("", g.proof(g.now, g.nonce())).text("access_token"))
		return fmt.Sprint(len(claims["cnf"].(map[string]any)["jkt"].(string)))
	}, "43", "64"},
	{defect.Set{DPoPBindingOptional: true}, func(g *rig) string {
		p := g.register(map[string]any{"client_name": "acme", "dpop_bound_access_tokens": true})
		with, without := p.grant("", g.proof(g.now, g.nonce())), p.grant("")
		return with.is() + " " + with.text("token_type") + "; " + without.is() + " " + without.text("token_type")
	}, "200 DPoP; 400 invalid_dpop_proof ", "200 DPoP; 200 Bearer"},
	{defect.Set{MetadataTypo: true}, func(g *rig) string {
		a := g.send(g.protocol, "GET", wellKnown, "", "")
		return fmt.Sprint(a.body["introspection_endpoint_auth_signing_alg_values_supported"] != nil, a.body["introspection_endpoint_auth_signing_alg_value_supported"] != nil)
	}, "true false", "false true"},
	{defect.Set{MetadataAsText: true}, func(g *rig) string {
		return g.send(g.protocol, "GET", wellKnown, "", "").header.Get("Content-Type") + "; " + g.send(g.protocol, "GET", "/jwks", "", "").header.Get("Content-Type")
	}, "application/json; application/json", "text/plain; charset=utf-8; application/json"},
	{defect.Set{AliasOverHTTP: true}, func(g *rig) string { return alias(g).Scheme }, "https", "http"},
	{defect.Set{AliasLeadsNowhere: true}, func(g *rig) string { return alias(g).Path }, "/mtls/introspect", "/mtls/introspection"},
	{defect.Set{BindingUnadvertised: true}, func(g *rig) string {
		return fmt.Sprint(g.send(g.protocol, "GET", wellKnown, "", "").body["tls_client_certificate_bound_access_tokens"])
	}, "true", "<nil>"},
	{defect.Set{DocumentsDisagree: true}, func(g *rig) string {
		return g.send(g.protocol, "GET", wellKnown, "", "").text("revocation_endpoint") + " " + g.send(g.protocol, "GET", "/.well-known/openid-configuration", "", "").text("revocation_endpoint")
	}, issuer + "/revoke " + issuer + "/revoke", issuer + "/revoke " + issuer + "/v1/revoke"},
	{defect.Set{AdvertisedOnly: true}, func(g *rig) string {
		return g.rsaAssertion(jose.PS256)
	}, "200", "401 invalid_client"},
	{defect.Set{MetadataDrift: true}, func(g *rig) string {
		return fmt.Sprint(g.send(g.protocol, "GET", wellKnown, "", "").body["scopes_supported"])
	}, "[payments:read]", "[payments:read reports:read]"},
	{defect.Set{KeySetCachedForADay: true}, func(g *rig) string {
		return g.send(g.protocol, "GET", "/jwks", "", "").header.Get("Cache-Control")
	}, "public, max-age=1", "public, max-age=86400"},
	{defect.Set{FetchedKeysKept: true}, func(g *rig) string {
		const address = "https://keys.example/acme"
		old := newKey(g.t)
		g.keys.control = "max-age=0"
		g.keys.sets = map[string]any{address: keySet(old.Public())}
		p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": address})
		ask := func() string { return g.assert(g.sign(jose.ES256, old, g.claims(p.id, nil)), "").is() }
		before := ask()
		g.keys.sets = map[string]any{address: keySet(newKey(g.t).Public())}
		g.now = g.now.Add(2 * time.Second)
		return before + "; " + ask()
	}, "200; 401 invalid_client", "200; 200"},
	{defect.Set{RotationDropsOldKey: true}, func(g *rig) string {
		header, _ := g.verified(g.partner().access(""))
		g.manage("POST", "/keys/rotate")
		return fmt.Sprint(g.publishes(header.KeyID))
	}, "true", "false"},
	{defect.Set{KeyPublishedLate: true}, func(g *rig) string {
		kid := g.manage("POST", "/keys/rotate").text("kid")
		at := g.publishes(kid)
		g.now = g.now.Add(time.Second)
		return fmt.Sprint(at, g.publishes(kid))
	}, "true true", "false true"},
	{defect.Set{OpenRegistration: true}, func(g *rig) string {
		return g.json("POST", "/register", map[string]any{"client_name": "acme"}).is()
	}, "401 invalid_token", "201"},
	{defect.Set{GrantsUnfiltered: true}, func(g *rig) string {
		asked := []string{"client_credentials", "password"}
		a := g.json("POST", "/register", map[string]any{"grant_types": asked}, bearer(initial))
		return fmt.Sprint(a.body["grant_types"])
	}, "[client_credentials]", "[client_credentials password]"},
	{defect.Set{RegisteredScopeUnfiltered: true}, func(g *rig) string {
		a := g.json("POST", "/register", map[string]any{"scope": "payments:read payments:admin"}, bearer(initial))
		p := partner{g, a.text("client_id"), a.text("client_secret"), ""}
		return a.text("scope") + "; " + p.grant("").text("scope")
	}, "payments:read; payments:read", "payments:read payments:admin; payments:read payments:admin"},
	{defect.Set{PublicClients: true}, func(g *rig) string {
		a := g.json("POST", "/register", map[string]any{"token_endpoint_auth_method": "none"}, bearer(initial))
		return a.is() + "; " + g.form("/token", "grant_type=client_credentials&client_id="+a.text("client_id")).is()
	}, "400 invalid_client_metadata; 401 invalid_client", "201; 200"},
	{defect.Set{ConfigurationOpen: true}, func(g *rig) string {
		p := g.partner()
		return g.json("GET", p.path(), nil).is() + "; " + g.json("GET", p.path(), nil, bearer("x")).is() + "; " +
			g.json("DELETE", p.path(), nil).is()
	}, "401 invalid_token; 401 invalid_token; 401 invalid_token", "200; 401 invalid_token; 401 invalid_token"},
	{defect.Set{OldRegistrationTokenWorks: true}, func(g *rig) string {
		p := g.partner()
		a := g.json("PUT", p.path(), map[string]any{"client_id": p.id}, bearer(p.token))
		return g.json("GET", p.path(), nil, bearer(p.token)).is() + "; " + g.json("GET", p.path(), nil, bearer(a.text("registration_access_token"))).is()
	}, "401 invalid_token; 200", "200; 200"},
	{defect.Set{AnyRegistrationToken: true}, func(g *rig) string {
		p, n := g.partner(), g.neighbour()
		return g.json("GET", p.path(), nil, bearer(n.token)).is() + "; " + g.json("GET", p.path(), nil, bearer("x")).is()
	}, "401 invalid_token; 401 invalid_token", "200; 401 invalid_token"},
	{defect.Set{JWKSURIUnchecked: true}, func(g *rig) string {
		asked := func(address string) string {
			return g.json("POST", "/register", map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": address}, bearer(initial)).is()
		}
		return asked("http://keys.example/a") + "; " + asked("https://169.254.0.1/a") + "; " + asked("https://keys.example/a")
	}, "400 invalid_client_metadata; 400 invalid_client_metadata; 201", "201; 201; 201"},
	{defect.Set{KeysUnchecked: true}, func(g *rig) string {
		private := map[string]any{"keys": []any{jose.JSONWebKey{Key: newKey(g.t)}}}
		oct := map[string]any{"keys": []any{jose.JSONWebKey{Key: []byte("a shared secret")}}}
		asked := func(set map[string]any) string {
			return g.json("POST", "/register", map[string]any{"jwks": set}, bearer(initial)).is()
		}
		return asked(private) + "; " + asked(oct) + "; " + asked(map[string]any{"keys": []any{map[string]any{"kty": "EC"}}})
	}, "400 invalid_client_metadata; 400 invalid_client_metadata; 400 invalid_client_metadata", "201; 201; 400 invalid_client_metadata"},
	{defect.Set{StatementClaimsLose: true}, statementClaimsLose, "acme s-1", "globex s-1"},
	{defect.Set{StatementUnverified: true}, statementUnverified, "400 invalid_software_statement; 201", "201; 201"},
	{defect.Set{ExchangeOfAnyone: true}, exchangeOfAnyone, "200; 400 invalid_request", "200; 200"},
	{defect.Set{ExchangeUnverified: true}, exchangeUnverified, "400 invalid_request; 400 invalid_request", "200; 400 invalid_request"},
	{defect.Set{ExchangeOfRevoked: true}, exchangeOfRevoked, "200; 400 invalid_request", "200; 200"},
	{defect.Set{ExchangeWidens: true}, exchangeWidens, "payments:read; 400 invalid_target; 200", "payments:read payments:write; 200; 200"},
	{defect.Set{ActorIgnored: true}, actorIgnored, "400 invalid_request; 400 invalid_request", "200; 200"},
	{defect.Set{GrantUnverified: true}, grantUnverified, "400 invalid_grant; 400 invalid_grant", "200; 400 invalid_grant"},
	{defect.Set{GrantAudienceIgnored: true}, grantAudience, "400 invalid_grant; 200", "200; 200"},
	{defect.Set{GrantReplay: true}, grantReplay, "200; 400 invalid_grant", "200; 200"},
	{defect.Set{StatementAddressFetched: true}, func(g *rig) string {
		f := g.federation()
		return pointedAt(g, func(named string) string { return f.come(pointing(g, named)).is() })
	}, "400 invalid_software_statement, 0 fetches; 400 invalid_software_statement, 0 fetches", "400 invalid_software_statement, 1 fetches; 400 invalid_software_statement, 2 fetches"},
	{defect.Set{AssertionAddressFetched: true}, func(g *rig) string {
		return pointedAt(g, func(named string) string { return g.assert(pointing(g, named), "").is() })
	}, "401 invalid_client, 0 fetches; 401 invalid_client, 0 fetches", "401 invalid_client, 1 fetches; 401 invalid_client, 2 fetches"},
	{defect.Set{StatementOptional: true}, statementOptional, "400 invalid_software_statement; 400 invalid_software_statement", "201; 400 invalid_software_statement"},
	{defect.Set{StatementTimesIgnored: true}, statementTimes, "400 invalid_software_statement; 400 invalid_software_statement; 400 invalid_software_statement", "201; 201; 201"},
	{defect.Set{StatementIssuerIgnored: true}, statementIssuer, "400 unapproved_software_statement; 400 unapproved_software_statement", "201; 400 invalid_software_statement"},
	{defect.Set{StatementOfAnyone: true}, statementOfAnyone, "400 unapproved_software_statement; 400 unapproved_software_statement; 403 access_denied", "201; 201; 403 access_denied"},
	{defect.Set{StatementNotReturned: true}, statementReturned, "true", "false"},
	{defect.Set{RequestClaimsIgnored: true}, signedRequests, "201; 400 invalid_client_metadata; 400 invalid_client_metadata; 400 invalid_client_metadata; 400 invalid_client_metadata", "201; 201; 201; 201; 400 invalid_client_metadata"},
	{defect.Set{RequestUnverified: true}, signedRequests, "201; 400 invalid_client_metadata; 400 invalid_client_metadata; 400 invalid_client_metadata; 400 invalid_client_metadata", "201; 400 invalid_client_metadata; 400 invalid_client_metadata; 400 invalid_client_metadata; 201"},
	{defect.Set{StatementReused: true}, statementReused, "201; 400 unapproved_software_statement", "201; 201"},
	{defect.Set{StatementSkippedOnUpdate: true}, statementOnUpdate, "400 invalid_software_statement; 400 invalid_software_statement; 200; 200", "200; 200; 200; 200"},
	{defect.Set{RegistrationCertificateOptional: true}, registrationCertificate, "403 access_denied; 403 access_denied; 403 access_denied; 403 access_denied; 200", "201; 200; 403 access_denied; 403 access_denied; 200"},
	{defect.Set{InitialAccessTokenStateless: true}, accessTokens, "201; 401 invalid_token; 401 invalid_token; 401 invalid_token", "201; 201; 201; 201"},
	{defect.Set{ReregistrationRevives: true}, reregistration, "false dead 401 invalid_token", "true alive 200"},
	{defect.Set{SubjectsUnchecked: true}, func(g *rig) string {
		none := map[string]any{"token_endpoint_auth_method": "tls_client_auth"}
		two := map[string]any{"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=acme", "tls_client_auth_san_dns": "acme.example"}
		a := g.json("POST", "/register", none, bearer(initial))
		b := g.json("POST", "/register", two, bearer(initial))
		login := func(r reply) string {
			return partner{g: g, id: r.text("client_id")}.overTLS(certificate(g.client("acme", ca.Options{}))).is()
		}
		return a.is() + " " + login(a) + "; " + b.is() + " " + login(b)
	}, "400 invalid_client_metadata 401 invalid_client; 400 invalid_client_metadata 401 invalid_client", "201 200; 201 200"},
	{defect.Set{SecretForEveryMethod: true}, func(g *rig) string {
		p := g.bySubject("CN=acme")
		return fmt.Sprint(p.secret != "") + " " + p.grant("").is()
	}, "false 401 invalid_client", "true 200"},
	{defect.Set{SecretExpiryUntold: true}, func(g *rig) string {
		_, there := g.json("POST", "/register", map[string]any{}, bearer(initial)).body["client_secret_expires_at"]
		return fmt.Sprint(there)
	}, "true", "false"},
	{defect.Set{RegisteredScopeIgnored: true}, func(g *rig) string {
		p := g.register(map[string]any{"client_name": "beta ride neighbour", "scope": "payments:read"})
		return p.grant("scope=payments:write").is()
	}, "400 invalid_scope", "200"},
	{defect.Set{BadMetadataCrashes: true}, func(g *rig) string {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/register", strings.NewReader("null"))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+initial)
		g.protocol.ServeHTTP(w, r)
		other := g.json("POST", "/register", map[string]any{"token_endpoint_auth_method": "x"}, bearer(initial))
		return fmt.Sprint(w.Code) + "; " + other.is()
	}, "400; 400 invalid_client_metadata", "500; 400 invalid_client_metadata"},
	{defect.Set{AccessTokenManages: true}, func(g *rig) string {
		p := g.partner()
		return g.json("GET", p.path(), nil, bearer(p.access(""))).is() + "; " + g.json("GET", p.path(), nil, bearer(g.partner().access(""))).is()
	}, "401 invalid_token; 401 invalid_token", "200; 401 invalid_token"},
	{defect.Set{UpdateForgotten: true}, func(g *rig) string {
		p := g.partner()
		a := g.json("PUT", p.path(), map[string]any{"client_id": p.id, "client_uri": "https://acme.example"}, bearer(p.token))
		b := g.json("GET", p.path(), nil, bearer(a.text("registration_access_token")))
		return a.text("client_uri") + "; " + b.text("client_uri")
	}, "https://acme.example; https://acme.example", "https://acme.example; "},
	{defect.Set{UpdateUnfiltered: true}, func(g *rig) string {
		p := g.partner()
		a := g.json("PUT", p.path(), map[string]any{"client_id": p.id, "scope": "payments:read admin", "grant_types": []string{"password"}}, bearer(p.token))
		return a.text("scope") + " " + fmt.Sprint(a.body["grant_types"])
	}, "payments:read [client_credentials]", "payments:read admin [password]"},
	{defect.Set{UpdateTakesSecret: true}, func(g *rig) string {
		p := g.partner()
		a := g.json("PUT", p.path(), map[string]any{"client_id": p.id, "client_secret": "my own secret"}, bearer(p.token))
		p.secret = "my own secret"
		return a.is() + "; " + p.grant("").is()
	}, "400 invalid_client_metadata; 401 invalid_client", "200; 200"},
	{defect.Set{UpdateByBody: true}, func(g *rig) string {
		p, n := g.partner(), g.neighbour()
		a := g.json("PUT", p.path(), map[string]any{"client_id": n.id, "client_name": "mine"}, bearer(p.token))
		return a.is() + "; " + g.json("GET", n.path(), nil, bearer(n.token)).is()
	}, "400 invalid_client_metadata; 200", "200; 401 invalid_token"},
	{defect.Set{DeleteUnsupported: true}, func(g *rig) string {
		p := g.partner()
		return g.json("DELETE", p.path(), nil, bearer(p.token)).is()
	}, "204", "501 not_implemented"},
	{defect.Set{SecretIgnored: true}, func(g *rig) string {
		p := g.partner()
		near := basic(p.id, p.secret[:8]+"and something else")
		far := basic(p.id, "."+p.secret[1:])
		return g.form("/token", "grant_type=client_credentials", near).is() + "; " + g.form("/token", "grant_type=client_credentials", far).is()
	}, "401 invalid_client; 401 invalid_client", "200; 401 invalid_client"},
	{defect.Set{ClientIDAlone: true}, func(g *rig) string { return g.partner().overTLS().is() }, "401 invalid_client", "200"},
	{defect.Set{MethodDowngrade: true}, func(g *rig) string {
		p := g.partner()
		post := url.Values{"client_id": {p.id}, "client_secret": {p.secret}}.Encode()
		return g.form("/token", "grant_type=client_credentials&"+post).is()
	}, "401 invalid_client", "200"},
	{defect.Set{AnyTrustedCertificate: true}, func(g *rig) string {
		p := g.bySubject("CN=acme")
		return p.overTLS(certificate(g.client("beta", ca.Options{}))).is() + "; " + p.overTLS(certificate(g.stranger("acme", ca.Options{}))).is()
	}, "401 invalid_client; 401 invalid_client", "200; 401 invalid_client"},
	{defect.Set{ChainNotVerified: true}, func(g *rig) string {
		p := g.bySubject("CN=acme")
		return p.overTLS(certificate(g.stranger("acme", ca.Options{}))).is() + "; " + p.overTLS(certificate(g.client("beta", ca.Options{}))).is()
	}, "401 invalid_client; 401 invalid_client", "200; 401 invalid_client"},
	{defect.Set{CertificateExpiryIgnored: true}, func(g *rig) string {
		expired := ca.Options{NotBefore: g.now.Add(-48 * time.Hour), NotAfter: g.now.Add(-time.Hour)}
		p := g.bySubject("CN=acme")
		return p.overTLS(certificate(g.client("acme", expired))).is() + "; " + p.overTLS(certificate(g.stranger("acme", expired))).is()
	}, "401 invalid_client; 401 invalid_client", "200; 401 invalid_client"},
	{defect.Set{CertificateUsageIgnored: true}, func(g *rig) string {
		serving := ca.Options{Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
		return g.bySubject("CN=acme").overTLS(certificate(g.client("acme", serving))).is()
	}, "401 invalid_client", "200"},
	{defect.Set{RenewedCertificateUnknown: true}, func(g *rig) string {
		p := g.bySubject("CN=acme")
		return p.overTLS(certificate(g.client("acme", ca.Options{}))).is() + "; " + p.overTLS(certificate(g.client("acme", ca.Options{}))).is()
	}, "200; 200", "200; 401 invalid_client"},
	{defect.Set{ASTrustsCertificateHeader: true}, func(g *rig) string {
		p, c := g.bySubject("CN=acme"), g.client("acme", ca.Options{})
		der, escaped := base64.StdEncoding.EncodeToString(c.Leaf.Raw), url.QueryEscape(pemOf(c))
		escaped = strings.ReplaceAll(escaped, "+", "%20")
		return p.overTLS(header("Client-Cert", ":"+der+":")).is() + "; " +
			p.overTLS(header("X-Forwarded-Client-Cert", `By=spiffe://x;Cert="`+escaped+`"`)).is() + "; " +
			p.overTLS(header("X-SSL-Client-Cert", escaped)).is()
	}, "401 invalid_client; 401 invalid_client; 401 invalid_client", "200; 200; 200"},
	{defect.Set{AssertionKeyByIssuer: true}, func(g *rig) string {
		k, n := newKey(g.t), g.neighbour()
		p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(k.Public())})
		own := g.assert(g.sign(jose.ES256, k, g.claims(p.id, nil)), "")
		other := g.assert(g.sign(jose.ES256, k, g.claims(p.id, map[string]any{"sub": n.id})), "")
		if other.text("access_token") == "" {
			return own.is() + "; " + other.is()
		}
		_, claims := g.verified(other.text("access_token"))
		return own.is() + "; of the neighbour: " + fmt.Sprint(claims["client_id"] == n.id)
	}, "200; 401 invalid_client", "200; of the neighbour: true"},
	{defect.Set{AssertionSubjectIgnored: true}, func(g *rig) string {
		k, n := newKey(g.t), g.neighbour()
		p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(k.Public())})
		other := g.sign(jose.ES256, k, g.claims(p.id, map[string]any{"sub": n.id}))
		neither := g.sign(jose.ES256, newKey(g.t), g.claims(p.id, nil))
		return g.assert(other, "client_id="+p.id).is() + "; " + g.assert(neither, "client_id="+p.id).is()
	}, "401 invalid_client; 401 invalid_client", "200; 401 invalid_client"},
	{defect.Set{AssertionKeyConfusion: true}, func(g *rig) string {
		k := newKey(g.t)
		p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(k.Public())})
		der, err := x509.MarshalPKIXPublicKey(k.Public())
		if err != nil {
			g.t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		other := []byte(strings.Repeat("another secret ", 12))
		return g.assert(g.sign(jose.HS256, text, g.claims(p.id, nil)), "").is() + "; " + g.assert(g.sign(jose.HS256, other, g.claims(p.id, nil)), "").is()
	}, "401 invalid_client; 401 invalid_client", "200; 401 invalid_client"},
	{defect.Set{AssertionExpiryIgnored: true}, func(g *rig) string {
		k := newKey(g.t)
		p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(k.Public())})
		over := g.sign(jose.ES256, k, g.claims(p.id, map[string]any{"exp": g.now.Unix()}))
		elsewhere := g.sign(jose.ES256, k, g.claims(p.id, map[string]any{"aud": "https://as.example"}))
		return g.assert(over, "").is() + "; " + g.assert(elsewhere, "").is()
	}, "401 invalid_client; 401 invalid_client", "200; 200"},
	{defect.Set{AssertionReplay: true}, func(g *rig) string {
		k := newKey(g.t)
		p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(k.Public())})
		once := g.sign(jose.ES256, k, g.claims(p.id, nil))
		return g.assert(once, "").is() + "; " + g.assert(once, "").is()
	}, "200; 401 invalid_client", "200; 200"},
	// authenticate: forms, certificates, secrets, assertions and errors beside the honest path
	{defect.Set{BasicNotDecoded: true}, func(g *rig) string {
		p := g.partner()
		encoded := func(r *http.Request) { r.SetBasicAuth(fmt.Sprintf("%%%02X", p.id[0])+p.id[1:], p.secret) }
		return g.form("/token", "grant_type=client_credentials", encoded).is() + "; " + p.grant("").is()
	}, "200; 200", "401 invalid_client; 200"},
	{defect.Set{CredentialsInURI: true}, func(g *rig) string {
		p := g.register(map[string]any{"token_endpoint_auth_method": "client_secret_post"})
		query := url.Values{"client_id": {p.id}, "client_secret": {p.secret}}.Encode()
		return g.form("/token?"+query, "grant_type=client_credentials").is()
	}, "401 invalid_client", "200"},
	{defect.Set{TwoMethodsAccepted: true}, func(g *rig) string {
		p := g.partner()
		return p.grant(url.Values{"client_secret": {p.secret}}.Encode()).is()
	}, "400 invalid_request", "200"},
	{defect.Set{SelfSignedBySerial: true}, func(g *rig) string {
		registered := g.stranger("acme", ca.Options{})
		alike := g.alike(registered)
		p := g.register(map[string]any{"token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": withCertificates(registered)})
		return p.overTLS(certificate(alike)).is() + "; " + p.overTLS(certificate(g.stranger("acme", ca.Options{}))).is()
	}, "401 invalid_client; 401 invalid_client", "200; 401 invalid_client"},
	{defect.Set{CommonNameForSAN: true}, func(g *rig) string {
		p := g.register(map[string]any{"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "acme.test"})
		return p.overTLS(certificate(g.client("acme.test", ca.Options{DNSNames: []string{"beta.test"}}))).is()
	}, "401 invalid_client", "200"},
	{defect.Set{SecretExpiryIgnored: true}, func(g *rig) string {
		p := g.register(map[string]any{"client_secret_lifetime": 60})
		before := p.grant("").is()
		g.now = g.now.Add(time.Minute)
		return before + "; " + p.grant("").is()
	}, "200; 401 invalid_client", "200; 200"},
	{defect.Set{ShortSecrets: true}, func(g *rig) string {
		p := g.partner()
		return fmt.Sprint(len(p.secret)) + "; " + p.grant("").is()
	}, "43; 200", "10; 200"},
	{defect.Set{GuessingUnlimited: true}, func(g *rig) string {
		p, n := g.partner(), g.neighbour()
		for range 20 {
			g.form("/token", "grant_type=client_credentials", basic(p.id, "wrong"))
		}
		told := p.grant("").is() + "; " + n.grant("").is()
		g.now = g.now.Add(10 * time.Second)
		return told + "; " + p.grant("").is()
	}, "429 temporarily_unavailable; 200; 200", "200; 200; 200"},
	{defect.Set{FormerMethodWorks: true}, func(g *rig) string {
		p := g.partner()
		g.json("PUT", p.path(), map[string]any{
			"client_id": p.id, "token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(newKey(g.t).Public()),
		}, bearer(p.token))
		return p.grant("").is()
	}, "401 invalid_client", "200"},
	{defect.Set{AssertionTimesIgnored: true}, func(g *rig) string {
		k := newKey(g.t)
		p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(k.Public())})
		told := []string{}
		for _, claim := range []string{"nbf", "iat", "exp"} {
			ahead := g.sign(jose.ES256, k, g.claims(p.id, map[string]any{claim: g.now.Add(time.Hour).Unix()}))
			told = append(told, g.assert(ahead, "").is())
		}
		over := g.sign(jose.ES256, k, g.claims(p.id, map[string]any{"exp": g.now.Unix()}))
		return strings.Join(append(told, g.assert(over, "").is()), "; ")
	}, "401 invalid_client; 401 invalid_client; 401 invalid_client; 401 invalid_client", "200; 200; 200; 401 invalid_client"},
	{defect.Set{AssertionAudienceMixed: true}, func(g *rig) string {
		k := newKey(g.t)
		p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(k.Public())})
		mixed := g.sign(jose.ES256, k, g.claims(p.id, map[string]any{"aud": []string{issuer, "https://as.example"}}))
		return g.assert(mixed, "").is()
	}, "401 invalid_client", "200"},
	{defect.Set{AssertionAlgorithmsOpen: true}, func(g *rig) string {
		k, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		if err != nil {
			g.t.Fatal(err)
		}
		p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(k.Public())})
		return g.assert(g.sign(jose.ES384, k, g.claims(p.id, nil)), "").is()
	}, "401 invalid_client", "200"},
	{defect.Set{AssertionReplayElsewhere: true}, func(g *rig) string {
		k := newKey(g.t)
		p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(k.Public())})
		once := g.sign(jose.ES256, k, g.claims(p.id, nil))
		return g.assert(once, "").is() + "; " + g.assert(once, "").is() + "; " + g.assert(once, "").is()
	}, "200; 401 invalid_client; 401 invalid_client", "200; 200; 401 invalid_client"},
	{defect.Set{AssertionBringsKey: true}, func(g *rig) string {
		own := newKey(g.t)
		p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(newKey(g.t).Public())})
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: own}, &jose.SignerOptions{EmbedJWK: true})
		if err != nil {
			g.t.Fatal(err)
		}
		brought, err := jwt.Signed(signer).Claims(g.claims(p.id, nil)).Serialize()
		if err != nil {
			g.t.Fatal(err)
		}
		return g.assert(brought, "").is() + "; " + g.assert(g.sign(jose.ES256, own, g.claims(p.id, nil)), "").is()
	}, "401 invalid_client; 401 invalid_client", "200; 401 invalid_client"},
	{defect.Set{FrameworkErrors: true}, func(g *rig) string {
		a := g.form("/token", "grant_type=client_credentials", basic(g.partner().id, "wrong"))
		return a.is() + " " + a.header.Get("WWW-Authenticate")
	}, `401 invalid_client Basic realm="as"`, "401 Unauthorized "},
	{defect.Set{MalformedCrashes: true}, func(g *rig) string {
		pairless := header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("nobody")))
		return g.form("/token", "grant_type=client_credentials", pairless).is()
	}, "401 invalid_client", "500 server_error"},
	{defect.Set{ErrorsTellInternals: true}, func(g *rig) string {
		a := g.json("POST", "/register", map[string]any{"client_name": 17}, bearer(initial))
		return a.is() + " " + fmt.Sprint(strings.Contains(a.text("error_description"), ".java:"))
	}, "400 invalid_client_metadata false", "400 invalid_client_metadata true"},
	{defect.Set{ScopeBeyondGrant: true}, func(g *rig) string {
		p := g.partner()
		return p.grant("scope=payments:read+payments:write").text("scope") + "; " + p.grant("scope=payments:write").is()
	}, "payments:read; 400 invalid_scope", "payments:read payments:write; 400 invalid_scope"},
	{defect.Set{ScopelessToken: true}, func(g *rig) string {
		p := g.partner()
		a := p.grant("scope=payments:write")
		if a.status != http.StatusOK {
			return a.is()
		}
		_, claims := g.verified(a.text("access_token"))
		return fmt.Sprint(claims["scope"], a.body["scope"], g.introspect(a.text("access_token"))["scope"], p.grant("").text("scope"))
	}, "400 invalid_scope", "<nil> <nil> <nil>payments:read"},
	{defect.Set{ResponseStorable: true}, func(g *rig) string {
		return g.partner().grant("").header.Get("Cache-Control")
	}, "no-store", ""},
	{defect.Set{LongLivedToken: true}, func(g *rig) string {
		a := g.partner().grant("")
		_, claims := g.verified(a.text("access_token"))
		return fmt.Sprint(a.body["expires_in"], claims["exp"].(float64)-claims["iat"].(float64))
	}, "120 120", "12000 12000"},
	{defect.Set{ScopeUntold: true}, func(g *rig) string {
		a := g.partner().grant("")
		_, claims := g.verified(a.text("access_token"))
		return fmt.Sprint(a.body["scope"], "; ", claims["scope"])
	}, "payments:read; payments:read", "<nil>; payments:read"},
	{defect.Set{DefaultScopeUnbounded: true}, func(g *rig) string {
		p := g.partner()
		return p.grant("").text("scope") + "; " + p.grant("scope=payments:read").text("scope") + "; " + p.grant("scope=payments:write").is()
	}, "payments:read; payments:read; 400 invalid_scope", "payments:read payments:write; payments:read; 400 invalid_scope"},
	{defect.Set{RefreshTokenIgnored: true}, func(g *rig) string {
		p := g.partner()
		return g.form("/token", "grant_type=refresh_token&refresh_token=x", p.basic()).is() + "; " + g.form("/token", "grant_type=refresh_token", p.basic()).is()
	}, "400 unsupported_grant_type; 400 unsupported_grant_type", "200; 400 unsupported_grant_type"},
	{defect.Set{PasswordGrantAlive: true}, func(g *rig) string {
		return g.form("/token", "grant_type=password&username=x&password=y", g.partner().basic()).is()
	}, "400 unsupported_grant_type", "400 invalid_grant"},
	{defect.Set{ParameterRepeated: true}, func(g *rig) string {
		p := g.partner()
		return p.grant("scope=payments:read&scope=payments:read").is() + "; " + p.grant("grant_type=password").is() + "; " + p.grant("nonsense=1").is()
	}, "400 invalid_request; 400 invalid_request; 200", "200; 400 unsupported_grant_type; 200"},
	{defect.Set{LifetimeAsText: true}, func(g *rig) string {
		return fmt.Sprintf("%T", g.partner().grant("").body["expires_in"])
	}, "float64", "string"},
	{defect.Set{GuessableToken: true}, func(g *rig) string {
		p := g.partner()
		here, there := p.access("resource="+payments), p.access("resource="+ledger)
		return fmt.Sprint(strings.Count(here, "."), strings.Count(there, "."), " ", g.live(here), " ", g.live(there))
	}, "2 2 alive alive", "2 0 alive alive"},
	{defect.Set{CredentialsAreUUIDs: true}, func(g *rig) string {
		p := g.partner()
		there := p.access("resource=" + ledger)
		return fmt.Sprint(len(p.secret), " ", len(there) == 36, " ", g.live(there))
	}, "43 false alive", "36 true alive"},
	{defect.Set{TokensMixed: true}, func(g *rig) string {
		p, n := g.partner(), g.neighbour()
		own := 0
		for range 16 {
			for _, one := range []partner{p, n} {
				_, claims := g.verified(one.access("scope=payments:read"))
				if claims["sub"] == one.id {
					own++
				}
			}
		}
		return fmt.Sprint(own)
	}, "32", "28"},
	{defect.Set{AudienceWidened: true}, func(g *rig) string {
		return fmt.Sprint(g.introspect(g.partner().access("resource=" + payments))["aud"])
	}, payments, "[" + payments + " " + ledger + "]"},
	{defect.Set{ResourceUnchecked: true}, func(g *rig) string {
		p := g.partner()
		a := p.grant("resource=https://nowhere.example")
		if a.status != http.StatusOK {
			return a.is()
		}
		_, claims := g.verified(a.text("access_token"))
		return fmt.Sprint(claims["aud"])
	}, "400 invalid_target", "https://nowhere.example"},
	{defect.Set{ScopeOfAnyResource: true}, func(g *rig) string {
		n := g.neighbour()
		const both = "scope=payments:read+payments:write&resource="
		return n.grant(both+ledger).text("scope") + "; " + n.grant("scope=payments:write&resource="+ledger).is() + "; " + n.grant(both+payments).text("scope")
	}, "payments:read; 400 invalid_scope; payments:read payments:write", "payments:read payments:write; 200; payments:read payments:write"},
	{defect.Set{QuotaUncounted: true}, func(g *rig) string { return g.asksTooOften(time.Second) }, "200 200 429 200", "200 200 200 200"},
	{defect.Set{RetryAfterTooSoon: true}, func(g *rig) string { return g.asksTooOften(time.Second) + "; " + g.asksTooOften(time.Minute) }, "200 200 429 200; 200 200 429 200", "200 200 429 429; 200 200 429 200"},
	{defect.Set{IntrospectionScopeOfClient: true}, func(g *rig) string {
		n := g.neighbour()
		token := n.access("scope=payments:read")
		_, claims := g.verified(token)
		return fmt.Sprint(claims["scope"], "; ", g.introspect(token)["scope"])
	}, "payments:read; payments:read", "payments:read; payments:read payments:write"},
	{defect.Set{IntrospectionIgnoresExpiry: true}, func(g *rig) string {
		p := g.partner()
		token, other := p.access(""), p.access("")
		g.form("/revoke", "token="+other, p.basic())
		g.now = g.now.Add(4 * time.Hour)
		return g.live(token) + " " + g.live(other)
	}, "dead dead", "alive dead"},
	{defect.Set{IntrospectionAnyAudience: true}, func(g *rig) string {
		p := g.partner()
		ask := func(resource string) any {
			fields := url.Values{"token": {p.access("resource=" + resource)}}.Encode()
			return g.form("/introspect", fields, basic("ledger", "ledger-secret")).body["active"]
		}
		return fmt.Sprint(ask(ledger), " ", ask(payments))
	}, "true false", "true true"},
	{defect.Set{InactiveExplained: true}, func(g *rig) string {
		return fmt.Sprint(len(g.introspect("nonsense")), g.introspect(g.partner().access(""))["active"])
	}, "1 true", "2 true"},
	{defect.Set{IntrospectionByID: true}, func(g *rig) string {
		token := g.partner().access("")
		head, _, _ := strings.Cut(token, ".")
		_, rest, _ := strings.Cut(token, ".")
		payload, _, _ := strings.Cut(rest, ".")
		return fmt.Sprint(g.introspect(token)["active"], ", without its signature ", g.introspect(head + "." + payload + "." + strings.Repeat("A", 86))["active"])
	}, "true, without its signature false", "true, without its signature true"},
	{defect.Set{HintTrusted: true}, func(g *rig) string {
		p := g.partner()
		token := p.access("")
		g.now = g.now.Add(time.Second)
		g.form("/revoke", "token_type_hint=refresh_token&token="+token, p.basic())
		first := g.live(token)
		g.form("/revoke", "token_type_hint=access_token&token="+token, p.basic())
		return first + " " + g.live(token)
	}, "dead dead", "alive dead"},
	{defect.Set{PersonInToken: true}, func(g *rig) string {
		_, claims := g.verified(g.partner().access(""))
		return fmt.Sprint(claims["email"] != nil)
	}, "false", "true"},
	{defect.Set{LogUnescaped: true}, func(g *rig) string { // what the log makes of it is the log's
		g.json("POST", "/register", map[string]any{"client_name": "a\r\nb"}, bearer(initial))
		return fmt.Sprintf("%q", g.events[0].ClientName)
	}, `"a\r\nb"`, `"a\r\nb"`},
	{defect.Set{RevocationOfUnknownFails: true}, func(g *rig) string {
		p := g.partner()
		token := p.access("")
		revoke := func() string { return g.form("/revoke", "token="+token, p.basic()).is() }
		return revoke() + "; " + revoke() + "; " + g.form("/revoke", "token=nonsense", p.basic()).is()
	}, "200; 200; 200", "200; 400 invalid_request; 400 invalid_request"},
	{defect.Set{WindowIgnored: true}, func(g *rig) string {
		p := g.partner()
		g.manage("POST", "/clients/"+p.id+"/window?state=closed")
		return p.grant("").is()
	}, "400 unauthorized_client", "200"},
	{defect.Set{TokenTypeMissing: true}, func(g *rig) string {
		p := g.partner()
		h, claims := g.verified(p.access(""))
		return fmt.Sprint(h.ExtraHeaders[jose.HeaderType], " ", claims["client_id"] == p.id, " ", claims["sub"] == p.id)
	}, "at+jwt true true", "JWT false true"},
	{defect.Set{IntrospectionOpen: true}, func(g *rig) string {
		a := g.form("/introspect", "token="+g.partner().access(""))
		return fmt.Sprint(a.status, a.body["active"])
	}, "401 <nil>", "200 true"},
	{defect.Set{IntrospectionAnyClient: true}, func(g *rig) string {
		token := g.partner().access("")
		a := g.form("/introspect", "token="+token, g.neighbour().basic())
		return fmt.Sprint(a.status, a.body["active"], g.form("/introspect", "token="+token).status)
	}, "200 false 401", "200 true 401"},
	{defect.Set{GrantsUnlogged: true}, func(g *rig) string {
		p := g.partner()
		p.grant("")
		p.grant("scope=none")
		return g.actions()
	}, "register allow, grant allow, grant deny", "register allow, grant deny"},
	{defect.Set{LifecycleUnlogged: true}, func(g *rig) string {
		p := g.partner()
		a := g.json("PUT", p.path(), map[string]any{"client_id": p.id}, bearer(p.token))
		g.json("DELETE", p.path(), nil, bearer(a.text("registration_access_token")))
		return g.actions()
	}, "register allow, update allow, delete allow", "register allow"},
	{defect.Set{OldSecretWorks: true}, func(g *rig) string {
		p := g.partner()
		fresh := p
		fresh.secret = g.manage("POST", "/clients/"+p.id+"/rotate-secret").text("client_secret")
		return p.grant("").is() + "; " + fresh.grant("").is() + "; " + basicGrant(g, p.id, "never was one")
	}, "401 invalid_client; 200; 401 invalid_client", "200; 200; 401 invalid_client"},
	{defect.Set{OldKeyWorks: true}, func(g *rig) string {
		before, after := newKey(g.t), newKey(g.t)
		p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(before.Public())})
		g.json("PUT", p.path(), map[string]any{
			"client_id": p.id, "token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(after.Public()),
		}, bearer(p.token))
		return g.assert(g.sign(jose.ES256, before, g.claims(p.id, nil)), "").is() + "; " + g.assert(g.sign(jose.ES256, after, g.claims(p.id, nil)), "").is()
	}, "401 invalid_client; 200", "200; 200"},
	{defect.Set{OldCertificateWorks: true}, func(g *rig) string {
		before, after := g.stranger("acme", ca.Options{}), g.stranger("acme", ca.Options{})
		p := g.register(map[string]any{"token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": withCertificates(before)})
		g.json("PUT", p.path(), map[string]any{
			"client_id": p.id, "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": withCertificates(after),
		}, bearer(p.token))
		return p.overTLS(certificate(before)).is() + "; " + p.overTLS(certificate(after)).is()
	}, "401 invalid_client; 200", "200; 200"},
	{defect.Set{WindowKeepsTokens: true}, func(g *rig) string {
		p := g.partner()
		token := p.access("")
		g.manage("POST", "/clients/"+p.id+"/window?state=closed")
		return g.live(token) + "; " + p.grant("").is()
	}, "dead; 400 unauthorized_client", "alive; 400 unauthorized_client"},
	{defect.Set{JWTNotRevocable: true}, func(g *rig) string {
		p := g.partner()
		token := p.access("")
		return g.form("/revoke", "token="+token, p.basic()).is() + "; " + g.live(token)
	}, "200; dead", "400 unsupported_token_type; alive"},
	{defect.Set{YoungTokensSurvive: true}, func(g *rig) string {
		p := g.partner()
		token := p.access("")
		return g.form("/revoke", "token="+token, p.basic()).is() + "; " + g.live(token)
	}, "200; dead", "200; alive"},
	{defect.Set{RevocationOpen: true}, func(g *rig) string {
		token := g.partner().access("")
		return g.form("/revoke", "token="+token).is() + "; " + g.live(token)
	}, "401 invalid_client; alive", "200; dead"},
	{defect.Set{RevocationAnyClient: true}, func(g *rig) string {
		token := g.partner().access("")
		return g.form("/revoke", "token="+token, g.neighbour().basic()).is() + "; " + g.live(token) + "; " + g.form("/revoke", "token="+token).is()
	}, "400 invalid_request; alive; 401 invalid_client", "200; dead; 401 invalid_client"},
	{defect.Set{ReductionKeepsTokens: true}, func(g *rig) string {
		p := g.neighbour()
		wide, narrow := p.access(""), p.access("scope=payments:read")
		g.manage("POST", "/clients/"+p.id+"/entitlement?remove=payments:write")
		return g.live(wide) + " " + g.live(narrow) + "; " + p.grant("").text("scope")
	}, "dead alive; payments:read", "alive alive; payments:read"},
	{defect.Set{SuspendKeepsTokens: true}, func(g *rig) string {
		p := g.partner()
		token := p.access("")
		g.manage("POST", "/clients/"+p.id+"/suspend")
		return g.live(token) + "; " + p.grant("").is()
	}, "dead; 401 invalid_client", "alive; 401 invalid_client"},
	{defect.Set{ResumeRevives: true}, func(g *rig) string {
		p := g.partner()
		token, revoked := p.access(""), p.access("")
		g.form("/revoke", "token="+revoked, p.basic())
		g.manage("POST", "/clients/"+p.id+"/suspend")
		during := g.live(token)
		g.manage("POST", "/clients/"+p.id+"/resume")
		return during + " " + g.live(token) + " " + g.live(revoked) + "; " + p.grant("").is()
	}, "dead dead dead; 200", "dead alive dead; 200"},
	{defect.Set{DeleteKeepsTokens: true}, func(g *rig) string {
		p := g.partner()
		token := p.access("")
		g.json("DELETE", p.path(), nil, bearer(p.token))
		jtis, gone := g.feed()
		return g.live(token) + fmt.Sprint(len(jtis), len(gone)) + "; " + p.grant("").is() + "; " + g.json("GET", p.path(), nil, bearer(p.token)).is()
	}, "dead1 1; 401 invalid_client; 401 invalid_token", "alive0 0; 401 invalid_client; 401 invalid_token"},
	{defect.Set{DeletedClientLives: true}, func(g *rig) string {
		p := g.partner()
		token := p.access("")
		g.json("DELETE", p.path(), nil, bearer(p.token))
		a := p.grant("")
		if a.status == http.StatusOK {
			return g.live(token) + "; " + g.live(a.text("access_token"))
		}
		return g.live(token) + "; " + a.is()
	}, "dead; 401 invalid_client", "dead; alive"},
	{defect.Set{SuspendIgnored: true}, func(g *rig) string {
		p := g.partner()
		token := p.access("")
		g.manage("POST", "/clients/"+p.id+"/suspend")
		return g.live(token) + "; " + p.grant("").is()
	}, "dead; 401 invalid_client", "dead; 200"},
	{defect.Set{RegistrationTokenSurvives: true}, func(g *rig) string {
		p := g.partner()
		g.json("DELETE", p.path(), nil, bearer(p.token))
		return g.json("GET", p.path(), nil, bearer(p.token)).is() + "; " + g.json("DELETE", p.path(), nil, bearer(p.token)).is() + "; " + p.grant("").is()
	}, "401 invalid_token; 401 invalid_token; 401 invalid_client", "200; 401 invalid_token; 401 invalid_client"},
	{defect.Set{DeleteForgetsOldTokens: true}, func(g *rig) string {
		p := g.partner()
		old := p.access("")
		a := g.json("PUT", p.path(), map[string]any{"client_id": p.id}, bearer(p.token))
		young := p.access("")
		g.json("DELETE", p.path(), nil, bearer(a.text("registration_access_token")))
		return g.live(old) + " " + g.live(young) + "; " + p.grant("").is()
	}, "dead dead; 401 invalid_client", "alive dead; 401 invalid_client"},
	{defect.Set{DefaultScopeAdded: true}, func(g *rig) string {
		a := g.partner().grant("scope=payments:read")
		_, claims := g.verified(a.text("access_token"))
		return fmt.Sprint(a.text("scope"), "; ", claims["scope"])
	}, "payments:read; payments:read", "payments:read reports:read; payments:read reports:read"},
	{defect.Set{EndedApprovalGranted: true}, func(g *rig) string {
		return g.partner().grant("scope=payments:read").text("scope")
	}, "payments:read", "payments:read payments:history"},
	{defect.Set{UnusedScopeGranted: true}, func(g *rig) string {
		return g.partner().grant("scope=payments:read").text("scope")
	}, "payments:read", "payments:read payments:export"},
	{defect.Set{OrgFromName: true}, func(g *rig) string {
		p := g.register(map[string]any{"client_name": "globex ride", "organization": "acme"})
		_, claims := g.verified(p.access(""))
		return fmt.Sprint(claims["org"], " ", claims["org_id"], " ", g.manage("GET", "/clients/"+p.id+"/facts").text("org_id"))
	}, "acme urn:partner:acme urn:partner:acme", "acme urn:partner:globex urn:partner:acme"},
	{defect.Set{RoleKeepsTokens: true}, func(g *rig) string {
		p := g.partner()
		token := p.access("")
		_, before := g.verified(token)
		g.manage("POST", "/clients/"+p.id+"/role?remove=reader")
		_, after := g.verified(p.access(""))
		return fmt.Sprint(before["roles"], after["roles"]) + " " + g.live(token)
	}, "[reader] <nil> dead", "[reader] <nil> alive"},
	{defect.Set{WindowStartIgnored: true}, func(g *rig) string { return g.scheduled() }, "400 unauthorized_client; 200 alive; 400 unauthorized_client dead", "200; 200 alive; 400 unauthorized_client dead"},
	{defect.Set{WindowEndIgnored: true}, func(g *rig) string { return g.scheduled() }, "400 unauthorized_client; 200 alive; 400 unauthorized_client dead", "400 unauthorized_client; 200 alive; 200 alive"},
	{defect.Set{SecretFromClock: true}, func(g *rig) string {
		one, other := g.partner(), g.neighbour()
		g.now = g.now.AddDate(0, 0, 1)
		return fmt.Sprint(one.secret == other.secret, one.secret == g.partner().secret)
	}, "false false", "true false"},
	{defect.Set{OtherEnvironmentKnown: true}, func(g *rig) string {
		return basicGrant(g, "elsewhere", "secret of elsewhere") + "; " + basicGrant(g, "elsewhere", "another secret")
	}, "401 invalid_client; 401 invalid_client", "200; 401 invalid_client"},
	{defect.Set{WithdrawnCertificateWorks: true}, func(g *rig) string {
		p, gone, stays := g.bySubject("CN=acme"), g.client("acme", ca.Options{}), g.client("acme", ca.Options{})
		sum := sha256.Sum256(gone.Leaf.Raw)
		g.partners.Withdraw(base64.RawURLEncoding.EncodeToString(sum[:]))
		return p.overTLS(certificate(gone)).is() + "; " + p.overTLS(certificate(stays)).is()
	}, "401 invalid_client; 200", "200; 200"},
}

// scheduled is the life of a window that opens in ten seconds and closes ten seconds later.
func (g *rig) scheduled() string {
	p, start := g.partner(), g.now
	at := func(d time.Duration) string { return start.Add(d).Format(time.RFC3339Nano) }
	g.manage("POST", "/clients/"+p.id+"/window?from="+at(10*time.Second)+"&until="+at(20*time.Second))
	before := p.grant("").is()
	g.now = start.Add(10 * time.Second)
	during := p.grant("")
	token := during.text("access_token")
	told := before + "; " + during.is() + " " + g.live(token)
	g.now = start.Add(20 * time.Second)
	return told + "; " + p.grant("").is() + " " + g.live(token)
}

func basicGrant(g *rig, id, secret string) string {
	return g.form("/token", "grant_type=client_credentials", basic(id, secret)).is()
}

func (g *rig) actions() string {
	all := []string{}
	for _, e := range g.events {
		all = append(all, e.Action+" "+e.Decision)
	}
	return strings.Join(all, ", ")
}

func nameOf(d defect.Set) string {
	names := []string{}
	v := reflect.ValueOf(d)
	for i := range v.NumField() {
		if !v.Field(i).IsZero() {
			names = append(names, v.Type().Field(i).Name)
		}
	}
	return strings.Join(names, "+")
}

func TestDefectsBreakWhatTheySayAndNothingMore(t *testing.T) {
	for _, row := range defectRows {
		t.Run(nameOf(row.set), func(t *testing.T) {
			if got := row.story(newRig(t, defect.Set{}, defect.Situation{})); got != row.healthy {
				t.Errorf("healthy: %q, want %q", got, row.healthy)
			}
			if got := row.story(newRig(t, row.set, defect.Situation{})); got != row.broken {
				t.Errorf("broken: %q, want %q", got, row.broken)
			}
		})
	}
}

// No defect changes the story of another, or the two switches are one; but for these, whose stories go through what the
// other breaks. Of the pairs that are not named one in eight is tried, each defect with another eighth of the stories, and
// all of them where the whole matrix is asked for (CHECKRIDE_MATRIX): their number grows with the square of the defects.
func TestDefectsLeaveEachOtherAlone(t *testing.T) {
	through := map[string][]string{ // defect -> rows whose story it changes
		"AnyTrustedCertificate":    {"ChainNotVerified", "CommonNameForSAN"},
		"IssuerMismatch":           {"IssuerBehindProxy"},
		"RequestClaimsIgnored":     {"RequestUnverified"}, // who verifies nothing reads no claims
		"RequestUnverified":        {"RequestClaimsIgnored"},
		"AssertionKeyByIssuer":     {"AssertionSubjectIgnored"}, // both take an assertion whose iss and sub differ
		"AssertionSubjectIgnored":  {"AssertionKeyByIssuer"},
		"IssuerBehindProxy":        {"IssuerMismatch"},
		"QuotaUncounted":           {"RetryAfterTooSoon"},
		"RetryAfterTooSoon":        {"QuotaUncounted"},
		"ShortSecrets":             {"CredentialsAreUUIDs"},
		"CredentialsAreUUIDs":      {"ShortSecrets", "GuessableToken"},
		"ChainNotVerified":         {"AnyTrustedCertificate", "CertificateExpiryIgnored", "CertificateUsageIgnored"},
		"AssertionExpiryIgnored":   {"AssertionTimesIgnored", "AssertionAudienceMixed"},
		"AssertionReplay":          {"AssertionReplayElsewhere"},
		"AssertionReplayElsewhere": {"AssertionReplay"},
		// whoever is refused hears it in the framework's words
		"FrameworkErrors": {
			"SecretForEveryMethod", "UpdateTakesSecret", "SecretIgnored", "SecretExpiryIgnored", "FormerMethodWorks", "MalformedCrashes", "OldSecretWorks", "DeleteKeepsTokens",
			"DeletedClientLives", "RegistrationTokenSurvives", "DeleteForgetsOldTokens", "OtherEnvironmentKnown",
		},
		"OpenRegistration":           {"InitialAccessTokenStateless"},
		"StatementUnverified":        {"StatementOptional"},
		"ScopelessToken":             {"RegisteredScopeIgnored", "ScopeBeyondGrant", "DefaultScopeUnbounded", "GrantsUnlogged"},
		"GrantsUnfiltered":           {"UpdateUnfiltered"},
		"RegisteredScopeUnfiltered":  {"UpdateUnfiltered"},
		"UpdateForgotten":            {"OldRegistrationTokenWorks", "FormerMethodWorks", "OldKeyWorks", "OldCertificateWorks"},
		"DeleteUnsupported":          {"ReregistrationRevives", "LifecycleUnlogged", "DeleteKeepsTokens", "DeletedClientLives", "RegistrationTokenSurvives", "DeleteForgetsOldTokens"},
		"ScopeUntold":                {"RegisteredScopeUnfiltered", "ExchangeWidens", "ScopeBeyondGrant", "DefaultScopeUnbounded", "ScopeOfAnyResource", "ReductionKeepsTokens", "DefaultScopeAdded", "EndedApprovalGranted", "UnusedScopeGranted"},
		"DefaultScopeUnbounded":      {"RegisteredScopeUnfiltered", "ExchangeWidens", "ScopeUntold", "ReductionKeepsTokens"},
		"IntrospectionIgnoresExpiry": {"WindowStartIgnored", "WindowEndIgnored"},
		"LifetimeAsText":             {"LongLivedToken"},
		"AudienceWidened":            {"ResourceUnchecked", "IntrospectionAnyAudience"},
		"WindowIgnored":              {"WindowKeepsTokens", "WindowStartIgnored", "WindowEndIgnored"},
		"DefaultScopeAdded":          {"RegisteredScopeUnfiltered", "ScopeBeyondGrant", "ScopeUntold", "DefaultScopeUnbounded", "ScopeOfAnyResource", "IntrospectionScopeOfClient", "ReductionKeepsTokens", "EndedApprovalGranted", "UnusedScopeGranted"},
		"EndedApprovalGranted":       {"RegisteredScopeUnfiltered", "ScopeBeyondGrant", "ScopeUntold", "DefaultScopeUnbounded", "ScopeOfAnyResource", "IntrospectionScopeOfClient", "ReductionKeepsTokens", "DefaultScopeAdded", "UnusedScopeGranted"},
		"UnusedScopeGranted":         {"RegisteredScopeUnfiltered", "ScopeBeyondGrant", "ScopeUntold", "DefaultScopeUnbounded", "ScopeOfAnyResource", "IntrospectionScopeOfClient", "ReductionKeepsTokens", "DefaultScopeAdded", "EndedApprovalGranted"},
		"WindowStartIgnored":         {"WindowEndIgnored"},
		"WindowEndIgnored":           {"WindowStartIgnored"},
		"IntrospectionOpen":          {"IntrospectionAnyClient"},
		"JWTNotRevocable":            {"ExchangeOfRevoked", "HintTrusted", "RevocationOfUnknownFails", "YoungTokensSurvive", "RevocationAnyClient"},
		"YoungTokensSurvive":         {"ExchangeOfRevoked", "JWTNotRevocable"},
		"RevocationOpen":             {"RevocationAnyClient"},
		"SuspendKeepsTokens":         {"ResumeRevives", "SuspendIgnored"},
		"DeleteKeepsTokens":          {"ReregistrationRevives", "DeletedClientLives", "DeleteForgetsOldTokens"},
		"DeletedClientLives":         {"DeleteKeepsTokens", "RegistrationTokenSurvives", "DeleteForgetsOldTokens"},
		"SuspendIgnored":             {"SuspendKeepsTokens"},
		"RenewedCertificateUnknown":  {"WithdrawnCertificateWorks"},
		"RegistrationTokenSurvives":  {"ReregistrationRevives", "DeleteKeepsTokens"},
	}
	all := os.Getenv("CHECKRIDE_MATRIX") != ""
	for i, other := range defectRows {
		name := nameOf(other.set)
		changed := []string{}
		for j, row := range defectRows {
			if reflect.DeepEqual(row.set, other.set) {
				continue
			}
			if !all && (i+j)%8 != 0 && !slices.Contains(through[name], nameOf(row.set)) {
				continue
			}
			if got := row.story(newRig(t, other.set, defect.Situation{})); got != row.healthy {
				changed = append(changed, nameOf(row.set))
			}
		}
		if !slices.Equal(changed, through[name]) {
			t.Errorf("%s changes the stories of %q, want %q", name, changed, through[name])
		}
	}
}

const wellKnown = "/.well-known/oauth-authorization-server"

func alias(g *rig) *url.URL {
	aliases, _ := g.send(g.protocol, "GET", wellKnown, "", "").body["mtls_endpoint_aliases"].(map[string]any)
	address, err := url.Parse(fmt.Sprint(aliases["introspection_endpoint"]))
	if err != nil {
		g.t.Fatal(err)
	}
	return address
}

func (g *rig) publishes(kid string) bool {
	return strings.Contains(g.send(g.protocol, "GET", "/jwks", "", "").raw, kid)
}

// oneRSAKey is made once: it is dear, and every story is told many times.
var oneRSAKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func (g *rig) rsaAssertion(alg jose.SignatureAlgorithm) string {
	k, err := oneRSAKey()
	if err != nil {
		g.t.Fatal(err)
	}
	p := g.register(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": keySet(k.Public())})
	return g.assert(g.sign(alg, k, g.claims(p.id, nil)), "").is()
}

// pointedAt tells what is answered to a JWT whose header points to a key set by jku, then by x5u, and how often it was
// fetched so far.
func pointedAt(g *rig, send func(named string) string) string {
	g.keys.sets = map[string]any{elsewhere: keySet(newKey(g.t).Public())}
	var told []string
	for _, named := range []string{"jku", "x5u"} {
		told = append(told, fmt.Sprintf("%s, %d fetches", send(named), g.keys.fetches))
	}
	return strings.Join(told, "; ")
}

const elsewhere = "https://elsewhere.example/keys"

// pointing is a JWT of a stranger whose header names an address.
func pointing(g *rig, named string) string {
	options := (&jose.SignerOptions{}).WithHeader(jose.HeaderKey(named), elsewhere)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: newKey(g.t)}, options)
	if err != nil {
		g.t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(g.claims("nobody", map[string]any{"iss": "https://directory.sandbox.test"})).Serialize()
	if err != nil {
		g.t.Fatal(err)
	}
	return text
}

// asksTooOften is what a client with a quota of two requests in a second is answered to three at once, and to one more
// after a while.
func (g *rig) asksTooOften(later time.Duration) string {
	p := g.register(map[string]any{"client_name": "acme", "requests_per_second": 2})
	ask := func() string {
		a := p.grant("scope=payments:read")
		if a.status == http.StatusTooManyRequests && a.header.Get("Retry-After") != "1" {
			g.t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
		}
		return fmt.Sprint(a.status)
	}
	all := []string{ask(), ask(), ask()}
	g.now = g.now.Add(later)
	return strings.Join(append(all, ask()), " ")
}
