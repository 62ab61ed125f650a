package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

// ErrNotAllowed says that a host is not one that may be dialled. Test for it with errors.Is.
var ErrNotAllowed = errors.New("not a host of the plan: add it to the plan to allow it")

// ErrClosed says that the Wire was closed.
var ErrClosed = errors.New("the wire is closed")

const (
	defaultTimeout     = 10 * time.Second
	defaultIdle        = 30 * time.Second
	defaultMaxBody     = 1 << 20
	defaultConcurrency = 8
	defaultBreaker     = 3
	dialTimeout        = 5 * time.Second
	longestPause       = time.Minute // that a 429 can ask for: one client's quota must not stop the ride
)

// Wire sends requests and records them. Its methods may be called concurrently. Close it at the end.
type Wire struct {
	config    Config
	allowed   map[string]bool
	serial    atomic.Uint64
	kept      *pool
	trust     *trust
	recording chan struct{} // one slot: a channel and not a mutex, since Record may wait
	counts    counts

	authorization string // the value of Proxy-Authorization, or empty

	mu     sync.Mutex // held for computing only
	hosts  map[string]*host
	nonces map[string]string // the latest DPoP nonce of an origin
	closed bool
}

// host is what is known of one host:port: its pace and its pulse.
type host struct {
	gate *gate

	mu   sync.Mutex // held for computing only
	dead int        // consecutive controls without an answer
}

// New checks the config and fills in its defaults.
func New(config Config) (*Wire, error) {
	if len(config.Ride) != 16 || strings.Trim(config.Ride, "0123456789abcdef") != "" {
		return nil, fmt.Errorf("wire: ride %q is not 16 lower-case hex digits", config.Ride)
	}
	if config.Keeper == nil {
		return nil, errors.New("wire: no keeper of secrets is given")
	}
	if config.Agent == "" {
		config.Agent = "checkride (ride " + config.Ride + ")"
	}
	if config.Since.IsZero() {
		config.Since = time.Now()
	}
	if config.Dial == nil {
		config.Dial = (&net.Dialer{}).DialContext
	}
	config.Timeout = or(config.Timeout, defaultTimeout)
	config.Idle = or(config.Idle, defaultIdle)
	config.MaxBody = or(config.MaxBody, defaultMaxBody)
	config.Concurrency = or(config.Concurrency, defaultConcurrency)
	config.Breaker = or(config.Breaker, defaultBreaker)
	authorization, err := config.Proxy.authorize(config.Keeper)
	if err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	w := &Wire{
		authorization: authorization,

		config:    config,
		allowed:   map[string]bool{},
		kept:      newPool(),
		trust:     newTrust(),
		recording: make(chan struct{}, 1),
		hosts:     map[string]*host{},
		nonces:    map[string]string{},
		counts:    counts{nodes: map[string]map[string]int{}},
	}
	for _, address := range config.Allow {
		w.allowed[strings.ToLower(address)] = true
	}
	return w, nil
}

func or[T int | int64 | uint16 | time.Duration](value, otherwise T) T {
	if value == 0 {
		return otherwise
	}
	return value
}

// Close closes the kept connections and waits for what watches them. Exchanges under way end by themselves.
func (w *Wire) Close() error {
	w.mu.Lock()
	w.closed = true
	var hosts []*host
	for _, h := range w.hosts {
		hosts = append(hosts, h)
	}
	w.mu.Unlock()
	for _, h := range hosts {
		h.gate.close()
	}
	w.kept.close()
	return nil
}

// Do sends one request, once, and gives what came back. All that the network does to it is an [Exchange] with a
// [Failure]. The error is for what the tool itself could not do: the context was done ([context.Cause]), the host may
// not be dialled ([ErrNotAllowed]), the request cannot be built. When the context ends in the middle of an exchange,
// that exchange is recorded as a timeout and given beside the error. An answer that does nothing but ask for another
// DPoP nonce (RFC 9449 §8, §9) is recorded as an exchange of its own, and the request is made once more with it.
func (w *Wire) Do(ctx context.Context, r Request) (Exchange, error) {
	x, err := w.do(ctx, r)
	if err != nil || !wantsNonce(x) {
		return x, err
	}
	if r.Unrecorded {
		w.Record(x, "asks for a nonce")
	}
	return w.do(ctx, r)
}

func (w *Wire) do(ctx context.Context, r Request) (Exchange, error) {
	to, err := w.destination(r)
	if err != nil {
		return Exchange{}, fmt.Errorf("%s %s%s: %w", r.Method, r.Origin, w.config.Keeper.Mask(r.Target), err)
	}
	h, err := w.host(to.host)
	if err != nil {
		return Exchange{}, err
	}
	if err := h.gate.enter(ctx, r.Purpose); err != nil {
		return Exchange{}, fmt.Errorf("wait for a turn at %s: %w", to.host, err)
	}
	x, err := w.exchange(ctx, h, to, r.Clone())
	if err != nil {
		return Exchange{}, fmt.Errorf("build the request to %s: %w", to.host, err)
	}
	w.heed(x)
	x.Discover(w.config.Keeper)
	if !r.Unrecorded {
		w.Record(x, "")
	}
	if x.Failure == Timeout && ctx.Err() != nil {
		return x, fmt.Errorf("exchange with %s: %w", to.host, context.Cause(ctx))
	}
	return x, nil
}

