//go:build linux

package real

import (
	"crypto"
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
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// authority is a throwaway CA: it signs the servers' certificate, and the ride gets its key to mint partners'.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the CA's key: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Organization: []string{"Checkride"}, CommonName: "Throwaway CA"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make the CA's certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make the CA's certificate: %w", err)
	}
	return &authority{certificate: certificate, key: key}, nil
}

// issue gives a certificate of the subject CN=name with one DNS name.
func (a *authority) issue(name, dns string, usage x509.ExtKeyUsage) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a key for %s: %w", name, err)
	}
	serial, err := newSerial()
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Organization: []string{"Checkride"}, CommonName: name}, DNSNames: []string{dns},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}
	if usage == x509.ExtKeyUsageServerAuth {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("issue a certificate for %s: %w", name, err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// lay writes ca.pem, ca.key, crl.pem (with nothing revoked), server.pem, server.key and both in server-bundle.pem.
func (a *authority) lay(dir string) error {
	server, err := a.issue("localhost", "localhost", x509.ExtKeyUsageServerAuth)
	if err != nil {
		return err
	}
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(24 * time.Hour),
	}, a.certificate, a.key)
	if err != nil {
		return fmt.Errorf("sign the revocation list: %w", err)
	}
	caKey, err := privatePEM(a.key)
	if err != nil {
		return err
	}
	serverKey, err := privatePEM(server.PrivateKey)
	if err != nil {
		return err
	}
	serverPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate[0]})
	for name, text := range map[string][]byte{
		"ca.pem":            pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw}),
		"ca.key":            caKey,
		"crl.pem":           pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list}),
		"server.pem":        serverPEM,
		"server.key":        serverKey,
		"server-bundle.pem": append(append([]byte{}, serverPEM...), serverKey...),
	} {
		err := os.WriteFile(filepath.Join(dir, name), text, 0o600)
		if err != nil {
			return fmt.Errorf("lay the PKI: %w", err)
		}
	}
	return nil
}

// layClient writes a client certificate and its key.
func (a *authority) layClient(name, dir string) error {
	issued, err := a.issue(name, name+".partner.test", x509.ExtKeyUsageClientAuth)
	if err != nil {
		return err
	}
	key, err := privatePEM(issued.PrivateKey)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issued.Certificate[0]}), 0o600),
		os.WriteFile(filepath.Join(dir, name+".certificate.key"), key, 0o600),
	)
}

// transport trusts the CA and shows a client certificate, if there is one. Each request opens a connection of its own.
func (a *authority) transport(shown *tls.Certificate) *http.Transport {
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if shown != nil {
		config.Certificates = []tls.Certificate{*shown}
	}
	return &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}
}

// signingKey is an ES256 key with an id.
type signingKey struct {
	id      string
	private *ecdsa.PrivateKey
}

func newSigningKey(id string) (*signingKey, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key %s: %w", id, err)
	}
	return &signingKey{id: id, private: private}, nil
}

func (k *signingKey) privateSet() jose.JSONWebKeySet { return k.set(k.private) }

func (k *signingKey) publicSet() jose.JSONWebKeySet { return k.set(k.private.Public()) }

func (k *signingKey) set(key any) jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key, KeyID: k.id, Algorithm: string(jose.ES256), Use: "sig"}}}
}

func (k *signingKey) layPrivate(file string) error {
	text, err := privatePEM(k.private)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

func layPublic(key crypto.PublicKey, file string) error {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return fmt.Errorf("write a public key: %w", err)
	}
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600)
}

func privatePEM(key crypto.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write a private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func newSerial() (*big.Int, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("choose a serial number: %w", err)
	}
	return serial, nil
}
