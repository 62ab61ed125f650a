// Package wycheproof reads Project Wycheproof's vectors for JSON web signatures and keys, for the tests of the sandbox's
// verifiers: nobody should trust a stack that was proven with tokens of its own making alone.
//
// Start with [Read]. The files come from the module github.com/c2sp/wycheproof of a pinned version, through the module
// cache; the module itself, all hundred megabytes of it, is not imported.
package wycheproof

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const module = "github.com/c2sp/wycheproof@v0.0.0-20260902155932-3fa63dd0344a"

// The files, with the SHA-256 of each in hex.
var digests = map[string]string{
	Signature: "8e687a06fe8359f4ec51480f1a9f73c8faebd6f4c01b818b843b44eee54fd5d9",
	Key:       "be983255bce26406f97020ec5458b33930a90d5f868e604fcd569c300aba2862",
	Crypto:    "dcd58ac9548a7d6173437a691e4cc307dcd3cec9fd814a39cd2a94531cf4f8ce",
}

// The names of the files.
const (
	Signature = "json_web_signature_test.json"
	Key       = "json_web_key_test.json"
	Crypto    = "json_web_crypto_test.json"
)

// Deviations are cases that are marked valid although the algorithm of the key is not that of the signature (PS384 by a
// key for PS256; ES512 by a key for "ES521", which is none). RFC 8725 section 3.1 wants a key used with one algorithm
// alone, so they must be refused.
var Deviations = map[int]string{
	346: "PS384 by a key for PS256", 347: "ES512 by a key for ES521",
	350: "PS384 by a key for PS256", 351: "ES512 by a key for ES521",
}

// Group is a key and what was signed with it.
type Group struct {
	Comment string          `json:"comment"`
	Public  json.RawMessage `json:"public"`
	Private json.RawMessage `json:"private"` // symmetric keys, and key sets, stand here alone
	Tests   []Case          `json:"tests"`
}

// Case is one signature.
type Case struct {
	ID      int    `json:"tcId"`
	Comment string `json:"comment"`
	JWS     Token  `json:"jws"` // empty: the case is about encryption
	Result  string `json:"result"`
}

// Token is a signature in compact form, or as the JSON text that some cases try instead.
type Token string

// UnmarshalJSON takes both.
func (t *Token) UnmarshalJSON(text []byte) error {
	var compact string
	err := json.Unmarshal(text, &compact)
	if err != nil {
		compact = string(text)
	}
	*t = Token(compact)
	return nil
}

// Valid says that a verifier should accept it.
func (c Case) Valid() bool { return c.Result == "valid" }

// Keys gives the group's key or keys as a JWK Set (RFC 7517 section 5).
func (g Group) Keys(t testing.TB) json.RawMessage {
	t.Helper()
	one := g.Public
	if one == nil {
		one = g.Private
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	err := json.Unmarshal(one, &set)
	if err == nil && set.Keys != nil {
		return one
	}
	all, err := json.Marshal(map[string]any{"keys": []json.RawMessage{one}})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Read gives the groups of a file. Without a network, and without the module in the cache, the test is skipped, but for
// where CHECKRIDE_REAL=required says that nothing may be.
func Read(t testing.TB, file string) []Group {
	t.Helper()
	download := exec.Command("go", "mod", "download", "-json", module)
	download.Dir = t.TempDir() // not within our own module
	answer, err := download.Output()
	var found struct{ Dir, Error string }
	if err == nil {
		err = json.Unmarshal(answer, &found)
	}
	if err != nil || found.Dir == "" {
		if os.Getenv("CHECKRIDE_REAL") == "required" {
			t.Fatalf("download %s: %v: %s", module, err, answer)
		}
		t.Skipf("download %s: %v: %s", module, err, answer)
	}
	text, err := os.ReadFile(filepath.Join(found.Dir, "testvectors_v1", file))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	if got := hex.EncodeToString(sum[:]); got != digests[file] {
		t.Fatalf("%s has the digest %s, want %s", file, got, digests[file])
	}
	var vectors struct {
		Groups []Group `json:"testGroups"`
	}
	err = json.Unmarshal(text, &vectors)
	if err != nil {
		t.Fatal(err)
	}
	return vectors.Groups
}
