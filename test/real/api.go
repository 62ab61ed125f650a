//go:build linux

package real

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// api is the partner API behind the gateways. It believes them: whoever they name in X-Client-Id is the caller. At one of
// its addresses it believes only who shows the gateways' key; the other one is open to whoever reaches it.
type api struct {
	open, guarded string // host:port
	key           string // expected in X-Gateway-Key at the guarded address
	server        *http.Server
	ended         chan error
}

// answer is what the API says: whom it saw, in which trace, and the fields that the gateway handed it.
type answer struct {
	OK       bool              `json:"ok"`
	Path     string            `json:"path"`
	ClientID string            `json:"client_id"`
	Trace    string            `json:"trace"` // trace id of the request's traceparent
	Headers  map[string]string `json:"headers"`
	Items    []payment         `json:"items,omitempty"`
	Error    string            `json:"error,omitempty"`
}

type payment struct {
	ID     string `json:"id"`
	Amount int    `json:"amount"` // in cents
}

func serveAPI() (*api, error) {
	a := &api{key: rand.Text(), ended: make(chan error, 2)}
	var listeners []net.Listener
	for range 2 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("start the API: %w", err)
		}
		listeners = append(listeners, listener)
	}
	a.open, a.guarded = listeners[0].Addr().String(), listeners[1].Addr().String()
	a.server = &http.Server{Handler: http.HandlerFunc(a.serve), ReadHeaderTimeout: 10 * time.Second}
	for _, listener := range listeners {
		go func() { a.ended <- a.server.Serve(listener) }()
	}
	return a, nil
}

// close stops the API; further calls do nothing.
func (a *api) close() error {
	err := a.server.Close()
	if err != nil {
		return fmt.Errorf("stop the API: %w", err)
	}
	for range cap(a.ended) {
		err, open := <-a.ended
		if !open {
			return nil
		}
		if !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("the API ended early: %w", err)
		}
	}
	close(a.ended)
	return nil
}

func (a *api) serve(w http.ResponseWriter, r *http.Request) {
	address, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if address != nil && address.String() == a.guarded && r.Header.Get("X-Gateway-Key") != a.key {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	echo(w, r)
}

// statement is the path of one partner's statement, after whatever prefix the gateway leaves.
var statement = regexp.MustCompile(`/partners/([^/]+)/statement$`)

// echo answers GET with a list, and asks of all other methods a payment with an amount. A statement that is not the
// caller's is hidden.
func echo(w http.ResponseWriter, r *http.Request) {
	said := answer{OK: true, Path: r.URL.RequestURI(), ClientID: r.Header.Get("X-Client-Id"), Trace: traceID(r), Headers: map[string]string{}}
	for name, values := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-") || strings.HasPrefix(name, "ssl") || strings.HasPrefix(name, "oidc") || name == "traceparent" {
			said.Headers[name] = strings.Join(values, ", ")
		}
	}
	status, owner := http.StatusOK, statement.FindStringSubmatch(r.URL.Path)
	switch {
	case owner != nil && owner[1] != said.ClientID:
		status, said.OK, said.Error = http.StatusNotFound, false, "no such statement"
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		said.Items = []payment{{ID: "p-1", Amount: 1250}}
	default:
		var asked payment
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&asked)
		if err != nil || asked.Amount <= 0 {
			status, said.OK, said.Error = http.StatusBadRequest, false, "amount must be a number of cents above 0"
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(said) // a caller that has gone away is no concern of ours
}

// traceID is the second part of a traceparent (W3C Trace Context §3.2.2), or nothing.
func traceID(r *http.Request) string {
	parts := strings.Split(r.Header.Get("traceparent"), "-")
	if len(parts) < 4 {
		return ""
	}
	return parts[1]
}
