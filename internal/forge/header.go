package forge

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"strings"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// IdentityHeaders claim to be value in the header fields by which gateways tell their upstreams who calls. RFC 9700
// §4.13: a proxy MUST sanitize them. certPEM is the certificate of whom value names; without it the two fields that
// carry a certificate say less, or are left out. Extra are further names, given by the plan.
func IdentityHeaders(value, certPEM string, extra ...string) []wire.Change {
	claims := map[string]any{"sub": value, "client_id": value, "azp": value}
	text, err := json.Marshal(claims)
	if err != nil {
		text = []byte("{}")
	}
	fields := []wire.Field{
		{Name: "X-Client-Id", Value: value},
		{Name: "X-Consumer-Username", Value: value},  // Kong
		{Name: "X-Consumer-Custom-Id", Value: value}, // Kong
		{Name: "X-Authenticated-User", Value: value},
		{Name: "X-Forwarded-User", Value: value},    // Traefik, oauth2-proxy
		{Name: "X-Auth-Request-User", Value: value}, // oauth2-proxy
		{Name: "Remote-User", Value: value},
		{Name: "X-User", Value: value},
		{Name: "X-Tenant-Id", Value: value},
		{Name: "X-JWT-Payload", Value: encode(text)},                           // Envoy
		{Name: "X-Userinfo", Value: base64.StdEncoding.EncodeToString(text)},   // Kong, APISIX
		{Name: "X-Endpoint-API-UserInfo", Value: encode(text)},                 // Google ESP
		{Name: "X-SSL-Client-S-DN", Value: "CN=" + value},                      // nginx
		{Name: "X-Forwarded-Client-Cert", Value: `Subject="CN=` + value + `"`}, // Envoy
	}
	if cert := certificateIn(certPEM); cert != nil {
		fields[len(fields)-1].Value = envoy(cert)
		fields = append(fields, wire.Field{Name: "Client-Cert", Value: rfc9440(cert)})
	}
	for _, name := range extra {
		fields = append(fields, wire.Field{Name: name, Value: value})
	}
	var all []wire.Change
	for _, f := range fields {
		all = append(all, withHeaders("header "+f.Name, f))
	}
	return all
}

// CertificateHeaders claim in header fields that a certificate was shown in TLS (RFC 9440 §2.4, §4: the proxy MUST
// remove or overwrite what comes from outside).
func CertificateHeaders(cert *x509.Certificate) []wire.Change {
	verified := wire.Field{Name: "X-SSL-Client-Verify", Value: "SUCCESS"}
	sum := sha256.Sum256(cert.Raw)
	return []wire.Change{
		withHeaders("header Client-Cert", wire.Field{Name: "Client-Cert", Value: rfc9440(cert)}),
		withHeaders("header X-Forwarded-Client-Cert", wire.Field{Name: "X-Forwarded-Client-Cert", Value: envoy(cert)}),
		withHeaders("header X-SSL-Client-Cert", wire.Field{Name: "X-SSL-Client-Cert", Value: escapedPEM(cert)}, verified),
		withHeaders("header X-SSL-Client-S-DN", wire.Field{Name: "X-SSL-Client-S-DN", Value: oauth.SubjectDN(cert)}, verified),
		withHeaders("header X-Client-Cert-Hash, base64url", wire.Field{Name: "X-Client-Cert-Hash", Value: oauth.Thumbprint(cert)}),
		withHeaders("header X-Client-Cert-Hash, hexadecimal", wire.Field{Name: "X-Client-Cert-Hash", Value: hex.EncodeToString(sum[:])}),
	}
}

// withHeaders adds header fields that belong together.
func withHeaders(name string, fields ...wire.Field) wire.Change {
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		for _, f := range fields {
			if f.Name == "" || strings.ContainsFunc(f.Name+f.Value, func(c rune) bool { return c < ' ' || c == 0x7f }) {
				return r, fmt.Errorf("%s: the name is empty, or a control character would end the field; give another", name)
			}
			r = r.AddHeader(f.Name, f.Value)
		}
		return r, nil
	}}
}

func certificateIn(text string) *x509.Certificate {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return cert
}

// rfc9440 is a byte sequence of structured fields (RFC 9440 §2.1).
func rfc9440(cert *x509.Certificate) string {
	return ":" + base64.StdEncoding.EncodeToString(cert.Raw) + ":"
}

// envoy is an element of X-Forwarded-Client-Cert.
func envoy(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	subject := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(oauth.SubjectDN(cert))
	text := fmt.Sprintf(`Hash=%x;Cert="%s";Subject="%s"`, sum, escapedPEM(cert), subject)
	for _, u := range cert.URIs {
		text += ";URI=" + u.String()
	}
	for _, name := range cert.DNSNames {
		text += ";DNS=" + name
	}
	return text
}

// escapedPEM is what nginx calls $ssl_client_escaped_cert.
func escapedPEM(cert *x509.Certificate) string {
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	return strings.ReplaceAll(url.QueryEscape(string(text)), "+", "%20")
}

// WithoutCertificate shows no client certificate.
func WithoutCertificate() wire.Change {
	const name = "no client certificate"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		if r.Over.Certificate == nil {
			return r, fmt.Errorf("%s: the request shows none already; give a request over mutual TLS", name)
		}
		r.Over.Certificate = nil
		return r, nil
	}}
}

// WithCertificate shows another client certificate, or one where there was none. The label says whose.
func WithCertificate(cert *tls.Certificate, label string) wire.Change {
	return wire.Change{Name: label, Apply: func(r wire.Request) (wire.Request, error) {
		if cert == nil || r.Over.Certificate == cert {
			return r, fmt.Errorf("%s: no certificate, or the one that the request shows already; give another", label)
		}
		r.Over.Certificate = cert
		return r, nil
	}}
}
