package plan

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// small is the smallest plan that is worth a ride.
const small = `name: small
authorization_servers: {main: {issuer: https://as.example}}
registration: {mode: dcr}
clients:
  - {name: partner, scopes: [read]}
points:
  - name: edge
    url: https://edge.example
    revocation: introspect
    operations:
      - {name: list, request: GET /items}
`

var today = time.Date(2026, 10, 6, 8, 0, 0, 0, time.UTC)

func parse(text string) (*Plan, error) {
	return Parse("plan.yaml", "dir", []byte(text), At(today))
}

func mustParse(t *testing.T, text string) *Plan {
	t.Helper()
	p, err := parse(text)
	if err != nil {
		t.Fatalf("parse:\n%v", err)
	}
	return p
}

func TestSmallPlanTakesDefaults(t *testing.T) {
	p := mustParse(t, small)
	want := map[string]string{
		"limits.revocation.introspect":    "10s",
		"limits.revocation.push":          "10s",
		"limits.revocation.expiry":        "5m",
		"limits.new_tokens_after_disable": "5s",
		"limits.deletion":                 "10s",
		"limits.entitlement":              "10s",
		"limits.key_withdrawal":           "10s",
		"limits.secret_lifetime":          "0s",
		"limits.secret_overlap":           "0s",
		"limits.window":                   "10s",
		"limits.token_lifetime":           "10m",
		"limits.log_delay":                "30s",
		"limits.clock_skew":               "10s",
		"limits.patience":                 "5s",
		"limits.expiry_warning":           "14d",
		"limits.settle":                   "10s",
		"limits.certificate_withdrawal":   "10s",
		"limits.certificate_lifetime":     "400d",
	}
	diff := cmp.Diff(want, p.Limits.Promises())
	if diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	got := []any{p.Environment, p.Blocks.String(), p.LongestWait.String(), p.Budget, p.Pace, p.Proxy, p.Registration.Server}
	wantOthers := []any{"staging", "high", "15m", Budget{2000, 300, FailedAuth{50}, 200}, Pace{50, 8, Duration(10 * time.Second)}, "none", "main"}
	diff = cmp.Diff(wantOthers, got)
	if diff != "" {
		t.Errorf("others (-want +got):\n%s", diff)
	}
	point := p.Points[0]
	diff = cmp.Diff([]string{"main", "bearer", "none"}, []string{point.TokenFrom, point.Credential, point.TLSClient})
	if diff != "" {
		t.Errorf("point (-want +got):\n%s", diff)
	}
	diff = cmp.Diff([]string{"read"}, p.Agreement.Scopes)
	if diff != "" {
		t.Errorf("agreed scopes (-want +got):\n%s", diff)
	}
	for promise := range want {
		_, stands := p.Source.Lines[promise]
		if stands {
			t.Errorf("%s has a line, but does not stand in the file", promise)
		}
	}
}

func TestEveryDefaultCanBeRead(t *testing.T) {
	walkTypes(planType, "", func(path string, f field) {
		if f.absent == "" {
			return
		}
		v := reflect.New(f.of).Elem()
		setDefault(v, f.absent)
		zero := f.absent == "0s" || f.absent == "false"
		if v.IsZero() != zero {
			t.Errorf("%s: default %q gives %v", path, f.absent, v)
		}
	})
}

func TestExampleSaysWhatItMeans(t *testing.T) {
	p := mustParse(t, string(Example()))
	lines := strings.Split(string(Example()), "\n")
	for promise, holds := range map[string]string{
		"points.edge":                "- name: edge",
		"points.edge.revocation":     "revocation: introspect",
		"clients.partner":            "- name: partner",
		"limits.revocation.push":     "push: 10s",
		"waivers.0":                  "discover.metadata-fits-the-plan",
		"out_of_scope.0":             "expire.*",
		"audit.as":                   "name: as",
		"hooks.suspend":              "suspend:",
		"authorization_servers.main": "main:",
		"points.edge.operations.pay": "- name: pay",
	} {
		line := p.Source.Lines[promise]
		if line == 0 || !strings.Contains(lines[line-1], holds) {
			t.Errorf("%s: line %d does not hold %q", promise, line, holds)
		}
	}
	edge := p.Points[slices.IndexFunc(p.Points, func(point Point) bool { return point.Name == "edge" })]
	diff := cmp.Diff([]string{"192.0.2.10:443", "192.0.2.11:443"}, edge.Addresses)
	if diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	diff = cmp.Diff([]int{200}, edge.Operations[0].AcceptedWhen.Status)
	if diff != "" {
		t.Errorf("one status (-want +got):\n%s", diff)
	}
	diff = cmp.Diff([]string{"main", "bridge"}, p.Servers())
	if diff != "" {
		t.Errorf("servers in the file's order (-want +got):\n%s", diff)
	}
	if p.Agreement.Review.Every.D() != 90*24*time.Hour {
		t.Errorf("90d = %v", p.Agreement.Review.Every.D())
	}
	if got := p.Agreement.ValidUntil.UTC().Format(time.RFC3339); got != "2036-06-30T23:59:59Z" {
		t.Errorf("a day ends at %s", got)
	}
	none := mustParse(t, small+"audit: none\n")
	if !none.Audit.None || mustParse(t, small).Audit.None {
		t.Error("audit: none is not told from an absent audit")
	}
}