// exchange holds a seat of the host, which it gives back, and no mutex.
func (w *Wire) exchange(ctx context.Context, h *host, to destination, r Request) (Exchange, error) {
	defer h.gate.leave()
	serial := w.serial.Add(1)
	built, err := w.render(r, to, serial)
	if err != nil {
		return Exchange{}, err
	}
	x := Exchange{
		Serial:  serial,
		Trace:   w.trace(serial),
		Request: r,
		Sent:    time.Now(),
		Remote:  to.dial,
		shown:   built.shown,
	}
	if slices.ContainsFunc(r.Credentials, leavesNonce) {
		x.Nonce = w.nonce(r.Origin)
	}
	if dead := h.pulse(); dead >= w.config.Breaker && r.Purpose != Cleanup {
		x.fail(Broke, fmt.Sprintf("not sent: %d controls in a row had no answer from %s", dead, to.host))
		return x, nil
	}
	w.counts.add(x.Sent)
	deadline := time.Now().Add(w.config.Timeout)
	line, fresh, err := w.line(ctx, to, r.Over, deadline)
	if err != nil {
		x.Fresh = true
		x.fail(classify(err, true))
	} else {
		x.Fresh = fresh
		w.speak(ctx, &x, line, built, deadline)
	}
	if x.Failure == Proxied && ctx.Err() != nil {
		x.Failure, x.Detail = Timeout, ctx.Err().Error() // it was we who ended it
	}
	if wait, asked := x.RetryAfter(); asked && x.Status == http.StatusTooManyRequests && r.Purpose != Burst {
		h.gate.pause(min(wait, longestPause))
	}
	w.counts.seen(to.host, x)
	h.feel(r.Purpose, x.Failure)
	return x, nil
}

func (x *Exchange) fail(failure Failure, detail string) {
	x.Failure, x.Detail = failure, detail
	x.Received = time.Now()
}

// pulse gives the number of consecutive controls without an answer.
func (h *host) pulse() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dead
}

func (h *host) feel(purpose Purpose, failure Failure) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case failure == None:
		h.dead = 0
	case purpose == Control:
		h.dead++
	}
}

func (w *Wire) host(name string) (*host, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, ErrClosed
	}
	h := w.hosts[name]
	if h == nil {
		h = &host{gate: newGate(w.config.Rate, w.config.Concurrency)}
		w.hosts[name] = h
	}
	return h, nil
}

// destination is where a request goes.
type destination struct {
	origin string // as in the request
	tls    bool
	host   string // host:port of the origin
	header string // the value of the Host field
	name   string // that the server's certificate must be for, and the SNI
	dial   string // host:port that is dialled
}

func (w *Wire) destination(r Request) (destination, error) {
	u, err := url.Parse(r.Origin)
	if err != nil {
		return destination{}, fmt.Errorf("origin %q: %w", r.Origin, err)
	}
	if u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return destination{}, fmt.Errorf("origin %q is not of the form https://host:port", r.Origin)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	to := destination{
		origin: r.Origin,
		tls:    u.Scheme == "https",
		host:   strings.ToLower(net.JoinHostPort(u.Hostname(), port)),
		header: u.Host,
		name:   u.Hostname(),
	}
	to.dial = to.host
	if r.Over.Address != "" {
		to.dial = strings.ToLower(r.Over.Address)
	}
	if r.Over.ServerName != "" {
		to.name = r.Over.ServerName
	}
	for _, address := range []string{to.host, to.dial} {
		if !w.allowed[address] {
			return destination{}, fmt.Errorf("%s: %w", address, ErrNotAllowed)
		}
	}
	return to, nil
}

// Record writes an exchange to the logbook with what was decided about it. [Wire.Do] calls it for every request that
// is not Unrecorded.
func (w *Wire) Record(x Exchange, decision string) {
	if w.config.Record == nil {
		return
	}
	entry := x.Record(w.config.Keeper)
	entry.Decision = decision
	w.recording <- struct{}{}
	defer func() { <-w.recording }()
	w.config.Record(logbook.Entry{At: time.Since(w.config.Since), Exchange: &entry})
}

// Stats is what was sent so far.
type Stats struct {
	Requests int                       // sent or tried to be sent
	PeakRate int                       // most within any one second
	Nodes    map[string]map[string]int // host:port of the origin -> node that answered -> exchanges
}

type counts struct {
	mu     sync.Mutex // held for computing only
	total  int
	peak   int
	recent []time.Time // of the last second
	nodes  map[string]map[string]int
}

func (c *counts) add(sent time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total++
	c.recent = append(c.recent, sent)
	old := 0
	for sent.Sub(c.recent[old]) >= time.Second {
		old++
	}
	c.recent = c.recent[old:]
	c.peak = max(c.peak, len(c.recent))
}

func (c *counts) seen(host string, x Exchange) {
	if x.Status == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes[host] == nil {
		c.nodes[host] = map[string]int{}
	}
	c.nodes[host][x.Remote]++
}

// Stats gives a copy of the counts.
func (w *Wire) Stats() Stats {
	w.counts.mu.Lock()
	defer w.counts.mu.Unlock()
	nodes := map[string]map[string]int{}
	for host, seen := range w.counts.nodes {
		nodes[host] = map[string]int{}
		for node, n := range seen {
			nodes[host][node] = n
		}
	}
	return Stats{Requests: w.counts.total, PeakRate: w.counts.peak, Nodes: nodes}
}

// date reads the Date field; zero when there is none or it is not a date.
func date(h http.Header) time.Time {
	when, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return when
}
