package legacy

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"sync"

	"github.com/checkride/checkride/internal/sandbox/point"
)

// keyScope is what an API key may: what all partners may.
const keyScope = "payments:read"

// startOfKey is how much of a key the defect KeysByPrefix looks at: what is kept readable, so that people can tell keys
// apart.
const startOfKey = 12

// keys are the API keys, by their SHA-256: the keys themselves are told once.
type keys struct {
	mu        sync.Mutex
	known     map[[sha256.Size]byte]apiKey
	suspended map[string]bool
}

type apiKey struct {
	owner string
	ended bool // kept, so that the log can tell whose key was refused
	start string
}

func newKeys() *keys {
	return &keys{known: map[[sha256.Size]byte]apiKey{}, suspended: map[string]bool{}}
}

// Provision makes a new API key for the client, and ends the one that it had.
func (l *Legacy) Provision(clientID string) string {
	key := "ak_" + rand.Text()
	l.keys.mu.Lock()
	defer l.keys.mu.Unlock()
	l.keys.end(clientID)
	l.keys.known[sha256.Sum256([]byte(key))] = apiKey{owner: clientID, start: key[:startOfKey]}
	return key
}

// Deprovision ends the client's API key.
func (l *Legacy) Deprovision(clientID string) {
	if l.cfg.Point.Defects().LeftoverAPIKey {
		return
	}
	l.keys.mu.Lock()
	defer l.keys.mu.Unlock()
	l.keys.end(clientID)
}

// Suspend stops or resumes the client's API key.
func (l *Legacy) Suspend(clientID string, suspended bool) {
	l.keys.mu.Lock()
	defer l.keys.mu.Unlock()
	if !suspended {
		delete(l.keys.suspended, clientID)
		return
	}
	l.keys.suspended[clientID] = true
}

func (k *keys) end(clientID string) {
	for sum, key := range k.known {
		if key.owner == clientID {
			k.known[sum] = apiKey{owner: clientID, ended: true, start: key.start}
		}
	}
}

// grant gives the owner's grant. That of an ended key or of a suspended owner is not valid, and tells who it was.
func (k *keys) grant(text string, byStart bool) (point.Grant, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.known[sha256.Sum256([]byte(text))]
	if !ok && byStart {
		key, ok = k.starting(text)
	}
	if !ok {
		return point.Grant{}, false
	}
	scope := keyScope
	return point.Grant{ClientID: key.owner, Scope: &scope, Roles: []string{"reader"}}, !key.ended && !k.suspended[key.owner]
}

// starting finds a key by its start.
func (k *keys) starting(text string) (apiKey, bool) {
	for _, key := range k.known {
		if strings.HasPrefix(text, key.start) && !key.ended {
			return key, true
		}
	}
	return apiKey{}, false
}
