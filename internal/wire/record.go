package wire

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/secret"
)

// bodyKept is how much of a body the logbook keeps.
const bodyKept = 64 << 10

// Record gives the exchange as it is stored: masked, bodies capped. An exchange that no [Wire] has made shows what its
// sender wrote, without credentials.
func (x Exchange) Record(k *secret.Keeper) logbook.Exchange {
	r, sent := x.Request, x.shown
	if sent.url == "" {
		sent = shown{url: r.Origin + r.Target, body: r.Body}
		for _, f := range r.Header {
			sent.header = append(sent.header, logbook.Field(f))
		}
	}
	out := logbook.Exchange{
		Serial:   x.Serial,
		Trace:    x.Trace,
		Check:    r.Check,
		Point:    r.Point,
		Purpose:  string(r.Purpose),
		Who:      r.Who,
		Method:   k.Mask(r.Method),
		URL:      k.Mask(sent.url),
		Request:  message(k, maskFields(k, sent.header), sent.body),
		Status:   x.Status,
		Response: message(k, maskFields(k, received(x.Header)), x.Body),
		Failure:  string(x.Failure),
		Detail:   k.Mask(x.Detail),
		Remote:   x.Remote,
		Fresh:    x.Fresh,
		TLS:      x.TLS,
		Took:     x.Received.Sub(x.Sent),
	}
	if r.Over.Certificate != nil {
		out.ClientCert = describe(r.Over.Certificate)
	}
	return out
}

// describe names a certificate by subject and SHA-256.
func describe(c *tls.Certificate) string { return subject(c) + " sha256:" + thumbprint(c) }

func subject(c *tls.Certificate) string {
	if c.Leaf != nil {
		return c.Leaf.Subject.String()
	}
	if len(c.Certificate) == 0 {
		return "no certificate"
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return "unreadable"
	}
	return leaf.Subject.String()
}

// received gives the fields sorted by name: net/http does not tell their order.
func received(h http.Header) []logbook.Field {
	var fields []logbook.Field
	for name, values := range h {
		for _, value := range values {
			fields = append(fields, logbook.Field{Name: name, Value: value})
		}
	}
	slices.SortStableFunc(fields, func(a, b logbook.Field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

func maskFields(k *secret.Keeper, fields []logbook.Field) []logbook.Field {
	out := make([]logbook.Field, 0, len(fields))
	for _, f := range fields {
		value := k.Mask(f.Value)
		if is(f.Name, "Authorization") || is(f.Name, "Proxy-Authorization") {
			value = hideUnknown(value)
		}
		out = append(out, logbook.Field{Name: k.Mask(f.Name), Value: value})
	}
	return out
}

// hideUnknown leaves the scheme and what is masked already: a credential that nobody registered stays hidden too.
func hideUnknown(value string) string {
	scheme, rest, found := strings.Cut(value, " ")
	if strings.HasPrefix(value, "[") || found && strings.HasPrefix(rest, "[") && strings.HasSuffix(rest, "]") {
		return value
	}
	if !found {
		return "[unregistered]"
	}
	return scheme + " [unregistered]"
}

func message(k *secret.Keeper, header []logbook.Field, body []byte) logbook.Message {
	m := logbook.Message{Header: header, Size: 0}
	if len(body) == 0 {
		return m
	}
	masked := k.MaskBytes(body)
	sum := sha256.Sum256(masked)
	m.Size, m.SHA256 = int64(len(masked)), hex.EncodeToString(sum[:])
	m.Body = string(whole(masked, bodyKept))
	return m
}

// whole gives at most limit bytes and splits no character.
func whole(text []byte, limit int) []byte {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
