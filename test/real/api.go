//go:build linux

package real

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// api is the partner API behind the gateways. It believes them: whoever they name in X-Client-Id is the caller.
type api struct {
	address string
	server  *http.Server
	ended   chan error
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
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the API: %w", err)
	}
	a := &api{address: listener.Addr().String(), ended: make(chan error, 1)}
	a.server = &http.Server{Handler: http.HandlerFunc(echo), ReadHeaderTimeout: 10 * time.Second}
	go func() { a.ended <- a.server.Serve(listener) }()
	return a, nil
}

// close stops the API; further calls do nothing.
func (a *api) close() error {
	err := a.server.Close()
	if err != nil {
		return fmt.Errorf("stop the API: %w", err)
	}
	err, open := <-a.ended
	if open {
		close(a.ended)
	}
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the API ended early: %w", err)
	}
	return nil
}

// echo answers GET with a list, and asks of all other methods a payment with an amount.
func echo(w http.ResponseWriter, r *http.Request) {
	said := answer{OK: true, Path: r.URL.RequestURI(), ClientID: r.Header.Get("X-Client-Id"), Trace: traceID(r), Headers: map[string]string{}}
	for name, values := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-") || strings.HasPrefix(name, "ssl") || strings.HasPrefix(name, "oidc") || name == "traceparent" {
			said.Headers[name] = strings.Join(values, ", ")
		}
	}
	status := http.StatusOK
	switch r.Method {
	case http.MethodGet, http.MethodHead:
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
