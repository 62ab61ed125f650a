package claims

import (
	"slices"
	"testing"

	"github.com/checkride/checkride/internal/oauth"
)

// RFC 7662 §2.2: the server MAY limit what it tells each resource server, so only what a token does not say is wrong.
func TestBetweenIntrospectionAndToken(t *testing.T) {
	claims := map[string]any{"iss": "https://as", "sub": "p", "exp": 100.0, "iat": 50.0, "jti": "1", "scope": "read write", "aud": []any{"a", "b"}, "cnf": map[string]any{"x5t#S256": "x"}}
	for _, row := range []struct {
		name   string
		member string
		value  any // nil: it is left out
		want   differences
	}{
		{"all alike", "scope", "write read", differences{}},
		{"another client", "client_id", "q", differences{wrong: []string{"client_id is q in introspection, and p got the token"}}},
		{"fewer scopes", "scope", "read", differences{parts: []string{`of scope "read write" only "read"`}}},
		{"another scope", "scope", "read pay", differences{wrong: []string{"scope is read pay in introspection and read write in the token"}}},
		{"fewer audiences", "aud", "a", differences{parts: []string{`of aud "a b" only "a"`}}},
		{"another audience", "aud", []any{"a", "c"}, differences{wrong: []string{"aud is a c in introspection and a b in the token"}}},
		{"another end", "exp", 200.0, differences{wrong: []string{"exp is 200 in introspection and 100 in the token"}}},
		{"a second of rounding", "exp", 101.0, differences{}},
		{"no binding", "cnf", nil, differences{wrong: []string{"cnf is in the token and not in introspection"}}},
		{"another id", "jti", "2", differences{aside: []string{"jti is 2 in introspection and 1 in the token"}}},
		{"no id", "jti", nil, differences{}},
	} {
		told := map[string]any{"active": true}
		for name, value := range claims {
			told[name] = value
		}
		told[row.member] = row.value
		if row.value == nil {
			delete(told, row.member)
		}
		got := between(told, oauth.Token{JWT: &oauth.JWS{Claims: claims}}, "p")
		if !slices.Equal(got.wrong, row.want.wrong) || !slices.Equal(got.aside, row.want.aside) || !slices.Equal(got.parts, row.want.parts) {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}
