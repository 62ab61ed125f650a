package plan

import (
	"strings"
	"testing"
)

func TestAnotherEnvironmentIsJudged(t *testing.T) {
	for text, want := range map[string]string{
		"{name: production}": "names no credential that could be tried here",
		"{name: production, issuer: 'https://as.production.example', secret: 'env:S', auth: client_secret_basic}":                               "there is no `id` to try them with",
		"{name: production, id: p, auth: private_key_jwt, secret: 'env:S'}":                                                                     "authenticates there by private_key_jwt, but has no `key`",
		"{name: production, certificate: {issue: {ca: 'file:ca.pem', key: 'file:ca.key'}}}":                                                     "it would be nobody's",
		"{name: production, id: p, secret: 'env:S', issuer: 'https://as.example/'}":                                                             "no other environment's",
		"{name: production, id: p, secret: s3cret-in-the-plan}":                                                                                 "`secret`",
		"{name: production, issuer: 'https://as.production.example', id: p, secret: 'env:S', token: 'env:T', scopes: [read], ca: 'file:c.pem'}": "",
	} {
		_, err := parse(small + "other_environment: " + text + "\n")
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %s", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
}

func TestLintAsksForEvidence(t *testing.T) {
	for text, want := range map[string]string{
		"": "no approvals",
		"agreement: {approvals: [{by: owner, scopes: [read], until: 2026-10-05}]}\n": `the scope "read" was agreed, and nobody approves it now`,
		"agreement: {window: true}\n":                                                                      "no hook schedule_window",
		"other_environment: {name: production, id: p, secret: 'env:S'}\n":                                  "their refusal here decides nothing",
		"agreement: {facts: 'file:facts.json', approvals: [{by: o, scopes: [read], until: 2027-01-01}]}\n": "no other_environment",
	} {
		advice := strings.Join(Lint(mustParse(t, small+text), At(today)), "\n")
		if !strings.Contains(advice, want) {
			t.Errorf("%s: %q is not in\n%s", text, want, advice)
		}
		if strings.Contains(text, "facts") && (strings.Contains(advice, "approv") || strings.Contains(advice, "source of truth")) {
			t.Errorf("what is there is asked for:\n%s", advice)
		}
	}
}

// What a plan promises of initial access tokens is tried with those that a hook mints.
func TestLintAsksForTheHookOfAPolicy(t *testing.T) {
	text := with("{mode: dcr}", "{mode: dcr, initial_access_token_policy: {single_use: true}}")
	const want = "no hook mint_initial_access_token"
	if advice := strings.Join(Lint(mustParse(t, text), At(today)), "\n"); !strings.Contains(advice, want) {
		t.Errorf("%q is not in\n%s", want, advice)
	}
	hooked := text + "hooks: {mint_initial_access_token: {http: 'POST https://admin.example/iat'}}\n"
	if advice := strings.Join(Lint(mustParse(t, hooked), At(today)), "\n"); strings.Contains(advice, want) {
		t.Errorf("what is there is asked for:\n%s", advice)
	}
}
