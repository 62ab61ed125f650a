package wire

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/secret"
)

// built is a request ready to be sent: its bytes, and what is shown of it.
type built struct {
	method string
	bytes  []byte
	keep   bool // the connection may carry another one afterwards
	shown  shown
}

// shown is a request as it is recorded: credentials as [kind n]. It still passes the masker, for what stands in a
// header or body that the sender wrote.
type shown struct {
	url    string
	header []logbook.Field
	body   []byte
}

const basicScheme = "Basic "

// part is a name and value as sent and as shown.
type part struct{ name, value, shown string }

func plainPart(f Field) part { return part{f.Name, f.Value, f.Value} }

func (w *Wire) trace(serial uint64) string {
	return w.config.Ride + fmt.Sprintf("%016x", serial)
}

// render makes the bytes of a request: target, field names and values byte for byte, in the order given. It adds
// what a request needs and the sender did not give.
func (w *Wire) render(r Request, to destination, serial uint64) (built, error) {
	put, err := w.present(r)
	if err != nil {
		return built{}, err
	}
	target, shownTarget := r.Target, r.Target
	for _, p := range put.query {
		mark := "?"
		if strings.Contains(target, "?") {
			mark = "&"
		}
		target += mark + url.QueryEscape(p.name) + "=" + url.QueryEscape(p.value)
		shownTarget += mark + url.QueryEscape(p.name) + "=" + p.shown
	}
	body, shownBody := r.Body, r.Body
	kind := "application/json"
	if r.Form != nil || len(put.form) > 0 {
		if r.Body != nil {
			return built{}, errors.New("it has both a form and a body: give one")
		}
		kind = "application/x-www-form-urlencoded"
		body, shownBody = encodeForm(put.form)
	}
	if len(put.json) > 0 {
		body, shownBody, err = joined(body, put.json)
		if err != nil {
			return built{}, err
		}
	}
	if put.body != nil {
		kind = put.body.Name
		body, shownBody, err = w.sealed(body, shownBody, put.body)
		if err != nil {
			return built{}, err
		}
	}
	header := w.complete(put.header, r, to, serial, kind, body)
	header, err = w.signed(r, to.origin+target, header, body)
	if err != nil {
		return built{}, err
	}
	if err := sound(r.Method, target, header); err != nil {
		return built{}, err
	}
	out := built{method: r.Method, keep: !r.Over.Fresh || r.Over.Keep, shown: shown{url: to.origin + shownTarget, body: shownBody}}
	out.bytes = written(r.Method, target, header, body)
	out.shown.header = make([]logbook.Field, len(header))
	for i, p := range header {
		out.shown.header[i] = logbook.Field{Name: p.name, Value: p.shown}
	}
	for _, f := range r.Header {
		// The sender frames the request itself: whatever follows on this connection could be mistaken.
		if is(f.Name, "Connection") || is(f.Name, "Content-Length") || is(f.Name, "Transfer-Encoding") {
			out.keep = false
		}
	}
	return out, nil
}

// written is a request as its bytes (RFC 9112 §2.1).
func written(method, target string, header []part, body []byte) []byte {
	const version = " HTTP/1.1\r\n"
	size := len(method) + len(" ") + len(target) + len(version) + len("\r\n") + len(body)
	for _, p := range header {
		size += len(p.name) + len(": ") + len(p.value) + len("\r\n")
	}
	b := make([]byte, 0, size)
	b = append(append(append(append(b, method...), ' '), target...), version...)
	for _, p := range header {
		b = append(append(append(append(b, p.name...), ": "...), p.value...), "\r\n"...)
	}
	return append(append(b, "\r\n"...), body...)
}

// placed is what goes where.
type placed struct {
	header, form, query, json []part
	body                      *Credential // nil: the body is sent as it is
}

// present puts each credential in its place. Every credential is known to the keeper afterwards.
func (w *Wire) present(r Request) (placed, error) {
	var put placed
	for _, f := range r.Header {
		w.keepField(f)
		put.header = append(put.header, plainPart(f))
	}
	for _, f := range r.Form {
		put.form = append(put.form, plainPart(f))
	}
	token := "" // what a proof is made for must be there before it
	for _, c := range proofsLast(r.Credentials) {
		if c.Sign != nil {
			continue // it signs what the others have become
		}
		if c.In == InBody {
			put.body = &c
			continue
		}
		p, err := w.credential(c, r, token)
		if err != nil {
			return placed{}, fmt.Errorf("credential %s: %w", c.Name, err)
		}
		if accessToken(c) && token == "" {
			token = strings.TrimPrefix(p.value, c.Prefix)
		}
		switch c.In {
		case InHeader:
			put.header = append(put.header, p)
		case InForm:
			put.form = append(put.form, p)
		case InQuery:
			put.query = append(put.query, p)
		case InJSON:
			put.json = append(put.json, p)
		default:
			return placed{}, fmt.Errorf("credential %s: unknown place %q (header, form, query, json, body)", c.Name, c.In)
		}
	}
	return put, nil
}

