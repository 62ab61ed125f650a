// Package api is the sandbox's partner API, the upstream of all enforcement points. It believes what a point tells it
// about the caller, and answers nobody but points. Start with [New] and [API.ServeHTTP].
package api

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/auditlog"
)

// The header fields by which a point tells who calls.
const (
	PointKey   = "X-Point-Key"
	ClientID   = "X-Client-Id"
	Org        = "X-Org"
	Scopes     = "X-Scopes"
	Via        = "X-Auth-Via"
	TokenID    = "X-Token-Id"
	CertSHA256 = "X-Cert-Sha256"
)

// Archive is the path of payments that are long settled.
const Archive = "/archive"

const maxBody = 64 << 10

// Config is what an [API] needs.
type Config struct {
	Keys    map[string]string // point -> the credential that it shares with the API
	Defects func() defect.Set
	Log     func(auditlog.Record)
}

// API serves payments, statements and an archive.
type API struct{ cfg Config }

// New makes the API.
func New(cfg Config) *API { return &API{cfg: cfg} }

// Seen is the identity and the trace that reached the API. It is in every answer that a caller got in for.
type Seen struct {
	ClientID string `json:"client_id"`
	Org      string `json:"org"`
	Scope    string `json:"scope"`
	Via      string `json:"via"`
	Trace    string `json:"trace"`
}

type answer struct {
	Items     []payment `json:"items,omitempty"`
	Statement []entry   `json:"statement,omitempty"`
	Payment   *payment  `json:"payment,omitempty"`
	Error     string    `json:"error,omitempty"`
	Seen      Seen      `json:"seen"`
}

type payment struct {
	ID       string `json:"id"`
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
	Creditor string `json:"creditor,omitempty"`
	Status   string `json:"status"`
}

type entry struct {
	Date    string `json:"date"`
	Balance string `json:"balance"`
}

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	record := auditlog.Of("serve", r)
	record.ClientID, record.Org, record.TokenID = identity(r, ClientID), identity(r, Org), identity(r, TokenID)
	record.CertSHA256 = identity(r, CertSHA256)

	seen := Seen{
		ClientID: record.ClientID,
		Org:      record.Org,
		Scope:    identity(r, Scopes),
		Via:      identity(r, Via),
		Trace:    TraceID(record.Traceparent),
	}
	if !a.fromPoint(r) && !a.cfg.Defects().OriginOpen {
		a.send(w, record, http.StatusUnauthorized, "call does not come from a point", answer{Error: "only points may call"})
		return
	}
	if seen.ClientID == "" {
		seen.ClientID = "anonymous"
	}
	status, reason, body := a.serve(r, seen)
	body.Seen = seen
	a.send(w, record, status, reason, body)
}

func (a *API) serve(r *http.Request, seen Seen) (int, string, answer) {
	path := r.URL.EscapedPath()
	switch {
	case r.Method == http.MethodGet && path == "/payments":
		return http.StatusOK, "", answer{Items: payments()}
	case r.Method == http.MethodGet && path == Archive:
		return http.StatusOK, "", answer{Items: payments()[:1]}
	case r.Method == http.MethodPost && path == "/payments":
		return pay(r.Body)
	case r.Method == http.MethodGet && StatementOf(path) != "":
		if StatementOf(path) != seen.ClientID && !(a.cfg.Defects().ObjectOwnerIgnored && seen.Via == "edge") {
			return http.StatusForbidden, "statement of another partner", answer{Error: "not your statement"}
		}
		return http.StatusOK, "", answer{Statement: statement()}
	}
	return http.StatusNotFound, "no such resource", answer{Error: "no such resource"}
}

// StatementOf is the partner whose statement the path names, or "".
func StatementOf(path string) string {
	rest, ok := strings.CutPrefix(path, "/partners/")
	if !ok {
		return ""
	}
	owner, ok := strings.CutSuffix(rest, "/statement")
	if !ok || strings.Contains(owner, "/") {
		return ""
	}
	return owner
}

func pay(body io.Reader) (int, string, answer) {
	var order struct{ Amount, Currency, Creditor string }
	text, err := io.ReadAll(io.LimitReader(body, maxBody))
	if err != nil {
		return http.StatusUnprocessableEntity, "unreadable body", answer{Error: "invalid body"}
	}
	err = json.Unmarshal(text, &order)
	if err != nil || order.Amount == "" || order.Currency == "" || order.Creditor == "" {
		return http.StatusUnprocessableEntity, "invalid body", answer{Error: "invalid body"}
	}
	made := payment{ID: "p-3", Amount: order.Amount, Currency: order.Currency, Creditor: order.Creditor, Status: "accepted"}
	return http.StatusCreated, "", answer{Payment: &made}
}

func payments() []payment {
	return []payment{
		{ID: "p-1", Amount: "12.50", Currency: "EUR", Status: "settled"},
		{ID: "p-2", Amount: "99.00", Currency: "EUR", Status: "pending"},
	}
}

func statement() []entry {
	return []entry{{Date: "2026-01-31", Balance: "1200.00"}, {Date: "2026-02-28", Balance: "1187.50"}}
}

func (a *API) fromPoint(r *http.Request) bool {
	given := r.Header.Get(PointKey)
	ok := false
	for _, key := range a.cfg.Keys {
		if subtle.ConstantTimeCompare([]byte(given), []byte(key)) == 1 {
			ok = true
		}
	}
	return ok
}

func (a *API) send(w http.ResponseWriter, record auditlog.Record, status int, reason string, body answer) {
	record.Decision = auditlog.Allow
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		record.Decision = auditlog.Deny
	}
	record.Status, record.Reason = status, reason
	a.cfg.Log(record)

	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, fmt.Sprintf("encode the answer: %v", err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// identity reads a field as a CGI-like application does: X_Client_Id and X-Client-Id are one (RFC 3875 §4.1.18).
func identity(r *http.Request, name string) string {
	if v := r.Header.Get(name); v != "" {
		return v
	}
	for field, values := range r.Header {
		if strings.EqualFold(strings.ReplaceAll(field, "_", "-"), name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

// TraceID is the trace id of a traceparent (W3C Trace Context §3.2.2), or "".
func TraceID(traceparent string) string {
	parts := strings.Split(traceparent, "-")
	if len(parts) < 4 || len(parts[1]) != 32 {
		return ""
	}
	return parts[1]
}
