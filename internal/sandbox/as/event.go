package as

import "net/http"

// Event is one audit record: one per request at the endpoints that matter, denied ones included.
type Event struct {
	Actor             string // client, or operator for what came over the management port
	Action            string // register, read, update, delete, grant, introspect, revoke, suspend, resume, entitlement, window, rotate_secret, rotate_key, introspection_fault
	Decision          string // allow or deny
	Reason            string // why denied: the error code and, for the operator, what exactly
	ClientID          string // the client that speaks, or claims to; for an operator's action the client it is done to
	ClientName        string // at registration, as asked
	Org               string
	TokenID           string // jti
	CertificateSHA256 string // x5t#S256 of the client certificate: base64url (RFC 8705 §3.1)
	Origin            string // remote address without port
	Method            string
	Path              string
	Status            int
	Traceparent       string
	RequestID         string
}

func newEvent(r *http.Request) Event {
	return Event{
		Actor:       "client",
		Origin:      remote(r),
		Method:      bounded(r.Method),
		Path:        bounded(r.URL.Path),
		Traceparent: bounded(r.Header.Get("Traceparent")),
		RequestID:   bounded(r.Header.Get("X-Request-ID")),
	}
}

func (e Event) with(a answer) Event {
	e.Status, e.Reason, e.Decision = a.status, a.reason, "allow"
	if a.status >= 400 {
		e.Decision = "deny"
	}
	return e
}

// bounded keeps what strangers write from filling the log.
func bounded(s string) string { return s[:min(len(s), 512)] }
