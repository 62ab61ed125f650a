package gateway

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
)

// certificateInHeader is the thumbprint of the certificate that a TLS-terminating proxy would tell, in the ways of
// RFC 9440 (Client-Cert), Envoy, nginx and of home-made proxies. Without such a proxy, everybody can send these.
func certificateInHeader(h http.Header) string {
	if v := h.Get("Client-Cert"); v != "" {
		der, err := base64.StdEncoding.DecodeString(strings.Trim(strings.TrimSpace(v), ":"))
		if err == nil {
			return thumbprint(der)
		}
	}
	if v := h.Get("X-Forwarded-Client-Cert"); v != "" {
		return forwarded(v)
	}
	if v := h.Get("X-Ssl-Client-Cert"); v != "" {
		return fromPEM(v)
	}
	return h.Get("X-Client-Cert-Hash")
}

// forwarded reads Envoy's field: Hash=<hex SHA-256>;Cert="<URL-encoded PEM>".
func forwarded(v string) string {
	for element := range strings.SplitSeq(v, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(element), "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "hash":
			sum, err := hex.DecodeString(value)
			if err == nil {
				return base64.RawURLEncoding.EncodeToString(sum)
			}
		case "cert":
			return fromPEM(value)
		}
	}
	return fromPEM(v)
}

func fromPEM(escaped string) string {
	text, err := url.PathUnescape(escaped)
	if err != nil {
		return ""
	}
	block, _ := pem.Decode([]byte(text))
	if block != nil {
		return thumbprint(block.Bytes)
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	return thumbprint(der)
}

func thumbprint(der []byte) string {
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
