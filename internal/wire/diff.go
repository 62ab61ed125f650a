package wire

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/secret"
)

// Difference is one thing in which two requests differ. It holds no secret and may be printed.
type Difference struct {
	What    string // token header alg, header X-Client-Id, client certificate
	Control string // "absent" where the control lacks it
	Altered string
}

// String is for reports: token header alg: ES256 -> none.
func (d Difference) String() string { return d.What + ": " + d.Control + " -> " + d.Altered }

// absent stands for what a request lacks.
const absent = "absent"

// valueShown is how many bytes of a value a difference shows.
const valueShown = 120

// Diff compares two requests as values: method, origin, target, header, form, body, credentials and line. Apart from
// the declared fresh set: jti, iat and exp of a made JWT that are filled in at sending, and the trace fields, which are
// added at sending, are in neither value. Point, Check, Purpose, Who and Unrecorded are not sent and not compared. A
// text credential that is a compact JWS is compared member by member; its signature is a difference only when header
// and claims are the same, since what is altered must be signed anew. Equal requests give none.
func Diff(k *secret.Keeper, control, altered Request) []Difference {
	d := &differ{keeper: k}
	d.text("method", control.Method, altered.Method)
	d.text("origin", control.Origin, altered.Origin)
	d.text("target", control.Target, altered.Target)
	d.fields("header", control.Header, altered.Header, strings.ToLower)
	d.fields("form field", control.Form, altered.Form, strings.Clone)
	d.text("form", present(control.Form != nil), present(altered.Form != nil))
	d.body(control.Body, altered.Body)
	d.credentials(control.Credentials, altered.Credentials)
	d.line(control.Over, altered.Over)
	return d.found
}

// Diff is [Diff] with the wire's keeper.
func (w *Wire) Diff(control, altered Request) []Difference {
	return Diff(w.config.Keeper, control, altered)
}

type differ struct {
	keeper *secret.Keeper
	found  []Difference
}

// add notes a difference. The values are shown masked and cut.
func (d *differ) add(what, control, altered string) {
	d.found = append(d.found, Difference{d.keeper.Mask(what), d.show(control), d.show(altered)})
}

func (d *differ) show(value string) string {
	masked := d.keeper.Mask(value)
	if len(masked) <= valueShown {
		return masked
	}
	return string(whole([]byte(masked), valueShown)) + "..."
}

func (d *differ) text(what, control, altered string) {
	if control != altered {
		d.add(what, orAbsent(control), orAbsent(altered))
	}
}

func orAbsent(value string) string {
	if value == "" {
		return absent
	}
	return value
}

func present(is bool) string {
	if is {
		return "present"
	}
	return absent
}

// fields compares name by name, then spelling, then order.
func (d *differ) fields(what string, control, altered []Field, fold func(string) string) {
	before := len(d.found)
	for _, name := range names(control, altered, fold) {
		a, b := of(name, control, fold), of(name, altered, fold)
		if slices.Equal(a, b) {
			continue
		}
		label := append(slices.Clone(b), a...)[0].Name
		if slices.EqualFunc(a, b, func(x, y Field) bool { return x.Value == y.Value }) {
			d.add(what+" "+label+" spelling", spellings(a), spellings(b))
			continue
		}
		d.add(what+" "+label, values(a), values(b))
	}
	if len(d.found) == before && !slices.Equal(control, altered) {
		d.add(what+" order", spellings(control), spellings(altered))
	}
}

func names(control, altered []Field, fold func(string) string) []string {
	var out []string
	for _, f := range slices.Concat(control, altered) {
		if name := fold(f.Name); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func of(name string, fields []Field, fold func(string) string) []Field {
	var out []Field
	for _, f := range fields {
		if fold(f.Name) == name {
			out = append(out, f)
		}
	}
	return out
}

func spellings(fields []Field) string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Name)
	}
	return strings.Join(out, ", ")
}

func values(fields []Field) string {
	if len(fields) == 0 {
		return absent
	}
	var out []string
	for _, f := range fields {
		if f.Value == "" {
			out = append(out, "(empty)")
			continue
		}
		out = append(out, f.Value)
	}
	return strings.Join(out, ", ")
}

func (d *differ) body(control, altered []byte) {
	if bytes.Equal(control, altered) && (control == nil) == (altered == nil) {
		return
	}
	show := func(body []byte) string {
		switch {
		case body == nil:
			return absent
		case len(body) == 0:
			return "(empty)"
		}
		return string(body)
	}
	a, b := show(control), show(altered)
	if d.show(a) == d.show(b) {
		a, b = digest(control), digest(altered)
	}
	d.add("body", a, b)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return fmt.Sprintf("%d bytes sha256:%s", len(b), hex.EncodeToString(sum[:4]))
}

