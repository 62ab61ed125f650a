package as_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/checkride/checkride/internal/defect"
)

// proof is the DPoP proof of a new key for the token endpoint.
func (g *rig) proof(issued time.Time, nonce string) option {
	g.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		g.t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	if err != nil {
		g.t.Fatal(err)
	}
	claims := map[string]any{"jti": rand.Text(), "htm": "POST", "htu": issuer + "/token", "iat": issued.Unix()}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		g.t.Fatal(err)
	}
	return header("DPoP", text)
}

// nonce is what the server asks for.
func (g *rig) nonce() string {
	return g.partner().grant("", g.proof(g.now, "")).header.Get("DPoP-Nonce")
}

// RFC 9449 §8: a proof without the server's nonce, or with a nonce of long ago, is answered with the one to use; with it
// the same request brings a token, and the answer tells the next.
func TestNonces(t *testing.T) {
	g := newRig(t, defect.Set{}, defect.Situation{})
	p := g.partner()
	asked := p.grant("", g.proof(g.now, ""))
	nonce := asked.header.Get("DPoP-Nonce")
	if asked.is() != "400 use_dpop_nonce" || nonce == "" {
		t.Errorf("without a nonce: %s, nonce %q", asked.is(), nonce)
	}
	good := p.grant("", g.proof(g.now, nonce))
	if good.status != http.StatusOK || good.header.Get("DPoP-Nonce") == "" {
		t.Errorf("with it: %s, nonce %q", good.is(), good.header.Get("DPoP-Nonce"))
	}
	g.now = g.now.Add(3 * time.Minute)
	late := p.grant("", g.proof(g.now, nonce))
	if late.is() != "400 use_dpop_nonce" || late.header.Get("DPoP-Nonce") == nonce {
		t.Errorf("three minutes later: %s", late.is())
	}
}

// RFC 9449 §4.3, §11.1: a proof is good once.
func TestProofIsGoodOnce(t *testing.T) {
	g := newRig(t, defect.Set{}, defect.Situation{})
	p := g.partner()
	proof := g.proof(g.now, g.nonce())
	first, second := p.grant("", proof), p.grant("", proof)
	if first.is() != "200" || second.is() != "400 invalid_dpop_proof" {
		t.Errorf("%s, then %s", first.is(), second.is())
	}
}
