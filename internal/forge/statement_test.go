package forge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

func registration(t *testing.T, alg string, life time.Duration) (wire.Request, oauth.Key) {
	t.Helper()
	key, err := oauth.NewKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	r, err := oauth.RegisterRequest(oauth.Server{Name: "main", Endpoints: oauth.Endpoints{Registration: "https://as.example/register"}}, map[string]any{"client_name": "x"}, secret.Text{})
	if err != nil {
		t.Fatal(err)
	}
	return r.WithCredential(oauth.Vouch(key, "https://directory.example", map[string]any{"org_id": "acme"}, life, 0)), key
}

// Every forgery is made of every kind of key, differs from its original, and is judged bad for its own reason on the way.
func TestStatementsAreForged(t *testing.T) {
	for _, alg := range []string{"ES256", "PS256", "EdDSA"} {
		r, _ := registration(t, alg, 5*time.Minute)
		own, err := oauth.NewKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		all := append(forge.ForgedStatements(own, "https://canary.example/x"), forge.StatementsOutOfTime(10*time.Minute)...)
		all = append(append(all, forge.StatementsOfAnotherIssuer()...), forge.WithoutStatement())
		for _, change := range all {
			altered, err := change.Apply(r.Clone())
			if err != nil {
				t.Errorf("%s, %s: %v", alg, change.Name, err)
				continue
			}
			if len(wire.Diff(secret.NewKeeper(), r, altered)) == 0 {
				t.Errorf("%s, %s: nothing differs", alg, change.Name)
			}
		}
	}
}

// A change that cannot do what it says is an error and is not sent.
func TestForgeriesOfStatementsThatProveNothing(t *testing.T) {
	expired, _ := registration(t, "ES256", -time.Minute)
	good, key := registration(t, "ES256", time.Minute)
	byHook := good.Clone()
	*byHook.Credential(oauth.StatementMember) = oauth.Statement(secret.NewKeeper().Keep("statement", "a.b.c"))
	for name, row := range map[string]struct {
		request wire.Request
		change  wire.Change
		want    string
	}{
		"the original has expired":       {expired, forge.StatementTampered(), "the software statement itself is bad (expiry)"},
		"a statement of a hook":          {byHook, forge.StatementTampered(), "no software statement that we sign"},
		"no statement":                   {good.WithoutCredential(oauth.StatementMember), forge.WithoutStatement(), "carries none already"},
		"brought along by the directory": {good, forge.ForgedStatements(key, "https://canary.example")[7], "the forgery's fault"},
	} {
		_, err := row.change.Apply(row.request.Clone())
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
	}
}
