package cast

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
)

// What a CA answers is taken only if it certifies the key of the request: with anything else the ride would be refused
// everywhere, for a reason that nobody sees.
func TestWhatACAAnswers(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	mine, err := SelfSigned("mine")
	if err != nil {
		t.Fatal(err)
	}
	other, err := SelfSigned("other")
	if err != nil {
		t.Fatal(err)
	}
	own, ok := mine.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		t.Fatalf("a key of type %T", mine.PrivateKey)
	}
	text := func(certificates ...*tls.Certificate) string {
		var all strings.Builder
		for _, one := range certificates {
			all.WriteString(PEM(one))
		}
		return all.String()
	}
	named, err := json.Marshal(map[string]string{"certificate": text(mine), "ca_chain": text(other)})
	if err != nil {
		t.Fatal(err)
	}
	private := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("not ours to read")}))
	for _, row := range []struct {
		name, body string
		key        *ecdsa.PrivateKey
		chain      int
		wrong      string
	}{
		{"PEM", text(mine), own, 1, ""},
		{"PEM with its chain", text(mine, other), own, 2, ""},
		{"text around it", "Your certificate:\n" + text(mine) + "done\n", own, 1, ""},
		{"JSON", string(named), own, 1, ""},
		{"a key beside it is left alone", private + text(mine), own, 1, ""},
		{"the chain first", text(other, mine), own, 0, "another key"},
		{"for another key", text(mine), key, 0, "another key"},
		{"nothing", "", own, 0, "holds no certificate"},
		{"a refusal", `{"errors":["no role"]}`, own, 0, "holds no certificate"},
		{"JSON that names no text", `{"certificate":17}`, own, 0, "holds no certificate"},
		{"no certificate in it", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("no DER")})), own, 0, "cannot be read"},
		{"no end", strings.Repeat(text(mine), longestChain+1), own, 0, "more than 10 certificates"},
	} {
		issued, err := readIssued([]byte(row.body), row.key)
		switch {
		case row.wrong != "":
			if err == nil || !strings.Contains(err.Error(), row.wrong) {
				t.Errorf("%s: error %v, want %q", row.name, err, row.wrong)
			}
		case err != nil:
			t.Errorf("%s: %v", row.name, err)
		case len(issued.Certificate) != row.chain || issued.Leaf.Subject.CommonName != "mine":
			t.Errorf("%s: %d certificates for %s, want %d for mine", row.name, len(issued.Certificate), issued.Leaf.Subject.CommonName, row.chain)
		}
	}
}
