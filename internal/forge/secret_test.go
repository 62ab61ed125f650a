package forge

import (
	"strings"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

func TestWrongSecrets(t *testing.T) {
	keep := secret.NewKeeper()
	const good = "a-good-client-secret-A"
	for _, place := range []wire.Credential{
		{In: wire.InHeader, Name: "Authorization", Prefix: "Basic ", Basic: "partner"},
		{In: wire.InForm, Name: "client_secret"},
	} {
		place.Text = keep.Keep("secret", good)
		request := wire.Request{Credentials: []wire.Credential{place}}
		seen := map[string]bool{good: true}
		for _, change := range WrongSecrets(keep) {
			altered, err := change.Apply(request.Clone())
			if err != nil {
				t.Fatal(err)
			}
			text := altered.Credentials[0].Text.Reveal()
			if seen[text] {
				t.Errorf("%s gives the good secret, or that of another change", change.Name)
			}
			seen[text] = true
			if differences := wire.Diff(keep, request, altered); len(differences) != 1 || strings.Contains(differences[0].String(), text) {
				t.Errorf("%s: differs in %v", change.Name, differences)
			}
		}
	}
	_, err := WrongSecrets(keep)[0].Apply(wire.Request{})
	if err == nil {
		t.Error("a request without a secret was altered")
	}
}

func TestSigned(t *testing.T) {
	key, err := oauth.NewKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	keep := secret.NewKeeper()
	client := oauth.Client{ID: "partner", Auth: oauth.PrivateKeyJWT, Key: key}
	request := oauth.Server{Name: "main", Issuer: "https://as.example"}.TokenRequest(client, oauth.TokenOptions{})
	signed, err := Signed(keep, request)
	if err != nil {
		t.Fatal(err)
	}
	assertion := signed.Credential("client_assertion")
	if assertion.JWT != nil || request.Credential("client_assertion").JWT == nil {
		t.Fatal("the assertion is still to be made, or the original was altered")
	}
	want := Expectation{Issuer: "partner", Subject: "partner", Audience: "https://as.example", Now: time.Now()}
	if why := Judge(assertion.Text.Reveal(), oauth.JWKSet(key), want); why != Good {
		t.Errorf("the signed assertion is bad: %s", why)
	}
	_, err = Signed(keep, wire.Request{})
	if err == nil {
		t.Error("a request without an assertion was signed")
	}
}
