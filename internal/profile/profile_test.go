package profile

import (
	"slices"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

func TestJudge(t *testing.T) {
	for _, row := range []struct {
		name     string
		profiles []string
		check    string
		severity logbook.Severity
		want     Place
		raised   logbook.Severity
	}{
		{"the default requires what matters", nil, "enforce.new", logbook.Medium, Required, logbook.Medium},
		{"and leaves conformance out", nil, "discover.new", logbook.Low, LeftOut, logbook.Low},
		{"hygiene alone adds to the default", []string{"hygiene"}, "enforce.new", logbook.High, Required, logbook.High},
		{"hygiene shows conformance", []string{"elevated", "hygiene"}, "discover.new", logbook.Low, Shown, logbook.Low},
		{"elevated does not", []string{"elevated"}, "discover.new", logbook.Low, LeftOut, logbook.Low},
		{"what is raised above low is required", []string{"elevated"}, "issue.unneeded-scope", logbook.Low, Required, logbook.Medium},
		{"the order does not matter", []string{"hygiene", "elevated"}, "issue.unneeded-scope", logbook.Low, Required, logbook.Medium},
		{"its neighbours are not", []string{"elevated"}, "issue.other-scope", logbook.Low, LeftOut, logbook.Low},
		{"nothing is lowered", []string{"elevated"}, "compromise.replayed-assertion", logbook.Critical, Required, logbook.Critical},
		{"an unknown profile is none", []string{"strict"}, "enforce.new", logbook.High, LeftOut, logbook.High},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := Of(row.profiles...).Judge(row.check, row.severity)
			if j.Place != row.want || j.Severity != row.raised {
				t.Errorf("got %v, %v, want %v, %v", j.Place, j.Severity, row.want, row.raised)
			}
			if j.Severity != row.severity && j.Why == "" {
				t.Error("it is raised without a reason")
			}
		})
	}
}

func TestSetsAreAsStrictAsTheirStrictest(t *testing.T) {
	both := Of("fapi2", "elevated")
	d := both.Demands
	if !d.AudienceIssuerOnly || !d.Window || d.ReviewEvery != 90*day || len(d.ClientAuth) != 3 || d.AheadAccepted != 10*time.Second {
		t.Errorf("the demands of both: %+v", d)
	}
	c, by, ok := both.Ceiling("limits.token_lifetime")
	if !ok || c.Most != 10*time.Minute || by != "elevated" {
		t.Errorf("the ceiling of token_lifetime is %v by %q", c.Most, by)
	}
	c, by, _ = Of("fapi2").Ceiling("limits.token_lifetime")
	if c.Most != time.Hour || by != "baseline" {
		t.Errorf("fapi2 builds on baseline, and has the ceiling %v by %q", c.Most, by)
	}
}

// What two profiles have not in common neither allows; it must not read as if both allowed everything.
func TestCommon(t *testing.T) {
	for _, row := range []struct{ a, b, want []string }{
		{[]string{"a", "b"}, []string{"b", "c"}, []string{"b"}},
		{nil, []string{"b"}, []string{"b"}},
		{[]string{"a"}, nil, []string{"a"}},
		{nil, nil, nil},
		{[]string{"a"}, []string{"b"}, []string{}},
		{[]string{}, []string{"b"}, []string{}},
	} {
		got := common(row.a, row.b)
		if !slices.Equal(got, row.want) || (got == nil) != (row.want == nil) {
			t.Errorf("%v and %v have %#v in common, want %#v", row.a, row.b, got, row.want)
		}
	}
	none := Demands{ClientAuth: []string{"private_key_jwt"}}.and(Demands{ClientAuth: []string{"tls_client_auth"}}).and(Demands{ClientAuth: []string{"tls_client_auth"}})
	if none.ClientAuth == nil || len(none.ClientAuth) != 0 {
		t.Errorf("two that contradict each other, and a third: %#v", none.ClientAuth)
	}
}

// A plan may name any of the profiles, and all of them: together they must leave something that is allowed.
func TestProfilesDoNotContradictEachOther(t *testing.T) {
	d := Of(Names()...).Demands
	if len(d.ClientAuth) == 0 || len(d.SigningAlgorithms) == 0 {
		t.Errorf("all profiles together allow these methods: %v, and these algorithms: %v", d.ClientAuth, d.SigningAlgorithms)
	}
}

func TestTableIsWhole(t *testing.T) {
	for i, p := range profiles {
		if p.Name == "" || p.For == "" || p.Text == "" {
			t.Errorf("profile %d is not described", i)
		}
		if p.Adds != "" && !slices.ContainsFunc(profiles[:i], func(earlier Profile) bool { return earlier.Name == p.Adds }) {
			t.Errorf("%s builds on %q, which does not stand before it", p.Name, p.Adds)
		}
		for _, c := range p.Ceilings {
			weaker, _, found := Of(p.Adds).Ceiling(c.Promise)
			if c.Most <= 0 || c.Why == "" || p.Adds != "" && found && weaker.Most < c.Most {
				t.Errorf("%s: the ceiling of %s is odd: %+v", p.Name, c.Promise, c)
			}
		}
		for _, raise := range p.Raises {
			if raise.Why == "" || raise.Severity < logbook.Medium {
				t.Errorf("%s raises %s to %v because of %q", p.Name, raise.Check, raise.Severity, raise.Why)
			}
		}
	}
}

func TestVersions(t *testing.T) {
	all := Versions()
	if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("versions %v are not in order", all)
	}
	for _, row := range []struct {
		id, pin string
		want    bool
	}{
		{"enforce.unsigned-token", first, true}, {"enforce.unsigned-token", "", true}, {"enforce.new", first, false}, {"enforce.new", Current, true}, {"enforce.new", "", true},
	} {
		if got := Scored(row.id, row.pin); got != row.want {
			t.Errorf("%s under the pin %q: scored is %v", row.id, row.pin, got)
		}
	}
}