func TestDurationNotation(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"10s": 10 * time.Second, "1h30m": 90 * time.Minute, "90d": 90 * 24 * time.Hour,
		"1d12h": 36 * time.Hour, "1.5s": 1500 * time.Millisecond, "250ms": 250 * time.Millisecond, "1s500ms": 1500 * time.Millisecond, "0s": 0,
	} {
		got, err := parseDuration(text)
		if err != nil || got.D() != want {
			t.Errorf("%s = %v, %v; want %v", text, got.D(), err, want)
		}
		again, err := parseDuration(got.String())
		if err != nil || again != got {
			t.Errorf("%s is written as %s, which reads as %v, %v", text, got, again.D(), err)
		}
	}
	for _, text := range []string{"", "10", "s", "-5s", "+5s", "5 s", "1m1h", "99999999999999999999d", "999999999h", "9999999999999999999s", "1y"} {
		got, err := parseDuration(text)
		if err == nil {
			t.Errorf("%q = %v, want an error", text, got)
		}
	}
}

func TestServersOfAPlanByHand(t *testing.T) {
	p := Plan{AuthorizationServers: map[string]AuthorizationServer{"b": {}, "a": {}}}
	diff := cmp.Diff([]string{"a", "b"}, p.Servers())
	if diff != "" {
		t.Error(diff)
	}
}

func TestExclusionMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, at  string
		check, point string
		want         bool
	}{
		{"revoke.a", "", "revoke.a", "edge", true},
		{"revoke.a", "", "revoke.ab", "edge", false},
		{"revoke.*", "", "revoke.a", "", true},
		{"revoke.*", "", "rotate.a", "edge", false},
		{"*", "", "rotate.a", "edge", true},
		{"*", "soap", "rotate.a", "edge", false},
		{"revoke.a", "soap", "revoke.a", "soap", true},
		{"revoke.a", "soap", "revoke.a", "", false},
	} {
		e := Exclusion{Check: c.pattern, Point: c.at}
		if e.Matches(c.check, c.point) != c.want {
			t.Errorf("%s at %q matches %s at %q: want %v", c.pattern, c.at, c.check, c.point, c.want)
		}
	}
	p := Plan{OutOfScope: []Exclusion{{Check: "revoke.*", Owner: "a", Expires: Date{today}}}}
	_, now := p.Excluded("revoke.a", "edge", today)
	_, later := p.Excluded("revoke.a", "edge", today.Add(time.Second))
	if !now || later {
		t.Errorf("excluded now %v, later %v", now, later)
	}
}

// FuzzParse holds the promise that a plan from anybody at most leads to errors which name a place.
func FuzzParse(f *testing.F) {
	f.Add(example)
	f.Add([]byte(small))
	for _, bad := range badPlans {
		if len(bad.text) < 1000 {
			f.Add([]byte(bad.text))
		}
	}
	f.Add([]byte("? [a]\n: b\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("points: {<<: [{name: a}]}\nclients: - a\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Parse("plan.yaml", "", text, At(today))
		if err == nil {
			Lint(p, At(today))
			p.UsesExec()
			p.References()
			_, err := p.Hosts()
			if err != nil {
				t.Errorf("a plan without errors names no hosts: %v", err)
			}
			return
		}
		checkErrors(t, err)
	})
}

func checkErrors(t *testing.T, err error) {
	t.Helper()
	var all Errors
	if !errors.As(err, &all) || len(all) == 0 {
		t.Fatalf("%T is no list of errors: %v", err, err)
	}
	for i, e := range all {
		if e.Line < 1 || e.Column < 1 || e.Message == "" || e.Hint == "" {
			t.Fatalf("error without a place or a hint: %#v", e)
		}
		if i > 0 && e.Line < all[i-1].Line {
			t.Fatalf("line %d comes after line %d", e.Line, all[i-1].Line)
		}
		for _, r := range strings.ReplaceAll(e.Error(), "\n", "") {
			if r < ' ' {
				t.Fatalf("control character %U in %q", r, e.Error())
			}
		}
	}
}

// A plan that was cut short is refused in a place, or is whole up to there.
func TestCutShort(t *testing.T) {
	text := Example()
	refused := 0
	for end := range len(text) {
		_, err := Parse("plan.yaml", "", text[:end], At(today))
		if err == nil {
			continue
		}
		refused++
		checkErrors(t, err)
	}
	if refused < len(text)/2 {
		t.Errorf("only %d of %d cut plans were refused", refused, len(text))
	}
}
