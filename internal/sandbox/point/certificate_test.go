package point

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"
)

// A certificate that names a CA chains to the partners', and one that names itself is taken for its thumbprint alone (RFC
// 8705 §6.2) while it is valid.
func TestCertificatesThatAreTaken(t *testing.T) {
	now := time.Now()
	issue := func(subject string, from, until time.Time, isCA bool, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		t.Helper()
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: subject}, NotBefore: from, NotAfter: until,
			IsCA: isCA, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}
		if parent == nil {
			parent, signer = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return certificate, key
	}
	hourAgo, inAnHour := now.Add(-time.Hour), now.Add(time.Hour)
	partners, partnersKey := issue("partners", hourAgo, inAnHour, true, nil, nil)
	others, othersKey := issue("partners", hourAgo, inAnHour, true, nil, nil)
	roots := x509.NewCertPool()
	roots.AddCert(partners)

	ours, _ := issue("acme", hourAgo, inAnHour, false, partners, partnersKey)
	foreign, _ := issue("acme", hourAgo, inAnHour, false, others, othersKey)
	alone, _ := issue("acme", hourAgo, inAnHour, false, nil, nil)
	ended, _ := issue("acme", hourAgo, now.Add(-time.Minute), false, nil, nil)
	early, _ := issue("acme", now.Add(time.Minute), inAnHour, false, nil, nil)
	namesake, _ := issue("partners", hourAgo, inAnHour, false, others, othersKey) // names itself, and another key signed it
	for _, row := range []struct {
		name  string
		shown *x509.Certificate
		taken bool
	}{
		{"of the partners' CA", ours, true},
		{"of a CA of the same name", foreign, false},
		{"self-signed", alone, true},
		{"self-signed and expired", ended, false},
		{"self-signed and not yet valid", early, false},
		{"names itself and is signed by another", namesake, false},
		{"a CA that is not the partners'", others, false},
	} {
		p := New(Config{Partners: roots})
		for range 2 { // the second time from memory
			_, refusal := p.presented(&tls.ConnectionState{PeerCertificates: []*x509.Certificate{row.shown}})
			if (refusal == nil) != row.taken {
				t.Errorf("%s: refusal %+v, want taken: %v", row.name, refusal, row.taken)
			}
		}
	}
}
