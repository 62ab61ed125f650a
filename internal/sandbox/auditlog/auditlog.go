// Package auditlog writes the sandbox's audit logs: one JSON-lines file for each component, one record for each request
// at each hop. Start with [Open] and [Record].
package auditlog

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Decision is what a component decided about a request.
type Decision string

const (
	Allow Decision = "allow"
	Deny  Decision = "deny"
)

// Record is one line. It holds the fields that PCI DSS 10.2.2 asks for (who, what, when, outcome, origin, resource) and
// the keys by which the lines of several components are joined. It never holds a credential.
type Record struct {
	ID            string    `json:"id"`   // unique, given by the log
	Time          time.Time `json:"time"` // UTC, given by the log; set only by a defect
	Component     string    `json:"component"`
	Actor         string    `json:"actor,omitempty"` // client or operator, where both can act
	Action        string    `json:"action"`
	Decision      Decision  `json:"decision"`
	Reason        string    `json:"reason,omitempty"`
	ClientName    string    `json:"client_name,omitempty"` // at registration
	ClientID      string    `json:"client_id,omitempty"`   // on refusals: as claimed, when it could not be established
	Org           string    `json:"org,omitempty"`
	TokenID       string    `json:"token_id,omitempty"`
	CertSHA256    string    `json:"cert_sha256,omitempty"` // base64url without padding, as in cnf.x5t#S256
	Origin        string    `json:"origin,omitempty"`      // address of the caller
	Method        string    `json:"method,omitempty"`
	Path          string    `json:"path,omitempty"` // without the query, which may hold credentials
	Status        int       `json:"status,omitempty"`
	Traceparent   string    `json:"traceparent,omitempty"`
	RequestID     string    `json:"request_id,omitempty"`
	Authorization string    `json:"authorization,omitempty"` // only by a defect: a credential does not belong here
	Unescaped     string    `json:"-"`                       // only by a defect: what stands in the line as it is
}

// Of begins the record of a request: what, where from and the keys of correlation.
func Of(action string, r *http.Request) Record {
	return Record{
		Action:      action,
		Origin:      host(r.RemoteAddr),
		Method:      r.Method,
		Path:        bounded(r.URL.EscapedPath()),
		Traceparent: bounded(r.Header.Get("Traceparent")),
		RequestID:   bounded(r.Header.Get("X-Request-Id")),
	}
}

// bounded keeps strangers from filling the log.
func bounded(text string) string { return text[:min(len(text), 512)] }

func host(address string) string {
	h, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return h
}

// Log is one component's file. There is one writer for each file; each line is one write.
type Log struct {
	component string
	start     int64
	serial    atomic.Uint64
	twice     bool

	mu   sync.Mutex
	file *os.File
}

// Open creates the component's log at path. With twice, every record is written two times with the same id, as by a
// pipeline that delivers at least once.
func Open(path, component string, twice bool) (*Log, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the audit log of %s: %w; is the sandbox's directory writable?", component, err)
	}
	return &Log{component: component, start: time.Now().UnixNano(), twice: twice, file: f}, nil
}

// Write adds one record and gives it its id, time and component. A line that cannot be written is lost: an audit log
// of a sandbox must not stop it.
func (l *Log) Write(r Record) {
	r.ID = l.component + "-" + strconv.FormatInt(l.start, 36) + "-" + strconv.FormatUint(l.serial.Add(1), 10)
	r.Component = l.component
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	r.Time = r.Time.UTC()
	line, err := json.Marshal(r)
	if err != nil {
		return
	}
	if r.Unescaped != "" {
		line = append(line[:len(line)-1], `,"client_name":"`+r.Unescaped+`"}`...)
	}
	line = append(line, '\n')
	if l.twice {
		line = append(line, line...)
	}
	_, _ = l.file.Write(line)
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
