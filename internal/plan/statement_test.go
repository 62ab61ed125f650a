package plan

import (
	"strings"
	"testing"
	"time"
)

func TestStatementsThatCannotBe(t *testing.T) {
	const stated = "registration: {mode: dcr, software_statement: {issuer: d, key: env:KEY}}"
	for name, row := range map[string]struct{ text, want string }{
		"nobody signs":      {with("registration: {mode: dcr}", "registration: {mode: dcr, software_statement: {issuer: d}}"), "plan.yaml:3:47: nothing makes the software statements"},
		"no registration":   {with("registration: {mode: dcr}", "registration: {mode: given, software_statement: {issuer: d, key: env:KEY}}"), "`registration.software_statement` is for mode dcr"},
		"alg without key":   {with("registration: {mode: dcr}", "hooks: {software_statement: {exec: [a]}}\nregistration: {mode: dcr, software_statement: {issuer: d, alg: ES256}}"), "`alg` and `kid` speak of a key"},
		"ages too fast":     {with("registration: {mode: dcr}", strings.Replace(stated, "env:KEY", "env:KEY, oldest: 1m", 1)), "`oldest` (1m0s) is less than `lifetime` (5m0s)"},
		"claims a time":     {with("registration: {mode: dcr}", strings.Replace(stated, "env:KEY", "env:KEY, claims: {exp: 1}", 1)), "the claim exp is made anew"},
		"odd placeholder":   {with("registration: {mode: dcr}", strings.Replace(stated, "env:KEY", "env:KEY, claims: {org: \"{org}\"}", 1)), "unknown placeholder {org}"},
		"key in the plan":   {with("registration: {mode: dcr}", strings.Replace(stated, "env:KEY", "hunter22", 1)), "`key` is a secret and stands in the plan itself"},
		"no certificate":    {with("registration: {mode: dcr}", "registration: {mode: dcr, client_certificate: required}"), "client partner has no `certificate`"},
		"signed by hand":    {with("registration: {mode: dcr}", "registration: {mode: given, signed_request: {key: env:KEY, issuer: x}}"), "`registration.signed_request` is for mode dcr"},
		"signed too late":   {with("registration: {mode: dcr}", "registration: {mode: dcr, signed_request: {key: env:KEY, issuer: x, lifetime: 0s}}"), "plan.yaml:3:79: `lifetime` is 0"},
		"odd issuer":        {with("registration: {mode: dcr}", "registration: {mode: dcr, signed_request: {key: env:KEY, issuer: \"{software}\"}}"), "`issuer` has the unknown placeholder {software}"},
		"unknown algorithm": {with("registration: {mode: dcr}", strings.Replace(stated, "env:KEY", "env:KEY, alg: none", 1)), "`alg` cannot be"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(row.text)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v\nwant %s", err, row.want)
			}
		})
	}
	p := mustParse(t, with("registration: {mode: dcr}", stated))
	s := p.Registration.Statement
	if s == nil || !s.Required || s.Lifetime.D() != 5*time.Minute || p.Registration.ClientCertificate != "none" {
		t.Errorf("defaults: %+v", p.Registration)
	}
	signed := mustParse(t, with("registration: {mode: dcr}", "registration: {mode: dcr, signed_request: {key: env:KEY, issuer: x}}")).Registration.SignedRequest
	if signed == nil || !signed.Required || !signed.Bound || signed.ContentType != "application/jose" || signed.Lifetime.D() != 5*time.Minute {
		t.Errorf("defaults: %+v", signed)
	}
}
