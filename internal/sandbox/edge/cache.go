package edge

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// The API forbids storing. In this situation a layer between says otherwise, for as long as freshness, and the shared
// cache honours both that and every no-store that is left, as RFC 9111 §3.5 allows for answers marked public.
const freshness = time.Second

// cache is a shared cache. It keys by target and Authorization, and marks what it serves with Age (RFC 9111 §5.1).
type cache struct {
	mu     sync.Mutex
	stored map[string]stored
}

type stored struct {
	at     time.Time
	header http.Header
	body   []byte
}

func newCache() *cache { return &cache{stored: map[string]stored{}} }

func (c *cache) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.URL.RequestURI() + "\n" + r.Header.Get("Authorization")
		if r.Method != http.MethodGet || r.Header.Get("Authorization") == "" {
			next.ServeHTTP(w, r)
			return
		}
		if hit, ok := c.fresh(key); ok {
			hit.write(w)
			return
		}
		answer := &kept{header: http.Header{}}
		next.ServeHTTP(answer, r)
		if answer.status == http.StatusOK {
			answer.header.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(freshness.Seconds())))
			c.store(key, stored{at: time.Now(), header: answer.header.Clone(), body: answer.body})
		}
		for name, values := range answer.header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.status)
		_, _ = w.Write(answer.body)
	})
}

func (c *cache) fresh(key string) (stored, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	hit, ok := c.stored[key]
	if !ok || time.Since(hit.at) >= freshness {
		delete(c.stored, key)
		return stored{}, false
	}
	return hit, true
}

func (c *cache) store(key string, s stored) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored[key] = s
}

func (s stored) write(w http.ResponseWriter) {
	for name, values := range s.header {
		w.Header()[name] = values
	}
	w.Header().Set("Age", strconv.Itoa(int(time.Since(s.at).Seconds())))
	w.Header().Set("X-Cache", "HIT")
	_, _ = w.Write(s.body)
}

// kept is an answer that is read before it is sent.
type kept struct {
	header http.Header
	status int
	body   []byte
}

func (k *kept) Header() http.Header    { return k.header }
func (k *kept) WriteHeader(status int) { k.status = status }
func (k *kept) Write(p []byte) (int, error) {
	if k.status == 0 {
		k.status = http.StatusOK
	}
	k.body = append(k.body, p...)
	return len(p), nil
}
