package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"math/rand"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// between gives what stands between two marks of the page.
func between(t *testing.T, page, from, to string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, from)
	inner, _, ends := strings.Cut(rest, to)
	if !found || !ends {
		t.Fatalf("no %s ... %s", from, to)
	}
	return inner
}

func TestHTML(t *testing.T) {
	for name, ride := range rides {
		t.Run(name, func(t *testing.T) {
			page := string(write(t, ride(), HTML))
			body := "<body>" + between(t, page, "<body>", "<script>")
			golden(t, name+".html.body", []byte(body))
		})
	}
}

// The policy allows the one style and the one script by their hashes and nothing else.
func TestPolicyFitsThePage(t *testing.T) {
	for name, ride := range rides {
		page := string(write(t, ride(), HTML))
		policy := html.UnescapeString(between(t, page, `http-equiv="Content-Security-Policy" content="`, `"`))
		for _, tag := range []string{"style", "script"} {
			sum := sha256.Sum256([]byte(between(t, page, "<"+tag+">", "</"+tag+">")))
			want := tag + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy %q lacks %s", name, policy, want)
			}
			if n := strings.Count(page, "<"+tag); n != 1 {
				t.Errorf("%s: %d times <%s", name, n, tag)
			}
		}
		for _, bad := range []string{" style=", "ZgotmplZ", "javascript:", " onclick", "src=\"http", "<no value>"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: the page has %q", name, bad)
			}
		}
	}
}

var anchor = regexp.MustCompile(` href="#([^"]*)"`)

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	for name, ride := range rides {
		page := string(write(t, ride(), HTML))
		ids := map[string]int{}
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			ids[m[1]]++
			if ids[m[1]] > 1 {
				t.Errorf("%s: id %s is there twice", name, m[1])
			}
		}
		for _, m := range anchor.FindAllStringSubmatch(page, -1) {
			if ids[m[1]] == 0 {
				t.Errorf("%s: nothing has the id %s", name, m[1])
			}
		}
	}
}

// Names and log lines are written by strangers.
func TestStrangersTextIsOnlyText(t *testing.T) {
	page := string(write(t, richRide(), HTML))
	for _, r := range []string{"\u202e", "\u202c", "\u200b", "\x1b", "<script>alert"} {
		if strings.Contains(page, r) {
			t.Errorf("the page holds %q", r)
		}
	}
	if n := strings.Count(page, `\u{202e}gnp.\u{202c} &lt;script&gt;`); n < 3 {
		t.Errorf("%d visible escapes, want the header's, the record's and the case's", n)
	}
	for _, out := range [][]byte{write(t, richRide(), terminal(Options{}))} {
		if bytes.ContainsAny(out, "\x1b\u202e\u200b") {
			t.Error("the terminal's output can move the cursor")
		}
	}
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"plain – ü 漢": "plain – ü 漢", "a\nb\tc": `a\nb\tc`, "\u202e": `\u{202e}`, "\x1b[2J": `\u{1b}[2J`, "\xff": `\xff`, "\u200b\ufeff": `\u{200b}\u{feff}`, "\U000e0041": `\u{e0041}`,
	} {
		if got := visible(in, ""); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := visible("a\n\r", "\n\t"); got != "a\n\\r" {
		t.Errorf("%q", got)
	}
}

// What one format says the others say: the same findings, the same counts.
func TestFormatsAgree(t *testing.T) {
	for name, ride := range rides {
		t.Run(name, func(t *testing.T) {
			v, err := verdict.Of(logbook.Entries(ride()))
			if err != nil {
				t.Fatal(err)
			}
			var report jsonReport
			if err := json.Unmarshal(write(t, ride(), JSON), &jsonProbe{&report}); err != nil {
				t.Fatal(err)
			}
			text := string(write(t, ride(), terminal(Options{Width: 400})))
			page := string(write(t, ride(), HTML))

			var ids []string
			for _, f := range v.Findings {
				ids = append(ids, f.ID)
			}
			var inJSON []string
			for _, f := range report.Findings {
				inJSON = append(inJSON, f.ID)
			}
			var inHTML []string
			for _, article := range strings.Split(page, `<article class="f"`)[1:] {
				inHTML = append(inHTML, between(t, article, `<a class="id" href="#c-`, `"`))
			}
			var inText []string
			for _, m := range regexp.MustCompile(`(?m)^  \d+ (?:low|medium|high|critical) .*(?:\n {14}|  )([a-z]+\.[a-z-]+)`).FindAllStringSubmatch(text, -1) {
				inText = append(inText, m[1])
			}
			for format, got := range map[string][]string{"json": inJSON, "html": inHTML, "terminal": inText} {
				if fmt.Sprint(got) != fmt.Sprint(ids) {
					t.Errorf("%s has the findings %v, want %v", format, got, ids)
				}
			}
			if !strings.HasPrefix(text, v.Line+"\n") || report.Line != v.Line {
				t.Errorf("line one differs: %q, %q", report.Line, v.Line)
			}
			for _, m := range verdict.Marks {
				n := v.Checks[m]
				if report.Counts.Checks[m.String()] != n {
					t.Errorf("JSON counts %d %s, want %d", report.Counts.Checks[m.String()], m, n)
				}
				inPage := regexp.MustCompile(`<b>(\d+)</b> ` + m.String() + `<`).FindStringSubmatch(page)
				inLine := regexp.MustCompile(`(?m)^\d+ checks?  .* (\d+) ` + m.String()).FindStringSubmatch(text)
				for format, found := range map[string][]string{"HTML": inPage, "terminal": inLine} {
					got := 0
					if found != nil {
						got, _ = strconv.Atoi(found[1])
					}
					if got != n {
						t.Errorf("%s counts %d %s, want %d", format, got, m, n)
					}
				}
			}
		})
	}
}

// jsonProbe reads back only what is compared, for marks and outcomes leave as words.
type jsonProbe struct{ into *jsonReport }

func (p *jsonProbe) UnmarshalJSON(data []byte) error {
	var probe struct {
		Line     string
		Counts   jsonCounts
		Findings []struct{ ID string }
	}
	if err := json.Unmarshal(data, &probe); err != nil {
		return err
	}
	p.into.Line, p.into.Counts = probe.Line, probe.Counts
	for _, f := range probe.Findings {
		p.into.Findings = append(p.into.Findings, jsonFinding{ID: f.ID})
	}
	return nil
}

// Readers sort: shuffled observations give the same bytes in every format.
func TestOrderDoesNotMatter(t *testing.T) {
	for seed := range int64(3) {
		shuffled := richRide()
		rand.New(rand.NewSource(seed)).Shuffle(len(shuffled), func(i, j int) {
			if shuffled[i].Observation != nil && shuffled[j].Observation != nil {
				shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
			}
		})
		if !bytes.Equal(write(t, richRide(), HTML), write(t, shuffled, HTML)) {
			t.Error("HTML depends on the order of the observations")
		}
		if !bytes.Equal(write(t, richRide(), JSON), write(t, shuffled, JSON)) {
			t.Error("JSON depends on the order of the observations")
		}
		if !bytes.Equal(write(t, richRide(), terminal(Options{})), write(t, shuffled, terminal(Options{}))) {
			t.Error("the terminal depends on the order of the observations")
		}
	}
}
