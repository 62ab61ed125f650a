package forge

import (
	"math"
	"strings"

	"github.com/checkride/checkride/internal/secret"
)

// Guessing gives how many bits at most tell some opaque tokens of one kind apart: of each place at which they differ, as
// many as the characters allow that stand at such places. It is an upper bound: what counts up looks no better than it
// is, since its leading places stay the same, and what is random is never judged too low but for a place at which all
// are the same by chance. Fewer than two tokens tell nothing.
func Guessing(tokens ...secret.Text) float64 {
	if len(tokens) < 2 {
		return 0
	}
	texts := make([]string, len(tokens))
	shortest := math.MaxInt
	for i, token := range tokens {
		texts[i] = token.Reveal()
		shortest = min(shortest, len(texts[i]))
	}
	places, seen := 0, ""
	for at := range shortest {
		differs := false
		for _, text := range texts {
			differs = differs || text[at] != texts[0][at]
		}
		if !differs {
			continue
		}
		places++
		for _, text := range texts {
			seen += text[at : at+1]
		}
	}
	return float64(places) * math.Log2(alphabet(seen))
}

// Longest gives how many bytes the longest of some tokens has.
func Longest(tokens ...secret.Text) int {
	longest := 0
	for _, token := range tokens {
		longest = max(longest, len(token.Reveal()))
	}
	return longest
}

// alphabet is how many characters a text may be made of, by those that stand in it.
func alphabet(seen string) float64 {
	for _, known := range []string{
		"0123456789", "0123456789abcdef", "0123456789ABCDEF", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "abcdefghijklmnopqrstuvwxyz234567",
		"0123456789abcdefghijklmnopqrstuvwxyz", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
	} {
		if strings.Trim(seen, known) == "" {
			return float64(len(known))
		}
	}
	return 64 // base64 in one of its spellings; a few more characters add less than half a bit
}