func (w *Wire) credential(c Credential, r Request, token string) (part, error) {
	name := c.Name
	if name == "" && c.In == InHeader {
		name = "Authorization"
	}
	switch {
	case c.JWT != nil:
		var bound map[string]any
		if c.JWT.Proof {
			bound = w.bound(r, token)
		}
		made, err := c.JWT.make(time.Now(), bound)
		if err != nil {
			return part{}, err
		}
		text := w.config.Keeper.Keep(c.JWT.kind(), made)
		return part{name, c.Prefix + made, c.Prefix + text.String()}, nil
	case c.Basic != "":
		if c.In != InHeader {
			return part{}, fmt.Errorf("a Basic pair stands in the header, not in the %s", c.In)
		}
		prefix := scheme(c)
		text := w.keepText(c.Text)
		// RFC 6749 §2.3.1: both are form-encoded before they are joined.
		pair := url.QueryEscape(c.Basic) + ":" + url.QueryEscape(text.Reveal())
		encoded := base64.StdEncoding.EncodeToString([]byte(pair))
		kept := w.config.Keeper.Keep("basic", encoded)
		return part{name, prefix + encoded, prefix + kept.String()}, nil
	default:
		text := w.keepText(c.Text)
		return part{name, c.Prefix + text.Reveal(), c.Prefix + text.String()}, nil
	}
}

// keepField registers what a sender wrote into a header itself, where the field's name says that it is a credential.
func (w *Wire) keepField(f Field) {
	if !is(f.Name, "Authorization") && !is(f.Name, "Proxy-Authorization") || w.config.Keeper.Mask(f.Value) != f.Value {
		return
	}
	_, rest, found := strings.Cut(f.Value, " ")
	if !found {
		rest = f.Value
	}
	w.config.Keeper.Keep("credential", strings.TrimSpace(rest))
}

// keepText makes sure that a text of another keeper is known to ours.
func (w *Wire) keepText(t secret.Text) secret.Text {
	return w.config.Keeper.Keep(t.Kind(), t.Reveal())
}

// encodeForm writes fields as application/x-www-form-urlencoded, in their order: as sent and as shown.
func encodeForm(fields []part) ([]byte, []byte) {
	var sent, shown bytes.Buffer
	for i, p := range fields {
		lead := url.QueryEscape(p.name) + "="
		if i > 0 {
			lead = "&" + lead
		}
		sent.WriteString(lead + url.QueryEscape(p.value))
		if p.shown == p.value {
			shown.WriteString(lead + url.QueryEscape(p.value))
		} else {
			shown.WriteString(lead + p.shown)
		}
	}
	return sent.Bytes(), shown.Bytes()
}

// complete adds the fields that a request needs and the sender did not give, Host first.
func (w *Wire) complete(given []part, r Request, to destination, serial uint64, kind string, body []byte) []part {
	has := func(name string) bool {
		for _, p := range given {
			if is(p.name, name) {
				return true
			}
		}
		return false
	}
	var first, last []part
	if !has("Host") {
		first = append(first, plainPart(Field{"Host", to.header}))
	}
	add := func(name, value string) {
		if !has(name) {
			last = append(last, plainPart(Field{name, value}))
		}
	}
	add("User-Agent", w.config.Agent)
	add("Accept-Encoding", "identity")
	add("traceparent", "00-"+w.trace(serial)+"-"+randomHex()+"-01")
	add("X-Request-ID", fmt.Sprintf("cr-%s-%016x", w.config.Ride, serial))
	if len(body) > 0 || r.Form != nil {
		add("Content-Type", kind)
	}
	if !has("Transfer-Encoding") && (len(body) > 0 || r.Form != nil || r.Body != nil || carries(r.Method)) {
		add("Content-Length", strconv.Itoa(len(body)))
	}
	if r.Over.Fresh && !r.Over.Keep {
		add("Connection", "close")
	}
	return append(append(first, given...), last...)
}

// carries says whether a method anticipates content, so that its absence must be said (RFC 9110 §8.6).
func carries(method string) bool { return method == "POST" || method == "PUT" || method == "PATCH" }

func is(name, other string) bool { return strings.EqualFold(name, other) }

func randomHex() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	if binary.BigEndian.Uint64(b[:]) == 0 {
		b[7] = 1 // Trace Context: a parent id of zeros is invalid
	}
	return hex.EncodeToString(b[:])
}

// sound refuses what would make another request of the bytes.
func sound(method, target string, header []part) error {
	if method == "" || strings.ContainsAny(method, "\r\n\x00 \t") {
		return fmt.Errorf("method %q is empty or has white space", method)
	}
	if target == "" || strings.ContainsAny(target, "\r\n\x00 ") {
		return errors.New("the target is empty or has a space, line end or NUL: percent-encode it")
	}
	for _, p := range header {
		if p.name == "" || strings.ContainsAny(p.name, "\r\n\x00:") {
			return fmt.Errorf("header name %q is empty or has a line end, colon or NUL", p.name)
		}
		if strings.ContainsAny(p.value, "\r\n\x00") {
			return fmt.Errorf("the value of header %s has a line end or NUL", p.name)
		}
	}
	return nil
}
