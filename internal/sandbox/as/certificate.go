package as

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// presented is the client certificate of a request and what came with it. TLS has proven that the client has its key.
// With trustHeader, a certificate in a header that proxies use wins.
func presented(r *http.Request, trustHeader bool) (*x509.Certificate, []*x509.Certificate) {
	if trustHeader {
		if certificate := fromHeader(r.Header); certificate != nil {
			return certificate, nil
		}
	}
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil, nil
	}
	return r.TLS.PeerCertificates[0], r.TLS.PeerCertificates[1:]
}

func fromHeader(h http.Header) *x509.Certificate {
	for _, value := range []string{
		strings.Trim(h.Get("Client-Cert"), ":"), // RFC 9440 §2.2: a structured field byte sequence
		forwardedCertificate(h.Get("X-Forwarded-Client-Cert")),
		h.Get("X-SSL-Client-Cert"),
	} {
		if certificate := decodeCertificate(value); certificate != nil {
			return certificate
		}
	}
	return nil
}

// forwardedCertificate takes Cert of Envoy's By=...;Hash=...;Cert="..." or, where there is none, the whole value.
func forwardedCertificate(value string) string {
	for _, element := range strings.FieldsFunc(value, func(r rune) bool { return r == ';' || r == ',' }) {
		name, quoted, ok := strings.Cut(element, "=")
		if ok && strings.EqualFold(strings.TrimSpace(name), "Cert") {
			return strings.Trim(quoted, `"`)
		}
	}
	return value
}

// decodeCertificate takes PEM, percent-encoded PEM, or the base64 of DER.
func decodeCertificate(value string) *x509.Certificate {
	if strings.Contains(value, "%") {
		unescaped, err := url.PathUnescape(value)
		if err != nil {
			return nil
		}
		value = unescaped
	}
	var der []byte
	if block, _ := pem.Decode([]byte(value)); block != nil {
		der = block.Bytes
	} else {
		raw, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return nil
		}
		der = raw
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	return certificate
}

