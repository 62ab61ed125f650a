package check

import (
	"net/netip"
	"regexp"
	"strings"
)

// mostLooked bounds how much of a body is searched for what it should not tell.
const mostLooked = 256 << 10

// tells is a text that nobody writes into an answer on purpose: what it shows, and how it is recognised. Each demands more
// than a word, so that prose about an error is none.
var tells = []struct {
	what  string
	shape *regexp.Regexp
}{
	{"a stack trace of Java", regexp.MustCompile(`\bat [\w.$]+\([\w$]+\.(?:java|kt|scala):\d+\)`)},
	{"an exception of Java", regexp.MustCompile(`\b(?:[a-z][a-z0-9_]*\.){2,}[A-Z]\w*(?:Exception|Error)\b`)},
	{"a stack trace of Python", regexp.MustCompile(`Traceback \(most recent call last\)|File "[^"\n]+\.py", line \d+`)},
	{"a stack trace of Go", regexp.MustCompile(`\bgoroutine \d+ \[|\bruntime error: |[\w/.-]+\.go:\d+\b`)},
	{"a stack trace of JavaScript", regexp.MustCompile(`\bat (?:[\w.<>$ ]+ )?\(?(?:file://|node:|/|[A-Za-z]:\\)[^\s()]*\.?[\w/]*:\d+:\d+\)?`)},
	{"a stack trace of .NET", regexp.MustCompile(`\bSystem\.(?:\w+\.)*\w+Exception\b|\bat [\w.` + "`" + `<>]+\([^)\n]*\) in [^\n]+:line \d+`)},
	{"a stack trace of PHP", regexp.MustCompile(`(?:Fatal error|Warning|Notice)(?:</b>)?: .{1,300} in .{1,200} on line |#\d+ /[^\s(]+\.php\(\d+\)`)},
	{"a stack trace of Ruby", regexp.MustCompile(`[\w/.-]+\.rb:\d+:in `)},
	{"a message of the database", regexp.MustCompile(`\bORA-\d{5}\b|\bSQLSTATE\b|\bPSQLException\b|\bSQLException\b|syntax error at or near|error in your SQL syntax|duplicate key value violates|\bMongo(?:Server)?Error\b|\bSQLITE_[A-Z]+\b`)},
	{"a statement to the database", regexp.MustCompile(`(?i)\bselect\s+[\w.*,\s"` + "`" + `]{1,300}\sfrom\s+[\w."` + "`" + `]+\s+(?:where|inner|left|order|limit)\b|\binsert\s+into\s+[\w."` + "`" + `]+\s*\(`)},
	{"the name of an internal host", regexp.MustCompile(`\b[\w-]+(?:\.[\w-]+)*\.(?:svc\.cluster\.local|svc|internal|intranet|corp|lan)(?::\d+|/|\b)`)},
	{"a path of the server's disk", regexp.MustCompile(`(?:^|[\s"'(=])(?:/(?:usr|home|var|opt|srv|app)/[\w.-]+/[\w./-]+|[A-Z]:\\[\w.-]+\\[\w.\\-]+)`)},
}

// Leaks says what of a server's inside a body tells, each kind once, without the text itself: stack traces, messages of
// databases, hosts within. Known are texts that may stand there, such as the hosts that the plan names. Shown are
// credentials that the request carried, none of which is to come back.
func Leaks(body []byte, known, shown []string) []string {
	text := string(body[:min(len(body), mostLooked)])
	text += "\n" + unescaped.Replace(text)
	var found []string
	for _, one := range shown {
		if one != "" && strings.Contains(text, one) {
			found = append(found, "the credential that was shown")
			break
		}
	}
	for _, one := range known {
		if one != "" {
			text = strings.ReplaceAll(text, one, "")
		}
	}
	for _, one := range tells {
		if one.shape.MatchString(text) {
			found = append(found, one.what)
		}
	}
	if hasPrivateAddress(text) {
		found = append(found, "an address of a private network")
	}
	return found
}

// unescaped reads what JSON writes of a trace: its line ends and quotes.
var unescaped = strings.NewReplacer(`\n`, " ", `\r`, " ", `\t`, " ", `\/`, "/", `\"`, `"`)

var address = regexp.MustCompile(`(?:\d{1,3}\.){3}\d{1,3}`)

// hasPrivateAddress says whether a text names an address within: not a loopback one, which is nobody's, and no part of a
// longer number, such as an OID or a version.
func hasPrivateAddress(text string) bool {
	for _, at := range address.FindAllStringIndex(text, 50) {
		if at[0] > 0 && partOfNumber(text[at[0]-1]) || at[1] < len(text) && partOfNumber(text[at[1]]) && !endsSentence(text[at[1]:]) {
			continue
		}
		ip, err := netip.ParseAddr(text[at[0]:at[1]])
		if err == nil && (ip.IsPrivate() || ip.IsLinkLocalUnicast()) {
			return true
		}
	}
	return false
}

func partOfNumber(c byte) bool { return c == '.' || c == '-' || c >= '0' && c <= '9' }

func endsSentence(rest string) bool {
	return rest[0] == '.' && (len(rest) == 1 || rest[1] < '0' || rest[1] > '9')
}
