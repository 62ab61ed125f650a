package prove

import (
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/logbook"
)

// Rule 12: the book says how many nodes were seen.
func TestTheBookSaysHowManyNodesAnswered(t *testing.T) {
	t.Parallel()
	ridden(t, Setup{Catalogue: catalogue(t, "bind.without-its-certificate")}, func(t *testing.T, entries []logbook.Entry) {
		said := map[string]string{}
		for _, e := range entries {
			if e.Note != nil && e.Note.About == "nodes" {
				said[e.Note.Point] = e.Note.Text
			}
		}
		if !strings.Contains(said["edge"], "addresses answered") {
			t.Errorf("edge, which has two replicas: %q", said["edge"])
		}
		if !strings.HasPrefix(said["gateway"], "1 address answered") {
			t.Errorf("gateway: %q", said["gateway"])
		}
	})
}
