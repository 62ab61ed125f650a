// Package ca is the sandbox's private certification authority: it makes the certificates of the stack's servers and of
// its partners. Start with [New] and [CA.Client].
package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"time"
)

const (
	// A CA is older than the day on which it is used, so that leaves which expired yesterday can still be made.
	backdated  = 90 * 24 * time.Hour
	caLife     = 10 * 365 * 24 * time.Hour
	leafLife   = 365 * 24 * time.Hour
	leafMargin = time.Hour // a leaf is valid from this long ago: clocks differ
)

// CA is a root that signs leaves itself. It holds an ECDSA P-256 key and is safe for concurrent use.
type CA struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	now         time.Time
	withdrawn   withdrawn
}

// New makes a CA with the given common name. now is the time from which leaves are dated; the CA itself is valid from 90
// days before until ten years after.
func New(name string, now time.Time) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of CA %s: %w", name, err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-backdated),
		NotAfter:              now.Add(caLife),
		IsCA:                  true,
		MaxPathLenZero:        true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign CA %s: %w", name, err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back CA %s: %w", name, err)
	}
	return &CA{certificate: certificate, key: key, now: now}, nil
}

// CertificatePEM is the CA's own certificate as PEM.
func (a *CA) CertificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// KeyPEM is the CA's private key as PKCS #8 PEM. Whoever has it is every partner.
func (a *CA) KeyPEM() ([]byte, error) { return KeyPEM(a.key) }

// KeyPEM is a private key as PKCS #8 PEM.
func KeyPEM(key any) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode a private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Pool holds the CA's certificate alone. Each call makes a new one.
func (a *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// Server makes a certificate for a server under the given names and addresses, valid for a time; 0: a year.
func (a *CA) Server(life time.Duration, hosts ...string) (tls.Certificate, error) {
	if len(hosts) == 0 {
		return tls.Certificate{}, errors.New("server certificate: no host given, name at least one")
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: hosts[0]},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if life > 0 {
		template.NotBefore, template.NotAfter = a.now.Add(life-leafLife), a.now.Add(life) // it was good for as long as the others are
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		template.DNSNames = append(template.DNSNames, host)
	}
	return a.leaf(template)
}

// Options are a client certificate's particulars. The zero value is good: valid from an hour ago for a year, for client
// authentication, with the common name alone.
type Options struct {
	Organization       string
	OrganizationalUnit string
	DNSNames           []string
	Emails             []string
	URIs               []*url.URL
	IPs                []net.IP
	NotBefore          time.Time          // zero: an hour ago
	NotAfter           time.Time          // zero: in a year
	Usages             []x509.ExtKeyUsage // nil: client authentication
}

// Client makes a certificate for a client with a key of its own.
func (a *CA) Client(cn string, o Options) (tls.Certificate, error) {
	template := &x509.Certificate{
		Subject:        pkix.Name{CommonName: cn},
		DNSNames:       o.DNSNames,
		EmailAddresses: o.Emails,
		URIs:           o.URIs,
		IPAddresses:    o.IPs,
		NotBefore:      o.NotBefore,
		NotAfter:       o.NotAfter,
		ExtKeyUsage:    o.Usages,
	}
	if o.Organization != "" {
		template.Subject.Organization = []string{o.Organization}
	}
	if o.OrganizationalUnit != "" {
		template.Subject.OrganizationalUnit = []string{o.OrganizationalUnit}
	}
	if template.ExtKeyUsage == nil {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	return a.leaf(template)
}

// Issue makes a client certificate for whoever holds the key of a request (PKCS #10 as PEM), with the names that the
// request asks for, and gives it as PEM. Who may have these names is the caller's to know.
func (a *CA) Issue(request []byte) ([]byte, error) {
	block, _ := pem.Decode(request)
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return nil, errors.New("no certificate request in PEM")
	}
	asked, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read a certificate request: %w", err)
	}
	err = asked.CheckSignature()
	if err != nil {
		return nil, fmt.Errorf("the request is not signed with its own key: %w", err)
	}
	issued, err := a.signed(&x509.Certificate{
		RawSubject: asked.RawSubject, DNSNames: asked.DNSNames, EmailAddresses: asked.EmailAddresses, URIs: asked.URIs, IPAddresses: asked.IPAddresses,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, asked.PublicKey)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issued.Raw}), nil
}

func (a *CA) leaf(template *x509.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make the key of %s: %w", template.Subject.CommonName, err)
	}
	leaf, err := a.signed(template, key.Public())
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

func (a *CA) signed(template *x509.Certificate, key any) (*x509.Certificate, error) {
	name := template.Subject.CommonName
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.BasicConstraintsValid = true
	if template.NotBefore.IsZero() {
		template.NotBefore = a.now.Add(-leafMargin)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = a.now.Add(leafLife)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key, a.key)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate of %s: %w", name, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back the certificate of %s: %w", name, err)
	}
	return leaf, nil
}

// RFC 5280 §4.1.2.2: serial numbers are positive and at most 20 octets.
func newSerial() (*big.Int, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	return serial.Add(serial, big.NewInt(1)), nil
}
