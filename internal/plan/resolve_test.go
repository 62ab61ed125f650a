package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/checkride/checkride/internal/secret"
)

func resolver(t *testing.T) Resolver {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"key.pem":    "-----BEGIN KEY-----\nabc\n-----END KEY-----\n",
		"crlf":       "value\r\n",
		"two":        "value\n\n",
		"empty":      "\n",
		"large":      strings.Repeat("x", largestValue+1),
		"print.sh":   "#!/bin/sh\nprintf '%s|' \"$@\"\n",
		"fail.sh":    "#!/bin/sh\necho hunter2-and-more\necho hunter2-and-more >&2\nexit 3\n",
		"endless.sh": "#!/bin/sh\nwhile :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx || exit; done\n",
	} {
		err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700)
		if err != nil {
			t.Fatal(err)
		}
	}
	env := func(name string) (string, bool) {
		value, found := map[string]string{"TOKEN": "hunter2-and-more", "NOTHING": "", "SHORT": "1234567"}[name]
		return value, found
	}
	return Resolver{Dir: dir, AllowExec: true, Env: env, Keeper: secret.NewKeeper()}
}

func TestResolverReadsReferences(t *testing.T) {
	r := resolver(t)
	for ref, want := range map[string]string{
		"plain text":                           "plain text",
		"urn:x:y":                              "urn:x:y",
		"":                                     "",
		"env:TOKEN":                            "hunter2-and-more",
		"file:key.pem":                         "-----BEGIN KEY-----\nabc\n-----END KEY-----",
		"file:" + filepath.Join(r.Dir, "crlf"): "value",
		"file:two":                             "value\n",
		`exec:./print.sh a  "b c" 'd"e' f""`:   `a|b c|d"e|f|`,
	} {
		got, err := r.Text(Reference{Text: ref})
		if err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", ref, got, err, want)
		}
	}
}

func TestResolverErrorsNameThePlaceAndNoValue(t *testing.T) {
	r := resolver(t)
	locked := r
	locked.AllowExec = false
	for _, c := range []struct {
		r          Resolver
		ref, wants string
	}{
		{r, "env:ABSENT", "reference env:ABSENT in line 7 of the plan: the variable is not set"},
		{r, "env:", "names nothing"},
		{r, "file:absent", "reference file:absent in line 7 of the plan: open "},
		{r, "file:large", "larger than 1 MiB"},
		{locked, "exec:./print.sh", "--allow-exec"},
		{r, "exec:./fail.sh", "the command failed (exit status 3)"},
		{r, "exec:./endless.sh", "more than 1 MiB"},
		{r, "exec:./print.sh 'a", "open quote"},
		{r, "exec: ", "empty"},
		{r, "exec:./absent", "the command failed"},
	} {
		_, err := c.r.Text(Reference{Text: c.ref, Line: 7})
		if err == nil || !strings.Contains(err.Error(), c.wants) || strings.Contains(err.Error(), "hunter2-and-more") {
			t.Errorf("%s: %v; want %q", c.ref, err, c.wants)
		}
	}
}

func TestResolverKeepsSecrets(t *testing.T) {
	r := resolver(t)
	kept, err := r.Secret(Reference{Text: "env:TOKEN"}, "secret")
	if err != nil {
		t.Fatal(err)
	}
	if kept.Empty() || strings.Contains(r.Keeper.Mask("it is hunter2-and-more"), "hunter2-and-more") {
		t.Error("the secret is not registered with the keeper")
	}
	for _, ref := range []string{"hunter2-and-more", "", "env:NOTHING", "env:SHORT", "file:empty", "env:ABSENT"} {
		_, err := r.Secret(Reference{Text: ref, Line: 3}, "secret")
		if err == nil || strings.Contains(err.Error(), "hunter2-and-more") || !strings.Contains(err.Error(), "line 3") {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

func TestHostsAndExec(t *testing.T) {
	p := mustParse(t, string(Example()))
	hosts, err := p.Hosts()
	if err != nil {
		t.Fatal(err)
	}
	diff := cmp.Diff([]string{
		"192.0.2.10:443", "192.0.2.11:443", "admin.example:443", "as.example:443", "as.production.example:443", "edge.example:443", "origin.example:8443", "soap.example:443",
	}, hosts)
	if diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	diff = cmp.Diff([]string{"authorization_servers.bridge.token.exec", "audit.as.exec", "hooks.rotate_signing_key.exec"}, p.UsesExec())
	if diff != "" {
		t.Errorf("exec (-want +got):\n%s", diff)
	}
	p = mustParse(t, with("scopes: [read]", "secret: 'exec:./secret', id: a")+"    origin: '[2001:db8::1]:99'\n    addresses: ['2001:db8::2', h]\nproxy: http://Proxy.example\nhooks: {find_client: {http: \"GET http://h.example:81/{client_name}\", headers: {X: 'exec:./x'}}}\n")
	hosts, err = p.Hosts()
	if err != nil {
		t.Fatal(err)
	}
	diff = cmp.Diff([]string{"[2001:db8::1]:99", "[2001:db8::2]:443", "as.example:443", "edge.example:443", "h.example:81", "h:443"}, hosts)
	if diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	diff = cmp.Diff([]string{"clients.partner.secret", "hooks.find_client.headers.X"}, p.UsesExec())
	if diff != "" {
		t.Errorf("exec (-want +got):\n%s", diff)
	}
	_, there := p.References()["clients.partner.secret"]
	if !there {
		t.Error("references leave the client's secret out")
	}
	_, err = (&Plan{Points: []Point{{Name: "a", URL: "nowhere"}}}).Hosts()
	if err == nil || !strings.Contains(err.Error(), "points.a.url") {
		t.Errorf("a point without a host: %v", err)
	}
}

func TestLint(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no neighbour":       {small, "clients (line 4): no neighbour"},
		"limit and lifetime": {with("revocation: introspect", "revocation: push") + "limits:\n  revocation: {push: 5m}\n  token_lifetime: 4m\n", "limits.revocation.push (line 13): 5m is not shorter"},
		"no route proof":     {small + "      - {name: pay, request: POST /pay, deny: true}\n", "points.edge.operations.pay (line 12): denied without route_proof"},
		"no body":            {small + "      - {name: pay, request: POST /pay, deny: true}\n", "a denied POST without a body"},
		"audit":              {small + "audit: none\n", "audit (line 12): no log: whether a log can explain"},
		"agreement":          {small + "agreement: {valid_until: 2026-10-05}\n", "agreement.valid_until (line 12): the agreement ended on 2026-10-05"},
		"review":             {small + "agreement: {review: {last: 2026-01-01, every: 90d}}\n", "the review is overdue: the last was on 2026-01-01, and it is due every 90d"},
		"longest wait":       {small + "longest_wait: 1m\n", "limits.revocation.expiry: 5m and the patience are longer than longest_wait (1m)"},
	} {
		advice := strings.Join(Lint(mustParse(t, c.text), At(today)), "\n")
		if !strings.Contains(advice, c.want) {
			t.Errorf("%s: %q is not in\n%s", name, c.want, advice)
		}
	}
	declared := small + "audit: none\nout_of_scope: [{check: audit.*, reason: r, owner: o, expires: 2027-01-01}]\n"
	for _, line := range Lint(mustParse(t, declared), At(today)) {
		if strings.HasPrefix(line, "audit") {
			t.Errorf("a declared gap is advised against: %s", line)
		}
	}
}
