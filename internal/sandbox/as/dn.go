package as

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An attribute is one type and value of a distinguished name; the type is a dotted object identifier.
type attribute struct{ oid, value string }

// attributeOID knows the short names of RFC 4514 §3 and the few more that certificates are made with.
func attributeOID(name string) string {
	switch strings.ToUpper(name) {
	case "CN":
		return "2.5.4.3"
	case "SERIALNUMBER":
		return "2.5.4.5"
	case "C":
		return "2.5.4.6"
	case "L":
		return "2.5.4.7"
	case "ST":
		return "2.5.4.8"
	case "STREET":
		return "2.5.4.9"
	case "O":
		return "2.5.4.10"
	case "OU":
		return "2.5.4.11"
	case "POSTALCODE":
		return "2.5.4.17"
	case "UID":
		return "0.9.2342.19200300.100.1.1"
	case "DC":
		return "0.9.2342.19200300.100.1.25"
	case "EMAILADDRESS", "E":
		return "1.2.840.113549.1.9.1"
	}
	if strings.Trim(name, "0123456789.") == "" && strings.Contains(name, ".") {
		return name
	}
	return ""
}

// subjectOf reads a certificate's subject in the order of its string form: RFC 4514 §2.1 begins with the last RDN.
func subjectOf(certificate *x509.Certificate) ([][]attribute, error) {
	var sequence pkix.RDNSequence
	rest, err := asn1.Unmarshal(certificate.RawSubject, &sequence)
	if err != nil || len(rest) > 0 {
		return nil, errors.New("the subject cannot be read")
	}
	names := [][]attribute{}
	for _, set := range slices.Backward(sequence) {
		rdn := []attribute{}
		for _, one := range set {
			value, ok := one.Value.(string)
			if !ok {
				return nil, fmt.Errorf("the subject's %s is not a string", one.Type)
			}
			rdn = append(rdn, attribute{one.Type.String(), value})
		}
		names = append(names, sorted(rdn))
	}
	return names, nil
}

// The order within a set means nothing.
func sorted(rdn []attribute) []attribute {
	slices.SortFunc(rdn, func(a, b attribute) int { return strings.Compare(a.oid+a.value, b.oid+b.value) })
	return rdn
}

// parseDN reads the string form of RFC 4514 §3: RDNs parted by commas, attributes by plus signs, with its escapes.
func parseDN(s string) ([][]attribute, error) {
	names := [][]attribute{}
	for _, rdn := range splitUnescaped(s, ',') {
		set := []attribute{}
		for _, one := range splitUnescaped(rdn, '+') {
			a, err := parseAttribute(one)
			if err != nil {
				return nil, err
			}
			set = append(set, a)
		}
		names = append(names, sorted(set))
	}
	return names, nil
}

func parseAttribute(s string) (attribute, error) {
	name, value, ok := strings.Cut(s, "=")
	oid := attributeOID(strings.TrimSpace(name))
	if !ok || oid == "" {
		return attribute{}, errors.New("not a distinguished name of RFC 4514")
	}
	value = trimUnescaped(value)
	if strings.HasPrefix(value, "#") {
		text, err := parseHexString(value[1:])
		return attribute{oid, text}, err
	}
	text, err := unescape(value)
	return attribute{oid, text}, err
}

// parseHexString reads the #hex form: the BER of the value, which must be a string here.
func parseHexString(s string) (string, error) {
	raw, err := hex.DecodeString(s)
	if err != nil {
		return "", errors.New("the #hex form of a name is malformed")
	}
	var value any
	rest, err := asn1.Unmarshal(raw, &value)
	text, ok := value.(string)
	if err != nil || len(rest) > 0 || !ok {
		return "", errors.New("the #hex form of a name is not a string")
	}
	return text, nil
}

func splitUnescaped(s string, at byte) []string {
	parts := []string{}
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case at:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// trimUnescaped drops blanks around a value; an escaped last blank stays.
func trimUnescaped(s string) string {
	s = strings.TrimLeft(s, " ")
	for strings.HasSuffix(s, " ") && !strings.HasSuffix(s, `\ `) {
		s = s[:len(s)-1]
	}
	return s
}

func unescape(s string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			if strings.IndexByte(`";<>`, s[i]) >= 0 {
				return "", errors.New("a special character in a name must be escaped")
			}
			out.WriteByte(s[i])
			continue
		}
		rest := s[i+1:]
		switch {
		case rest != "" && strings.IndexByte(` "#+,;<=>\`, rest[0]) >= 0:
			out.WriteByte(rest[0])
			i++
		case len(rest) >= 2:
			raw, err := hex.DecodeString(rest[:2])
			if err != nil {
				return "", errors.New("an escape in a name is malformed")
			}
			out.Write(raw)
			i += 2
		default:
			return "", errors.New("an escape in a name is malformed")
		}
	}
	return out.String(), nil
}
