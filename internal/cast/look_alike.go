package cast

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
)

// LookAlike makes a self-signed certificate that says the same about itself as another, byte for byte in its subject, and
// has a key of its own: what anybody can make who has seen the other.
func LookAlike(seen *tls.Certificate) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf := seen.Leaf
	template := &x509.Certificate{
		SerialNumber: leaf.SerialNumber, RawSubject: leaf.RawSubject, SubjectKeyId: leaf.SubjectKeyId,
		NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, KeyUsage: leaf.KeyUsage, ExtKeyUsage: leaf.ExtKeyUsage,
		DNSNames: leaf.DNSNames, URIs: leaf.URIs, IPAddresses: leaf.IPAddresses, EmailAddresses: leaf.EmailAddresses,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: made}, nil
}
