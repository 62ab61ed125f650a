package wire

import (
	"crypto/tls"
	"crypto/x509"
	"sync"
)

// mostKnown bounds how many sets of roots are remembered, and how many servers' certificates for each.
const mostKnown = 64

// trust remembers the servers' certificates that were seen to chain to roots. Each is an anchor of its own from then on:
// a ride opens a thousand connections to a handful of servers, and looking up the same chain anew is an eighth of a
// handshake. Its name, its dates and its uses are still looked at each time.
type trust struct {
	mu      sync.Mutex
	anchors map[*x509.CertPool]*anchors // by the roots
}

type anchors struct {
	pool   *x509.CertPool // the roots and the certificates; it is never changed, for handshakes under way use it
	chains map[string][]*x509.Certificate
}

func newTrust() *trust { return &trust{anchors: map[*x509.CertPool]*anchors{}} }

// pool gives what a server's certificate must chain to, where it must chain to these roots.
func (t *trust) pool(roots *x509.CertPool) *x509.CertPool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.anchors[roots]; known != nil {
		return known.pool
	}
	return roots
}

// chain gives what the certificate of a connection chains to, itself first and the root last, and remembers it.
func (t *trust) chain(roots *x509.CertPool, state tls.ConnectionState) []*x509.Certificate {
	if len(state.VerifiedChains) == 0 {
		return nil
	}
	chain := state.VerifiedChains[0]
	leaf := string(chain[0].Raw)
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.anchors[roots]
	switch {
	case known != nil && known.chains[leaf] != nil:
		return known.chains[leaf]
	case roots == nil: // the system's, which need not be a pool
		return chain
	case known == nil && len(t.anchors) == mostKnown, known != nil && len(known.chains) == mostKnown:
		return chain
	case known == nil:
		known = &anchors{pool: roots, chains: map[string][]*x509.Certificate{}}
		t.anchors[roots] = known
	}
	known.pool = known.pool.Clone()
	known.pool.AddCert(chain[0])
	known.chains[leaf] = chain
	return chain
}
