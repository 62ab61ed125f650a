package audit

import (
	"strconv"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

// Record is one record of a log, masked.
type Record struct {
	Serial   uint64            // of the record in its log, from 1
	Source   string            // the log's name
	ID       string            // given by the producer; "" if there is none: then two deliveries look like two records
	Time     time.Time         // by the producer's clock; zero if the record has none
	Zoneless bool              // Time was written without a zone and is taken as UTC
	Observed time.Time         // when we read it
	Fields   map[string]string // by normal name: see [Fields]; what the record lacks is absent
	Text     string            // the line, valid UTF-8; it may hold control characters of strangers
	Offset   int64             // of the line in its file, in bytes
	Size     int64             // of the whole line, in bytes, also when it was cut
	Cut      bool              // the line was longer than [MaxLine]
	Garbled  bool              // the preset could not read it
	Copies   int               // how often it was delivered: more than one is no finding by itself
}

// Fields holds the normal names of a record's fields. decision is allow, deny or what the producer says, and follows
// from the status if there is none; trace is the trace id alone.
var Fields = []string{"id", "time", "partner", "org", "action", "decision", "reason", "token", "certificate", "origin",
	"method", "resource", "status", "trace", "request_id", "component"}

// Key says by what a record was matched to an exchange.
type Key string

const (
	ByTrace         Key = "trace id"
	ByRequestID     Key = "request id"
	ByClientAndTime Key = "client and time" // weak: another call of the same client looks alike
)

// Weak says that the match may be another call's record.
func (k Key) Weak() bool { return k == ByClientAndTime }

// Match is a record of an exchange.
type Match struct {
	Record
	Key Key
}

// Entry gives the match as the logbook holds it. sent is when the exchange was sent; the ride gives the book's serial.
func (m Match) Entry(exchange uint64, sent time.Time) logbook.Record {
	return logbook.Record{
		Serial: m.Serial, Exchange: exchange, Source: m.Source, Key: string(m.Key), Text: m.Text, Fields: m.Fields,
		Offset: m.Offset, Delay: m.Observed.Sub(sent),
	}
}

// points holds the eight points of a complete record: the six fields of PCI DSS 10.2.2 (who, what, when, outcome,
// origin, resource), a key by which the records of several logs are joined, and the partner by name.
var points = []struct {
	name string
	any  []string
}{
	{"who", []string{"partner", "token", "certificate"}},
	{"what", []string{"action", "method"}},
	{"when", []string{"time"}},
	{"outcome", []string{"decision", "status"}},
	{"origin", []string{"origin"}},
	{"resource", []string{"resource"}},
	{"correlation", []string{"trace", "request_id"}},
	{"partner identity", []string{"partner"}},
}

// Score counts how many of the eight points of a complete record there are, and names the missing ones.
func Score(fields map[string]string) (int, []string) {
	have, missing := 0, []string(nil)
	for _, p := range points {
		if hasAny(fields, p.any) {
			have++
			continue
		}
		missing = append(missing, p.name)
	}
	return have, missing
}

func hasAny(fields map[string]string, names []string) bool {
	for _, name := range names {
		if fields[name] != "" {
			return true
		}
	}
	return false
}

// keysIn finds the exchanges that a text names. There is one byte search for the ride; what stands around a hit tells
// the rest: a trace id is ride and serial, 16 hex digits each; a request id is cr-, ride, -, serial.
func keysIn(ride, text string) map[uint64]Key {
	keys := map[uint64]Key{}
	for at := 0; len(keys) < keptPerExchange; {
		hit := strings.Index(text[at:], ride)
		if hit < 0 {
			return keys
		}
		hit += at
		at = hit + len(ride)
		rest := text[at:]
		if strings.HasPrefix(rest, "-") && strings.HasSuffix(text[:hit], "cr-") {
			serial, ok := readSerial(digits(rest[1:]))
			_, known := keys[serial]
			if ok && !known {
				keys[serial] = ByRequestID
			}
			continue
		}
		serial, ok := hexSerial(digits(rest))
		if ok && (hit == 0 || !isHex(text[hit-1])) {
			keys[serial] = ByTrace
		}
	}
	return keys
}

func serialOfTrace(ride, trace string) (uint64, bool) {
	rest, ok := strings.CutPrefix(trace, ride)
	if !ok {
		return 0, false
	}
	return hexSerial(rest)
}

func serialOfRequest(ride, requestID string) (uint64, bool) {
	rest, ok := strings.CutPrefix(requestID, "cr-"+ride+"-")
	if !ok {
		return 0, false
	}
	return readSerial(rest)
}

// readSerial reads a serial as 16 hex digits, or as a decimal number.
func readSerial(s string) (uint64, bool) {
	serial, ok := hexSerial(s)
	if ok {
		return serial, true
	}
	serial, err := strconv.ParseUint(s, 10, 64)
	return serial, err == nil
}

func hexSerial(s string) (uint64, bool) {
	if len(s) != 16 {
		return 0, false
	}
	serial, err := strconv.ParseUint(s, 16, 64)
	return serial, err == nil
}

// digits gives the hex digits with which s begins, 17 at most: 17 are no serial.
func digits(s string) string {
	n := 0
	for n < len(s) && n < 17 && isHex(s[n]) {
		n++
	}
	return s[:n]
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
