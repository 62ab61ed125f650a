package oauth

import (
	"strings"
	"testing"
)

// A name one letter off a known one was meant to be it; a name of one's own, and another known one, was not.
func TestMeantMember(t *testing.T) {
	for name, want := range map[string]string{
		"token_endpoint_auth_method_supported": "token_endpoint_auth_methods_supported",
		"grant_type_supported":                 "grant_types_supported",
		"tokenEndpoint":                        "token_endpoint",
		"mtls_endpiont_aliases":                "mtls_endpoint_aliases",
		"acr_values_supported":                 "",
		"amr_values_supported":                 "",
		"acme_partner_portal":                  "",
		"x" + strings.Repeat("_supported", 50): "",
	} {
		got, found := MeantMember(name)
		if got != want || found != (want != "") {
			t.Errorf("%s was meant to be %q, got %q", name, want, got)
		}
	}
}

// Every known member has one kind, and names that differ by one letter do not accuse each other.
func TestKnownMembersAreApart(t *testing.T) {
	kinds := map[string]Kind{}
	for kind, names := range members {
		for _, name := range names {
			if other, twice := kinds[name]; twice {
				t.Errorf("%s is %s and %s", name, kind, other)
			}
			kinds[name] = kind
		}
	}
}

func TestKinds(t *testing.T) {
	for _, one := range []struct {
		kind  Kind
		value any
		want  bool
	}{
		{WebAddress, "https://as.example/token", true}, {WebAddress, "/token", false}, {WebAddress, 7.0, false},
		{Words, []any{"a"}, true}, {Words, []any{}, false}, {Words, "a", false}, {Words, []any{"a", 1.0}, false},
		{Flag, false, true}, {Flag, "true", false}, {Object, map[string]any{}, true}, {Object, nil, false},
	} {
		if got := one.kind.Is(one.value); got != one.want {
			t.Errorf("%v is %s: %v, want %v", one.value, one.kind, got, one.want)
		}
	}
}

// What means the same has the same digest; what means another thing has another.
func TestMetadataDigest(t *testing.T) {
	digest := func(m map[string]any) string {
		text, err := MetadataDigest(m)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	one := digest(map[string]any{"issuer": "https://as.example", "scopes_supported": []any{"a", "b"}, "signed_metadata": "x"})
	if two := digest(map[string]any{"scopes_supported": []any{"b", "a"}, "issuer": "https://as.example", "signed_metadata": "y"}); one != two {
		t.Error("order or a new signature changes the digest")
	}
	if two := digest(map[string]any{"issuer": "https://as.example", "scopes_supported": []any{"a", "b", "c"}}); one == two {
		t.Error("another scope does not change the digest")
	}
}
