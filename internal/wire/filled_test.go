package wire

import (
	"testing"

	"github.com/checkride/checkride/internal/secret"
)

// A claim that is filled in at sending is not told as absent, unless the control leaves it out.
func TestDiffTellsClaimsThatAreFilledIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		control, altered JWT
		want             string
	}{
		{JWT{Proof: true}, JWT{Proof: true, Claims: map[string]any{"htu": "https://other.example/"}}, "proof claim htu: the request's own -> https://other.example/"},
		{JWT{Proof: true, Omit: []string{"htm"}}, JWT{Proof: true, Omit: []string{"htm"}, Claims: map[string]any{"htm": "PUT"}}, "proof claim htm: absent -> PUT"},
		{JWT{}, JWT{Claims: map[string]any{"jti": "one"}}, "assertion claim jti: as made at sending -> one"},
		{JWT{}, JWT{Claims: map[string]any{"sub": "one"}}, "assertion claim sub: absent -> one"},
	} {
		with := func(j *JWT) Request { return Request{Credentials: []Credential{{In: InHeader, Name: "DPoP", JWT: j}}} }
		found := Diff(secret.NewKeeper(), with(&c.control), with(&c.altered))
		if len(found) != 1 || found[0].String() != c.want {
			t.Errorf("%v, want %s", found, c.want)
		}
	}
}
