package plan

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/profile"
)

// The words of the plan are the profiles and versions that there are.
func TestProfileWords(t *testing.T) {
	fields := fieldsOf(reflect.TypeFor[Plan]())
	names, _ := fieldByKey(fields, "profile")
	versions, _ := fieldByKey(fields, "catalogue")
	if !slices.Equal(names.words, profile.Names()) || names.absent != profile.Default {
		t.Errorf("a plan may say %v, and the profiles are %v", names.words, profile.Names())
	}
	if !slices.Equal(versions.words, profile.Versions()) {
		t.Errorf("a plan may pin %v, and the versions are %v", versions.words, profile.Versions())
	}
	for _, p := range profile.All() {
		for _, c := range p.Ceilings {
			if (Limits{}).Promises()[c.Promise] == "" {
				t.Errorf("the profile %s has a ceiling for %s, which is no limit", p.Name, c.Promise)
			}
		}
	}
}

func TestProfile(t *testing.T) {
	parse := func(more string) *Plan {
		t.Helper()
		p, err := Parse("plan.yaml", ".", []byte(small+more), At(time.Date(2026, 10, 6, 0, 0, 0, 0, time.UTC)))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if got := parse("").Profiles().Names(); !slices.Equal(got, []string{"baseline"}) {
		t.Errorf("a plan without a profile has %v", got)
	}
	if got := parse("profile: elevated\n").Profile; !slices.Equal(got, []string{"elevated"}) {
		t.Errorf("one word is %v", got)
	}
	p := parse("profile: [hygiene, elevated]\nlimits: {token_lifetime: 1h, revocation: {push: 10s}}\n")
	if p.Limits.TokenLifetime.D() != 10*time.Minute || p.Limits.Revocation.Push.D() != 10*time.Second {
		t.Errorf("the limits are %v and %v", p.Limits.TokenLifetime, p.Limits.Revocation.Push)
	}
	if len(p.Source.Lowered) != 1 || p.Source.Lowered[0].Said.D() != time.Hour || p.Source.Lowered[0].Profile != "elevated" {
		t.Errorf("lowered: %+v", p.Source.Lowered)
	}
	advice := strings.Join(Lint(p), "\n")
	for _, want := range []string{"the plan promises 1h, and the profile elevated allows at most 10m", "demands tokens that are bound", "wants scopes of the partner's own", "wants one at least every 90d"} {
		if !strings.Contains(advice, want) {
			t.Errorf("the advice does not say %q:\n%s", want, advice)
		}
	}
	pinned := parse("catalogue: 2026-10\n")
	if !strings.Contains(strings.Join(Lint(pinned), "\n"), "the plan pins 2026-10") {
		t.Error("nobody is told that the plan pins an older catalogue")
	}
}

func TestUnknownProfileAndVersion(t *testing.T) {
	for text, want := range map[string]string{
		"profile: strict\n":               "`profile` cannot be \"strict\"",
		"profile: [baseline, elevates]\n": "did you mean",
		"catalogue: 2026-12\n":            "`catalogue` cannot be \"2026-12\"",
		"profile: fapi2\n":                "the profile fapi2 lets no client authenticate by client_secret_basic",
		"catalogue: 2026.10\n":            "wants text, not",
	} {
		_, err := Parse("plan.yaml", ".", []byte(small+text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
