package forge

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/secret"
)

// Strength is what can be said of how hard credentials of one maker are to guess: client secrets, or opaque tokens. Bits
// is an upper bound, since a maker can draw from less than it shows: too few bits are a finding, enough are no proof.
type Strength struct {
	Bits float64
	How  string // how the bound came about, without any of the credentials
}

// RFC 6749 §10.10, of tokens and of all credentials that no end-user handles: the probability of guessing one MUST be at
// most 2^-128 and SHOULD be at most 2^-160.
const (
	MustBits   = 128
	ShouldBits = 160
	// SafeBits is what nobody can try out: NIST SP 800-57 Part 1 §5.6.1 allows nothing of less. A random UUID has 122 bits:
	// that is less than the standard asks for, and no way in.
	SafeBits = 112
)

// CanBeGuessed says that somebody with enough machines might find one by trying.
func (s Strength) CanBeGuessed() bool { return s.Bits < SafeBits }

// Text is how strong they are, and what follows.
func (s Strength) Text() string {
	return fmt.Sprintf("at most %.0f bits: %s", s.Bits, s.How)
}

const (
	// shared is how long a beginning or an end must be in common, to be no chance: a hexadecimal one of two secrets is, once
	// in 65,536 times.
	shared = 4
	// Sampled is from how many on a place at which all are the same counts for nothing: a hexadecimal one of eight is by
	// chance once in 268 million times.
	Sampled = 8
)

// StrengthOf bounds the entropy of credentials by one maker: so many places tell them apart, of so many characters each.
// The alphabet is the smallest usual one that holds what stands at those places. Of [Sampled] and more, places at which
// all are the same do not count; of fewer, a beginning and an end that all have in common do not. So what counts up, or
// is made of a stamp and a number, looks no better than it is. A random UUID (RFC 9562 §5.4) has 122 bits, whatever its
// length. Known are texts that anybody may know, such as the client ids: what is one of them has no bits.
func StrengthOf(credentials []secret.Text, known ...string) Strength {
	var texts []string
	for _, one := range credentials {
		texts = append(texts, one.Reveal())
	}
	if len(texts) == 0 {
		return Strength{How: "there are none"}
	}
	for i, text := range texts {
		if slices.Contains(texts[:i], text) {
			return Strength{How: "two are the same"}
		}
		for _, name := range known {
			if name != "" && strings.EqualFold(text, name) {
				return Strength{How: "one is a text that others know"}
			}
		}
	}
	varying, same := varyingIn(texts)
	length := len(varying[0])
	for _, text := range varying {
		length = min(length, len(text))
	}
	size, alphabet := alphabetOf(strings.Join(varying, ""))
	how := fmt.Sprintf("%d characters of %d (%s)", length, size, alphabet)
	if same > 0 {
		how += fmt.Sprintf(", without %d that all have in common", same)
	}
	found := Strength{float64(length) * math.Log2(float64(size)), how}
	if least, all := asUUID(texts); all && least.Bits < found.Bits {
		return least
	}
	return found
}

// varyingIn cuts from texts what all have in common, and says how many characters that were of each.
func varyingIn(texts []string) ([]string, int) {
	varying := make([]string, len(texts))
	if len(texts) < Sampled {
		begin, end := commonEnds(texts)
		for i, text := range texts {
			if begin+end < len(text) {
				varying[i] = text[begin : len(text)-end]
			}
		}
		return varying, begin + end
	}
	shortest, same := len(slices.MinFunc(texts, func(a, b string) int { return len(a) - len(b) })), 0
	for at := range shortest {
		if !slices.ContainsFunc(texts, func(text string) bool { return text[at] != texts[0][at] }) {
			same++
			continue
		}
		for i, text := range texts {
			varying[i] += text[at : at+1]
		}
	}
	return varying, same
}

var uuid = regexp.MustCompile(`^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?([0-9a-f])[0-9a-f]{3}-?([0-9a-f])[0-9a-f]{3}-?[0-9a-f]{12}$`)

const ofTime = "UUIDs that are not random: of time, place or name"

// uuids is how much of a UUID is random, by its version (RFC 9562 §5.1 to §5.8).
var uuids = map[string]Strength{
	"1": {60, ofTime}, "2": {60, ofTime}, "3": {60, ofTime}, "5": {60, ofTime}, "6": {60, ofTime},
	"4": {122, "random UUIDs (version 4), of whose 128 bits six are fixed"},
	"7": {74, "UUIDs of version 7, of whose 128 bits 48 are the time and six are fixed"},
	"8": {122, "UUIDs of a version of its own (8), of whose 128 bits six are fixed"},
}

// asUUID says whether all texts are UUIDs, and what the least random of them has. Without hyphens, 32 hexadecimal digits
// are not read as one.
func asUUID(texts []string) (Strength, bool) {
	least := Strength{Bits: math.Inf(1)}
	for _, text := range texts {
		found := uuid.FindStringSubmatch(text)
		if found == nil || !strings.Contains(text, "-") || !strings.ContainsAny(found[2], "89abAB") {
			return Strength{}, false
		}
		one, known := uuids[found[1]]
		if !known {
			return Strength{}, false
		}
		if one.Bits < least.Bits {
			least = one
		}
	}
	return least, true
}

// commonEnds gives how many bytes all texts begin and end with in common, where that is no chance.
func commonEnds(texts []string) (int, int) {
	if len(texts) < 2 {
		return 0, 0
	}
	begin, end := len(texts[0]), len(texts[0])
	for _, other := range texts[1:] {
		begin, end = min(begin, alike(texts[0], other, false)), min(end, alike(texts[0], other, true))
	}
	if begin < shared {
		begin = 0
	}
	if end < shared {
		end = 0
	}
	return begin, end
}

func alike(a, b string, backwards bool) int {
	n := 0
	for n < len(a) && n < len(b) {
		x, y := a[n], b[n]
		if backwards {
			x, y = a[len(a)-1-n], b[len(b)-1-n]
		}
		if x != y {
			break
		}
		n++
	}
	return n
}

// alphabetOf is the smallest usual alphabet that holds a text.
func alphabetOf(text string) (int, string) {
	for _, known := range []struct {
		characters, name string
		size             int
	}{
		{"0123456789", "digits", 10},
		{"0123456789abcdef", "hexadecimal", 16},
		{"0123456789ABCDEF", "hexadecimal", 16},
		{"abcdefghijklmnopqrstuvwxyz", "small letters", 26},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "capital letters", 26},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567=", "base32", 32},
		{"abcdefghijklmnopqrstuvwxyz234567=", "base32", 32},
		{"abcdefghijklmnopqrstuvwxyz0123456789", "small letters and digits", 36},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", "capital letters and digits", 36},
		{letters + "0123456789", "letters and digits", 62},
		{letters + "0123456789-_=", "base64url", 64},
		{letters + "0123456789+/=", "base64", 64},
	} {
		if strings.Trim(text, known.characters) == "" {
			return known.size, known.name
		}
	}
	return 94, "printable ASCII"
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// Longest gives how many bytes the longest of some tokens has.
func Longest(tokens ...secret.Text) int {
	longest := 0
	for _, token := range tokens {
		longest = max(longest, len(token.Reveal()))
	}
	return longest
}
