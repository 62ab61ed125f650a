package gateway

import (
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/point"
)

const (
	wafMaxField = 4 << 10
	wafPage     = "<!DOCTYPE html><html><head><title>Request blocked</title></head><body><h1>Request blocked</h1><p>The web application firewall has blocked this request.</p></body></html>\n"
)

// front is what stands before the gateway's own decision: a firewall, a rate limit and a ban.
type front struct {
	situation defect.Situation

	mu       sync.Mutex
	began    time.Time // of the current second
	requests int
	refusals map[string]int // by address
}

func newFront(s defect.Situation) *front {
	return &front{situation: s, refusals: map[string]int{}}
}

// blocks answers as a firewall does to what it finds odd: with a page of its own that names no point.
func (f *front) blocks(w http.ResponseWriter, r *http.Request) bool {
	if !f.situation.WAF || !odd(r) {
		return false
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Server", "shield")
	w.WriteHeader(http.StatusForbidden)
	_, _ = w.Write([]byte(wafPage))
	return true
}

func odd(r *http.Request) bool {
	for name, values := range r.Header {
		for _, value := range values {
			if len(name)+len(value) > wafMaxField {
				return true
			}
		}
	}
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	part, _, isJWT := strings.Cut(token, ".")
	if !isJWT {
		return false
	}
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return false
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	err = json.Unmarshal(text, &header)
	if err != nil {
		return false
	}
	switch header.Algorithm {
	case "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA":
		return false
	}
	return true
}

// limits refuses what comes too often, and everything from an address that was refused too often.
func (f *front) limits(r *http.Request) *point.Refusal {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.situation.BanAfter > 0 && f.refusals[address(r)] >= f.situation.BanAfter {
		return &point.Refusal{Status: http.StatusForbidden, Code: "banned", Reason: "address is banned"}
	}
	if f.situation.RateLimit <= 0 {
		return nil
	}
	now := time.Now()
	if now.Sub(f.began) >= time.Second {
		f.began, f.requests = now, 0
	}
	f.requests++
	if f.requests > f.situation.RateLimit {
		return &point.Refusal{Status: http.StatusTooManyRequests, Code: "too_many_requests", Reason: "rate limit", After: time.Second}
	}
	return nil
}

// count counts refusals for the ban.
func (f *front) count(r *http.Request, status int) {
	if f.situation.BanAfter <= 0 || (status != http.StatusUnauthorized && status != http.StatusForbidden) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refusals[address(r)]++
}

func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
