package point

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"time"
)

// presented is the thumbprint of the connection's client certificate, "" when there is none, or the refusal of a
// certificate that is not good.
func (p *Point) presented(state *tls.ConnectionState) (string, *Refusal) {
	if state == nil || len(state.PeerCertificates) == 0 {
		return "", nil
	}
	leaf := state.PeerCertificates[0]
	sum := sha256.Sum256(leaf.Raw)
	thumbprint := base64.RawURLEncoding.EncodeToString(sum[:])
	err := p.untrusted(leaf, state.PeerCertificates[1:], time.Now())
	if err != nil {
		return thumbprint, Invalid(Grant{}, "client certificate is not trusted: %v", err)
	}
	return thumbprint, nil
}

// untrusted says why a client certificate is not good, or nothing. What names a CA must chain to the partners'. What names
// nobody but itself is taken as it stands, for its thumbprint alone: RFC 8705 §6.2 has the resource server leave chains to
// the authorization server, which knows the certificate (§2.2) and bound the token to it. Without a token that is bound to
// it, it opens nothing.
func (p *Point) untrusted(leaf *x509.Certificate, intermediates []*x509.Certificate, now time.Time) error {
	if !selfSigned(leaf) {
		return p.partners.Verify(leaf, intermediates, x509.ExtKeyUsageClientAuth, now)
	}
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return errors.New("it is self-signed, and now is outside of its validity")
	}
	return nil
}

// selfSigned says that a certificate was issued by its own key, and is no CA.
func selfSigned(leaf *x509.Certificate) bool {
	return bytes.Equal(leaf.RawIssuer, leaf.RawSubject) && !leaf.IsCA && leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil
}
