package forge_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

func grantRequest(t *testing.T, alg string, life time.Duration) (wire.Request, oauth.Key) {
	t.Helper()
	key, err := oauth.NewKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	client, err := oauth.NewKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	server := oauth.Server{Name: "main", Issuer: "https://as.example", Endpoints: oauth.Endpoints{Token: "https://as.example/token"}}
	return server.AssertionRequest(oauth.Client{ID: "p", Auth: oauth.PrivateKeyJWT, Key: client}, oauth.Assertion{Key: key, Issuer: "https://idp.example", Subject: "p", Audience: server.Issuer, Life: life}), key
}

// Every forgery is made of every kind of key beside a client assertion, which it leaves alone, and is judged bad for its
// own reason on the way.
func TestGrantsAreForged(t *testing.T) {
	for _, alg := range []string{"ES256", "PS256", "EdDSA"} {
		r, _ := grantRequest(t, alg, time.Minute)
		own, err := oauth.NewKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range slices.Concat(forge.ForgedGrants(own), forge.GrantsOfAnotherIssuer(own), forge.UnfitGrants()) {
			altered, err := change.Apply(r.Clone())
			if err != nil {
				t.Errorf("%s, %s: %v", alg, change.Name, err)
				continue
			}
			differences := wire.Diff(secret.NewKeeper(), r, altered)
			if len(differences) == 0 || strings.Contains(differences[0].String(), "client_assertion") {
				t.Errorf("%s, %s: differs in %v", alg, change.Name, differences)
			}
		}
	}
	expired, _ := grantRequest(t, "ES256", -time.Minute)
	_, err := forge.UnfitGrants()[0].Apply(expired)
	if err == nil || !strings.Contains(err.Error(), "the assertion itself is bad") {
		t.Errorf("of an expired assertion: %v", err)
	}
}

// A replay sends the same bytes as grant and proves the client anew.
func TestSignedGrant(t *testing.T) {
	r, _ := grantRequest(t, "ES256", time.Minute)
	signed, err := forge.SignedGrant(secret.NewKeeper(), r)
	if err != nil {
		t.Fatal(err)
	}
	if signed.Credential(oauth.AssertionMember).JWT != nil || signed.Credential("client_assertion").JWT == nil || r.Credential(oauth.AssertionMember).JWT == nil {
		t.Error("not the grant alone was signed")
	}
}

// The tokens of an exchange are found beside the client's own secret.
func TestExchangesAreForged(t *testing.T) {
	keep := secret.NewKeeper()
	server := oauth.Server{Name: "main", Endpoints: oauth.Endpoints{Token: "https://as.example/token"}}
	client := oauth.Client{ID: "p", Auth: oauth.ClientSecretPost, Secret: keep.Keep("secret", "a secret of the client")}
	r := server.ExchangeRequest(client, oauth.Exchange{Subject: keep.Keep("token", "subject-token"), Actor: keep.Keep("token", "actor-token")})
	other := keep.Keep("token", "token-of-another")
	altered, err := forge.Exchanging(oauth.SubjectMember, other, "another's").Apply(r.Clone())
	if err != nil || altered.Credential(oauth.SubjectMember).Text != other || altered.Credential("client_secret").Text != client.Secret || altered.Credential(oauth.ActorMember).Text == other {
		t.Errorf("another subject: %v %v", altered.Credentials, err)
	}
	altered, err = forge.WithoutActor().Apply(r.Clone())
	if err != nil || altered.Credential(oauth.ActorMember) != nil || slices.ContainsFunc(altered.Form, func(f wire.Field) bool { return f.Name == oauth.ActorTypeMember }) {
		t.Errorf("without actor: %v %v", altered, err)
	}
	if _, err := forge.WithoutActor().Apply(altered); err == nil {
		t.Error("there is no actor to be left out")
	}
}
