package as

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

const (
	quotaMember = "requests_per_second" // of registrations, and of introspection, which tells the points
	mostQuota   = 1000
	shutFor     = time.Minute // under RetryAfterTooSoon
)

// A quota counts how often a client asks within the current second.
type quota struct {
	began time.Time
	asked int
	shut  time.Time // until then it is held off, under RetryAfterTooSoon
}

// readQuota reads this server's own member requests_per_second: a client that names it is bound to it.
func (r *registration) readQuota(members map[string]json.RawMessage) error {
	raw, there := members[quotaMember]
	if !there {
		return nil
	}
	err := json.Unmarshal(raw, &r.perSecond)
	if err != nil || r.perSecond < 1 || r.perSecond > mostQuota {
		return errors.New(quotaMember + " must be a number from 1 to 1000")
	}
	r.plain[quotaMember] = r.perSecond
	return nil
}

// overdrawn counts a token request of a client, and holds it off when it has asked too often (RFC 6585 §4).
func (c *client) overdrawn(k *call) *answer {
	most, q := c.registration.perSecond, &c.quota
	if most == 0 || k.defects.QuotaUncounted {
		return nil
	}
	if k.now.Sub(q.began) >= time.Second {
		q.began, q.asked = k.now, 0
	}
	q.asked++
	if q.asked > most && k.defects.RetryAfterTooSoon && k.now.After(q.shut) {
		q.shut = k.now.Add(shutFor)
	}
	if q.asked <= most && !k.now.Before(q.shut) {
		return nil
	}
	a := refused(http.StatusTooManyRequests, "temporarily_unavailable", "too many requests, try later")
	a.header.Set("Retry-After", "1")
	return a
}
