// Package edge is the sandbox's enforcement point that verifies JWTs offline and learns of revocations from a feed. It
// has two replicas behind one address. Start with [New] and [Edge.Front].
package edge

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/dpop"
	"github.com/checkride/checkride/internal/sandbox/point"
)

// Replicas is how many nodes an edge has.
const Replicas = 2

// Config is what an [Edge] needs.
type Config struct {
	Point       point.Config
	Issuer      string
	JWKS        string
	ForeignJWKS string // keys of another issuer, used by a defect only
	Feed        string // revocations: GET with ?since=
	ID, Secret  string // of this resource server, for the feed
	Client      *http.Client
	FeedPoll    time.Duration
	KeyRefresh  time.Duration
	Situation   defect.Situation
	// PartnerKeys are the keys that a client registered for its assertions; used by a defect only.
	PartnerKeys func(clientID string) []*ecdsa.PublicKey
}

// Edge is both replicas and what stands in front of them.
type Edge struct {
	cfg    Config
	point  *point.Point
	nodes  [Replicas]*node
	cache  *cache
	turn   atomic.Uint64
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// New fetches keys and revocations once and begins to poll. Close it.
func New(ctx context.Context, cfg Config) (*Edge, error) {
	e := &Edge{cfg: cfg, point: point.New(cfg.Point)}
	if cfg.Situation.CacheInFront {
		e.cache = newCache()
	}
	proofs := &dpop.Verifier{Seen: dpop.NewSeen()} // one memory for all nodes: a proof that one has seen is used up
	for i := range e.nodes {
		e.nodes[i] = &node{
			cfg: cfg, point: e.point, revoked: map[string]revocation{}, gone: map[string]time.Time{},
			subjects: map[string]string{}, onFile: map[string]string{}, proofs: proofs, own: &dpop.Verifier{Seen: dpop.NewSeen()},
		}
	}
	e.nodes[1].lag = cfg.Situation.LaggingReplicas
	e.nodes[0].frozen = cfg.Situation.ConnectionSticky
	for i, n := range e.nodes {
		err := n.fetchKeys(ctx, cfg.Point.Defects())
		if err == nil {
			err = n.poll(ctx)
		}
		if err != nil {
			e.point.Close()
			return nil, fmt.Errorf("start node %d of %s: %w", i, cfg.Point.Name, err)
		}
	}
	polling, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	for _, n := range e.nodes {
		e.done.Go(func() { n.tend(polling) })
	}
	return e, nil
}

// Close stops polling and joins it.
func (e *Edge) Close() {
	e.cancel()
	e.done.Wait()
	e.point.Close()
}

type nodeOf struct{}

// Assign gives each new connection at the front to the next node: a kept connection stays where it is. It is an
// [http.Server.ConnContext].
func (e *Edge) Assign(ctx context.Context, _ net.Conn) context.Context {
	turn := e.turn.Add(1) - 1
	if e.cfg.Situation.ConnectionSticky {
		turn++ // the first connection meets the healthy node, the second
	}
	return context.WithValue(ctx, nodeOf{}, e.nodes[turn%Replicas])
}

// Front serves the shared address. Its server must use [Edge.Assign].
func (e *Edge) Front() http.Handler {
	h := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, ok := r.Context().Value(nodeOf{}).(*node)
		if !ok {
			n = e.nodes[0]
		}
		e.serve(n, w, r)
	}))
	if e.cache != nil {
		return e.cache.before(h)
	}
	return h
}

// Node serves one replica's own address.
func (e *Edge) Node(i int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.serve(e.nodes[i], w, r) })
}

func (e *Edge) serve(n *node, w http.ResponseWriter, r *http.Request) {
	e.point.Serve(w, r, point.Policy{Authenticate: n.authenticate})
}
