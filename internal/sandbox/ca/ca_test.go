package ca

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"
)

func TestCertificatesAreWhatTheyAreFor(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	authority, err := New("sandbox partners", now)
	if err != nil {
		t.Fatal(err)
	}
	other, err := New("sandbox partners", now)
	if err != nil {
		t.Fatal(err)
	}
	server, err := authority.Server(0, "as.sandbox.test", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	client, err := authority.Client("acme", Options{Organization: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	expired, err := authority.Client("acme", Options{NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(-24 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	verify := func(c tls.Certificate, roots *x509.CertPool, at time.Time, usage x509.ExtKeyUsage, name string) error {
		_, err := c.Leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at, DNSName: name, KeyUsages: []x509.ExtKeyUsage{usage}})
		return err
	}
	for _, row := range []struct {
		name string
		err  error
		good bool
	}{
		{"server by name", verify(server, authority.Pool(), now, x509.ExtKeyUsageServerAuth, "as.sandbox.test"), true},
		{"server by address", verify(server, authority.Pool(), now, x509.ExtKeyUsageServerAuth, "127.0.0.1"), true},
		{"server by another name", verify(server, authority.Pool(), now, x509.ExtKeyUsageServerAuth, "edge.sandbox.test"), false},
		{"client", verify(client, authority.Pool(), now, x509.ExtKeyUsageClientAuth, ""), true},
		{"client as a server", verify(client, authority.Pool(), now, x509.ExtKeyUsageServerAuth, ""), false},
		{"client of a CA of the same name", verify(client, other.Pool(), now, x509.ExtKeyUsageClientAuth, ""), false},
		{"expired now", verify(expired, authority.Pool(), now, x509.ExtKeyUsageClientAuth, ""), false},
		{"expired then", verify(expired, authority.Pool(), now.Add(-30*time.Hour), x509.ExtKeyUsageClientAuth, ""), true},
	} {
		if (row.err == nil) != row.good {
			t.Errorf("%s: %v", row.name, row.err)
		}
	}
	key, err := authority.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tls.X509KeyPair(authority.CertificatePEM(), key); err != nil {
		t.Errorf("certificate and key do not belong together: %v", err)
	}
	if _, err := authority.Server(0); err == nil {
		t.Error("a server certificate without a host was made")
	}
}
