package check

import (
	"strings"
	"testing"
)

func TestReadSignature(t *testing.T) {
	got, err := readSignature([]byte("{\"X-Signature\": \"abc\\n\", \"Authorization\": \"HMAC x\"}\n"))
	if err != nil || len(got) != 2 || got[0].Name != "Authorization" || got[1].Value != "abc" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, output := range []string{"", "X-Signature: secret", `["secret"]`, `{"X-Signature": 7}`, `{"X-Signature": "secret"`} {
		_, err := readSignature([]byte(output))
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", output, err)
		}
	}
}
