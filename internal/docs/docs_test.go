package docs

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// TestComments wants every check and every defect to be explained in the source.
func TestComments(t *testing.T) {
	comments, err := ReadComments("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range checks.Catalogue() {
		if comments.Check[c.ID] == "" {
			t.Errorf("%s: no comment stands over the check", c.ID)
		}
	}
	for _, name := range defect.All() {
		if comments.Defect[name] == "" {
			t.Errorf("defect %s: no comment stands beside the switch", name)
		}
	}
}

func TestPage(t *testing.T) {
	c := &check.Check{
		ID: "revoke.some-words", Title: "a promise | kept", Why: "it matters", Fix: "mend it.", Severity: logbook.High, At: check.HomeServer,
		Needs: []check.Need{check.Neighbour, check.Hook("suspend")}, Takes: check.Disable, Alone: true,
		Refs: []frameworks.Ref{frameworks.RFC(7009, "2.1"), frameworks.House()}, Twin: defect.Set{TokenCache: 10 * time.Minute},
		Also: []defect.Set{{AlgNone: true}},
	}
	comments := Comments{
		Check:  map[string]string{c.ID: markdown("SomeWords", "SomeWords asks [Twice].\n\nRFC 7009: \"quoted\"\n")},
		Defect: map[string]string{"token_cache": "gateway: caches"},
	}
	want := "# revoke.some-words\n\n" + generated + `A promise | kept.

| | |
| --- | --- |
| severity | high |
| [profiles](../profiles.md) | required in baseline, hygiene, elevated, fapi2 |
| stage | revoke |
| where | authorization server |
| since | catalogue 2026-11 |
| needs | a neighbour, hook suspend |
| takes | a client of its own, to which it may ` + "`disable`" + `; the whole authorization server: it comes last, alone |

**Why it matters.** It matters.

**How to mend it.** Mend it.

## Background

This check asks \[Twice].

RFC 7009: "quoted"

## Relates to

- [RFC 7009 §2.1](https://www.rfc-editor.org/rfc/rfc7009.html#section-2.1) Revocation Request
- checkride (house rule) our own demand; no standard asks for it

## How it is proven

It passes on the healthy sandbox and fails on the one with its twin:

- ` + "`token_cache`" + `: gateway: caches

` + "```" + `
checkride demo --defect token_cache=10m0s
checkride prove --only revoke.some-words
` + "```" + `

It rightly sees these defects of others, too: ` + "`alg_none`" + `.

## Alone

` + "```" + `
checkride run plan.yaml --only revoke.some-words
` + "```" + `
`
	pages := Pages([]*check.Check{c}, comments)
	if diff := cmp.Diff(want, string(pages["checks/revoke.some-words.md"])); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(string(pages["checks/README.md"]), `| [revoke.some-words](revoke.some-words.md) | a promise \| kept | high | authorization server | `+"`token_cache` |") {
		t.Errorf("the index does not list it:\n%s", pages["checks/README.md"])
	}
}

func TestExplainFitsATerminal(t *testing.T) {
	for _, c := range checks.Catalogue() {
		var out bytes.Buffer
		err := Explain(&out, c)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if len([]rune(line)) > 102 && !strings.Contains(line, "://") {
				t.Errorf("%s: a line of %d characters: %s", c.ID, len([]rune(line)), line)
			}
		}
	}
}
