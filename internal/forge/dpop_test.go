package forge

import (
	"crypto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// The protected resource request of RFC 9449 §7.1 (figures 13 and 14) and the thumbprint of §6.1.
const (
	published9449 = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik" +
		"VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR" +
		"nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE" +
		"QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIj" +
		"oiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0Z" +
		"WRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNF" +
		"c05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71E" +
		"OptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
	publishedToken      = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
	publishedThumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
)

// The judge calls the proof of the RFC good, and bad for the right reason beside any other request.
func TestThePublishedProofIsGood(t *testing.T) {
	jws, err := jose.ParseSignedCompact(published9449, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	key := jws.Signatures[0].Protected.JSONWebKey
	keep := secret.NewKeeper()
	made := time.Unix(1562262618, 0)
	request := func(alter func(*wire.Request)) wire.Request {
		r := wire.Request{Method: "GET", Origin: "https://resource.example.org", Target: "/protectedresource?page=1", Credentials: []wire.Credential{
			{In: wire.InHeader, Name: "Authorization", Prefix: "DPoP ", Text: keep.Keep("token", publishedToken)},
		}}
		alter(&r)
		return r
	}
	for want, row := range map[string]struct {
		now   time.Time
		alter func(*wire.Request)
	}{
		Good:         {made, func(*wire.Request) {}},
		BadMethod:    {made, func(r *wire.Request) { r.Method = "POST" }},
		BadURI:       {made, func(r *wire.Request) { r.Origin = "https://resource.example.com" }},
		BadTokenHash: {made, func(r *wire.Request) { r.Credentials[0].Text = keep.Keep("token", "another") }},
		BadTime:      {made.Add(time.Hour), func(*wire.Request) {}},
	} {
		if why := JudgeProof(published9449, request(row.alter), key.Key, row.now); why != want {
			t.Errorf("it is bad for its %q, want %q", why, want)
		}
	}
	another, err := oauth.NewKey("")
	if err != nil {
		t.Fatal(err)
	}
	if why := JudgeProof(published9449, request(func(*wire.Request) {}), another.Signer.Public(), made); why != BadKey {
		t.Errorf("beside the token of another key it is bad for its %q", why)
	}
	if thumbprint := oauth.ProofJWK(another); thumbprint["kid"] != nil || thumbprint["d"] != nil {
		t.Errorf("a proof shows %v", thumbprint)
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil || encode(sum) != publishedThumbprint {
		t.Errorf("thumbprint %s, %v", encode(sum), err)
	}
}

func proving(t *testing.T) (wire.Request, *secret.Keeper) {
	t.Helper()
	key, err := oauth.NewKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	keep := secret.NewKeeper()
	token := oauth.Token{Text: keep.Keep("token", "some-token"), Proof: key}
	return oauth.Present(wire.Request{Method: "GET", Origin: "https://edge.example", Target: "/payments?x=1"}, token), keep
}

// Each change of a proof can be made, differs from the good one in what it says, and does not touch the good request.
func TestProofChangesAreOneDifference(t *testing.T) {
	r, keep := proving(t)
	f := New(keep, nil)
	other := oauth.Token{Text: keep.Keep("token", "other-token")}
	all := slices.Concat(f.ForgedProofs(), IncompleteProofs(true), []wire.Change{
		f.StrangersProof(), f.TalkativeProof(), ProofOf("htm", "PUT", "htm"), ProofOf("htu", "https://edge.example/other", "htu"),
		ProofOfToken(other, "ath"), ProofFrom(-time.Hour, "old"), ProofFrom(time.Hour, "early"), ProofFrom(-10*time.Second, "a little old"),
		LongURI("?a=b", "query"), LongURI("#c", "fragment"), ProofWithNonce("made-up", "nonce"), ProofWithoutNonce(), AsBearer(), WithoutProof(),
	})
	seen := map[string]string{}
	for _, c := range all {
		altered, err := c.Apply(r.Clone())
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		var words []string
		for _, d := range wire.Diff(keep, r, altered) {
			words = append(words, d.String())
		}
		text := strings.Join(words, "; ")
		if text == "" || seen[text] != "" {
			t.Errorf("%s: the difference is %q, as that of %q", c.Name, text, seen[text])
		}
		seen[text] = c.Name
	}
	if again, _ := proving(t); len(wire.Diff(keep, r, r.Clone())) != 0 || len(again.Credentials) != len(r.Credentials) {
		t.Error("the good request was changed")
	}
}

// A change of a proof that is not there is an error, and so is one that would not be bad for its reason.
func TestProofChangesWantAProof(t *testing.T) {
	plain := wire.Request{Method: "GET", Origin: "https://edge.example", Target: "/"}
	for _, c := range slices.Concat(IncompleteProofs(true), []wire.Change{AsBearer(), WithoutProof(), ProofOf("htm", "PUT", "htm")}) {
		_, err := c.Apply(plain.Clone())
		if err == nil || !strings.Contains(err.Error(), "carries no DPoP proof") {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
	r, _ := proving(t)
	_, err := ProofOf("htm", "GET", "the same method").Apply(r)
	if err == nil {
		t.Error("a proof of the right method passes for one of another")
	}
}

// Another token is shown in its own way: with the proof of its key, or as a bearer token without one.
func TestShowing(t *testing.T) {
	r, keep := proving(t)
	bound := oauth.ProofIn(&r).JWT.Key
	plain, err := Showing(oauth.Token{Text: keep.Keep("token", "plain")}, "plain").Apply(r.Clone())
	if err != nil || plain.Credentials[0].Prefix != "Bearer " || oauth.ProofIn(&plain) != nil {
		t.Errorf("%+v, %v", plain.Credentials, err)
	}
	key, err := oauth.NewKey("")
	if err != nil {
		t.Fatal(err)
	}
	other, err := Showing(oauth.Token{Text: keep.Keep("token", "other"), Proof: key}, "other").Apply(plain)
	if err != nil || other.Credentials[0].Prefix != "DPoP " || len(other.Credentials) != 2 || oauth.ProofIn(&other).JWT.Key != key.Signer || oauth.ProofIn(&other).JWT.Key == bound {
		t.Errorf("%+v, %v", other.Credentials, err)
	}
}
