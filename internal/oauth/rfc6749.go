package oauth

// RFC 6749: client credentials grant.

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// TokenOptions are what a token is asked for.
type TokenOptions struct {
	Scopes   []string // none: no scope parameter
	NoScope  bool     // no scope parameter, whatever Scopes says
	Resource string   // RFC 8707 §2.2; empty: no resource parameter
	Who      string   // the member of the cast; the client's name when empty
}

// TokenRequest asks for a token with the client credentials grant (RFC 6749 §4.4.2). A client that shows a certificate
// goes to the alias of RFC 8705 §5 where there is one.
func (s Server) TokenRequest(c Client, o TokenOptions) wire.Request {
	r := form(s.Name, s.endpoints(c).Token, wire.Field{Name: "grant_type", Value: "client_credentials"})
	if len(o.Scopes) > 0 && !o.NoScope {
		r = field(r, "scope", strings.Join(o.Scopes, " "))
	}
	if o.Resource != "" {
		r = field(r, "resource", o.Resource)
	}
	r.Who = first(o.Who, c.Name)
	return Prove(Authenticate(r, s, c), c.Proof, s.Clock)
}

// Token is an access token as it was issued.
type Token struct {
	Text        secret.Text
	Type        string
	Scope       []string // what was granted: as told, else as asked (RFC 6749 §5.1: scope may be left out when it is the same)
	ScopeTold   bool
	Lifetime    time.Duration // expires_in; zero: not told
	Obtained    time.Time     // our clock: the answer's first byte
	Expires     time.Time     // our clock: the earlier of expires_in, counted from the sending, and exp; zero: neither was told
	Client      string        // client id
	Resource    string        // as asked
	JWT         *JWS          // nil: opaque
	Exchange    uint64        // serial of the exchange that brought it
	Certificate *tls.Certificate
	Proof       Key // the key that it is bound to by DPoP; without a signer: to none
}

// ReadToken reads the answer to s.TokenRequest(c, o) strictly (RFC 6749 §5.1). An answer other than 200 is an
// [*ErrorResponse].
func ReadToken(x wire.Exchange, keep *secret.Keeper, s Server, c Client, o TokenOptions) (Token, error) {
	m, err := read(x, http.StatusOK)
	if err != nil {
		return Token{}, fmt.Errorf("token from %s: %w", s.Name, err)
	}
	compact := text(m["access_token"])
	if !vschar(compact) {
		return Token{}, fmt.Errorf("token from %s: access_token is missing or no printable ASCII of at most %d bytes (RFC 6749 §5.1, A.12); look at exchange %d", s.Name, maxToken, x.Serial)
	}
	t := Token{
		Text: keep.Keep("token", compact), Type: text(m["token_type"]), Obtained: x.Received,
		Client: c.ID, Resource: o.Resource, Exchange: x.Serial, Certificate: x.Request.Over.Certificate,
	}
	t.Proof = boundBy(t.Type, c)
	if t.Type == "" {
		return Token{}, fmt.Errorf("token from %s: no token_type, which RFC 6749 §5.1 requires; look at exchange %d", s.Name, x.Serial)
	}
	if v, told := m["expires_in"]; told {
		life, ok := lifetime(v)
		if !ok {
			return Token{}, fmt.Errorf("token from %s: expires_in is no number of seconds (RFC 6749 §5.1); look at exchange %d", s.Name, x.Serial)
		}
		t.Lifetime = life
		t.Expires = x.Sent.Add(life)
	}
	t.Scope, t.ScopeTold = granted(m, o)
	t.JWT = jwt(compact)
	t.Expires = t.JWT.earlier(t.Expires, s.Clock)
	return t, nil
}

// jwt decodes an access token, which a client must take as opaque: what is no JWS is no error.
func jwt(compact string) *JWS {
	j, err := Decode(compact)
	if err != nil {
		return nil
	}
	return j
}

func granted(m map[string]any, o TokenOptions) ([]string, bool) {
	if m["scope"] != nil || m["scp"] != nil {
		return ScopesIn(m), true
	}
	if o.NoScope {
		return nil, false
	}
	return slices.Clone(o.Scopes), false
}

// vschar is RFC 6749 A.12: access-token = 1*VSCHAR.
func vschar(s string) bool {
	if s == "" || len(s) > maxToken {
		return false
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// ErrorResponse is an answer that refuses (RFC 6749 §5.2, RFC 7591 §3.2.2). Code is empty when the answer names none.
// Description is a stranger's text.
type ErrorResponse struct {
	Status      int
	Code        string
	Description string
}

func (e *ErrorResponse) Error() string {
	s := fmt.Sprintf("status %d", e.Status)
	if e.Code != "" {
		s += fmt.Sprintf(", error %q", e.Code)
	}
	if e.Description != "" {
		s += fmt.Sprintf(": %q", e.Description)
	}
	return s
}

// ReadError reads what an answer says about its refusal. It gives nil for a 2xx and for no answer.
func ReadError(x wire.Exchange) *ErrorResponse {
	if x.Failure != wire.None || x.Status < 300 {
		return nil
	}
	e := &ErrorResponse{Status: x.Status}
	m, _, err := answered(x)
	if err != nil {
		return e
	}
	e.Code = cut(text(m["error"]), 100)
	e.Description = cut(text(m["error_description"]), 300)
	return e
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}

// NoAnswer says that a server gave none.
type NoAnswer struct {
	Failure wire.Failure
	Detail  string
	Serial  uint64
}

func (e *NoAnswer) Error() string {
	why := string(e.Failure)
	if e.Shut() {
		why += ": " + e.Detail
	}
	return fmt.Sprintf("no answer (%s); look at exchange %d", why, e.Serial)
}

// Shut says that nothing of the server can be tried from here: it shows no certificate that is good for us, or the proxy
// does not lead to it.
func (e *NoAnswer) Shut() bool { return e.Failure == wire.Untrusted || e.Failure == wire.Proxied }

// read takes an answer's JSON object if it has one of the statuses. Duplicate names are an error: it could be read in
// two ways.
func read(x wire.Exchange, statuses ...int) (map[string]any, error) {
	if x.Failure != wire.None {
		return nil, &NoAnswer{Failure: x.Failure, Detail: x.Detail, Serial: x.Serial}
	}
	if !slices.Contains(statuses, x.Status) {
		e := ReadError(x)
		if e == nil {
			e = &ErrorResponse{Status: x.Status}
		}
		return nil, e
	}
	m, duplicates, err := answered(x)
	if err != nil {
		return nil, fmt.Errorf("%w; look at exchange %d", err, x.Serial)
	}
	if len(duplicates) > 0 {
		return nil, fmt.Errorf("%s stands there twice; look at exchange %d", duplicates[0], x.Serial)
	}
	return maps.Clone(m), nil
}

// Refusal gives the typed refusal in err, if it is one.
func Refusal(err error) (*ErrorResponse, bool) {
	var e *ErrorResponse
	return e, errors.As(err, &e)
}
