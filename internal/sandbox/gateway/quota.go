package gateway

import (
	"net/http"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/sandbox/point"
)

// quotas count how often each client with a quota calls within the current second.
type quotas struct {
	mu    sync.Mutex
	began time.Time
	calls map[string]int       // by client
	shut  map[string]time.Time // by address, under QuotaShutsAddress: until when
}

func newQuotas() *quotas { return &quotas{calls: map[string]int{}, shut: map[string]time.Time{}} }

// over counts a call, and refuses it when its client has called too often (RFC 6585 §4).
func (q *quotas) over(grant point.Grant, address string, byAddress bool) *point.Refusal {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if now.Sub(q.began) >= time.Second {
		q.began = now
		clear(q.calls)
	}
	refusal := &point.Refusal{Status: http.StatusTooManyRequests, Code: "too_many_requests", Reason: "the client calls too often", Claimed: grant, After: time.Second}
	if byAddress && now.Before(q.shut[address]) {
		return refusal
	}
	if grant.PerSecond == 0 {
		return nil
	}
	q.calls[grant.ClientID]++
	if q.calls[grant.ClientID] <= grant.PerSecond {
		return nil
	}
	q.shut[address] = q.began.Add(time.Second)
	return refusal
}
