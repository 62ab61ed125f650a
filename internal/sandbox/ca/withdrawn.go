package ca

import "sync"

// withdrawn is the list of the certificates that a CA trusts no more, by their x5t#S256 (RFC 8705 §3.1). Its verifiers
// read it at each use: the sandbox has no revocation list that could be old.
type withdrawn struct {
	mu   sync.Mutex
	list map[string]bool
}

// Withdraw puts a certificate on the list.
func (a *CA) Withdraw(thumbprint string) {
	a.withdrawn.mu.Lock()
	defer a.withdrawn.mu.Unlock()
	if a.withdrawn.list == nil {
		a.withdrawn.list = map[string]bool{}
	}
	a.withdrawn.list[thumbprint] = true
}

// Withdrawn says whether a certificate is on the list.
func (a *CA) Withdrawn(thumbprint string) bool {
	a.withdrawn.mu.Lock()
	defer a.withdrawn.mu.Unlock()
	return a.withdrawn.list[thumbprint]
}
