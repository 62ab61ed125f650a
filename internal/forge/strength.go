package forge

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/checkride/checkride/internal/secret"
)

// Strength is what can be said of how hard secrets of one maker are to guess. Bits is an upper bound, since a maker can
// draw from less than it shows: too few bits are a finding, enough are no proof.
type Strength struct {
	Bits float64
	How  string // how the bound came about, without any of the secrets
}

// shared is how long a beginning or an end must be in common, to be no chance: a hexadecimal one of two secrets is, once
// in 65,536 times.
const shared = 4

// StrengthOf bounds the entropy of secrets by one maker. The alphabet is the smallest usual one that holds them all; the
// length is that of the shortest, without a beginning and an end that all have in common. A random UUID (RFC 9562 §5.4)
// has 122 bits, whatever its length. Known are texts that anybody may know, such as the client ids: a secret that is one
// of them has none.
func StrengthOf(secrets []secret.Text, known ...string) Strength {
	var texts []string
	for _, one := range secrets {
		texts = append(texts, one.Reveal())
	}
	if len(texts) == 0 {
		return Strength{How: "there are none"}
	}
	for i, text := range texts {
		for _, other := range texts[:i] {
			if text == other {
				return Strength{How: "two clients have the same secret"}
			}
		}
		for _, name := range known {
			if name != "" && strings.EqualFold(text, name) {
				return Strength{How: "a secret is a text that others know"}
			}
		}
	}
	if bits, how, all := asUUID(texts); all {
		return Strength{bits, how}
	}
	begin, end := commonEnds(texts)
	length := len(texts[0])
	for _, text := range texts {
		length = min(length, len(text))
	}
	length = max(length-begin-end, 0)
	size, alphabet := alphabetOf(texts, begin, end)
	how := fmt.Sprintf("%d characters of %d (%s)", length, size, alphabet)
	if begin+end > 0 {
		how += fmt.Sprintf(", without %d that all secrets have in common", begin+end)
	}
	return Strength{float64(length) * math.Log2(float64(size)), how}
}

var uuid = regexp.MustCompile(`^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?([0-9a-f])[0-9a-f]{3}-?([0-9a-f])[0-9a-f]{3}-?[0-9a-f]{12}$`)

// asUUID says whether all secrets are UUIDs. Without hyphens, 32 hexadecimal digits are one only if all say so.
func asUUID(texts []string) (float64, string, bool) {
	random := true
	for _, text := range texts {
		found := uuid.FindStringSubmatch(text)
		if found == nil || !strings.Contains(text, "-") || !strings.ContainsAny(found[2], "89abAB") {
			return 0, "", false
		}
		random = random && found[1] == "4"
	}
	if random {
		return 122, "random UUIDs (version 4), of whose 128 bits six are fixed", true
	}
	return 60, "UUIDs that are not random: of time, place or name", true
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

// alphabetOf is the smallest usual alphabet that holds the varying part of all texts.
func alphabetOf(texts []string, begin, end int) (int, string) {
	var body strings.Builder
	for _, text := range texts {
		if begin+end <= len(text) {
			body.WriteString(text[begin : len(text)-end])
		}
	}
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
		{"abcdefghijklmnopqrstuvwxyz0123456789", "small letters and digits", 36},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", "capital letters and digits", 36},
		{letters + "0123456789", "letters and digits", 62},
		{letters + "0123456789-_=", "base64url", 64},
		{letters + "0123456789+/=", "base64", 64},
	} {
		if strings.Trim(body.String(), known.characters) == "" {
			return known.size, known.name
		}
	}
	return 94, "printable ASCII"
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
