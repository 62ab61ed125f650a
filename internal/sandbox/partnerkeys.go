package sandbox

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

const (
	partnerKeys     = "keys" // where partners publish their keys: the one host from which the authorization server fetches
	mostPublished   = 1000
	longestKeysBody = 64 << 10
)

// keyHost is that host as it stands in an address. On loopback it is named localhost: other ports of the machine are not
// what partners agreed to.
func (s *Sandbox) keyHost() string {
	host, port, err := net.SplitHostPort(s.addresses[partnerKeys])
	if err != nil {
		return s.addresses[partnerKeys]
	}
	if net.ParseIP(host) != nil {
		return net.JoinHostPort("localhost", port)
	}
	return host
}

// publications are the key sets that partners publish, by name.
type publications struct {
	mu   sync.Mutex
	sets map[string][]byte
}

func (p *publications) put(name string, set []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sets == nil {
		p.sets = map[string][]byte{}
	}
	if _, there := p.sets[name]; !there && len(p.sets) >= mostPublished {
		return false
	}
	p.sets[name] = set
	return true
}

// serve gives a set to whoever asks. Its owner wants every rotation to be seen at once.
func (p *publications) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	set, there := p.sets[strings.TrimPrefix(r.URL.Path, "/")]
	p.mu.Unlock()
	if !there || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "max-age=0, must-revalidate")
	_, _ = w.Write(set)
}

// publishKeys puts the keys of a partner in their place, and tells it.
func (s *Sandbox) publishKeys(w http.ResponseWriter, r *http.Request) {
	set, err := io.ReadAll(io.LimitReader(r.Body, longestKeysBody+1))
	if err != nil || len(set) > longestKeysBody || !s.published.put(r.PathValue("name"), set) {
		http.Error(w, "the set cannot be taken", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"jwks_uri":"https://`+s.keyHost()+`/`+r.PathValue("name")+`"}`)
}
