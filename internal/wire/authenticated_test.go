package wire

import "testing"

func TestAuthenticatedByKeepsProofs(t *testing.T) {
	proof := Credential{In: InHeader, Name: "DPoP", JWT: &JWT{Proof: true}}
	login := Request{Credentials: []Credential{{In: InHeader, Name: "Authorization", Basic: "client"}, proof}}
	in := login.AuthenticatedBy(Credential{In: InForm, Name: "client_secret"})
	if len(in.Credentials) != 2 || in.Credentials[0].Name != "client_secret" || in.Credentials[1].Name != "DPoP" {
		t.Errorf("%v, want the secret and the proof", in.Credentials)
	}
	if bare := login.AuthenticatedBy(); len(bare.Credentials) != 1 || !bare.Credentials[0].JWT.Proof || len(login.Credentials) != 2 {
		t.Errorf("%v, want the proof alone, and %v as it was", bare.Credentials, login.Credentials)
	}
}
