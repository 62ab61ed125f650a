package wire_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/checkride/checkride/internal/wire"
)

// prover is a request that shows a token and the proof of a key.
func (s *stage) prover(t *testing.T) wire.Request {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return wire.Request{Method: "GET", Origin: origin, Target: "/payments?page=2", Credentials: []wire.Credential{
		{In: wire.InHeader, Name: "DPoP", JWT: &wire.JWT{Header: map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": jose.JSONWebKey{Key: key.Public()}}, Key: key, Proof: true}},
		{In: wire.InHeader, Name: "Authorization", Prefix: "DPoP ", Text: s.keeper.Keep("token", "some-token")},
	}}
}

type proofClaims struct {
	ID     string `json:"jti"`
	Method string `json:"htm"`
	URI    string `json:"htu"`
	Hash   string `json:"ath"`
	Nonce  string `json:"nonce"`
	Issued int64  `json:"iat"`
	Expiry int64  `json:"exp"`
}

// nonces is a server that takes a proof with its nonce alone, and remembers the proofs that it got.
type nonces struct {
	mu     sync.Mutex
	nonce  string
	proofs []proofClaims
}

func (n *nonces) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	jws, err := jose.ParseSignedCompact(r.Header.Get("DPoP"), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	payload, err := jws.Verify(jws.Signatures[0].Protected.JSONWebKey)
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	var claims proofClaims
	err = json.Unmarshal(payload, &claims)
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.proofs = append(n.proofs, claims)
	if claims.Nonce != n.nonce {
		w.Header().Set("DPoP-Nonce", n.nonce)
		w.Header().Set("WWW-Authenticate", `DPoP error="use_dpop_nonce"`)
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// A proof is made for its request, anew for each sending. What a server asks for is one exchange, what it then answers
// another; a nonce that was given is used from then on, and one that the sender chose is the sender's.
func TestProofs(t *testing.T) {
	s := open(t, nil)
	server := &nonces{nonce: "first"}
	s.serve(t, server.ServeHTTP, nil)
	send := func(r wire.Request, status int, nonce string) {
		t.Helper()
		x, err := s.Do(t.Context(), r)
		if err != nil || x.Status != status || x.Nonce != nonce {
			t.Errorf("status %d, nonce %q, %v; want %d, %q", x.Status, x.Nonce, err, status, nonce)
		}
	}
	r := s.prover(t)
	send(r, http.StatusOK, "first")
	send(r, http.StatusOK, "first")
	server.mu.Lock()
	server.nonce = "second"
	server.mu.Unlock()
	send(r, http.StatusOK, "second")
	chosen := r.Clone()
	chosen.Credentials[0].JWT.Claims = map[string]any{"nonce": "made up"}
	send(chosen, http.StatusUnauthorized, "")
	without := r.Clone()
	without.Credentials[0].JWT.Omit = []string{"nonce", "ath"}
	send(without, http.StatusUnauthorized, "")

	var got []string
	seen := map[string]bool{}
	sum := sha256.Sum256([]byte("some-token"))
	for i, p := range server.proofs {
		got = append(got, p.Nonce)
		if seen[p.ID] || p.ID == "" || p.Method != "GET" || p.URI != origin+"/payments" || p.Issued == 0 || p.Expiry != 0 {
			t.Errorf("proof %d: %+v", i, p)
		}
		if last := i == len(server.proofs)-1; (p.Hash == base64.RawURLEncoding.EncodeToString(sum[:])) == last {
			t.Errorf("proof %d: ath %q", i, p.Hash)
		}
		seen[p.ID] = true
	}
	want := []string{"", "first", "first", "first", "second", "made up", ""}
	if len(got) != len(want) {
		t.Fatalf("nonces %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("nonces %q, want %q", got, want)
		}
	}
	if n := len(s.entries()); n != len(want) {
		t.Errorf("%d exchanges are recorded, and %d were made", n, len(want))
	}
}

// A server that asks for a nonce for ever is asked twice.
func TestNonceAskedForEver(t *testing.T) {
	s := open(t, nil)
	asked := 0
	s.serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("DPoP-Nonce", rand.Text())
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"use_dpop_nonce"}`))
	}, nil)
	x, err := s.Do(t.Context(), s.prover(t))
	if err != nil || x.Status != http.StatusBadRequest || asked != 2 {
		t.Errorf("status %d after %d requests, %v", x.Status, asked, err)
	}
}
