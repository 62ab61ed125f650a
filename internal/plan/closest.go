package plan

import (
	"fmt"
	"strings"
)

// closest gives the word that was probably meant, if one is near enough.
func closest(word string, words []string) (string, bool) {
	if len(word) > 64 {
		return "", false
	}
	plain := flatten(word)
	best, bestDistance := "", max(2, len(plain)/3)+1
	for _, candidate := range words {
		distance := editDistance(plain, flatten(candidate))
		if distance < bestDistance && distance < max(len(plain), len(candidate)) {
			best, bestDistance = candidate, distance
		}
	}
	return best, best != ""
}

// flatten takes away what people write differently: case, - and _.
func flatten(word string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(word))
}

// editDistance counts insertions, deletions, replacements and swaps of neighbours.
func editDistance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// suggest is the hint for a word that is not among the allowed ones.
func suggest(word string, words []string) string {
	meant, found := closest(word, words)
	if found && len(words) == 1 {
		return fmt.Sprintf("did you mean `%s`?", meant)
	}
	list := strings.Join(words, ", ")
	if found {
		return fmt.Sprintf("did you mean `%s`? allowed: %s", meant, list)
	}
	if list == "" {
		return "the plan has none: add it or remove the name"
	}
	return "allowed: " + list
}