// credentials compares those of the same place and name, in order. One that only changed its place is one difference.
func (d *differ) credentials(control, altered []Credential) {
	left := slices.Clone(altered)
	var gone []Credential
	for _, c := range control {
		i := slices.IndexFunc(left, func(other Credential) bool { return place(other) == place(c) })
		if i < 0 {
			gone = append(gone, c)
			continue
		}
		d.credential(c, left[i])
		left = slices.Delete(left, i, i+1)
	}
	if len(gone) == 1 && len(left) == 1 && sameContent(gone[0], left[0]) {
		d.add("place of the credential", place(gone[0]), place(left[0]))
		return
	}
	for _, c := range gone {
		d.add("credential in "+place(c), content(c), absent)
	}
	for _, c := range left {
		d.add("credential in "+place(c), absent, content(c))
	}
	if len(gone) == 0 && len(left) == 0 && !slices.EqualFunc(control, altered, func(a, b Credential) bool { return place(a) == place(b) }) {
		d.add("order of the credentials", places(control), places(altered))
	}
}

func place(c Credential) string {
	if c.In == InHeader && (c.Name == "" || is(c.Name, "Authorization")) {
		return "header Authorization"
	}
	return string(c.In) + " " + c.Name
}

func places(credentials []Credential) string {
	var out []string
	for _, c := range credentials {
		out = append(out, place(c))
	}
	return strings.Join(out, ", ")
}

// sameContent compares what is presented, without its place, name and prefix.
func sameContent(a, b Credential) bool {
	inner := &differ{keeper: secret.NewKeeper()}
	b.In, b.Name, b.Prefix = a.In, a.Name, a.Prefix
	inner.credential(a, b)
	return len(inner.found) == 0
}

// scheme is the prefix as it is sent.
func scheme(c Credential) string {
	if c.Basic != "" && c.Prefix == "" {
		return basicScheme
	}
	return c.Prefix
}

// content names what is presented.
func content(c Credential) string {
	switch {
	case c.Sign != nil:
		return "what " + c.Signer + " signs"
	case c.JWT != nil:
		return "a signed " + c.JWT.kind()
	case c.Basic != "":
		return "client id " + c.Basic + " with " + c.Text.String()
	}
	return c.Text.String()
}

func (d *differ) credential(a, b Credential) {
	if (a.JWT == nil) != (b.JWT == nil) {
		d.add("credential in "+place(a), content(a), content(b))
		return
	}
	a.Prefix, b.Prefix = scheme(a), scheme(b)
	d.text("scheme in "+place(a), strings.TrimSpace(a.Prefix), strings.TrimSpace(b.Prefix))
	if strings.TrimSpace(a.Prefix) == strings.TrimSpace(b.Prefix) && a.Prefix != b.Prefix {
		d.add("scheme in "+place(a)+" spacing", fmt.Sprintf("%q", a.Prefix), fmt.Sprintf("%q", b.Prefix))
	}
	if (a.Name == "") == (b.Name == "") && a.Name != b.Name {
		d.add(place(a)+" spelling", a.Name, b.Name)
	}
	if a.JWT != nil {
		d.made(a.JWT, b.JWT)
		return
	}
	d.text("signer", a.Signer, b.Signer)
	d.text("client id", a.Basic, b.Basic)
	d.token(a.Text, b.Text)
}

// token compares two texts, member by member when both are a compact JWS (RFC 7515 §7.1).
func (d *differ) token(a, b secret.Text) {
	if a.Reveal() == b.Reveal() {
		return
	}
	kind := a.Kind()
	if kind == "" {
		kind = b.Kind()
	}
	one, isOne := parseJWS(a.Reveal())
	other, isOther := parseJWS(b.Reveal())
	if !isOne || !isOther {
		d.add(kind, presented(a), presented(b))
		return
	}
	before := len(d.found)
	d.members(kind+" header", one.header, other.header)
	d.members(kind+" claim", one.claims, other.claims)
	if len(d.found) > before {
		return
	}
	if one.signature != other.signature {
		d.add(kind+" signature", brief(one.signature), brief(other.signature))
		return
	}
	d.add(kind+" encoding", presented(a), presented(b))
}

func presented(t secret.Text) string {
	if t.Empty() {
		return absent
	}
	return t.String()
}

// brief names a signature by its hash.
func brief(signature string) string {
	if signature == "" {
		return absent
	}
	return digest([]byte(signature))
}

type jws struct {
	header, claims map[string]any
	signature      string
}

