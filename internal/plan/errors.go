package plan

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Error is one thing that is wrong with a plan, and where.
type Error struct {
	File    string
	Line    int // from 1
	Column  int // from 1, in characters
	Message string
	Hint    string // what to do next
	Source  string // the line of the file, printable, without literal secrets
	Caret   int    // the column of Source that is meant, from 1; 0: none
}

// Error gives file:line:column, the message, the line with a caret and the hint.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
	if e.Source != "" {
		number := fmt.Sprintf("%4d", e.Line)
		fmt.Fprintf(&b, "\n%s | %s", number, e.Source)
		if e.Caret > 0 {
			fmt.Fprintf(&b, "\n%s | %s^", strings.Repeat(" ", len(number)), strings.Repeat(" ", e.Caret-1))
		}
	}
	if e.Hint != "" {
		b.WriteString("\n       " + e.Hint)
	}
	return b.String()
}

// Errors is all that is wrong with a plan, in the order of the file.
type Errors []*Error

// Error gives all errors, one after the other.
func (e Errors) Error() string {
	texts := make([]string, len(e))
	for i, one := range e {
		texts[i] = one.Error()
	}
	return strings.Join(texts, "\n")
}

// Unwrap lets errors.As find the first [Error].
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}

// mostErrors bounds what is told at once; a file with more is not a plan.
const mostErrors = 100

// A complaint collects errors about one file.
type complaint struct {
	file  string
	lines []string
	found Errors
	mask  []string // literal secrets, which no excerpt may show
}

// full says whether more need not be looked for.
func (c *complaint) full() bool { return len(c.found) >= mostErrors }

func (c *complaint) add(line, column int, message, hint string) {
	if c.full() {
		return
	}
	for _, e := range c.found {
		if e.Line == line && e.Column == column && e.Message == message {
			return
		}
	}
	c.found = append(c.found, &Error{File: c.file, Line: max(line, 1), Column: max(column, 1), Message: message, Hint: hint})
}

// hide keeps a literal secret out of the excerpts.
func (c *complaint) hide(value string) {
	for line := range strings.Lines(value) {
		line = strings.TrimSpace(line)
		if line != "" {
			c.mask = append(c.mask, line)
		}
	}
}

// err gives the errors in the order of the file, with their excerpts, or nil.
func (c *complaint) err() error {
	if len(c.found) == 0 {
		return nil
	}
	slices.SortStableFunc(c.found, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	for _, e := range c.found {
		if e.Line > len(c.lines) {
			continue
		}
		e.Source, e.Caret = excerpt(c.lines[e.Line-1], e.Column, c.mask)
	}
	return c.found
}

// widest is how many characters of a line an excerpt shows.
const widest = 120

// literalSecret finds values of keys that hold secrets, even in a file that is no YAML.
var literalSecret = regexp.MustCompile(`(?i)((?:^|[\s{,"'])(?:[\w-]*secret|[\w-]*password|[\w-]*access_token|[\w-]*api[_-]?key|key|authorization|cookie)["']?[ \t]*:[ \t]*)("[^"]*"?|'[^']*'?|[^\s,}{\[\]|>"'][^,}]*)`)

// userInfo finds a password in a URL.
var userInfo = regexp.MustCompile(`://[^/\s@]+@`)

const masked = "***"

// excerpt makes a line fit to be shown: no secrets, no control characters, not too wide. It gives the caret's place in it.
func excerpt(line string, column int, secrets []string) (string, int) {
	before, after := []rune(line), []rune(nil)
	if column-1 < len(before) {
		before, after = before[:max(column-1, 0)], before[max(column-1, 0):]
	}
	head, tail := string(before), string(after)
	whole := maskLine(line, secrets)
	maskedHead := maskLine(head, secrets)
	// A secret may lie across the caret: then only the masked whole is safe, and the caret is left out.
	if maskedHead+maskLine(tail, secrets) != whole {
		if strings.HasPrefix(whole, maskedHead) {
			return window(whole, len([]rune(maskedHead))+1)
		}
		shown, _ := window(whole, 1)
		return shown, 0
	}
	return window(whole, len([]rune(maskedHead))+1)
}

func maskLine(line string, secrets []string) string {
	line = literalSecret.ReplaceAllStringFunc(line, func(match string) string {
		parts := literalSecret.FindStringSubmatch(match)
		value := strings.Trim(parts[2], `"' `)
		if value == "" || (Reference{Text: value}).Scheme() != "" {
			return match
		}
		return parts[1] + masked
	})
	line = userInfo.ReplaceAllString(line, "://"+masked+"@")
	for _, secret := range secrets {
		line = strings.ReplaceAll(line, secret, masked)
	}
	return line
}

// window cuts a wide line to the part around the caret and makes it printable.
func window(line string, caret int) (string, int) {
	runes := []rune(strings.TrimRight(line, " \t\r"))
	for i, r := range runes {
		if r == '\t' {
			runes[i] = ' '
		} else if !unicode.IsPrint(r) {
			runes[i] = '?'
		}
	}
	caret = min(caret, len(runes)+1)
	if len(runes) <= widest {
		return string(runes), caret
	}
	from := max(0, min(caret-1-widest/2, len(runes)-widest))
	text := string(runes[from : from+widest])
	return text, min(caret-from, widest)
}
