// Package audit reads the audit logs of the stack under test and finds the records of an exchange in them.
//
// Start with [Open], which follows one log, and with [Log.Wait], which waits for the records of an exchange. A log is
// followed from its end at the time of opening; only records that carry the ride's marker are kept, so that memory does
// not grow with the log.
package audit

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
)

const (
	// MaxLine is how many bytes of a line are read. Longer lines are cut and counted.
	MaxLine = 64 << 10

	keptPerExchange = 64      // a stack that echoes our marker for ever must not fill the memory
	keptRecords     = 200_000 // of all exchanges together
	keptBytes       = 512 << 20
	keptUnmarked    = 4096 // newest records without marker that name one of our clients
	keptLeaks       = 1000
	unscannedBytes  = 4 << 20 // lines that wait for their scan for secrets

	firstInterval   = 100 * time.Millisecond
	longestInterval = 2 * time.Second
)

// Config is what a [Log] needs beside its source's description.
type Config struct {
	Ride      string         // 16 hex digits: the first half of every trace id, and part of every request id
	Dir       string         // relative files are looked up here, and commands run here
	Keeper    *secret.Keeper // masks what is given out; nil keeps no secrets
	AllowExec bool           // without it a source with a command is refused
	FromStart bool           // read what the log holds already, to its end, for an export that is attached after the ride
	Clients   []string       // ids of the ride's clients, for records without marker; see [Log.Watch]
}

// Stats counts what was read.
type Stats struct {
	Lines       int   // whole lines
	Bytes       int64 // of them
	Marked      int   // records with the ride's marker
	Repeated    int   // deliveries of a record that was there already, by the producer's id
	Garbled     int   // lines that the preset could not read; with a marker they are kept as text
	Cut         int   // lines longer than MaxLine: what stood behind was not looked at
	Dropped     int   // records with our marker beyond the bounds of memory
	Rotations   int   // the file was replaced
	Truncations int   // the file was emptied in place
	Leaking     int   // lines with a known secret
}

// Log is one audit log. Its methods may be called concurrently. It starts no goroutine.
type Log struct {
	name     string
	delay    time.Duration
	filtered bool
	ride     string
	keeper   *secret.Keeper
	preset   preset
	source   source
	turn     chan struct{} // holds a token while nobody polls: a poll can take long, so it is no mutex

	mu        sync.Mutex
	started   int // polls
	failed    error
	stats     Stats
	serial    uint64
	bySerial  map[uint64][]*kept // an exchange's serial -> its records
	byID      map[string]*kept   // the producer's id
	seed      maphash.Seed
	earlier   map[uint64]bool // hashes of the lines of the poll before; for sources that repeat themselves
	latest    map[uint64]bool // of this poll
	clients   []string
	held      int     // bytes in bySerial
	unmarked  []*kept // a ring
	nextRing  int
	unscanned []rawLine
	waiting   int // bytes in unscanned
	leaks     []Leak
}

// kept is a record as it is held: unmasked, because a secret may become known only after its line was read.
type kept struct {
	record Record
	raw    string
	keys   map[uint64]Key
}

// rawLine is a line that still has to be scanned for secrets.
type rawLine struct {
	text   string
	offset int64
	marked bool
}

// source reads lines. read calls emit for each line that is new, in order.
type source interface {
	read(ctx context.Context, emit func(line)) error
	count(*Stats)
	repeats() bool // whether lines of an earlier read may come again
	close() error
}

// Open begins to follow a log at its present end.
func Open(src plan.LogSource, cfg Config) (*Log, error) {
	if len(cfg.Ride) != 16 || strings.Trim(cfg.Ride, "0123456789abcdef") != "" {
		return nil, fmt.Errorf("open audit log %s: %q is not a ride's mark; give 16 lower-case hex digits", src.Name, cfg.Ride)
	}
	p, err := presetOf(src)
	if err != nil {
		return nil, err
	}
	var from source
	switch {
	case src.File != "" && len(src.Exec) > 0:
		return nil, fmt.Errorf("open audit log %s: it has a file and a command; keep one of them", src.Name)
	case src.File != "":
		from, err = follow(src.Name, src.File, cfg)
	case len(src.Exec) > 0:
		from, err = run(src, cfg)
	default:
		return nil, fmt.Errorf("open audit log %s: it has neither file nor command; give one in the plan's audit section", src.Name)
	}
	if err != nil {
		return nil, err
	}
	keeper := cfg.Keeper
	if keeper == nil {
		keeper = secret.NewKeeper()
	}
	l := &Log{
		name: src.Name, delay: src.Delay.D(), filtered: src.Filtered,
		ride: cfg.Ride, keeper: keeper, preset: p, source: from, turn: make(chan struct{}, 1),
		bySerial: map[uint64][]*kept{}, byID: map[string]*kept{}, seed: maphash.MakeSeed(), earlier: map[uint64]bool{}, latest: map[uint64]bool{},
		clients: slices.Clone(cfg.Clients),
	}
	l.turn <- struct{}{}
	return l, nil
}

