package cast

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
)

// issuer makes or gives the certificates of one member of the plan. With neither a given one nor a CA of its own, the
// operator's hook issues them.
type issuer struct {
	given   *tls.Certificate
	ca      *x509.Certificate
	key     crypto.Signer
	subject string
	dns     string

	organization string
}

func newIssuer(resolver plan.Resolver, client plan.Client) (*issuer, error) {
	described := client.Certificate
	if described == nil {
		return nil, nil
	}
	if described.Issue == nil {
		chain, err := resolver.Text(described.Cert)
		if err != nil {
			return nil, err
		}
		key, err := resolver.Text(described.Key)
		if err != nil {
			return nil, err
		}
		resolver.Keeper.Keep("key", key)
		pair, err := tls.X509KeyPair([]byte(chain), []byte(key))
		if err != nil {
			return nil, errors.New("certificate and key do not fit each other or are no PEM; give a chain under cert and its key under key")
		}
		return &issuer{given: &pair}, nil
	}
	made := &issuer{subject: described.Issue.Subject, dns: described.Issue.DNS, organization: client.Organization}
	if made.subject == "" {
		made.subject = "{name}.partners.example"
	}
	if described.Issue.CA.Empty() {
		return made, nil
	}
	chain, err := resolver.Text(described.Issue.CA)
	if err != nil {
		return nil, err
	}
	key, err := resolver.Text(described.Issue.Key)
	if err != nil {
		return nil, err
	}
	resolver.Keeper.Keep("key", key)
	pair, err := tls.X509KeyPair([]byte(chain), []byte(key))
	if err != nil {
		return nil, errors.New("the test CA's certificate and key do not fit each other or are no PEM; give its certificate under issue.ca and its key under issue.key")
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, errors.New("the test CA's key cannot sign; give an RSA or EC key")
	}
	made.ca, made.key = pair.Leaf, signer
	return made, nil
}

// Fault is one thing that is wrong with a certificate. The zero value is a good certificate.
type Fault struct {
	Expired    bool   // ended a day ago
	Early      bool   // begins in a day
	ServerOnly bool   // extended key usage serverAuth alone
	ForeignCA  bool   // issued by a CA of our own with the very name of the real one
	DNS        string // another DNS name than the plan gives; empty: that of the plan
}

// Issues says whether certificates are issued for the ride in this role, so that each of its members has its own.
func (c *Cast) Issues(role string) bool {
	return c.issuers[role] != nil && c.issuers[role].given == nil
}

// Faults says whether the ride has the key of a test CA for this role, so that certificates with one fault can be made.
func (c *Cast) Faults(role string) bool { return c.issuers[role] != nil && c.issuers[role].ca != nil }

// certificate gives a certificate for a role: a new one, by the test CA or the operator's hook, or the given one.
func (c *Cast) certificate(ctx context.Context, role, name string) (*tls.Certificate, error) {
	made := c.issuers[role]
	if made == nil {
		return nil, fmt.Errorf("clients.%s needs a certificate; name one under certificate.cert or a test CA under certificate.issue", role)
	}
	if made.given != nil {
		return made.given, nil
	}
	subject := strings.ReplaceAll(made.subject, "{name}", name)
	if made.ca != nil {
		return c.Issue(role, subject, Fault{})
	}
	issued, _, err := c.issuedByHook(ctx, &Member{Role: role, name: name}, x509.CertificateRequest{Subject: made.named(subject), DNSNames: made.dnsNames(subject)})
	return issued, err
}

// subjectDN is the subject that a role's certificate has, or will have once it is issued.
func (c *Cast) subjectDN(role string) (string, error) {
	made := c.issuers[role]
	if made == nil {
		return "", fmt.Errorf("clients.%s needs a certificate; name one under certificate.cert or a test CA under certificate.issue", role)
	}
	if made.given != nil {
		return oauth.SubjectDN(made.given.Leaf), nil
	}
	raw, err := asn1.Marshal(made.named(strings.ReplaceAll(made.subject, "{name}", role)).ToRDNSequence())
	if err != nil {
		return "", fmt.Errorf("clients.%s.certificate.issue.subject: %w", role, err)
	}
	return oauth.SubjectDN(&x509.Certificate{RawSubject: raw}), nil
}

// Issue makes a certificate by the role's test CA, for a subject (its CN), with at most one fault.
func (c *Cast) Issue(role, subject string, fault Fault) (*tls.Certificate, error) {
	made := c.issuers[role]
	if made == nil || made.ca == nil {
		return nil, &FactError{Fact: "a certificate for " + subject, Err: fmt.Errorf("clients.%s has no test CA; name one under certificate.issue", role)}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := made.template(subject, fault)
	ca, signer := made.ca, made.key
	if fault.ForeignCA {
		ca, signer, err = impostor(made.ca)
		if err != nil {
			return nil, err
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.certs++
	c.mu.Unlock()
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

func (i *issuer) template(subject string, fault Fault) *x509.Certificate {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: newSerial(),
		Subject:      i.named(subject),
		DNSNames:     i.dnsNames(subject),
		NotBefore:    now.Add(-48 * time.Hour),
		NotAfter:     now.Add(48 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if template.NotBefore.Before(i.ca.NotBefore) {
		template.NotBefore = i.ca.NotBefore
	}
	if template.NotAfter.After(i.ca.NotAfter) {
		template.NotAfter = i.ca.NotAfter
	}
	if fault.DNS != "" {
		template.DNSNames = []string{fault.DNS}
	}
	if fault.Expired {
		template.NotBefore, template.NotAfter = now.Add(-72*time.Hour), now.Add(-24*time.Hour)
	}
	if fault.Early {
		template.NotBefore, template.NotAfter = now.Add(24*time.Hour), now.Add(72*time.Hour)
	}
	if fault.ServerOnly {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	return template
}

func (i *issuer) named(subject string) pkix.Name {
	name := pkix.Name{CommonName: subject}
	if i.organization != "" {
		name.Organization = []string{i.organization}
	}
	return name
}

func (i *issuer) dnsNames(subject string) []string {
	if i.dns == "" {
		return nil
	}
	return []string{strings.ReplaceAll(i.dns, "{name}", strings.SplitN(subject, ".", 2)[0])}
}

// impostor is a CA of our own with the name and key identifier of the real one.
func impostor(real *x509.Certificate) (*x509.Certificate, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: newSerial(), RawSubject: real.RawSubject, SubjectKeyId: real.SubjectKeyId,
		NotBefore: real.NotBefore, NotAfter: real.NotAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	ca, err := x509.ParseCertificate(der)
	return ca, key, err
}

// SelfSigned makes a certificate that nobody else issued, as self_signed_tls_client_auth asks for (RFC 8705 §2.2).
func SelfSigned(name string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(48 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

func newSerial() *big.Int {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return big.NewInt(time.Now().UnixNano())
	}
	return serial
}

// PEM is a certificate as text, for headers that carry one.
func PEM(certificate *tls.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}))
}
