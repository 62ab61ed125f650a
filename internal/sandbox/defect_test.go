package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/ca"
	"github.com/go-jose/go-jose/v4"
)

// TestEachDefectChangesWhatItSays plays the same probe against a healthy sandbox, where it must see nothing, and after
// the defect was switched on.
func TestEachDefectChangesWhatItSays(t *testing.T) {
	partner := func(w *world) (*someone, string) {
		p := w.partner("partner", "payments:read")
		return p, p.token(mainAS)
	}
	for _, row := range []struct {
		name   string
		defect defect.Set
		sees   func(w *world) bool
	}{
		{"binding optional", defect.Set{BindingOptional: true}, func(w *world) bool {
			p, token := partner(w)
			return accepted(p.with(nil).list(edgePoint, token))
		}},
		{"binding any certificate", defect.Set{BindingAnyCertificate: true}, func(w *world) bool {
			p, token := partner(w)
			return accepted(p.with(w.certificate("thief", ca.Options{})).list(edgePoint, token))
		}},
		{"cache skips binding", defect.Set{CacheSkipsBinding: true}, func(w *world) bool {
			p, token := partner(w)
			p.list(gatewayOne, token)
			return accepted(p.with(w.certificate("thief", ca.Options{})).list(gatewayOne, token))
		}},
		{"unbound accepted", defect.Set{UnboundAccepted: true}, func(w *world) bool {
			p := w.signer("partner", nil)
			return accepted(p.list(edgePoint, p.token(mainAS)))
		}},
		{"point trusts certificate header: RFC 9440", defect.Set{PointTrustsCertificateHeader: true}, func(w *world) bool {
			p, token := partner(w)
			return accepted(p.with(nil).list(gatewayOne, token, "Client-Cert", ":"+base64.StdEncoding.EncodeToString(p.certificate.Leaf.Raw)+":"))
		}},
		{"point trusts certificate header: Envoy", defect.Set{PointTrustsCertificateHeader: true}, func(w *world) bool {
			p, token := partner(w)
			return accepted(p.with(nil).list(gatewayOne, token, "X-Forwarded-Client-Cert", `By=spiffe://x;Cert="`+escapedPEM(p)+`";Subject="CN=x"`))
		}},
		{"point trusts certificate header: nginx", defect.Set{PointTrustsCertificateHeader: true}, func(w *world) bool {
			p, token := partner(w)
			return accepted(p.with(nil).list(gatewayOne, token, "X-SSL-Client-Cert", escapedPEM(p)))
		}},
		{"point trusts certificate header: hash", defect.Set{PointTrustsCertificateHeader: true}, func(w *world) bool {
			p, token := partner(w)
			sum := sha256.Sum256(p.certificate.Leaf.Raw)
			return accepted(p.with(nil).list(gatewayOne, token, "X-Client-Cert-Hash", base64.RawURLEncoding.EncodeToString(sum[:])))
		}},
		{"quota shuts address", defect.Set{QuotaShutsAddress: true}, func(w *world) bool {
			p, token := partner(w)
			greedy := w.partnerWith("greedy", "payments:read", map[string]any{"requests_per_second": 2})
			theirs := greedy.token(mainAS)
			held := 0
			for range 3 {
				if greedy.list(gatewayOne, theirs).status == 429 {
					held++
				}
			}
			if held != 1 {
				w.t.Errorf("%d of 3 calls are held off, with a quota of 2", held)
			}
			return p.list(gatewayOne, token).status == 429
		}},
		{"partner renamed", defect.Set{PartnerRenamed: true}, func(w *world) bool {
			p, token := partner(w)
			return p.list(legacyOne, token).text("seen.client_id") == strings.ToUpper(p.id)[:8]
		}},
		{"public route", defect.Set{PublicRoute: true}, func(w *world) bool {
			p := w.partner("partner", "payments:read")
			return p.list(gatewayOne, "").text("seen.client_id") == "anonymous"
		}},
		{"signature ignored", defect.Set{SignatureIgnored: true}, func(w *world) bool {
			p, token := partner(w)
			header, claims, signature := taken(w.t, token)
			claims["client_id"] = "someone"
			return p.list(edgePoint, put(w.t, header, claims, signature)).text("seen.client_id") == "someone"
		}},
		{"alg none", defect.Set{AlgNone: true}, func(w *world) bool {
			p, token := partner(w)
			header, claims, _ := taken(w.t, token)
			header["alg"] = "none"
			if accepted(p.list(edgePoint, put(w.t, header, claims, ""))) {
				w.t.Error("none itself is accepted")
			}
			header["alg"] = "nOnE"
			return accepted(p.list(edgePoint, put(w.t, header, claims, "")))
		}},
		{"key confusion", defect.Set{KeyConfusion: true}, func(w *world) bool {
			p, token := partner(w)
			header, claims, _ := taken(w.t, token)
			header["alg"] = "HS256"
			input := strings.TrimSuffix(put(w.t, header, claims, ""), ".")
			mac := hmac.New(sha256.New, publicPEM(w, header["kid"]))
			mac.Write([]byte(input))
			return accepted(p.list(edgePoint, input+"."+base64.RawURLEncoding.EncodeToString(mac.Sum(nil))))
		}},
		{"embedded key", defect.Set{EmbeddedKey: true}, func(w *world) bool {
			p, token := partner(w)
			_, claims, _ := taken(w.t, token)
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				w.t.Fatal(err)
			}
			header := map[string]any{"typ": "at+jwt", "kid": "mine", "jwk": jose.JSONWebKey{Key: key.Public()}}
			return accepted(p.list(edgePoint, sign(w.t, key, jose.ES256, header, claims)))
		}},
		{"issuer union", defect.Set{IssuerUnion: true}, func(w *world) bool {
			p := w.partner("partner", "payments:read")
			p.registerAt(otherAS)
			return accepted(p.list(edgePoint, p.token(otherAS, edgePoint)))
		}},
		{"audience ignored", defect.Set{AudienceIgnored: true}, func(w *world) bool {
			p := w.partner("partner", "payments:read")
			return accepted(p.list(edgePoint, p.token(mainAS, gatewayOne)))
		}},
		{"scope ignored", defect.Set{ScopeIgnored: true}, func(w *world) bool {
			p, token := partner(w)
			return p.call(gatewayOne, "POST", "/payments", token).status == 422
		}},
		{"object owner ignored", defect.Set{ObjectOwnerIgnored: true}, func(w *world) bool {
			p, token := partner(w)
			if accepted(p.call(gatewayOne, "GET", "/partners/someone/statement", token)) {
				w.t.Error("behind gateway too")
			}
			return accepted(p.call(edgePoint, "GET", "/partners/someone/statement", token))
		}},
		{"identity header passed", defect.Set{IdentityHeaderPassed: true}, func(w *world) bool {
			p, token := partner(w)
			return p.list(legacyOne, token, "X-Client-Id", "someone").text("seen.client_id") == "someone"
		}},
		{"identity header passed with an underscore", defect.Set{IdentityHeaderPassed: true}, func(w *world) bool {
			p, token := partner(w)
			return p.list(legacyOne, token, "x_client_id", "someone").text("seen.client_id") == "someone"
		}},
		{"origin open", defect.Set{OriginOpen: true}, func(w *world) bool {
			p := w.partner("partner", "payments:read")
			return accepted(p.list(theAPI, ""))
		}},
		{"challenge missing", defect.Set{ChallengeMissing: true}, func(w *world) bool {
			p := w.partner("partner", "payments:read")
			a := p.list(gatewayOne, "nonsense")
			return a.status == 401 && a.header.Get("WWW-Authenticate") == ""
		}},
		{"query token", defect.Set{QueryToken: true}, func(w *world) bool {
			p, token := partner(w)
			return accepted(p.call(legacyOne, "GET", "/payments?access_token="+token, ""))
		}},
		{"shared cache", defect.Set{SharedCache: true}, func(w *world) bool {
			p, token := partner(w)
			p.list(gatewayOne, token)
			return p.with(nil).list(gatewayOne, "").text("seen.client_id") == p.id
		}},
		{"any JWT is a token", defect.Set{AnyJWTIsAToken: true}, func(w *world) bool {
			p := w.signer("partner", nil)
			return p.list(edgePoint, p.assertion(mainAS)).text("seen.client_id") == p.id
		}},
		{"scopeless token", defect.Set{ScopelessToken: true}, func(w *world) bool {
			if !w.sandbox.live().ScopelessToken {
				return false // the authorization server gives no such token
			}
			p := w.partner("partner", "payments:read")
			token := p.scopeless()
			for _, point := range points() {
				if p.call(point, "POST", "/payments", token).status != 422 {
					return false
				}
			}
			return true
		}},
		{"denials unlogged", defect.Set{DenialsUnlogged: true}, func(w *world) bool {
			p := w.partner("partner", "payments:read")
			_, before := w.last(legacyOne)
			p.list(legacyOne, "garbage")
			_, after := w.last(legacyOne)
			return after == before
		}},
		{"token in log", defect.Set{TokenInLog: true}, func(w *world) bool {
			p, token := partner(w)
			p.list(gatewayOne, token)
			r, _ := w.last(gatewayOne)
			text, err := json.Marshal(r)
			return err == nil && strings.Contains(string(text), token)
		}},
		{"keys never refetched", defect.Set{KeysNeverRefetched: true}, func(w *world) bool {
			p, token := partner(w)
			header, _, _ := taken(w.t, token)
			w.manage("DELETE", "/keys/"+header["kid"].(string))
			time.Sleep(2 * time.Second)
			if !accepted(p.list(edgePoint, p.token(mainAS))) {
				w.t.Error("the new key is not trusted")
			}
			return accepted(p.list(edgePoint, token))
		}},
		{"expiry ignored", defect.Set{ExpiryIgnored: true}, func(w *world) bool {
			p, token := partner(w)
			time.Sleep(time.Minute)
			return accepted(p.list(edgePoint, token))
		}},
		{"token cache", defect.Set{TokenCache: 6 * time.Second}, func(w *world) bool {
			p, token := partner(w)
			p.list(gatewayOne, token)
			w.revoke(p, token)
			time.Sleep(5 * time.Second)
			return accepted(p.list(gatewayOne, token))
		}},
		{"feed stopped", defect.Set{FeedStopped: true}, func(w *world) bool {
			p, token := partner(w)
			w.revoke(p, token)
			time.Sleep(5 * time.Second)
			return accepted(p.list(edgePoint, token))
		}},
		{"leftover API key", defect.Set{LeftoverAPIKey: true}, func(w *world) bool {
			p := w.partner("partner", "payments:read")
			key := w.manage("POST", "/clients/"+p.id+"/api-key").text("api_key")
			w.manage("DELETE", "/clients/"+p.id+"/api-key")
			return accepted(p.list(legacyOne, "", "X-Api-Key", key))
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			inBubble(t, defect.Set{}, defect.Situation{}, func(w *world) {
				if row.sees(w) {
					t.Error("seen in a healthy sandbox")
				}
				time.Sleep(3 * time.Second)
				w.sandbox.SetDefects(row.defect)
				if !row.sees(w) {
					t.Error("not seen with the defect")
				}
			})
		})
	}
}

