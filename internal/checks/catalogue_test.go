package checks_test

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/docs"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// TestCards holds every check's texts and references against the house rules. check.Validate has what must be there;
// this is how it must read.
func TestCards(t *testing.T) {
	comments, err := docs.ReadComments("../..")
	if err != nil {
		t.Fatal(err)
	}
	catalogue := checks.Catalogue()
	said := map[string]string{}
	for _, c := range catalogue {
		for _, fault := range faults(c, comments.Check[c.ID]) {
			t.Errorf("%s: %s", c.ID, fault)
		}
		for _, sentence := range []string{c.Title, c.Broken} {
			if other := said[sentence]; sentence != "" && other != "" {
				t.Errorf("%s says of itself what %s says: %q", c.ID, other, sentence)
			}
			said[sentence] = c.ID
		}
		_, words, _ := strings.Cut(c.ID, ".")
		file := filepath.Join(string(c.Stage()), strings.ReplaceAll(words, "-", "_")+".go")
		_, err := os.Stat(file)
		if err != nil {
			t.Errorf("%s does not stand in %s", c.ID, file)
		}
		for _, pattern := range c.Follows {
			if !slices.ContainsFunc(catalogue, func(other *check.Check) bool { return matches(pattern, other.ID) }) {
				t.Errorf("%s follows %s, which is no check", c.ID, pattern)
			}
		}
	}
}

func matches(pattern, id string) bool {
	matched, err := path.Match(pattern, id)
	return err == nil && matched
}

var (
	clause  = regexp.MustCompile(`RFC \d{4}|SP 800-|ASVS|OWASP|CSF 2\.0|FAPI 2\.0|OpenID Connect`)
	ours    = regexp.MustCompile(`(?i)\b(our (own )?(demand|policy)|no RFC|we (ask|want)|(the|what) (plan|agreement)|agreed|in the plan)\b`)
	demand  = regexp.MustCompile(`(?i)\bour (own )?(demand|policy)\b`)
	section = regexp.MustCompile(`RFC (\d{4})((?:,? (?:and |to )?§[0-9A-Z](?:[0-9.]*[0-9])?)+)`)
	one     = regexp.MustCompile(`§([0-9A-Z](?:[0-9.]*[0-9])?)`)
	anyID   = regexp.MustCompile(`§|RFC|OWASP|ASVS|NIST|CVE-|[a-z]+\.[a-z]+-[a-z]`)
	turns   = regexp.MustCompile(` (is|are) refused| cannot `)
	row     = regexp.MustCompile(`^[LA]-[A-Z]{2}-\d{2}$`)
)

// beside are checks of promises that no row of the catalogue has.
var beside = map[string]bool{
	"authenticate.certificate-lifetime": true, // limits.certificate_lifetime: rows ask how long one still lasts
	"issue.nothing-beyond-agreement":    true, // agreement: rows ask for the source of truth
	"issue.unneeded-scope":              true, // operations.scopes
}

// faults tells how a card does not read as one should.
func faults(c *check.Check, comment string) []string {
	var all []string
	complain := func(format string, values ...any) { all = append(all, fmt.Sprintf(format, values...)) }
	for name, text := range map[string]string{"Title": c.Title, "Broken": c.Broken, "Why": c.Why, "Fix": c.Fix} {
		for _, fault := range prose(text) {
			complain("%s %s: %q", name, fault, text)
		}
	}
	for name, text := range map[string]string{"Title": c.Title, "Broken": c.Broken} {
		if anyID.MatchString(text) {
			complain("%s holds an id, which belongs to Refs: %q", name, text)
		}
		if len(text) > 120 {
			complain("%s is no headline: %d letters", name, len(text))
		}
	}
	if c.Broken == "" && len(turns.FindAllString(c.Title, -1)) != 1 {
		complain("Broken is empty, and the title does not turn by itself: %q", c.Title)
	}
	if c.Broken == c.Title {
		complain("Broken says the promise")
	}
	if !clause.MatchString(comment) && !ours.MatchString(comment) {
		complain("the comment neither names the clause that asks nor says that we or the plan do")
	}
	for _, id := range cited(comment) {
		_, known := frameworks.Explain(id)
		if !known {
			complain("the comment cites %s, which is not in the tables", id)
		}
	}
	if len(c.Rows) == 0 && !beside[c.ID] {
		complain("Rows is empty: no row of the catalogue is said to be played")
	}
	for i, name := range c.Rows {
		if !row.MatchString(name) || slices.Contains(c.Rows[:i], name) {
			complain("Rows holds %s, which is no row, or stands twice", name)
		}
	}
	return append(all, references(c, comment)...)
}

