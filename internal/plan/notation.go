package plan

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

// durationPattern is the notation of a duration: days to milliseconds, biggest first. The schema uses it too.
const durationPattern = `^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+(\.[0-9]+)?s)?([0-9]+ms)?$`

// longestDuration keeps sums of limits far from overflow.
const longestDuration = 10 * 366 * 24 * time.Hour

var durationParts = regexp.MustCompile(durationPattern)

// parseDuration reads 10s, 5m, 90d, 1h30m, 1.5s, 250ms.
func parseDuration(text string) (Duration, error) {
	parts := durationParts.FindStringSubmatch(text)
	if parts == nil || text == "" {
		return 0, fmt.Errorf("%q is not a duration", text)
	}
	rest := strings.TrimPrefix(text, parts[1])
	var total time.Duration
	if parts[1] != "" {
		days, err := strconv.ParseInt(strings.TrimSuffix(parts[1], "d"), 10, 32)
		if err != nil || days > int64(longestDuration/(24*time.Hour)) {
			return 0, fmt.Errorf("%q is longer than ten years", text)
		}
		total = time.Duration(days) * 24 * time.Hour
	}
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil || d > longestDuration {
			return 0, fmt.Errorf("%q is longer than ten years", text)
		}
		total += d
	}
	if total > longestDuration {
		return 0, fmt.Errorf("%q is longer than ten years", text)
	}
	return Duration(total), nil
}

// String writes the duration in the plan's notation: 90d, 1h30m, 10s.
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	if d < 0 {
		return d.D().String()
	}
	var b strings.Builder
	rest := d.D()
	write := func(unit time.Duration, name string) {
		n := rest / unit
		rest -= n * unit
		if n > 0 {
			fmt.Fprintf(&b, "%d%s", n, name)
		}
	}
	write(24*time.Hour, "d")
	write(time.Hour, "h")
	write(time.Minute, "m")
	if rest%time.Second == 0 || rest%time.Millisecond != 0 {
		if rest > 0 {
			b.WriteString(strconv.FormatFloat(rest.Seconds(), 'f', -1, 64) + "s")
		}
		return b.String()
	}
	write(time.Second, "s")
	write(time.Millisecond, "ms")
	return b.String()
}

// MarshalText writes the duration in the plan's notation.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// parseDate reads 2027-01-31, which means the end of that day in UTC, or an RFC 3339 instant.
func parseDate(text string) (Date, error) {
	day, err := time.Parse(time.DateOnly, text)
	if err == nil {
		return Date{day.AddDate(0, 0, 1).Add(-time.Nanosecond)}, nil
	}
	instant, err := time.Parse(time.RFC3339, text)
	if err == nil {
		return Date{instant}, nil
	}
	return Date{}, fmt.Errorf("%q is not a date", text)
}

// String writes a day as 2027-01-31 and an instant as RFC 3339; the zero date is empty.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	utc := d.UTC()
	if utc.Add(time.Nanosecond).Equal(utc.Truncate(24*time.Hour).AddDate(0, 0, 1)) {
		return utc.Format(time.DateOnly)
	}
	return d.Format(time.RFC3339)
}

// Past says whether the date is set and over.
func (d Date) Past(now time.Time) bool { return !d.IsZero() && now.After(d.Time) }

// String writes the severity as a word.
func (s Severity) String() string { return logbook.Severity(s).String() }

// MarshalText writes the severity as a word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

var severityWords = []string{"low", "medium", "high", "critical"}

func parseSeverity(text string) (Severity, error) {
	var s logbook.Severity
	err := s.UnmarshalText([]byte(text))
	if err != nil {
		return 0, err
	}
	return Severity(s), nil
}

// Empty says whether nothing was written.
func (r Reference) Empty() bool { return r.Text == "" }

// Scheme is env, file or exec, or empty when the text is the value itself.
func (r Reference) Scheme() string {
	scheme, rest, found := strings.Cut(r.Text, ":")
	if !found || rest == "" {
		return ""
	}
	switch scheme {
	case "env", "file", "exec":
		return scheme
	}
	return ""
}

// String names the reference and never a value: what is no reference is only said to be text.
func (r Reference) String() string {
	switch {
	case r.Empty():
		return ""
	case r.Scheme() == "":
		return "(text)"
	}
	return r.Text
}

// MarshalText writes what [Reference.String] gives.
func (r Reference) MarshalText() ([]byte, error) { return []byte(r.String()), nil }
