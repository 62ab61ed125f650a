package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestGrantsThatCannotBe(t *testing.T) {
	const bearer = "grants: {jwt_bearer: {issuer: i, key: env:KEY}}\nregistration: {mode: dcr}"
	const exchange = "grants: {token_exchange: {scopes: [payments:read]}}\nregistration: {mode: dcr}"
	for name, row := range map[string]struct{ text, want string }{
		"nobody signs":     {strings.Replace(bearer, ", key: env:KEY", "", 1), "`key`"},
		"key in the plan":  {strings.Replace(bearer, "env:KEY", "hunter22", 1), "`key` is a secret and stands in the plan itself"},
		"expired at once":  {strings.Replace(bearer, "env:KEY", "env:KEY, lifetime: 0s", 1), "`lifetime` is 0"},
		"odd placeholder":  {strings.Replace(bearer, "env:KEY", "env:KEY, subject: \"{name}\"", 1), "unknown placeholder {name}"},
		"claims the time":  {strings.Replace(bearer, "env:KEY", "env:KEY, claims: {exp: 1}", 1), "the claim exp is made anew"},
		"scope not agreed": {strings.Replace(exchange, "payments:read", "payments:all", 1), `the scope "payments:all" is not agreed`},
		"odd actor":        {strings.Replace(exchange, "scopes: [payments:read]", "actor: maybe", 1), "`actor` cannot be"},
		"no endpoint":      {strings.Replace(exchange, "registration", "hooks: {mint_token: {exec: [a]}}\nregistration", 1), "`grants` needs a token endpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			text := with("registration: {mode: dcr}", row.text)
			if name == "no endpoint" {
				text = strings.Replace(text, "issuer: https://as.example", "", 1)
			}
			_, err := parse(text)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v\nwant %s", err, row.want)
			}
		})
	}
	p := mustParse(t, with("registration: {mode: dcr}", bearer))
	got := p.Grants.Bearer
	if got == nil || got.Subject != "" || got.Lifetime.D() != time.Minute || got.Once || p.Grants.Exchange != nil {
		t.Errorf("defaults: %+v", got)
	}
	if types := fmt.Sprint(p.GrantTypes()); types != "[client_credentials "+GrantJWTBearer+"]" {
		t.Errorf("grant types: %s", types)
	}
}
