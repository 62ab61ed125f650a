package as

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/defect"
)

const maxBody = 64 << 10

// A route is what a method does at an endpoint. Routes without an action leave no audit event.
type route struct {
	action string
	form   bool // the body is a form (RFC 6749 §3.2)
	run    func(*call) answer
}

type routes map[string]route

// A call is one request, read whole, with all that was asked of the outside before the lock was taken.
type call struct {
	r             *http.Request
	body          []byte
	form          url.Values
	defects       defect.Set
	now           time.Time
	certificate   *x509.Certificate
	intermediates []*x509.Certificate
	replica       map[string]bool // client id -> this request is served by the replica that lags
	event         Event
	server        *Server
	after         func() // what must happen outside the lock, after the decision
	actor         string // who acts for the subject of the token that is issued (RFC 8693 §4.1)
}

// serve makes a handler of routes: it reads the body, decides under the lock, answers and logs outside it.
func (s *Server) serve(rs routes) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{server: s, r: r, defects: s.cfg.Defects(), now: s.now(), replica: map[string]bool{}}
		c.event = newEvent(r)
		c.certificate, c.intermediates = presented(r, c.defects.ASTrustsCertificateHeader)
		if c.certificate != nil {
			c.event.CertificateSHA256 = thumbprint(c.certificate)
		}
		a := s.answer(c, rs)
		if c.after != nil {
			c.after()
		}
		// The record is there before the answer is: who has seen an answer may look for it.
		if c.event.Action != "" && !c.unlogged(a) {
			s.cfg.Log(c.event.with(a))
		}
		a.write(w)
	})
}

func (c *call) unlogged(a answer) bool {
	if c.defects.GrantsUnlogged && c.event.Action == "grant" && a.status < 400 {
		return true
	}
	return c.defects.LifecycleUnlogged && (c.event.Action == "update" || c.event.Action == "delete")
}

func (s *Server) answer(c *call, rs routes) answer {
	rt, ok := rs[c.r.Method]
	if !ok {
		return notAllowed(c, rs)
	}
	c.event.Action = rt.action
	refused := c.read(rt.form)
	if refused != nil {
		return *refused
	}
	s.fetchKeys(c)
	s.fetchNamed(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return refuse(http.StatusServiceUnavailable, "temporarily_unavailable", "the server is closed")
	}
	return rt.run(c)
}

// RFC 9110 §15.5.6: 405 lists what is allowed. RFC 7592 §2: unsupported methods get an error.
func notAllowed(c *call, rs routes) answer {
	if len(rs) == 0 {
		return refuse(http.StatusNotFound, "not_found", "there is no such endpoint")
	}
	methods := slices.Sorted(maps.Keys(rs))
	c.event.Action = rs[methods[0]].action
	a := refuse(http.StatusMethodNotAllowed, "invalid_request", "method not allowed here")
	a.header.Set("Allow", strings.Join(methods, ", "))
	return a
}

func (c *call) read(form bool) *answer {
	// The reader stops one byte behind the bound; the rest of the body is the HTTP server's to drop.
	body, err := io.ReadAll(io.LimitReader(c.r.Body, maxBody+1))
	if err != nil {
		return refused(http.StatusBadRequest, "invalid_request", "the body could not be read")
	}
	if len(body) > maxBody {
		return refused(http.StatusRequestEntityTooLarge, "invalid_request", "the body is larger than 64 KiB")
	}
	c.body = body
	if !form {
		return nil
	}
	if mediaType(c.r) != "application/x-www-form-urlencoded" {
		return refused(http.StatusBadRequest, "invalid_request", "the body must be application/x-www-form-urlencoded")
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return refused(http.StatusBadRequest, "invalid_request", "the form is malformed")
	}
	if c.defects.CredentialsInURI { // as a servlet's getParameter does
		for name, all := range c.r.URL.Query() {
			values[name] = append(values[name], all...)
		}
	}
	return c.takeForm(values)
}

// RFC 6749 §3.2: parameters without a value are treated as omitted and must not be repeated; RFC 8707 §2 lets resource
// be.
func (c *call) takeForm(values url.Values) *answer {
	c.form = url.Values{}
	for name, all := range values {
		all = slices.DeleteFunc(all, func(v string) bool { return v == "" })
		if len(all) > 1 && name != "resource" && c.defects.ParameterRepeated {
			all = all[len(all)-1:]
		}
		if len(all) > 1 && name != "resource" {
			return refused(http.StatusBadRequest, "invalid_request", "a parameter is repeated")
		}
		if len(all) > 0 {
			c.form[name] = all
		}
	}
	c.event.ClientID = bounded(c.form.Get("client_id"))
	return nil
}

func mediaType(r *http.Request) string {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// object reads the body as one JSON object; its member names are compared exactly, as RFC 8259 has them. A body that is
// signed as a whole gives its claims, which [Server.signedRequest] judges.
func (c *call) object() (map[string]json.RawMessage, error) {
	text := c.body
	switch mediaType(c.r) {
	case "application/json":
	case signedRequest:
		payload, err := decoded(string(c.body))
		if err != nil {
			return nil, errors.New("the body is no JWT")
		}
		text = payload
	default:
		return nil, errors.New("the body must be application/json or " + signedRequest)
	}
	var members map[string]json.RawMessage
	err := json.Unmarshal(text, &members)
	if err != nil || members == nil {
		return nil, &wrongType{"the body", "one JSON object"}
	}
	return members, nil
}

// An answer is what will be written: body is marshalled as JSON unless nil.
type answer struct {
	status int
	header http.Header
	body   any
	page   string // HTML instead of a body
	reason string
}

// RFC 6749 §5.1: whatever carries tokens or credentials must not be stored.
func reply(status int, body any) answer {
	return answer{status: status, body: body, header: http.Header{
		"Cache-Control": {"no-store"},
		"Pragma":        {"no-cache"},
	}}
}

// refuse is an error in the form of RFC 6749 §5.2. description must stay within its character set.
func refuse(status int, code, description string) answer {
	a := reply(status, map[string]string{"error": code, "error_description": description})
	a.reason = code + ": " + description
	return a
}

func refused(status int, code, description string) *answer {
	a := refuse(status, code, description)
	return &a
}

// invalidClient is the same for an unknown client and for a wrong credential, so that nobody learns which ids exist. The
// reason goes to the audit log only.
func invalidClient(reason string) *answer {
	a := refuse(http.StatusUnauthorized, "invalid_client", "client authentication failed")
	a.header.Set("WWW-Authenticate", `Basic realm="as"`)
	a.reason = "invalid_client: " + reason
	return &a
}

// invalidToken is the refusal of a bearer token at the registration endpoints (RFC 6750 §3: no error code where no
// token was shown).
func invalidToken(c *call) answer {
	a := refuse(http.StatusUnauthorized, "invalid_token", "the bearer token is missing or not good here")
	a.header.Set("WWW-Authenticate", `Bearer realm="registration", error="invalid_token"`)
	if c.r.Header.Get("Authorization") == "" {
		a.header.Set("WWW-Authenticate", `Bearer realm="registration"`)
	}
	return a
}

func (a answer) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	if a.page != "" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(a.page)) // the client has gone: there is nobody to tell
		return
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	raw, err := json.Marshal(a.body)
	if err != nil {
		http.Error(w, "the answer could not be encoded", http.StatusInternalServerError)
		return
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(a.status)
	_, _ = w.Write(raw) // the client has gone: there is nobody to tell
}

func bearer(r *http.Request) string {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimLeft(token, " ")
}

func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
