package forge

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/secret"
)

func TestStrengthOf(t *testing.T) {
	keep := secret.NewKeeper()
	for _, row := range []struct {
		name      string
		secrets   []string
		low, high float64
		how       string
	}{
		{"32 bytes in base64url", []string{"YtRz7mJd0n3uQx_l8H2kVwPb5sGcAeF1iUoN9Xh4TqE", "a-Bc9dEf0GhIjK1lMnOpQ2rStUvW3xYzAbC4dEfGhI5"}, 256, 260, "base64url"},
		{"16 bytes in hexadecimal", []string{"0f1e2d3c4b5a69788796a5b4c3d2e1f0", "9a8b7c6d5e4f30211203f4e5d6c7b8a9"}, 128, 128, "hexadecimal"},
		{"ten letters and digits", []string{"k3jd92mxq1", "p0a7wz5tbe"}, 51, 52, "small letters and digits"},
		{"random UUIDs", []string{"3f2504e0-4f89-41d3-9a0c-0305e82c3301", "7c9e6679-7425-40de-944b-e07fc1f90ae7"}, 122, 122, "version 4"},
		{"UUIDs of time", []string{"c232ab00-9414-11ec-b3c8-9f68deced846", "2b3c8a77-1f0e-11ee-9c41-0242ac120002"}, 60, 60, "not random"},
		{"UUIDs that count", []string{"c232ab00-9414-11ec-b3c8-9f68deced846", "c232ab01-9414-11ec-b3c8-9f68deced846"}, 0, 8, "in common"},
		{"UUIDs of time and chance", []string{"01907c5e-3d2a-7cc1-98b1-6f1f3a5b9d10", "0f907c5e-3d2a-7a41-a1c2-2e4f6a8b0c1d"}, 74, 74, "version 7"},
		{"a prefix in common", []string{"acme-prod-secret-0f1e2d3c4b5a6978", "acme-prod-secret-9a8b7c6d5e4f3021"}, 64, 64, "17 that all have in common"},
		{"a counter", []string{"client-secret-000017", "client-secret-000018"}, 0, 4, "in common"},
		{"the same", []string{"0f1e2d3c4b5a69788796a5b4c3d2e1f0", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"}, 0, 0, "two are the same"},
		{"the client id", []string{"9a8b7c6d5e4f30211203f4e5d6c7b8a9", "Partner-17"}, 0, 0, "others know"},
		{"one alone", []string{"0f1e2d3c4b5a69788796a5b4c3d2e1f0"}, 128, 128, "hexadecimal"},
		{"a sentence", []string{"correct horse battery!"}, 144, 145, "printable"},
	} {
		var texts []secret.Text
		for _, one := range row.secrets {
			texts = append(texts, keep.Keep("secret", one))
		}
		got := StrengthOf(texts, "partner-17")
		if got.Bits < row.low || got.Bits > row.high || !strings.Contains(got.How, row.how) {
			t.Errorf("%s: %.1f bits, %s", row.name, got.Bits, got.How)
		}
		for _, one := range row.secrets {
			if strings.Contains(got.How, one) {
				t.Errorf("%s: tells a secret", row.name)
			}
		}
	}
}

// TestStrengthOfMany makes eight tokens of each kind: what is random has its bits, what counts or repeats a stamp has few.
func TestStrengthOfMany(t *testing.T) {
	random := func(n int) []byte { b := make([]byte, n); _, _ = rand.Read(b); return b }
	for name, kind := range map[string]struct {
		make     func(i int) string
		low, top float64
	}{
		"a counter":             {func(i int) string { return fmt.Sprintf("at-2026-%010d", 4711000001+i) }, 1, 8},
		"a stamp and a counter": {func(i int) string { return fmt.Sprintf("%x%04x", 1790000000, 40+i) }, 1, 10},
		"128 bits in hex":       {func(int) string { return hex.EncodeToString(random(16)) }, MustBits, MustBits},
		"256 bits in base64url": {func(int) string { return "v1." + encode(random(32)) }, 256, 260},
		"random UUIDs": {func(int) string {
			b := random(16)
			b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
			return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
		}, 122, 122},
		"the same text": {func(int) string { return "always" }, 0, 0},
	} {
		keep, tokens := secret.NewKeeper(), []secret.Text(nil)
		for i := range Sampled {
			tokens = append(tokens, keep.Keep("token", kind.make(i)))
		}
		got := StrengthOf(tokens)
		if got.Bits < kind.low || got.Bits > kind.top {
			t.Errorf("%s: %s, want %v to %v", name, got.Text(), kind.low, kind.top)
		}
	}
}

// TestCanBeGuessed pins that a random UUID is less than the standard asks for, and no way in.
func TestCanBeGuessed(t *testing.T) {
	for bits, guessed := range map[float64]bool{52: true, 111: true, SafeBits: false, 122: false, MustBits: false} {
		if (Strength{Bits: bits}).CanBeGuessed() != guessed {
			t.Errorf("%.0f bits: guessed is %t", bits, !guessed)
		}
	}
}
