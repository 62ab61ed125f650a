package point

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"sync"
	"time"
)

const maxKnown = 4096

// certificates verifies client certificates, and remembers for how long each is valid: a kept connection shows the same
// one with every request. What names a CA must chain to the partners'. What names nobody but itself is taken as it stands,
// for its thumbprint alone: RFC 8705 §6.2 has the resource server leave chains to the authorization server, which knows
// the certificate (§2.2) and bound the token to it. Without a token that is bound to it, it opens nothing.
type certificates struct {
	roots *x509.CertPool

	mu    sync.Mutex
	known map[[sha256.Size]byte]validity
}

type validity struct{ from, until time.Time }

func newCertificates(roots *x509.CertPool) *certificates {
	return &certificates{roots: roots, known: map[[sha256.Size]byte]validity{}}
}

// presented is the thumbprint of the connection's client certificate, "" when there is none, or the refusal of a
// certificate that is not good.
func (c *certificates) presented(state *tls.ConnectionState) (string, *Refusal) {
	if state == nil || len(state.PeerCertificates) == 0 {
		return "", nil
	}
	leaf := state.PeerCertificates[0]
	sum := sha256.Sum256(leaf.Raw)
	thumbprint := base64.RawURLEncoding.EncodeToString(sum[:])
	now := time.Now()
	if v, ok := c.lookup(sum); ok && !now.Before(v.from) && !now.After(v.until) {
		return thumbprint, nil
	}
	v, err := c.verify(state.PeerCertificates, now)
	if err != nil {
		return thumbprint, Invalid(Grant{}, "client certificate is not trusted: %v", err)
	}
	c.remember(sum, v)
	return thumbprint, nil
}

func (c *certificates) verify(chain []*x509.Certificate, now time.Time) (validity, error) {
	if leaf := chain[0]; selfSigned(leaf) {
		own := validity{from: leaf.NotBefore, until: leaf.NotAfter}
		if now.Before(own.from) || now.After(own.until) {
			return validity{}, errors.New("it is self-signed, and now is outside of its validity")
		}
		return own, nil
	}
	intermediates := x509.NewCertPool()
	for _, cert := range chain[1:] {
		intermediates.AddCert(cert)
	}
	chains, err := chain[0].Verify(x509.VerifyOptions{
		Roots:         c.roots,
		Intermediates: intermediates,
		CurrentTime:   now,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return validity{}, err
	}
	v := validity{from: chain[0].NotBefore, until: chain[0].NotAfter}
	for _, cert := range chains[0] {
		if cert.NotBefore.After(v.from) {
			v.from = cert.NotBefore
		}
		if cert.NotAfter.Before(v.until) {
			v.until = cert.NotAfter
		}
	}
	return v, nil
}

// selfSigned says that a certificate was issued by its own key, and is no CA.
func selfSigned(leaf *x509.Certificate) bool {
	return bytes.Equal(leaf.RawIssuer, leaf.RawSubject) && !leaf.IsCA && leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil
}

func (c *certificates) lookup(sum [sha256.Size]byte) (validity, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.known[sum]
	return v, ok
}

func (c *certificates) remember(sum [sha256.Size]byte, v validity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxKnown {
		clear(c.known)
	}
	c.known[sum] = v
}
