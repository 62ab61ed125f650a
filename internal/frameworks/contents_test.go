package frameworks

import (
	_ "embed"
	"strconv"
	"strings"
	"testing"
)

// contents holds the tables of contents of the RFCs that were read whole: "# RFC 9449: final text", then a line for each
// section, "4.3 Checking DPoP Proofs".
//
//go:embed testdata/contents.txt
var contents string

// readInPart are the RFCs of which no table of contents was at hand: their sections were looked up one by one.
var readInPart = []int{3986, 5280, 6585, 7515, 7517, 7518, 7521, 7523, 8414, 8446, 9110, 9111, 9113, 9562}

// A section that a check cites exists, under the title that a report prints.
func TestSectionsAreInTheTablesOfContents(t *testing.T) {
	published := tablesOfContents(t)
	unread := map[int]bool{}
	for _, n := range readInPart {
		unread[n] = true
		if published[n] != nil {
			t.Errorf("RFC %d is said to be read in part, and its table of contents is there", n)
		}
	}
	for _, doc := range rfcs {
		sections := published[doc.number]
		if sections == nil {
			if !unread[doc.number] {
				t.Errorf("RFC %d has no table of contents in testdata/contents.txt", doc.number)
			}
			continue
		}
		for _, s := range doc.sections {
			if title, ok := sections[s.id]; !ok || title != s.title {
				t.Errorf("RFC %d §%s %q: its table of contents says %q", doc.number, s.id, s.title, title)
			}
		}
	}
}

func tablesOfContents(t *testing.T) map[int]map[string]string {
	t.Helper()
	all := map[int]map[string]string{}
	var sections map[string]string
	for line := range strings.Lines(contents) {
		line = strings.TrimSpace(line)
		if head, ok := strings.CutPrefix(line, "# RFC "); ok {
			number, _, _ := strings.Cut(head, ":")
			n, err := strconv.Atoi(number)
			if err != nil {
				t.Fatal(err)
			}
			sections = map[string]string{}
			all[n] = sections
			continue
		}
		id, title, ok := strings.Cut(line, " ")
		if !ok || sections == nil || sections[id] != "" {
			t.Fatalf("a line of the tables of contents is odd: %q", line)
		}
		sections[id] = title
	}
	return all
}
