package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxHeader  = 64 << 10
	maxInterim = 5
)

// speak sends the request once and reads the answer. The connection is kept or closed afterwards.
func (w *Wire) speak(ctx context.Context, x *Exchange, l *line, b built, deadline time.Time) {
	if l.proxy == "" {
		x.Remote = l.conn.RemoteAddr().String()
	} else { // which node it leads to is the proxy's choice
		x.Remote += " through " + l.proxy
	}
	x.TLS, x.Suite, x.Asked, x.Chain = l.version, l.suite, l.asked, l.chain
	_ = l.conn.SetDeadline(deadline)
	interrupted := context.AfterFunc(ctx, func() { _ = l.conn.SetDeadline(time.Unix(1, 0)) })
	l.meter.left, l.meter.any = maxHeader, false
	x.Sent = time.Now()
	_, wrong := l.conn.Write(b.bytes)
	keep, err := w.hear(x, l, b)
	if err != nil && wrong != nil && !answered(err) {
		err = wrong
	}
	if err != nil {
		x.told(err, l)
	}
	l.used++
	if !interrupted() || err != nil || wrong != nil || !keep || !b.keep {
		_ = l.conn.Close()
		return
	}
	l.life = keptAlive(x.Header)
	w.kept.put(l, w.config.Idle)
}

// keptAlive reads for how long a server keeps an idle connection: "Keep-Alive: timeout=5", as Node and Apache say. It is 0
// if it does not say.
func keptAlive(h http.Header) time.Duration {
	for _, field := range h.Values("Keep-Alive") {
		for parameter := range strings.SplitSeq(field, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			seconds, err := strconv.ParseUint(strings.Trim(value, `" `), 10, 16)
			if err == nil && strings.EqualFold(strings.TrimSpace(name), "timeout") {
				return time.Duration(seconds) * time.Second
			}
		}
	}
	return 0
}

// answered says that a read error tells more than the write error before it: a TLS 1.3 server refuses a client
// certificate after our handshake is over, so its alert is read after a write that may have failed already.
func answered(err error) bool {
	failure, _ := classify(err, true)
	return failure == Alert || failure == Oversized || failure == Malformed
}

// told notes why there is no whole answer.
func (x *Exchange) told(err error, l *line) {
	failure, detail := classify(l.blamed(err), !l.meter.any)
	if failure == Malformed && l.meter.left <= 0 {
		failure, detail = Oversized, errLimit.Error() // the parser saw a line that our limit cut
	}
	if failure == Reset && l.used > 0 {
		detail = fmt.Sprintf("a connection that had carried %d exchanges was closed: %s", l.used, detail)
	}
	x.Failure, x.Detail = failure, detail
	if x.Received.IsZero() {
		x.Received = time.Now()
	}
}

// hear reads one answer into x and says whether the connection may be kept.
func (w *Wire) hear(x *Exchange, l *line, b built) (bool, error) {
	if _, err := l.reader.Peek(1); err != nil {
		return false, err
	}
	x.Received, l.heard = time.Now(), true
	response, err := readHeader(l.reader, b.method)
	if err != nil {
		return false, err
	}
	x.Status, x.Header, x.Date = response.StatusCode, response.Header, date(response.Header)
	// Chunk framing may cost more than the content; the content itself is limited below.
	l.meter.left = 4*w.config.MaxBody + maxHeader
	body, err := io.ReadAll(io.LimitReader(response.Body, w.config.MaxBody+1))
	if int64(len(body)) > w.config.MaxBody {
		x.Body = body[:w.config.MaxBody]
		return false, fmt.Errorf("the body is longer than %d bytes: %w", w.config.MaxBody, errLimit)
	}
	x.Body = body
	if err != nil {
		return false, err
	}
	return !response.Close && l.reader.Buffered() == 0, nil
}

// readHeader skips interim answers (RFC 9110 §15.2).
func readHeader(from *bufio.Reader, method string) (*http.Response, error) {
	for range maxInterim {
		response, err := http.ReadResponse(from, &http.Request{Method: method})
		if err != nil {
			if errors.Is(err, errLimit) {
				return nil, fmt.Errorf("the header is longer than %d bytes: %w", maxHeader, errLimit)
			}
			return nil, err
		}
		if response.StatusCode/100 != 1 || response.StatusCode == http.StatusSwitchingProtocols {
			return response, nil
		}
	}
	return nil, fmt.Errorf("more than %d interim answers", maxInterim)
}
