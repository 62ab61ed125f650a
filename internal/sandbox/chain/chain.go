// Package chain verifies the certificates that clients of the sandbox show. Start with [New].
package chain

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"
	"time"
)

const maxKnown = 4096

// Verifier verifies chains to its roots, and remembers for how long a chain is valid: a kept connection shows the same
// one with every request.
type Verifier struct {
	roots *x509.CertPool

	mu    sync.Mutex
	known map[shown]validity
}

// shown is what was verified: the certificates as they were shown, and what for.
type shown struct {
	chain [sha256.Size]byte
	usage x509.ExtKeyUsage
}

type validity struct{ from, until time.Time }

// New gives a verifier for chains to these roots.
func New(roots *x509.CertPool) *Verifier {
	return &Verifier{roots: roots, known: map[shown]validity{}}
}

// Verify says why a leaf and the intermediates that came with it are no good chain at a time and for a usage, or nothing.
func (v *Verifier) Verify(leaf *x509.Certificate, intermediates []*x509.Certificate, usage x509.ExtKeyUsage, at time.Time) error {
	key := shown{chain: digest(leaf, intermediates), usage: usage}
	if known, ok := v.lookup(key); ok && !at.Before(known.from) && !at.After(known.until) {
		return nil
	}
	options := x509.VerifyOptions{Roots: v.roots, Intermediates: x509.NewCertPool(), CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage}}
	for _, one := range intermediates {
		options.Intermediates.AddCert(one)
	}
	chains, err := leaf.Verify(options)
	if err != nil {
		return err
	}
	v.remember(key, of(chains[0]))
	return nil
}

func digest(leaf *x509.Certificate, intermediates []*x509.Certificate) [sha256.Size]byte {
	all := sha256.Sum256(leaf.Raw)
	for _, one := range intermediates {
		all = sha256.Sum256(append(all[:], one.Raw...))
	}
	return all
}

// of is when all certificates of a chain are valid.
func of(chain []*x509.Certificate) validity {
	v := validity{from: chain[0].NotBefore, until: chain[0].NotAfter}
	for _, one := range chain {
		if one.NotBefore.After(v.from) {
			v.from = one.NotBefore
		}
		if one.NotAfter.Before(v.until) {
			v.until = one.NotAfter
		}
	}
	return v
}

func (v *Verifier) lookup(key shown) (validity, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	known, ok := v.known[key]
	return known, ok
}

func (v *Verifier) remember(key shown, valid validity) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) >= maxKnown {
		clear(v.known)
	}
	v.known[key] = valid
}