// thumbprint is x5t#S256 (RFC 8705 §3.1).
func thumbprint(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// badChain says why the certificate does not prove a tls_client_auth client, or nothing. RFC 8705 §2.1: a validated
// chain and the one expected subject.
func (s *Server) badChain(c *call, cl *client) string {
	if c.certificate == nil {
		return "no client certificate"
	}
	if !c.defects.ChainNotVerified {
		err := s.untrusted(c)
		if err != nil {
			return "certificate chain: " + err.Error()
		}
	}
	if cl.registration.subject == nil && c.defects.SubjectsUnchecked {
		return ""
	}
	named := cl.registration.subject.matches(c.certificate) || c.defects.CommonNameForSAN && cl.registration.subject.isCommonName(c.certificate)
	if !c.defects.AnyTrustedCertificate && !named {
		return "the certificate is not of the registered subject"
	}
	if c.defects.RenewedCertificateUnknown {
		shown := thumbprint(c.certificate)
		if cl.firstShown == "" {
			cl.firstShown = shown
		}
		if cl.firstShown != shown {
			return "the certificate is not the one on file"
		}
	}
	return ""
}

// untrusted says why the certificate of a call is not one of the partners' CA for a client, or nothing.
func (s *Server) untrusted(c *call) error {
	at, usage := c.now, x509.ExtKeyUsageClientAuth
	if c.defects.CertificateExpiryIgnored {
		at = c.certificate.NotBefore
	}
	if c.defects.CertificateUsageIgnored {
		usage = x509.ExtKeyUsageAny
	}
	return s.partners.Verify(c.certificate, c.intermediates, usage, at)
}

// badSelfSigned says why the certificate does not prove a self_signed_tls_client_auth client, or nothing. RFC 8705 §2.2:
// the chain is not validated, the certificate must be a registered one. Its dates are looked at all the same.
func badSelfSigned(c *call, cl *client) string {
	if c.certificate == nil {
		return "no client certificate"
	}
	if c.now.Before(c.certificate.NotBefore) || c.now.After(c.certificate.NotAfter) {
		return "the certificate is not valid now"
	}
	equal := func(der []byte) bool { return bytes.Equal(der, c.certificate.Raw) }
	if slices.ContainsFunc(cl.registration.certificates, equal) {
		return ""
	}
	if c.defects.SelfSignedBySerial && slices.ContainsFunc(cl.registration.certificates, func(der []byte) bool { return sameSerial(der, c.certificate) }) {
		return ""
	}
	if c.defects.OldCertificateWorks && slices.ContainsFunc(cl.formerCertificates, equal) {
		return ""
	}
	return "the certificate is not a registered one"
}

// A subject is the one expected subject of a tls_client_auth client (RFC 8705 §2.1.2).
type subject struct {
	member string // tls_client_auth_subject_dn, ...
	value  string
	names  [][]attribute // of a subject_dn
}

// readSubject takes exactly one of the five subject members where the method needs one, and none elsewhere.
func (r *registration) readSubject(members map[string]json.RawMessage, unchecked bool) error {
	if r.method != tlsClientAuth {
		return nil
	}
	for _, kind := range []string{"subject_dn", "san_dns", "san_uri", "san_ip", "san_email"} {
		value, err := text(members, "tls_client_auth_"+kind)
		if err != nil {
			return err
		}
		if value == "" {
			continue
		}
		if r.subject != nil && unchecked {
			r.plain["tls_client_auth_"+kind] = value
			continue
		}
		if r.subject != nil {
			return errors.New("tls_client_auth takes exactly one subject member, there are more")
		}
		r.subject, err = newSubject("tls_client_auth_"+kind, value)
		if err != nil {
			return err
		}
	}
	if r.subject == nil && !unchecked {
		return errors.New("tls_client_auth needs exactly one subject member, there is none")
	}
	return nil
}

func newSubject(member, value string) (*subject, error) {
	s := &subject{member: member, value: value}
	switch member {
	case "tls_client_auth_subject_dn":
		names, err := parseDN(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", member, err)
		}
		s.names = names
	case "tls_client_auth_san_ip":
		if net.ParseIP(value) == nil {
			return nil, fmt.Errorf("%s is not an address", member)
		}
	}
	return s, nil
}

// isCommonName says whether a certificate's common name is the registered DNS name: a fallback that names of servers once
// had, and that RFC 8705 §2.1.2 does not know.
func (s *subject) isCommonName(certificate *x509.Certificate) bool {
	return s != nil && s.member == "tls_client_auth_san_dns" && strings.EqualFold(certificate.Subject.CommonName, s.value)
}

func sameSerial(der []byte, shown *x509.Certificate) bool {
	registered, err := x509.ParseCertificate(der)
	return err == nil && bytes.Equal(registered.RawIssuer, shown.RawIssuer) && registered.SerialNumber.Cmp(shown.SerialNumber) == 0
}

func (s *subject) matches(certificate *x509.Certificate) bool {
	if s == nil {
		return false
	}
	switch s.member {
	case "tls_client_auth_subject_dn":
		names, err := subjectOf(certificate)
		return err == nil && slices.EqualFunc(names, s.names, slices.Equal[[]attribute])
	case "tls_client_auth_san_dns":
		return slices.ContainsFunc(certificate.DNSNames, func(n string) bool { return strings.EqualFold(n, s.value) })
	case "tls_client_auth_san_uri":
		return slices.ContainsFunc(certificate.URIs, func(u *url.URL) bool { return u.String() == s.value })
	case "tls_client_auth_san_ip":
		return slices.ContainsFunc(certificate.IPAddresses, net.ParseIP(s.value).Equal)
	case "tls_client_auth_san_email":
		return slices.Contains(certificate.EmailAddresses, s.value)
	}
	return false
}
