package forge

import (
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
		{"UUIDs of time", []string{"c232ab00-9414-11ec-b3c8-9f68deced846", "c232ab01-9414-11ec-b3c8-9f68deced846"}, 60, 60, "not random"},
		{"a prefix in common", []string{"acme-prod-secret-0f1e2d3c4b5a6978", "acme-prod-secret-9a8b7c6d5e4f3021"}, 64, 64, "17 that all secrets have in common"},
		{"a counter", []string{"client-secret-000017", "client-secret-000018"}, 0, 4, "in common"},
		{"the same", []string{"0f1e2d3c4b5a69788796a5b4c3d2e1f0", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"}, 0, 0, "same secret"},
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
