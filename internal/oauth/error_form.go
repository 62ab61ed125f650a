package oauth

// The form of an error response (RFC 6749 §5.2), which RFC 7009 §2.2.1 and RFC 7662 §2.3 take over.

import (
	"fmt"
	"mime"
	"regexp"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/wire"
)

// ErrorFlaws says what in an answer is not as RFC 6749 §5.2 and RFC 7591 §3.2.2 have an error: a JSON object as
// application/json, with a registered error and with texts of their characters. The server's own words are not told.
func ErrorFlaws(x wire.Exchange) []string {
	var flaws []string
	kind, _, err := mime.ParseMediaType(x.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		flaws = append(flaws, "is no application/json")
	}
	members, duplicates, err := answered(x)
	if err != nil {
		return append(flaws, "is no JSON object")
	}
	if len(duplicates) > 0 {
		flaws = append(flaws, "has a member twice")
	}
	code, is := members["error"].(string)
	switch {
	case members["error"] == nil:
		flaws = append(flaws, "has no error")
	case !is || !legal(code, registeredErrors):
		flaws = append(flaws, "has an error that is not registered")
	}
	for name, inSet := range map[string]func(string) bool{"error_description": errorText, "error_uri": errorURI} {
		value, there := members[name]
		text, is := value.(string)
		if there && (!is || !inSet(text)) {
			flaws = append(flaws, fmt.Sprintf("has characters in %s that may not stand there", name))
		}
	}
	slices.Sort(flaws)
	return flaws
}

// errorText is NQSCHAR: RFC 6749 §5.2, %x20-21 / %x23-5B / %x5D-7E.
func errorText(s string) bool { return !strings.ContainsFunc(s, notQuoted) }

// errorURI is the same without the space: RFC 6749 §5.2, %x21 / %x23-5B / %x5D-7E.
func errorURI(s string) bool { return errorText(s) && !strings.Contains(s, " ") }

func notQuoted(r rune) bool { return r < 0x20 || r == '"' || r == '\\' || r > 0x7e }

// registeredErrors are the errors of token, registration, introspection and revocation endpoints: RFC 6749 §5.2 and its
// extensions, RFC 7591 §3.2.2, RFC 6750 §3.1, and those for trouble (RFC 6749 §4.1.2.1) and for polling clients (RFC 8628
// §3.5), which servers use there as well.
func registeredErrors() []string {
	return slices.Concat(tokenErrors(), registrationErrors(), []string{
		"invalid_token", "insufficient_scope", "server_error", "temporarily_unavailable", "access_denied", "slow_down",
		"invalid_authorization_details",
	})
}

// Challenged says whether an answer's WWW-Authenticate names a scheme (RFC 9110 §11.6.1: challenges may stand in one field
// or in several, and a scheme is written in any case).
func Challenged(x wire.Exchange, scheme string) bool {
	for _, field := range x.Header.Values("WWW-Authenticate") {
		for _, part := range strings.Split(field, ",") {
			word, _, _ := strings.Cut(strings.TrimSpace(part), " ")
			if strings.EqualFold(word, scheme) {
				return true
			}
		}
	}
	return false
}

var errorParameter = regexp.MustCompile(`(?i)\berror\s*=\s*"?([^",\s]+)`)

// ChallengeError is the error that an answer's WWW-Authenticate names (RFC 6750 §3); empty: none.
func ChallengeError(x wire.Exchange) string {
	for _, field := range x.Header.Values("WWW-Authenticate") {
		found := errorParameter.FindStringSubmatch(field)
		if found != nil {
			return found[1]
		}
	}
	return ""
}
