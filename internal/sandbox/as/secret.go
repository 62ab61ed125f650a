package as

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	mostGuesses = 20 // wrong secrets in a row, before a client's secret is not looked at for a while
	heldOffFor  = 10 * time.Second
	shortSecret = 10 // characters, under ShortSecrets

	secretLife        = 60 * 24 * time.Hour // of a client that asks for no other
	longestSecretLife = 10 * 365 * 24 * time.Hour
)

// readSecretLife reads this server's own member client_secret_lifetime: after how many seconds a client's secret ends.
// RFC 7591 §3.2.1 tells when that is, and leaves to the server how it comes about.
func (r *registration) readSecretLife(members map[string]json.RawMessage) error {
	const name = "client_secret_lifetime"
	raw, there := members[name]
	if !there {
		return nil
	}
	var seconds int64
	err := json.Unmarshal(raw, &seconds)
	if err != nil || seconds < 1 || seconds > int64(longestSecretLife/time.Second) {
		return errors.New(name + " must be a number of seconds within ten years")
	}
	r.secretLife = time.Duration(seconds) * time.Second
	r.plain[name] = seconds
	return nil
}

// giveSecret makes a secret for a client.
func (c *client) giveSecret(k *call) {
	c.secret = newCredential()
	if k.defects.ShortSecrets {
		c.secret = lettersAndDigits(shortSecret)
	}
	if k.defects.CredentialsAreUUIDs {
		c.secret = randomUUID()
	}
	life := secretLife
	if c.registration.secretLife > 0 {
		life = c.registration.secretLife
	}
	c.secretEnds = k.now.Add(life).Truncate(time.Second)
}

// leaveSecret ends a client's secret: the client was moved to a method that needs none.
func (c *client) leaveSecret() {
	if c.secret != "" {
		c.leftSecret = c.secret
	}
	c.secret, c.secretEnds = "", time.Time{}
}

// secretExpiresAt is client_secret_expires_at (RFC 7591 §3.2.1: 0 if the secret does not expire).
func (c *client) secretExpiresAt() int64 {
	if c.secretEnds.IsZero() {
		return 0
	}
	return c.secretEnds.Unix()
}

func (c *client) secretIsOver(k *call) bool {
	return !c.secretEnds.IsZero() && !k.now.Before(c.secretEnds) && !k.defects.SecretExpiryIgnored
}

// countGuess counts a wrong secret. RFC 6749 §2.3.1: the endpoint MUST be protected against brute force.
func (c *client) countGuess(k *call) {
	c.guessed++
	if c.guessed >= mostGuesses && !k.defects.GuessingUnlimited {
		c.guessed, c.heldOff = 0, k.now.Add(heldOffFor)
	}
}

// heldOffNow refuses to look at a secret for a while after too many wrong ones, whoever shows it: for this client alone,
// so that nobody locks out others.
func (c *client) heldOffNow(k *call) *answer {
	if !k.now.Before(c.heldOff) {
		return nil
	}
	return refused(http.StatusTooManyRequests, "temporarily_unavailable", "too many wrong secrets, try later")
}

func leftSecretMatches(c *call, shown clientAuthentication, cl *client) bool {
	return c.defects.FormerMethodWorks && !usesSecret(cl.registration.method) && same(shown.password, cl.leftSecret)
}

func lettersAndDigits(n int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the program instead
	for i := range raw {
		raw[i] = alphabet[int(raw[i])%len(alphabet)]
	}
	return string(raw)
}

// randomUUID is one of version 4 (RFC 9562 §5.4).
func randomUUID() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the program instead
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}
