package compare

import (
	"errors"
	"fmt"
	"strings"

	"github.com/checkride/checkride/internal/logbook"
)

// Mapping says that the first ride's point is the second's, whatever they are called. One name may be empty: the other
// has no counterpart, and that is known.
type Mapping struct{ First, Second string }

// ErrMapping says that a mapping names what is not there, or says two things at once.
var ErrMapping = errors.New("the mapping fits nothing")

// ParseMapping reads FIRST=SECOND.
func ParseMapping(text string) (Mapping, error) {
	first, second, found := strings.Cut(text, "=")
	if !found || first == "" && second == "" {
		return Mapping{}, fmt.Errorf("%w: %q is not FIRST=SECOND", ErrMapping, text)
	}
	return Mapping{first, second}, nil
}

func (m Mapping) String() string { return m.First + "=" + m.Second }

// match pairs the points of two rides: first as the mapping says, then those of one name and kind. The order is that of
// the second ride; what only the first has comes last.
func match(first, second []logbook.Point, mapping []Mapping) ([]Point, error) {
	byName := [2]map[string]logbook.Point{named(first), named(second)}
	to := map[string]string{}   // first -> second
	from := map[string]string{} // second -> first
	known := [2]map[string]bool{{}, {}}
	for _, m := range mapping {
		a, inFirst := byName[0][m.First]
		b, inSecond := byName[1][m.Second]
		switch {
		case m.First != "" && !inFirst:
			return nil, fmt.Errorf("%w: %s: the first ride has no %q; it has %s", ErrMapping, m, m.First, names(first))
		case m.Second != "" && !inSecond:
			return nil, fmt.Errorf("%w: %s: the second ride has no %q; it has %s", ErrMapping, m, m.Second, names(second))
		case known[0][m.First] || known[1][m.Second]:
			return nil, fmt.Errorf("%w: %s: it is mapped twice", ErrMapping, m)
		case inFirst && inSecond && a.Kind != b.Kind:
			return nil, fmt.Errorf("%w: %s: one is %s and the other %s", ErrMapping, m, kind(a.Kind), kind(b.Kind))
		}
		known[0][m.First], known[1][m.Second] = m.First != "", m.Second != ""
		if inFirst && inSecond {
			to[m.First], from[m.Second] = m.Second, m.First
		}
	}
	for name, b := range byName[1] {
		a, both := byName[0][name]
		if both && a.Kind == b.Kind && !known[0][name] && !known[1][name] {
			to[name], from[name] = name, name
		}
	}
	var all []Point
	for _, b := range second {
		if byName[1][b.Name].Name == "" { // told already, or the stack as a whole
			continue
		}
		delete(byName[1], b.Name)
		all = append(all, Point{Kind: b.Kind, Names: [2]string{from[b.Name], b.Name}, Known: known[1][b.Name]})
	}
	for _, a := range first {
		if byName[0][a.Name].Name == "" || to[a.Name] != "" {
			continue
		}
		delete(byName[0], a.Name)
		all = append(all, Point{Kind: a.Kind, Names: [2]string{a.Name, ""}, Known: known[0][a.Name]})
	}
	return all, nil
}

// named gives points by their names. The stack as a whole, which has no kind, is no point; of two of one name the first
// counts.
func named(points []logbook.Point) map[string]logbook.Point {
	all := map[string]logbook.Point{}
	for _, p := range points {
		if _, twice := all[p.Name]; !twice && p.Name != "" && p.Kind != "" {
			all[p.Name] = p
		}
	}
	return all
}

func names(points []logbook.Point) string {
	var all []string
	for _, p := range points {
		if p.Kind != "" {
			all = append(all, p.Name)
		}
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

// kind says what a point is, for people.
func kind(k string) string {
	switch k {
	case "as":
		return "an authorization server"
	case "log":
		return "a log"
	}
	return "an enforcement point"
}

// Alone lists the names of the points that one ride has alone, and that nobody said to be known.
func (c *Comparison) Alone(side int) []string {
	var all []string
	for _, p := range c.Points {
		if p.Names[1-side] == "" && !p.Known {
			all = append(all, p.Names[side])
		}
	}
	return all
}

// renames gives how the first ride's points are called in the second, where the names differ.
func renames(points []Point) map[string]string {
	all := map[string]string{}
	for _, p := range points {
		if p.Matched() && p.Names[0] != p.Names[1] {
			all[p.Names[0]] = p.Names[1]
		}
	}
	return all
}

// rename replaces whole words of a text.
func rename(text string, as map[string]string) string {
	if len(as) == 0 {
		return text
	}
	var b strings.Builder
	start := -1
	flush := func(end int) {
		if start < 0 {
			return
		}
		word := text[start:end]
		if other, found := as[word]; found {
			word = other
		}
		b.WriteString(word)
		start = -1
	}
	for i := range len(text) {
		if inName(text[i]) {
			if start < 0 {
				start = i
			}
			continue
		}
		flush(i)
		b.WriteByte(text[i])
	}
	flush(len(text))
	return b.String()
}

// inName says that a byte may stand in the name of a point.
func inName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}
