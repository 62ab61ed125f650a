package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible shows every sign that a reader could not see as an escape: controls, line and paragraph separators, signs of
// writing direction, zero-width signs, and bytes that are not UTF-8. The signs in keep stay as they are.
func visible(s, keep string) string {
	if strings.IndexFunc(s, hidden) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case strings.ContainsRune(keep, r), !hidden(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		default:
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
		i += size
	}
	return b.String()
}

// hidden says that a sign has no look of its own. Category Cf holds the bidi controls (Trojan Source, CVE-2021-42574).
func hidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}

// units are what must not stand apart from its number.
var units = []string{"s", "ms", "min", "h", "d"}

// phrases are the words of a text between which a line may break: "(limit 2 s)" is one.
func phrases(text string) []string {
	var all []string
	glue := false
	for word := range strings.FieldsSeq(text) {
		unit := strings.TrimRight(word, "),.;:")
		last := len(all) - 1
		number := last >= 0 && unicode.IsDigit(rune(all[last][len(all[last])-1]))
		if glue || number && slices.Contains(units, unit) {
			all[last] += " " + word
		} else {
			all = append(all, word)
		}
		glue = word == "(limit"
	}
	return all
}

// wrap breaks a text into lines of at most width runes, between phrases where it can.
func wrap(text string, width int) []string {
	width = max(width, 8)
	var lines []string
	line, used := "", 0
	for _, word := range phrases(text) {
		n := utf8.RuneCountInString(word)
		if used > 0 && used+1+n > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		for used == 0 && n > width {
			runes := []rune(word)
			lines = append(lines, string(runes[:width]))
			word, n = string(runes[width:]), n-width
		}
		if used > 0 {
			line += " "
			used++
		}
		line += word
		used += n
	}
	if used > 0 {
		lines = append(lines, line)
	}
	return lines
}

// capital makes the first letter a capital, as a heading wants it.
func capital(s string) string {
	if s == "" {
		return ""
	}
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

// pad fills s with spaces to a width in runes.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}

// cut shortens s to a width in runes and says so.
func cut(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:max(width-1, 0)]) + "…"
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// prose makes a sentence of a card's text.
func prose(text string) string {
	if text == "" || strings.HasSuffix(text, ".") {
		return capital(text)
	}
	return capital(text) + "."
}
