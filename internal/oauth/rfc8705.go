package oauth

// RFC 8705: mutual TLS, and the string form of a subject (RFC 4514).

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// endpoints are those that c uses: RFC 8705 §5, a client that does mutual TLS MUST use the alias where there is one.
func (s Server) endpoints(c Client) Endpoints {
	if c.Certificate == nil {
		return s.Endpoints
	}
	return s.Aliases.or(s.Endpoints)
}

// Thumbprint is the value of x5t#S256 (RFC 8705 §3.1): base64url of the SHA-256 of the DER, without padding.
func Thumbprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// The suffix tells encoding/asn1 that it is a SET.
type relativeNameSET []attribute

// SubjectDN is the subject as tls_client_auth_subject_dn wants it (RFC 8705 §2.1.2): the string form of RFC 4514. It is
// made of the certificate's own bytes, since pkix.Name forgets the order. It is empty when the subject cannot be read.
func SubjectDN(cert *x509.Certificate) string {
	var names []relativeNameSET
	rest, err := asn1.Unmarshal(cert.RawSubject, &names)
	if err != nil || len(rest) > 0 {
		return ""
	}
	var parts []string
	for i := len(names) - 1; i >= 0; i-- { // RFC 4514 §2.1: starting with the last
		var pairs []string
		for _, a := range names[i] {
			pairs = append(pairs, a.String())
		}
		parts = append(parts, strings.Join(pairs, "+"))
	}
	return strings.Join(parts, ",")
}

func (a attribute) String() string {
	name, known := attributeName(a.Type)
	value, ok := characters(a.Value)
	if !known || !ok {
		return a.Type.String() + "=#" + hex.EncodeToString(a.Value.FullBytes) // RFC 4514 §2.4
	}
	return name + "=" + escape(value)
}

// attributeName is the table of RFC 4514 §3; other types are written as numbers.
func attributeName(oid asn1.ObjectIdentifier) (string, bool) {
	switch oid.String() {
	case "2.5.4.3":
		return "CN", true
	case "2.5.4.7":
		return "L", true
	case "2.5.4.8":
		return "ST", true
	case "2.5.4.10":
		return "O", true
	case "2.5.4.11":
		return "OU", true
	case "2.5.4.6":
		return "C", true
	case "2.5.4.9":
		return "STREET", true
	case "0.9.2342.19200300.100.1.25":
		return "DC", true
	case "0.9.2342.19200300.100.1.1":
		return "UID", true
	}
	return "", false
}

func characters(v asn1.RawValue) (string, bool) {
	if v.Class != asn1.ClassUniversal {
		return "", false
	}
	switch v.Tag {
	case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String, asn1.TagNumericString:
		return string(v.Bytes), utf8.Valid(v.Bytes)
	case asn1.TagT61String: // read as Latin-1, as everybody does
		var b strings.Builder
		for _, c := range v.Bytes {
			b.WriteRune(rune(c))
		}
		return b.String(), true
	case asn1.TagBMPString:
		if len(v.Bytes)%2 != 0 {
			return "", false
		}
		units := make([]uint16, len(v.Bytes)/2)
		for i := range units {
			units[i] = uint16(v.Bytes[2*i])<<8 | uint16(v.Bytes[2*i+1])
		}
		return string(utf16.Decode(units)), true
	}
	return "", false
}

// escape writes a value as RFC 4514 §2.4 asks.
func escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		last := i+utf8.RuneLen(r) >= len(s)
		switch {
		case r == 0:
			b.WriteString(`\00`)
			continue
		case strings.ContainsRune(`"+,;<>\`, r), r == ' ' && (i == 0 || last), r == '#' && i == 0:
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