func TestSituationsTrapTheNaive(t *testing.T) {
	partner := func(w *world) (*someone, string) {
		p := w.partner("partner", "payments:read")
		return p, p.token(mainAS)
	}
	for _, row := range []struct {
		name      string
		situation defect.Situation
		play      func(w *world)
	}{
		{"WAF", defect.Situation{WAF: true}, func(w *world) {
			p, token := partner(w)
			header, claims, signature := taken(w.t, token)
			header["alg"] = "none"
			_, before := w.last(gatewayOne)
			for _, a := range []answer{p.list(gatewayOne, put(w.t, header, claims, signature)), p.list(gatewayOne, token, "X-Long", strings.Repeat("x", 5000))} {
				if a.status != 403 || strings.Contains(a.body, "gateway") || !strings.Contains(a.body, "blocked") {
					w.t.Errorf("%d %s", a.status, a.body)
				}
			}
			if _, after := w.last(gatewayOne); after != before {
				w.t.Error("gateway logged what it never saw")
			}
			if !accepted(p.list(gatewayOne, token)) {
				w.t.Error("control is refused")
			}
		}},
		{"cache in front", defect.Situation{CacheInFront: true}, func(w *world) {
			p, token := partner(w)
			if a := p.list(edgePoint, token); !accepted(a) || a.header.Get("Age") != "" {
				w.t.Errorf("first: %d %v", a.status, a.header)
			}
			a := p.list(edgePoint, token, "Traceparent", strings.ReplaceAll(traceparent, "0123", "4567"))
			if a.text("seen.trace") != trace || a.header.Get("Age") == "" {
				w.t.Errorf("second: %s %v", a.body, a.header)
			}
			time.Sleep(2 * time.Second)
			if a := p.list(edgePoint, token); !accepted(a) || a.header.Get("Age") != "" {
				w.t.Errorf("later: %d %v", a.status, a.header)
			}
			if accepted(p.list(edgePoint, "")) {
				w.t.Error("served without Authorization")
			}
		}},
		{"missing route", defect.Situation{MissingRoute: true}, func(w *world) {
			n := w.partner("neighbour", "payments:read payments:write")
			token := n.token(mainAS)
			if got := n.call(gatewayOne, "POST", "/payments", token).status; got != 404 {
				w.t.Errorf("of who may: %d", got)
			}
			if got := n.call(gatewayOne, "POST", "/payments", "").status; got != 404 {
				w.t.Errorf("of nobody: %d", got)
			}
			if !accepted(n.list(gatewayOne, token)) {
				w.t.Error("the other route is gone too")
			}
		}},
		{"rate limit", defect.Situation{RateLimit: 3}, func(w *world) {
			p, token := partner(w)
			var last answer
			for range 4 {
				last = p.list(gatewayOne, token)
			}
			if last.status != 429 || last.header.Get("Retry-After") == "" {
				w.t.Errorf("%d %v", last.status, last.header)
			}
			time.Sleep(time.Second)
			if !accepted(p.list(gatewayOne, token)) {
				w.t.Error("refused in the next second")
			}
		}},
		{"ban", defect.Situation{BanAfter: 3}, func(w *world) {
			p, token := partner(w)
			for range 3 {
				p.list(gatewayOne, "garbage")
			}
			if got := p.list(gatewayOne, token).status; got != 403 {
				w.t.Errorf("%d", got)
			}
			if !accepted(p.list(edgePoint, token)) {
				w.t.Error("banned at edge too")
			}
		}},
		{"duplicate log", defect.Situation{DuplicateLog: true}, func(w *world) {
			p, token := partner(w)
			p.list(gatewayOne, token)
			all := w.records(gatewayOne)
			if len(all) != 2 || all[0]["id"] != all[1]["id"] {
				w.t.Errorf("%v", all)
			}
		}},
		{"connection sticky", defect.Situation{ConnectionSticky: true}, func(w *world) {
			p, token := partner(w)
			w.revoke(p, token)
			time.Sleep(time.Second)
			kept := *p
			kept.http = w.client(p.certificate, true)
			for range 4 {
				if accepted(kept.list(edgePoint, token)) {
					w.t.Error("the healthy replica lets a revoked token in")
				}
			}
			if !accepted(p.list(edgePoint, token)) {
				w.t.Error("a fresh connection does not meet the other replica")
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) { inBubble(t, defect.Set{}, row.situation, row.play) })
	}
}

func escapedPEM(p *someone) string {
	return url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.certificate.Leaf.Raw})))
}

// publicPEM is the text of one of the authorization server's public keys.
func publicPEM(w *world, kid any) []byte {
	w.t.Helper()
	var set jose.JSONWebKeySet
	a := w.do(w.client(nil, false), "GET", w.sandbox.url(mainAS)+"/jwks", nil, "")
	err := json.Unmarshal([]byte(a.body), &set)
	if err != nil {
		w.t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(set.Key(kid.(string))[0].Key)
	if err != nil {
		w.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
