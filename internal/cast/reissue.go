package cast

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// longestChain is how many certificates the answer of a CA may hold.
const longestChain = 10

// Reissues says whether a member of this role can get another certificate for its names.
func (c *Cast) Reissues(role string) bool {
	return c.Faults(role) || c.issuers[role] != nil && c.HasHook(plan.IssueCertificate)
}

// Reissue gives a member another certificate with a new key, for the names of the one that it has, as a renewal does: by
// the operator's hook where the plan has one, else by the test CA. The exchange is that of the hook; of one by the test CA
// it has the time alone. The member itself keeps what it has.
func (c *Cast) Reissue(ctx context.Context, member *Member) (*tls.Certificate, wire.Exchange, error) {
	before := member.Client().Certificate
	if before == nil {
		return nil, wire.Exchange{}, &FactError{Fact: "a renewed certificate for " + member.Role, Err: errors.New("it has none")}
	}
	leaf := before.Leaf
	if c.HasHook(plan.IssueCertificate) {
		return c.issuedByHook(ctx, member, x509.CertificateRequest{
			RawSubject: leaf.RawSubject, DNSNames: leaf.DNSNames, EmailAddresses: leaf.EmailAddresses, IPAddresses: leaf.IPAddresses, URIs: leaf.URIs,
		})
	}
	same := Fault{}
	if len(leaf.DNSNames) > 0 {
		same.DNS = leaf.DNSNames[0]
	}
	issued, err := c.Issue(member.Role, leaf.Subject.CommonName, same)
	return issued, wire.Exchange{Received: time.Now()}, err
}

// issuedByHook has the operator's CA issue a certificate for a new key. The key stays in this process.
func (c *Cast) issuedByHook(ctx context.Context, member *Member, wanted x509.CertificateRequest) (*tls.Certificate, wire.Exchange, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, wire.Exchange{}, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &wanted, key)
	if err != nil {
		return nil, wire.Exchange{}, fmt.Errorf("a certificate request for %s: %w", member.Role, err)
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, wire.Exchange{}, fmt.Errorf("a certificate request for %s: %w", member.Role, err)
	}
	x, err := c.Hook(ctx, plan.IssueCertificate, member, map[string]string{
		"csr":        string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})),
		"subject_dn": oauth.SubjectDN(&x509.Certificate{RawSubject: request.RawSubject}),
	})
	if err != nil {
		return nil, x, err
	}
	issued, err := readIssued(x.Body, key)
	if err != nil {
		return nil, x, &FactError{Fact: "hook " + plan.IssueCertificate, Err: err}
	}
	c.mu.Lock()
	c.certs++
	c.mu.Unlock()
	return issued, x, nil
}

// readIssued reads what a CA answers: PEM, the certificate first and then its chain, or JSON that names it (certificate).
// The certificate must be for the key: one that was answered by mistake would be refused everywhere, and nobody would know
// why.
func readIssued(body []byte, key crypto.Signer) (*tls.Certificate, error) {
	var told struct {
		Certificate string `json:"certificate"`
	}
	text := body
	if json.Unmarshal(body, &told) == nil {
		text = []byte(told.Certificate)
	}
	issued := &tls.Certificate{PrivateKey: key}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if len(issued.Certificate) == longestChain {
			return nil, fmt.Errorf("the answer holds more than %d certificates; let it hold the chain alone", longestChain)
		}
		issued.Certificate = append(issued.Certificate, block.Bytes)
	}
	if len(issued.Certificate) == 0 {
		return nil, errors.New("the answer holds no certificate: let it be PEM, or JSON with the member certificate")
	}
	leaf, err := x509.ParseCertificate(issued.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("the first certificate of the answer cannot be read: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(leaf.RawSubjectPublicKeyInfo, public) {
		return nil, errors.New("the first certificate of the answer is for another key than the request; let the certificate come before its chain")
	}
	issued.Leaf = leaf
	return issued, nil
}