func parseJWS(text string) (jws, bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return jws{}, false
	}
	out := jws{signature: parts[2]}
	if !decodeSegment(parts[0], &out.header) || !decodeSegment(parts[1], &out.claims) {
		return jws{}, false
	}
	return out, true
}

func decodeSegment(segment string, into *map[string]any) bool {
	text, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil || Depth(text) > maxDepth {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // 1.0 and 1 differ on the wire
	var value any
	if err := decoder.Decode(&value); err != nil {
		return false
	}
	*into, _ = value.(map[string]any)
	return *into != nil
}

// members compares two sets of JSON members.
func (d *differ) members(what string, a, b map[string]any) {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		one, other := member(a, name), member(b, name)
		if one == other {
			continue
		}
		if plainText(one) != plainText(other) { // "5" and 5 must not look alike
			one, other = plainText(one), plainText(other)
		}
		d.add(what+" "+name, one, other)
	}
}

// member gives a member as JSON.
func member(members map[string]any, name string) string {
	value, given := members[name]
	if !given {
		return absent
	}
	if offset, relative := value.(FromNow); relative {
		return "now" + fmt.Sprintf("%+d s", time.Duration(offset)/time.Second)
	}
	text, err := compact(value)
	if err != nil {
		return fmt.Sprintf("%T that is not JSON", value)
	}
	return string(text)
}

// plainText takes the quotes off a string that has some text.
func plainText(member string) string {
	var text string
	if err := json.Unmarshal([]byte(member), &text); err != nil || text == "" || text == absent {
		return member
	}
	return text
}

// made compares how two JWTs are made.
func (d *differ) made(a, b *JWT) {
	kind := b.kind()
	d.text("made as", a.kind(), kind)
	d.members(kind+" header", a.Header, b.Header)
	before := len(d.found)
	d.members(kind+" claim", a.Claims, b.Claims)
	for i := range d.found[before:] {
		found := &d.found[before+i]
		name := strings.TrimPrefix(found.What, kind+" claim ")
		found.Control, found.Altered = filled(a, name, found.Control), filled(b, name, found.Altered)
	}
	d.text(kind+" lacks", omitted(a), omitted(b))
	d.text(kind+" life", or(a.Life, defaultLife).String(), or(b.Life, defaultLife).String())
	d.text(kind+" clock offset", a.Clock.String(), b.Clock.String())
	d.text(kind+" signature", signer(a), signer(b))
	if a.Sign != nil && b.Sign != nil && signer(a) == signer(b) && reflect.ValueOf(a.Sign).Pointer() != reflect.ValueOf(b.Sign).Pointer() {
		d.add(kind+" signature", signer(a), "another one")
	}
}

// filled names a claim that is absent from a made JWT because it is filled in at sending: it will be there.
func filled(j *JWT, name, shown string) string {
	_, set := j.Claims[name]
	switch {
	case set || slices.Contains(j.Omit, name):
		return shown
	case j.Proof && slices.Contains([]string{"htm", "htu", "ath"}, name):
		return "the request's own"
	case slices.Contains([]string{"jti", "iat"}, name), name == "exp" && !j.Proof:
		return "as made at sending"
	}
	return shown
}

func omitted(j *JWT) string {
	names := slices.Clone(j.Omit)
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

func signer(j *JWT) string {
	switch {
	case j.Sign != nil && j.Signer != "":
		return j.Signer
	case j.Sign != nil:
		return "forged"
	case j.Key == nil:
		return absent
	}
	return "by key " + keyPrint(j.Key)
}

// keyPrint is the start of the SHA-256 of a public key's SubjectPublicKeyInfo.
func keyPrint(key crypto.Signer) string {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Sprintf("%T", key.Public())
	}
	sum := sha256.Sum256(der)
	return "sha256:" + hex.EncodeToString(sum[:4])
}

func (d *differ) line(a, b Line) {
	d.text("client certificate", certificate(a), certificate(b))
	d.text("server name", a.ServerName, b.ServerName)
	d.text("address", a.Address, b.Address)
	d.text("connection", freshness(a), freshness(b))
	d.text("TLS offer", a.Offer.String(), b.Offer.String())
	if a.Roots != b.Roots && (a.Roots == nil || b.Roots == nil || !a.Roots.Equal(b.Roots)) {
		d.add("trusted roots", roots(a), roots(b))
	}
}

func certificate(l Line) string {
	if l.Certificate == nil {
		return "none"
	}
	print := thumbprint(l.Certificate)
	return subject(l.Certificate) + " sha256:" + print[:min(8, len(print))]
}

func freshness(l Line) string {
	if l.Fresh {
		return "fresh"
	}
	return "kept"
}

func roots(l Line) string {
	if l.Roots == nil {
		return "of the origin"
	}
	return "given"
}
