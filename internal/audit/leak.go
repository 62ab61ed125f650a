package audit

import (
	"regexp"
	"slices"
)

// Leak is a line of a log that holds a secret that we know. The secret itself is not in it.
type Leak struct {
	Source string
	Kinds  []string // of secrets: token, secret, key, assertion
	Offset int64    // of the line in its file, in bytes
	Marked bool     // the line carries our marker, so it was written on behalf of this ride
	Text   string   // the line, masked
}

// Secrets gives the lines that hold a secret that is known by now, the first thousand. [Stats] counts them all. Of a
// source that [Log.Filtered] says is filtered, none proves nothing about lines without our marker; a line longer than
// [MaxLine] was looked at up to there.
func (l *Log) Secrets() []Leak {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.scan(0)
	return slices.Clone(l.leaks)
}

// queue puts a line aside to be scanned. Lines are scanned as late as memory allows, because an authorization server
// may write a token to its log before the answer tells the token to us.
func (l *Log) queue(raw rawLine) {
	l.unscanned = append(l.unscanned, raw)
	l.waiting += len(raw.text)
	if l.waiting > unscannedBytes {
		l.scan(unscannedBytes / 2)
	}
}

// scan looks at the oldest lines until no more than leave bytes wait.
func (l *Log) scan(leave int) {
	done := 0
	for done < len(l.unscanned) && l.waiting > leave {
		raw := l.unscanned[done]
		done++
		l.waiting -= len(raw.text)
		masked := l.keeper.Mask(raw.text)
		if masked == raw.text {
			continue
		}
		l.stats.Leaking++
		if len(l.leaks) < keptLeaks {
			l.leaks = append(l.leaks, Leak{Source: l.name, Kinds: kindsIn(raw.text, masked), Offset: raw.offset, Marked: raw.marked, Text: printable(masked)})
		}
	}
	l.unscanned = slices.Delete(l.unscanned, 0, done)
}

// placeholder is how the keeper prints a secret: [kind n].
var placeholder = regexp.MustCompile(`\[([a-z][a-z ]*) \d+\]`)

// kindsIn reads the kinds of secrets from the placeholders that masking put in.
func kindsIn(raw, masked string) []string {
	had := map[string]int{}
	for _, m := range placeholder.FindAllString(raw, -1) {
		had[m]++
	}
	var kinds []string
	for _, m := range placeholder.FindAllStringSubmatch(masked, -1) {
		if had[m[0]] > 0 {
			had[m[0]]--
			continue
		}
		if !slices.Contains(kinds, m[1]) {
			kinds = append(kinds, m[1])
		}
	}
	return kinds
}
