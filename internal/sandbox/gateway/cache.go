package gateway

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

const shared = 2 * time.Second

// answers is the defect SharedCache: answers of GET by path alone, for everybody, whatever Cache-Control and
// Authorization say (RFC 9111 §5.2.2.5 and §3.5 forbid it).
type answers struct {
	mu     sync.Mutex
	stored map[string]stored
}

type stored struct {
	at   time.Time
	kind string
	body []byte
}

func newAnswers() *answers { return &answers{stored: map[string]stored{}} }

func (a *answers) serve(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	if r.Method != http.MethodGet {
		next(w, r)
		return
	}
	path := r.URL.EscapedPath()
	if hit, ok := a.lookup(path); ok {
		w.Header().Set("Content-Type", hit.kind)
		w.Header().Set("Age", strconv.Itoa(int(time.Since(hit.at).Seconds())))
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(hit.body)
		return
	}
	copied := &copying{ResponseWriter: w}
	next(copied, r)
	if copied.status == http.StatusOK {
		a.store(path, stored{at: time.Now(), kind: w.Header().Get("Content-Type"), body: copied.body})
	}
}

func (a *answers) lookup(path string) (stored, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	hit, ok := a.stored[path]
	return hit, ok && time.Since(hit.at) < shared
}

func (a *answers) store(path string, s stored) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stored[path] = s
}

// copying keeps what it sends.
type copying struct {
	http.ResponseWriter
	status int
	body   []byte
}

func (c *copying) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *copying) Write(p []byte) (int, error) {
	c.body = append(c.body, p...)
	return c.ResponseWriter.Write(p)
}
