package defect

import (
	"strings"
	"testing"
	"time"
)

// TestEachNameSetsOneSwitch gives every name to its parser and wants exactly one field set: a name that sets none, or
// another's field, would prove a check on a healthy sandbox.
func TestEachNameSetsOneSwitch(t *testing.T) {
	for _, name := range All() {
		set, err := Parse(name)
		if err != nil {
			set, err = Parse(name + "=6s")
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if on := set.Names(); len(on) != 1 || on[0] != name {
			t.Errorf("%s turns on %v", name, on)
		}
	}
	for _, name := range Situations() {
		var found bool
		for _, written := range []string{name, name + "=500ms", name + "=20"} {
			situation, err := ParseSituation(written)
			found = found || err == nil && situation != Situation{}
		}
		if !found {
			t.Errorf("no way to write situation %s sets anything", name)
		}
	}
}

func TestParse(t *testing.T) {
	set, err := Parse("alg_none", "token_cache=6s")
	if err != nil || set != (Set{AlgNone: true, TokenCache: 6 * time.Second}) {
		t.Errorf("got %+v, %v", set, err)
	}
	situation, err := ParseSituation("waf", "lagging_replicas=500ms", "rate_limit=20")
	if err != nil || situation != (Situation{WAF: true, LaggingReplicas: 500 * time.Millisecond, RateLimit: 20}) {
		t.Errorf("got %+v, %v", situation, err)
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"flood":              `situation "flood" is not known; ` + "`checkride sandbox --help` lists them",
		"waf=1":              "situation waf is on or off; write waf alone",
		"lagging_replicas":   "situation lagging_replicas needs a length of time; write lagging_replicas=6s",
		"wrong_clock=-1s":    "situation wrong_clock needs a length of time",
		"rate_limit=none":    "situation rate_limit needs a number; write rate_limit=20",
		"ban_after=0":        "situation ban_after needs a number",
		"duplicate_log,waf":  `"duplicate_log,waf" is not known`,
		"connection_sticky=": "write connection_sticky alone",
	} {
		_, err := ParseSituation(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"alg_nome":       `defect "alg_nome" is not known; ` + "`checkride sandbox --help` lists them",
		"alg_none=1":     "defect alg_none is on or off; write alg_none alone",
		"token_cache=":   "defect token_cache needs a length of time; write token_cache=6s",
		"token_cache=0s": "needs a length of time",
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
