package forge

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/checkride/checkride/internal/secret"
)

// TestGuessing makes eight tokens of each kind: what is random has its bits, what counts or repeats a stamp has few.
func TestGuessing(t *testing.T) {
	random := func(n int) []byte { b := make([]byte, n); _, _ = rand.Read(b); return b }
	for name, kind := range map[string]struct {
		make     func(i int) string
		low, top float64
	}{
		"a counter":             {func(i int) string { return fmt.Sprintf("at-2026-%010d", 4711000001+i) }, 1, 8},
		"a stamp and a counter": {func(i int) string { return fmt.Sprintf("%x%04x", 1790000000, 40+i) }, 1, 10},
		"128 bits in hex":       {func(int) string { return hex.EncodeToString(random(16)) }, 120, 128},
		"256 bits in base64url": {func(int) string { return "v1." + encode(random(32)) }, 240, 260},
		"the same text":         {func(int) string { return "always" }, 0, 0},
	} {
		keep, tokens := secret.NewKeeper(), []secret.Text(nil)
		for i := range 8 {
			tokens = append(tokens, keep.Keep("token", kind.make(i)))
		}
		if bits := Guessing(tokens...); bits < kind.low || bits > kind.top {
			t.Errorf("%s: %.1f bits, want %v to %v", name, bits, kind.low, kind.top)
		}
	}
	if Guessing(secret.NewKeeper().Keep("token", "one alone")) != 0 {
		t.Error("one token tells something")
	}
}
