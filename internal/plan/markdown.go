package plan

import (
	"bytes"
	_ "embed"
	"fmt"
	"reflect"
	"strings"
)

// example is a whole plan; a test parses it.
//
//go:embed example.yaml
var example []byte

// Example gives a whole plan that uses most of what a plan can say.
func Example() []byte { return bytes.Clone(example) }

// Markdown gives the reference of the plan, key by key, made from the types.
func Markdown() []byte {
	var b bytes.Buffer
	b.WriteString(`# The plan

<!-- generated from internal/plan; edit the tags there -->

A plan is one YAML file. It is read strictly: a key that is not known, is there twice or has a value of the wrong kind is
an error with its place. Anchors, aliases, merge keys and tags are refused, so that each promise stands on its own line.

- **Durations** are written as ` + "`10s`, `5m`, `1h30m`, `90d`" + `. **Dates** are days, which end at their end in UTC
  (` + "`2027-01-31`" + `), or instants (` + "`2027-01-31T18:00:00Z`" + `).
- **References** name a value instead of holding it: ` + "`env:NAME`" + ` is a variable of the environment, ` + "`file:PATH`" + ` a file
  relative to the plan, ` + "`exec:COMMAND`" + ` what a command prints (needs ` + "`--allow-exec`" + `; split at spaces, quotes keep
  them, no shell). One line break at the end is taken away. A secret in the plan itself is an error.
- A key that is absent has its default. **Needed** keys have none.

`)
	section(&b, planType, "")
	b.WriteString("## Hooks\n\nIn `http`, `headers`, `body` and `exec`, these are replaced by values of the cast, in one pass; in a JSON or form body, as its `Content-Type` says, so that a value stays a value: ")
	b.WriteString("`" + strings.Join(Placeholders, "`, `") + "`. An answer that is no 2xx, and a command that fails, is an error; answers and what commands print are kept as evidence, masked.\n\n| hook | what it does |\n| --- | --- |\n")
	for _, name := range HookNames {
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, hookMeaning(name))
	}
	b.WriteString("\n## A whole plan\n\n```yaml\n")
	b.Write(example)
	b.WriteString("```\n")
	return b.Bytes()
}

// section writes a table for a struct and then one for each struct in it.
func section(b *bytes.Buffer, t reflect.Type, path string) {
	heading := "Top level"
	if path != "" {
		heading = "`" + path + "`"
	}
	fmt.Fprintf(b, "## %s\n\n| key | value | default | meaning | example |\n| --- | --- | --- | --- | --- |\n", heading)
	for _, f := range fieldsOf(t) {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", join(path, f.key), typeWord(f), absentWord(f), cell(f.doc), code(f.example))
	}
	b.WriteByte('\n')
	for _, f := range fieldsOf(t) {
		nested, found := structOf(f.of)
		if found {
			section(b, nested, join(path, f.key)+itemMark(f.of))
		}
	}
}

// itemMark tells in a path that what follows is in a member of a list or of a mapping by name.
func itemMark(t reflect.Type) string {
	switch {
	case t == auditType || t.Kind() == reflect.Slice:
		return "[]"
	case t.Kind() == reflect.Map:
		return ".NAME"
	}
	return ""
}

func absentWord(f field) string {
	switch {
	case f.need:
		return "**needed**"
	case f.absent != "":
		return code(f.absent)
	}
	return ""
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + cell(text) + "`"
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func hookMeaning(name string) string {
	switch name {
	case Suspend:
		return "the client gets no tokens, and those that it has are refused"
	case Resume:
		return "undoes `suspend`"
	case ReduceEntitlement:
		return "takes the scope `{scope}` away from the client"
	case RestoreEntitlement:
		return "undoes `reduce_entitlement`"
	case TakeRole:
		return "takes the role `{role}` away from the client"
	case GiveRole:
		return "undoes `take_role`"
	case OpenWindow:
		return "just-in-time access begins"
	case CloseWindow:
		return "just-in-time access ends"
	case ScheduleWindow:
		return "just-in-time access begins at `{from}` and ends by itself at `{until}`, both as `2027-01-31T18:00:00.5Z`"
	case RotateSecret:
		return "the client gets a new secret; the answer is JSON that names it: `{\"client_secret\": ...}`"
	case RotateKey:
		return "the client's public keys are those of `{jwks}` from now on, and no others"
	case RotateCertificate:
		return "as `rotate_key`, for a client that authenticates by self-signed certificates: `{jwks}` holds them as `x5c`"
	case PublishKeys:
		return "publishes the keys `{jwks}` where the client `{client_name}` publishes its own, at the same place each time; the answer names the place (`jwks_uri`)"
	case IssueCertificate:
		return "your CA issues a client certificate for the request `{csr}` (PKCS #10 as PEM; its key stays with the ride, its subject is `{subject_dn}`); the answer is PEM, the certificate first and then its chain, or JSON that names it: `{\"certificate\": ...}`"
	case WithdrawCert:
		return "the client certificate with the SHA-256 `{thumbprint}` (base64url), or the `{serial}` (hex), is trusted no more; `{certificate}` is the whole of it as base64 of its DER"
	case RotateSigningKey:
		return "the AS signs with a new key and keeps the old one in its key set"
	case WithdrawSigningKey:
		return "the key `{kid}` leaves the key set of the AS"
	case MintToken:
		return "gives a token for the client, for an authorization server of which the plan names neither issuer nor token endpoint; the answer is JSON as RFC 6749 section 5.1 has it"
	case Facts:
		return "answers with a JSON object: the claims that the client's tokens must carry by the source of truth"
	case BreakIntrospection:
		return "until `restore_introspection`, introspection answers points an error (`{fault}` is `down`), or answers without `aud` (`no_audience`); without `{fault}` it is down"
	case RestoreIntrospection:
		return "undoes `break_introspection`"
	case FindClient:
		return "answers with the ids of the clients named `{client_name}`"
	case DeleteClient:
		return "removes the client"
	case Provision:
		return "with `registration.mode: hook`, makes the client `{client_name}` with `{scope}` that authenticates by `{auth}`, with the keys `{jwks}` or the certificate subject `{subject_dn}`; the answer is its metadata as JSON (RFC 7591 section 3.2.1)"
	case ProvisionAPIKey:
		return "gives the client an API key; the answer is JSON that names it: `{\"api_key\": ...}`"
	case Deprovision:
		return "ends the client's life in the operator's own way"
	case MakeStatement:
		return "the directory vouches for the client `{client_name}` of `{organization}`; the answer names the software statement (`software_statement`)"
	case MintInitialAccessToken:
		return "mints an initial access token for `{organization}`; the answer names it (`initial_access_token`)"
	}
	return ""
}
