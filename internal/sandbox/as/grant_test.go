package as_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/as"
	"github.com/checkride/checkride/internal/sandbox/trust"
)

const (
	tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
	jwtBearer     = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	accessToken   = "urn:ietf:params:oauth:token-type:access_token"
)

// An exchanger is a rig whose server knows more grants than client credentials, and a partner that is registered for them.
type exchanger struct {
	partner
	vouches *trust.Directory
}

func (g *rig) exchanger() exchanger {
	g.t.Helper()
	vouches, err := trust.New("https://idp.sandbox.test")
	if err != nil {
		g.t.Fatal(err)
	}
	g.server, err = as.New(as.Config{
		Issuer: issuer, PartnerCAs: g.partners.Pool(), InitialAccessToken: initial, Resources: []string{payments, ledger}, Grantable: []string{"payments:read"},
		ResourceServers: []as.Static{{ID: "edge", Secret: "edge-secret"}}, Defects: func() defect.Set { return g.defects }, Now: func() time.Time { return g.now },
		Exchanges: true, GrantIssuer: &as.Trust{Issuer: vouches.Issuer(), Keys: vouches.Keys},
	})
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(g.server.Close)
	g.protocol, g.operator = g.server.Handler(), g.server.Management()
	return exchanger{g.register(map[string]any{"client_name": "acme", "grant_types": []string{"client_credentials", tokenExchange, jwtBearer}}), vouches}
}

// exchange exchanges a subject token; more replaces or adds fields of the form, and an empty one takes it out.
func (e exchanger) exchange(subject string, more map[string]string) reply {
	e.g.t.Helper()
	fields := map[string]string{
		"grant_type": tokenExchange, "subject_token": subject, "subject_token_type": accessToken,
		"actor_token": e.access(""), "actor_token_type": accessToken,
	}
	for name, value := range more {
		fields[name] = value
	}
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	return e.g.form("/token", form.Encode(), e.basic())
}

func (e exchanger) assert(changes map[string]any, alter func(string) string) reply {
	e.g.t.Helper()
	claims := map[string]any{"sub": e.id, "aud": issuer}
	for name, value := range changes {
		claims[name] = value
	}
	text, err := e.vouches.Sign(claims, e.g.now)
	if err != nil {
		e.g.t.Fatal(err)
	}
	if alter != nil {
		text = alter(text)
	}
	return e.g.form("/token", url.Values{"grant_type": {jwtBearer}, "assertion": {text}}.Encode(), e.basic())
}

func exchangeOfAnyone(g *rig) string {
	e := g.exchanger()
	return e.exchange(e.access(""), nil).is() + "; " + e.exchange(g.neighbour().access(""), nil).is()
}

func exchangeUnverified(g *rig) string {
	e := g.exchanger()
	return e.exchange(tampered(e.access("")), nil).is() + "; " + e.exchange("", nil).is()
}

func exchangeOfRevoked(g *rig) string {
	e := g.exchanger()
	subject := e.access("")
	before := e.exchange(subject, nil).is()
	g.form("/revoke", url.Values{"token": {subject}}.Encode(), e.basic())
	return before + "; " + e.exchange(subject, nil).is()
}

func exchangeWidens(g *rig) string {
	e := g.exchanger()
	subject := e.access("")
	wide := e.exchange(subject, map[string]string{"scope": "payments:read payments:write"})
	return wide.text("scope") + "; " + e.exchange(subject, map[string]string{"resource": "https://nowhere.test"}).is() + "; " + e.exchange(subject, map[string]string{"audience": ledger}).is()
}

func actorIgnored(g *rig) string {
	e := g.exchanger()
	subject := e.access("")
	return e.exchange(subject, map[string]string{"actor_token": "", "actor_token_type": ""}).is() + "; " + e.exchange(subject, map[string]string{"actor_token": g.neighbour().access("")}).is()
}

