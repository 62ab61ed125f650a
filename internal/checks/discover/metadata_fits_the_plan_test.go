package discover

import "testing"

// A host is the server's if it shares the issuer's parent domain, or if the plan names it. A suffix without a dot is
// another domain, and a parent of one label, or one such as co.uk, is nobody's.
func TestOfTheServer(t *testing.T) {
	hosts := []string{"admin.other.example:8443", "[2001:db8::1]:443"}
	for _, one := range []struct {
		host, issuer string
		want         bool
	}{
		{"as.acme.example", "https://as.acme.example", true},
		{"mtls.acme.example", "https://as.acme.example", true},
		{"MTLS.acme.example", "https://as.acme.example", true},
		{"acme.example", "https://as.acme.example", true},
		{"evil-acme.example", "https://as.acme.example", false},
		{"as.acme.example.evil.test", "https://as.acme.example", false},
		{"other.example", "https://acme.example", false},
		{"mtls.acme.example", "https://acme.example", true},
		{"evilacme.example", "https://acme.example", false},
		{"evil.co.uk", "https://acme.co.uk", false},
		{"mtls.acme.co.uk", "https://as.acme.co.uk", true},
		{"admin.other.example", "https://acme.example", true},
		{"2001:db8::1", "https://acme.example", true},
	} {
		if got := ofTheServer(one.host, one.issuer, hosts); got != one.want {
			t.Errorf("%s for %s: %v, want %v", one.host, one.issuer, got, one.want)
		}
	}
}