// Name is the log's name in the plan.
func (l *Log) Name() string { return l.name }

// Delay is how late the plan says that lines arrive.
func (l *Log) Delay() time.Duration { return l.delay }

// Filtered says that the log shows only lines with the ride's marker. Then "no secrets in the log" is proven "only in
// lines with our marker".
func (l *Log) Filtered() bool { return l.filtered }

// Stats tells what was read so far.
func (l *Log) Stats() Stats {
	var ofSource Stats
	l.source.count(&ofSource) // it locks what a read holds while it locks us: not under our lock
	l.mu.Lock()
	defer l.mu.Unlock()
	l.scan(0)
	stats := l.stats
	stats.Rotations, stats.Truncations = ofSource.Rotations, ofSource.Truncations
	return stats
}

// Watch names a client of the ride. Records without marker that name it are kept for a while, for [Log.FindWeak].
func (l *Log) Watch(client string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if client != "" && !slices.Contains(l.clients, client) {
		l.clients = append(l.clients, client)
	}
}

// Poll reads what is new. Callers that come while somebody polls share the next poll.
func (l *Log) Poll(ctx context.Context) error {
	l.mu.Lock()
	before := l.started
	l.mu.Unlock()

	select {
	case <-l.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { l.turn <- struct{}{} }()

	shared, err := l.begin(before)
	if shared {
		return err
	}
	err = l.source.read(ctx, l.take)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("read audit log %s: %w", l.name, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = err
	return err
}

// begin opens a poll, unless one began after the caller asked: then what the caller waits for was seen if it was there,
// and its result is shared, but for one that its own caller broke off.
func (l *Log) begin(asked int) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	brokenOff := errors.Is(l.failed, context.Canceled) || errors.Is(l.failed, context.DeadlineExceeded)
	if l.started > asked && !brokenOff {
		return true, l.failed
	}
	l.started++
	if l.failed == nil {
		l.earlier, l.latest = l.latest, map[uint64]bool{}
	}
	maps.Copy(l.earlier, l.latest) // a poll that failed half way did not replace the one before it
	return false, nil
}

// Find gives the records of an exchange that were read so far, in the order of the log. The trace id and the request id
// both name the exchange; either may be "". A record that carries both is matched by its trace id.
func (l *Log) Find(trace, requestID string) []Match {
	serial, ok := serialOfTrace(l.ride, trace)
	if !ok {
		serial, ok = serialOfRequest(l.ride, requestID)
	}
	if !ok {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []Match
	for _, k := range l.bySerial[serial] {
		found = append(found, Match{Record: l.masked(k), Key: k.keys[serial]})
	}
	return found
}

// Hint describes an exchange for a log that does not carry our marker.
type Hint struct {
	Client   string // as the log names it; see [Log.Watch]
	Method   string // "" fits any
	Path     string // without query; "" fits any
	From, To time.Time
}

// FindWeak gives the records without marker that name the client, and the method and path if they have one, within the
// time. The log's time counts; a record without time counts by when it was read. Such a match is weak: another call of
// the same client looks alike.
func (l *Log) FindWeak(h Hint) []Match {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []Match
	for i := range l.unmarked {
		k := l.unmarked[(l.nextRing+i)%len(l.unmarked)]
		if h.fits(k.record) {
			found = append(found, Match{Record: l.masked(k), Key: ByClientAndTime})
		}
	}
	return found
}

func (h Hint) fits(r Record) bool {
	at := r.Time
	if at.IsZero() {
		at = r.Observed
	}
	path, _, _ := strings.Cut(r.Fields["resource"], "?")
	method := r.Fields["method"]
	return h.Client != "" && r.Fields["partner"] == h.Client &&
		(h.Path == "" || path == "" || path == h.Path) &&
		(h.Method == "" || method == "" || strings.EqualFold(method, h.Method)) &&
		!at.Before(h.From) && !at.After(h.To)
}

// Wait polls until there is a record of the exchange or the deadline has passed. No match and no error: the log could be
// read and does not hold it. An error: the log could not be read to the end.
func (l *Log) Wait(ctx context.Context, trace string, deadline time.Duration) ([]Match, error) {
	end := time.Now().Add(deadline)
	interval := firstInterval
	for {
		found := l.Find(trace, "")
		if len(found) > 0 {
			return found, nil
		}
		err := l.Poll(ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		found = l.Find(trace, "")
		if len(found) > 0 {
			return found, nil
		}
		left := time.Until(end)
		if left <= 0 {
			return nil, err
		}
		err = sleep(ctx, min(interval, left))
		if err != nil {
			return nil, err
		}
		interval = min(interval*3/2, longestInterval)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the following.
func (l *Log) Close() error {
	err := l.source.close()
	if err != nil {
		return fmt.Errorf("close audit log %s: %w", l.name, err)
	}
	return nil
}

// take files one line. A line of a batch, a JSON array, holds several records.
func (l *Log) take(in line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := strings.TrimSuffix(string(in.text), "\r")
	if l.again(text) {
		return
	}
	l.stats.Lines++
	l.stats.Bytes += in.size
	if in.cut {
		l.stats.Cut++
	}
	if strings.TrimSpace(text) == "" {
		return
	}
	marked := strings.Contains(text, l.ride)
	l.queue(rawLine{text: text, offset: in.offset, marked: marked})
	if !marked && !l.namesClient(text) {
		return
	}
	for _, part := range l.preset.records(text) {
		l.file(part, in)
	}
}

// again says whether the source repeated a line of an earlier poll. Within one poll equal lines are two.
func (l *Log) again(text string) bool {
	if !l.source.repeats() {
		return false
	}
	hash := maphash.String(l.seed, text)
	l.latest[hash] = true
	return l.earlier[hash]
}

func (l *Log) namesClient(text string) bool {
	return slices.ContainsFunc(l.clients, func(c string) bool { return strings.Contains(text, c) })
}

// file keeps one record.
func (l *Log) file(text string, in line) {
	fields, ok := l.preset.fields(text)
	keys := keysIn(l.ride, text)
	marked := strings.Contains(text, l.ride)
	if !ok {
		l.stats.Garbled++
	}
	if !marked && !slices.Contains(l.clients, fields["partner"]) {
		return
	}
	if marked {
		l.stats.Marked++
	}
	id := fields["id"]
	if id != "" {
		first, known := l.byID[id]
		if known {
			first.record.Copies++
			l.stats.Repeated++
			return
		}
	}
	k := &kept{raw: text, keys: keys, record: Record{
		Source: l.name, ID: id, Observed: time.Now(), Fields: fields, Offset: in.offset, Size: in.size,
		Cut: in.cut, Garbled: !ok, Copies: 1,
	}}
	k.record.Time, k.record.Zoneless = readTime(fields["time"])
	if !l.hold(k, marked) {
		return
	}
	l.serial++
	k.record.Serial = l.serial
	if id != "" {
		l.byID[id] = k
	}
}

// hold puts a record where it is found, and says whether there was room.
func (l *Log) hold(k *kept, marked bool) bool {
	if !marked {
		l.ring(k)
		return true
	}
	room := false
	for serial := range k.keys {
		if l.serial < keptRecords && l.held+len(k.raw) <= keptBytes && len(l.bySerial[serial]) < keptPerExchange {
			l.bySerial[serial] = append(l.bySerial[serial], k)
			room = true
		}
	}
	switch {
	case room:
		l.held += len(k.raw)
	case len(k.keys) > 0:
		l.stats.Dropped++
	}
	return room
}

func (l *Log) ring(k *kept) {
	if len(l.unmarked) < keptUnmarked {
		l.unmarked = append(l.unmarked, k)
		return
	}
	delete(l.byID, l.unmarked[l.nextRing].record.ID)
	l.unmarked[l.nextRing] = k
	l.nextRing = (l.nextRing + 1) % keptUnmarked
}

// masked gives a copy of a record that may leave the package.
func (l *Log) masked(k *kept) Record {
	r := k.record
	r.Text = printable(l.keeper.Mask(k.raw))
	r.Fields = make(map[string]string, len(k.record.Fields))
	for name, value := range k.record.Fields {
		r.Fields[name] = printable(l.keeper.Mask(value))
	}
	r.ID = printable(l.keeper.Mask(r.ID))
	return r
}

// errMissing says that the log has not been there yet.
var errMissing = errors.New("the file is not there; does the plan name the right one?")
