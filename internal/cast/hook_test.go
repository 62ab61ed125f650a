package cast

import (
	"net/url"
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// commands is a cast whose hooks run commands. What they did is kept in the list.
func commands(t *testing.T, hooks map[string]plan.Hook) (*Cast, *[]wire.Exchange) {
	t.Helper()
	keeper := secret.NewKeeper()
	var kept []wire.Exchange
	c, err := New(Config{
		Plan: &plan.Plan{Hooks: hooks}, Keeper: keeper, Resolver: plan.Resolver{AllowExec: true, Keeper: keeper},
		Witness: func(x wire.Exchange) wire.Exchange {
			x.Serial = uint64(len(kept) + 1)
			x.Discover(keeper)
			kept = append(kept, x)
			return x
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, &kept
}

func TestACommandsAnswerIsEvidenceAndItsSecretIsMasked(t *testing.T) {
	c, kept := commands(t, map[string]plan.Hook{
		plan.RotateSecret: {Exec: []string{"echo", `{"client_secret":"correct horse battery staple"}`}},
		plan.Suspend:      {Exec: []string{"echo", "suspended {client_id}{scope}"}},
	})
	x, err := c.Hook(t.Context(), plan.RotateSecret, nil, nil)
	if err != nil || x.Secret("client_secret").Empty() || x.Serial != 1 {
		t.Fatalf("%v, serial %d, secret %v", err, x.Serial, x.Secret("client_secret"))
	}
	if told := c.Keeper().Mask(string((*kept)[0].Body)); strings.Contains(told, "horse") {
		t.Errorf("the secret stands in the evidence: %s", told)
	}
	x, err = c.Hook(t.Context(), plan.Suspend, nil, map[string]string{"client_id": "c-1"})
	if err != nil || string(x.Body) != "suspended c-1\n" { // {scope} has no value here
		t.Errorf("%v, %q", err, x.Body)
	}
	if c.Hooks()[plan.RotateSecret] != 1 || len(*kept) != 2 {
		t.Errorf("played %v, kept %d", c.Hooks(), len(*kept))
	}
}

// In free text nobody could find the secret, so it must not be kept.
func TestASecretInFreeTextIsNotKept(t *testing.T) {
	c, kept := commands(t, map[string]plan.Hook{plan.RotateSecret: {Exec: []string{"echo", "correct horse battery staple"}}})
	_, err := c.Hook(t.Context(), plan.RotateSecret, nil, nil)
	if err != nil || len(*kept) != 1 || len((*kept)[0].Body) > 0 {
		t.Errorf("%v, kept %q", err, (*kept)[0].Body)
	}
}

func TestACommandThatFailsIsAnErrorAndEvidence(t *testing.T) {
	c, kept := commands(t, map[string]plan.Hook{plan.Suspend: {Exec: []string{"false"}}})
	_, err := c.Hook(t.Context(), plan.Suspend, nil, nil)
	if err == nil || len(*kept) != 1 || (*kept)[0].Failure != wire.Command {
		t.Errorf("%v, kept %v", err, *kept)
	}
}

// What an authorization server chose as a client_id stays a value wherever a hook puts it.
func TestValuesStayValues(t *testing.T) {
	const evil = `a","admin":true,"b":"&role=admin`
	values := map[string]string{"client_id": evil, "jwks": `{"keys":[]}`}
	body := func(kind, text string) string {
		return fill(text, values, escapes(plan.Hook{Header: map[string]plan.Reference{"content-type": {Text: kind}}}))
	}
	if got := body("application/json; charset=utf-8", `{"id":"{client_id}","jwks":{jwks}}`); got != `{"id":"a\",\"admin\":true,\"b\":\"\u0026role=admin","jwks":{"keys":[]}}` {
		t.Error(got)
	}
	values["client_id"] = `{"admin":true}`
	if got := body("application/json", `{"id":"{client_id}"}`); got != `{"id":"{\"admin\":true}"}` {
		t.Error(got)
	}
	values["client_id"] = evil
	form, err := url.ParseQuery(body("application/x-www-form-urlencoded", "id={client_id}"))
	if err != nil || form.Get("id") != evil || form.Has("role") {
		t.Errorf("%v, %v", err, form)
	}
	target, err := url.Parse(fillTarget("https://admin.example/clients/{client_id}?id={client_id}", values))
	if err != nil || target.Path != "/clients/"+evil || target.Query().Get("id") != evil || target.Query().Has("role") {
		t.Errorf("%v, %v", err, target)
	}
}

func TestWhoIsShutOutIsLetInBeforeItIsRemoved(t *testing.T) {
	c, _ := commands(t, map[string]plan.Hook{
		plan.Suspend: {Exec: []string{"false"}}, plan.Resume: {Exec: []string{"true"}}, plan.CloseWindow: {Exec: []string{"true"}}, plan.OpenWindow: {Exec: []string{"true"}},
	})
	member := &Member{}
	for _, hook := range []struct{ played, left string }{
		{plan.Suspend, plan.Resume}, // it failed, and may have come far enough
		{plan.OpenWindow, plan.Resume},
		{plan.Resume, ""},
		{plan.CloseWindow, plan.OpenWindow},
		{plan.OpenWindow, ""},
	} {
		_, _ = c.Hook(t.Context(), hook.played, member, nil)
		if member.shut != hook.left {
			t.Errorf("after %s %q lets it in, want %q", hook.played, member.shut, hook.left)
		}
	}
}
