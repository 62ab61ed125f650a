package as

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// clientAuthentication is what a request brings to prove its client.
type clientAuthentication struct {
	id       string // as claimed by Basic or client_id; may be empty with an assertion
	kind     string // clientSecretBasic, clientSecretPost, privateKeyJWT or "" for none of them
	password string // of Basic or of the form
}

// readAuthentication finds the one method of a request. RFC 6749 §2.3: not more than one; §5.2: more are invalid_request.
func readAuthentication(c *call) (clientAuthentication, *answer) {
	id := c.form.Get("client_id")
	kinds := 0
	found := clientAuthentication{id: id}
	headers := c.r.Header.Values("Authorization")
	kinds += len(headers)
	if len(headers) > 0 {
		found.kind = clientSecretBasic
	}
	if c.form.Has("client_secret") {
		kinds++
		found.kind, found.password = clientSecretPost, c.form.Get("client_secret")
	}
	if c.form.Has("client_assertion") || c.form.Has("client_assertion_type") {
		kinds++
		found.kind = privateKeyJWT
	}
	if kinds > 1 && c.defects.TwoMethodsAccepted {
		kinds = 1
		if len(headers) > 0 {
			found.kind = clientSecretBasic
		}
	}
	if kinds > 1 {
		return found, refused(http.StatusBadRequest, "invalid_request", "more than one client authentication method")
	}
	if found.kind != clientSecretBasic {
		return found, nil
	}
	user, password, ok := basic(headers[0], !c.defects.BasicNotDecoded)
	if !ok && c.defects.MalformedCrashes && withoutColon(headers[0]) {
		return found, refused(http.StatusInternalServerError, "server_error", "index out of range")
	}
	if !ok {
		return found, invalidClient("the Authorization header is not Basic or malformed")
	}
	c.event.ClientID = bounded(user)
	if id != "" && id != user {
		return found, refused(http.StatusBadRequest, "invalid_request", "client_id and the Authorization header disagree")
	}
	found.id, found.password = user, password
	return found, nil
}

// basic reads the header of RFC 6749 §2.3.1: id and password are form-encoded before they are joined.
func basic(header string, encoded bool) (string, string, bool) {
	scheme, rest, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimLeft(rest, " "))
	if err != nil {
		return "", "", false
	}
	first, second, ok := strings.Cut(string(raw), ":")
	if !ok {
		return "", "", false
	}
	if !encoded {
		return first, second, first != ""
	}
	user, err := url.QueryUnescape(first)
	if err != nil {
		return "", "", false
	}
	password, err := url.QueryUnescape(second)
	if err != nil {
		return "", "", false
	}
	return user, password, user != ""
}

// authenticate proves the client of a request by exactly the method it registered (RFC 7591 §2). find says who is a
// client at this endpoint.
func (s *Server) authenticate(c *call, find func(id string) *client) (*client, *answer) {
	shown, refused := readAuthentication(c)
	if refused != nil {
		return nil, refused
	}
	var cl *client
	switch shown.kind {
	case privateKeyJWT:
		cl, refused = s.byAssertion(c, shown.id, find)
	case clientSecretBasic, clientSecretPost:
		cl, refused = bySecret(c, shown, find(shown.id))
	default:
		cl, refused = s.byConnection(c, find(shown.id))
	}
	if refused != nil {
		return nil, refused
	}
	c.event.ClientID, c.event.Org = cl.id, cl.org()
	return cl, nil
}

func bySecret(c *call, shown clientAuthentication, cl *client) (*client, *answer) {
	if cl == nil {
		return nil, invalidClient("unknown client")
	}
	c.event.Org = cl.org()
	if leftSecretMatches(c, shown, cl) {
		return cl, nil
	}
	downgraded := c.defects.MethodDowngrade && cl.registration.method == clientSecretBasic && shown.kind == clientSecretPost
	beside := c.defects.SecretForEveryMethod && !usesSecret(cl.registration.method) && shown.kind == clientSecretBasic
	if cl.registration.method != shown.kind && !downgraded && !beside {
		return nil, invalidClient("the client is registered for another method")
	}
	if refused := cl.heldOffNow(c); refused != nil {
		return nil, refused
	}
	if secretMatches(c, shown, cl.secret) {
		if cl.secretIsOver(c) {
			return nil, invalidClient("the secret has expired")
		}
		cl.guessed = 0
		return cl, nil
	}
	if c.defects.OldSecretWorks {
		for _, former := range cl.formerSecrets {
			if secretMatches(c, shown, former) {
				return cl, nil
			}
		}
	}
	cl.countGuess(c)
	return nil, invalidClient("wrong secret")
}

func secretMatches(c *call, shown clientAuthentication, secret string) bool {
	if c.defects.SecretIgnored && shown.kind == clientSecretBasic && len(shown.password) >= 8 && len(secret) >= 8 {
		return same(shown.password[:8], secret[:8])
	}
	return same(shown.password, secret)
}

// byConnection proves a client that sends nothing but its id, by the certificate of its connection (RFC 8705 §2).
func (s *Server) byConnection(c *call, cl *client) (*client, *answer) {
	if cl == nil {
		return nil, invalidClient("unknown client, or no credential")
	}
	c.event.Org = cl.org()
	reason := "no credential"
	switch method := cl.registration.method; method {
	case tlsClientAuth:
		reason = s.badChain(c, cl)
	case selfSignedTLSClientAuth:
		reason = badSelfSigned(c, cl)
	case publicClient:
		if c.defects.PublicClients {
			reason = ""
		}
	default:
		if usesSecret(method) && c.defects.ClientIDAlone {
			reason = ""
		}
	}
	if reason != "" {
		return nil, invalidClient(reason)
	}
	return cl, nil
}

// resourceServer tells whether Basic is that of a resource server, and which.
func (s *Server) resourceServer(c *call) (string, bool) {
	headers := c.r.Header.Values("Authorization")
	if len(headers) != 1 {
		return "", false
	}
	id, password, ok := basic(headers[0], true)
	if !ok {
		return "", false
	}
	return id, same(password, s.static[id])
}