func grantUnverified(g *rig) string {
	e := g.exchanger()
	return e.assert(nil, tampered).is() + "; " + e.assert(map[string]any{"iss": "https://another.test"}, nil).is()
}

func grantAudience(g *rig) string {
	e := g.exchanger()
	return e.assert(map[string]any{"aud": "https://another.test"}, nil).is() + "; " + e.assert(map[string]any{"aud": []string{"https://another.test", issuer}}, nil).is()
}

func grantReplay(g *rig) string {
	e := g.exchanger()
	once := map[string]any{"jti": "j-1"}
	return e.assert(once, nil).is() + "; " + e.assert(once, nil).is()
}

// What the stories of the defects do not tell: who may use the grants, and what they bring.
func TestGrantsBeyondClientCredentials(t *testing.T) {
	g := newRig(t, defect.Set{}, defect.Situation{})
	e := g.exchanger()
	subject := e.access("")
	got := e.exchange(subject, map[string]string{"resource": ledger})
	_, claims := g.verified(got.text("access_token"))
	actor, _ := claims["act"].(map[string]any)
	if got.text("issued_token_type") != accessToken || claims["aud"] != ledger || claims["sub"] != e.id || actor["sub"] != e.id || g.live(got.text("access_token")) != "alive" {
		t.Errorf("an exchange brings %s with %v", got.raw, claims)
	}
	other := exchanger{partner: g.partner(), vouches: e.vouches} // registered for client credentials alone
	minute := func(n int) int64 { return g.now.Add(time.Duration(n) * time.Minute).Unix() }
	for name, row := range map[string]struct{ got, want string }{
		"grant of another client":      {other.exchange(other.access(""), nil).is(), "400 unauthorized_client"},
		"assertion of another client":  {other.assert(nil, nil).is(), "400 unauthorized_client"},
		"other kind of subject":        {e.exchange(subject, map[string]string{"subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}).is(), "400 invalid_request"},
		"other kind of token asked":    {e.exchange(subject, map[string]string{"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}).is(), "400 invalid_request"},
		"actor without its type":       {e.exchange(subject, map[string]string{"actor_token_type": ""}).is(), "400 invalid_request"},
		"only scopes beyond":           {e.exchange(subject, map[string]string{"scope": "payments:write"}).is(), "400 invalid_scope"},
		"good assertion":               {e.assert(nil, nil).is(), "200"},
		"no assertion":                 {g.form("/token", "grant_type="+url.QueryEscape(jwtBearer), e.basic()).is(), "400 invalid_request"},
		"assertion for another":        {e.assert(map[string]any{"sub": other.id}, nil).is(), "400 invalid_grant"},
		"expired assertion":            {e.assert(map[string]any{"exp": minute(0)}, nil).is(), "400 invalid_grant"},
		"assertion that is good later": {e.assert(map[string]any{"nbf": minute(2)}, nil).is(), "400 invalid_grant"},
		"assertion from the future":    {e.assert(map[string]any{"iat": minute(2)}, nil).is(), "400 invalid_grant"},
		"assertion that never ends":    {e.assert(map[string]any{"exp": minute(60)}, nil).is(), "400 invalid_grant"},
		"assertion that is no JWT":     {e.assert(nil, func(text string) string { return strings.ReplaceAll(text, ".", "") }).is(), "400 invalid_grant"},
	} {
		if row.got != row.want {
			t.Errorf("%s: %s, want %s", name, row.got, row.want)
		}
	}
	g.now = g.now.Add(6 * time.Minute)
	if got := e.exchange(subject, nil).is(); got != "400 invalid_request" {
		t.Errorf("an expired subject token: %s", got)
	}
	offered := fmt.Sprint(g.send(g.protocol, "GET", wellKnown, "", "").body["grant_types_supported"])
	if want := fmt.Sprint([]string{"client_credentials", tokenExchange, jwtBearer}); offered != want {
		t.Errorf("the metadata offers %s, want %s", offered, want)
	}
}