// prose tells what is wrong with a text that is set in the middle of sentences and at their beginning.
func prose(text string) []string {
	if text == "" {
		return nil
	}
	var all []string
	word, _, _ := strings.Cut(text, " ")
	if unicode.IsUpper(rune(word[0])) && (len(word) == 1 || word != strings.ToUpper(word)) {
		all = append(all, "begins with a capital")
	}
	if strings.TrimSpace(text) != text || strings.Contains(text, "  ") || strings.ContainsAny(text, "\n\t") {
		all = append(all, "has blanks too many")
	}
	if strings.ContainsAny(text[len(text)-1:], ".;,:!") {
		all = append(all, "ends like a paragraph")
	}
	return all
}

// cited are the sections of RFCs that a comment names.
func cited(comment string) []string {
	var ids []string
	for _, found := range section.FindAllStringSubmatch(comment, -1) {
		for _, s := range one.FindAllStringSubmatch(found[2], -1) {
			ids = append(ids, "RFC "+found[1]+" §"+s[1])
		}
	}
	return ids
}

// references tells what is missing among a check's references, or too much.
func references(c *check.Check, comment string) []string {
	var all []string
	seen := map[string]bool{}
	framework := false
	for _, ref := range c.Refs {
		if seen[ref.ID] {
			all = append(all, ref.ID+" stands twice")
		}
		seen[ref.ID] = true
		top10 := strings.HasSuffix(ref.ID, ":2025") || strings.HasSuffix(ref.ID, ":2023")
		if top10 && c.Stage() == logbook.Audit {
			all = append(all, ref.ID+": neither OWASP Top 10 has an entry on logs")
		}
		framework = framework || top10 || isFramework(ref)
	}
	house := seen[frameworks.House().ID]
	if !framework {
		all = append(all, "no framework stands beside the standards: NHI, API, CSF, SP 800-207, SP 800-53 or ASVS")
	}
	if house && !ours.MatchString(comment) && !ours.MatchString(c.Why) {
		all = append(all, "Refs say that it is our demand, and neither the comment nor Why does")
	}
	if demand.MatchString(comment) && !house && c.Promise == nil {
		all = append(all, "the comment says that it is our demand, and Refs do not: frameworks.House()")
	}
	return all
}

func isFramework(ref frameworks.Ref) bool {
	for _, family := range []frameworks.Ref{frameworks.SP80053(ref.ID), frameworks.CSF(ref.ID)} {
		if family == ref && frameworks.Known(ref) {
			return true
		}
	}
	return strings.HasPrefix(ref.ID, "SP 800-207") || strings.HasPrefix(ref.ID, "ASVS")
}

// TestCardsBite shows that each rule finds the card that breaks it, and leaves a good one alone.
func TestCardsBite(t *testing.T) {
	good := func() *check.Check {
		return &check.Check{ID: "revoke.a-b", Title: "a thing is refused", Why: "the plan asks", Fix: "mend it", Refs: []frameworks.Ref{frameworks.RFC(7009, "2.1"), frameworks.NHI(1)}, Rows: []string{"L-RV-09"}}
	}
	const comment = "This check plays.\n\nRFC 7009 §2.1 and §2.2: it says so."
	if found := faults(good(), comment); len(found) > 0 {
		t.Fatalf("finds in a good card: %q", found)
	}
	for want, bad := range map[string]func(c *check.Check) string{
		"begins with a capital":    func(c *check.Check) string { c.Title = "A thing is refused"; return comment },
		"ends like a paragraph":    func(c *check.Check) string { c.Broken = "a thing is not refused."; return comment },
		"blanks too many":          func(c *check.Check) string { c.Fix = "mend  it"; return comment },
		"holds an id":              func(c *check.Check) string { c.Title = "RFC 7009 is refused"; return comment },
		"no headline":              func(c *check.Check) string { c.Broken = strings.Repeat("long ", 30) + "end"; return comment },
		"does not turn":            func(c *check.Check) string { c.Title = "a thing gets no token"; return comment },
		"says the promise":         func(c *check.Check) string { c.Broken = c.Title; return comment },
		"neither names the clause": func(*check.Check) string { return "This check plays." },
		"cites RFC 7009 §9.9":      func(*check.Check) string { return "RFC 7009 §2.1, §9.9: it says so." },
		"stands twice":             func(c *check.Check) string { c.Refs = append(c.Refs, c.Refs[0]); return comment },
		"entry on logs":            func(c *check.Check) string { c.ID = "audit.a-b"; return comment },
		"Rows is empty":            func(c *check.Check) string { c.Rows = nil; return comment },
		"which is no row":          func(c *check.Check) string { c.Rows = []string{"L-RV-9"}; return comment },
		"no framework stands":      func(c *check.Check) string { c.Refs = c.Refs[:1]; return comment },
		"neither the comment": func(c *check.Check) string {
			c.Why, c.Refs = "it is bad", append(c.Refs, frameworks.House())
			return comment
		},
		"and Refs do not": func(*check.Check) string { return comment + " That it is so is our demand." },
	} {
		c := good()
		found := faults(c, bad(c))
		if len(found) != 1 || !strings.Contains(found[0], want) {
			t.Errorf("want one fault, %q; got %q", want, found)
		}
	}
}
