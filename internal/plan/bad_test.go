package plan

import (
	"strings"
	"testing"
)

// badPlans holds what is wrong and the whole text of what is told; ´ stands for a backquote, ALL-KEYS for all
// keys of a plan.
var badPlans = []struct{ name, text, want string }{
	{
		name: "empty",
		text: "# nothing\n",
		want: `
plan.yaml:1:1: the plan is empty
   1 | # nothing
     | ^
       begin with ´name: what is tested´; checkride demo shows a whole one
`,
	},
	{
		name: "not a mapping",
		text: "- a\n",
		want: `
plan.yaml:1:1: the plan wants a mapping, not a list
   1 | - a
     | ^
       with the keys ALL-KEYS
`,
	},
	{
		name: "unknown key",
		text: with("revocation: introspect", "revokation: introspect"),
		want: `
plan.yaml:9:5: unknown key ´revokation´ in ´points.edge´
   9 |     revokation: introspect
     |     ^
       did you mean ´revocation´?
`,
	},
	{
		name: "unknown key without a likeness",
		text: small + "colour: red\n",
		want: `
plan.yaml:12:1: unknown key ´colour´
  12 | colour: red
     | ^
       allowed here: ALL-KEYS
`,
	},
	{
		name: "key in the wrong place",
		text: small + "patience: 3s\n",
		want: `
plan.yaml:12:1: unknown key ´patience´
  12 | patience: 3s
     | ^
       ´patience´ belongs to ´limits´
`,
	},
	{
		name: "wrong types",
		text: with("name: small", "name: 1.10") + "limits: {revocation: 10, patience: 5, window: -3s}\nblocks: hihg\nbudget: {tokens: many, registrations: -1}\nallow: load\nagreement: {window: yes}\n",
		want: `
plan.yaml:1:7: ´name´ wants text, not a number
   1 | name: 1.10
     |       ^
       put it in quotes: "1.10"
plan.yaml:12:22: ´revocation´ wants a mapping, not a number
  12 | limits: {revocation: 10, patience: 5, window: -3s}
     |                      ^
       with the keys introspect, push, expiry
plan.yaml:12:36: ´patience´: "5" is not a duration
  12 | limits: {revocation: 10, patience: 5, window: -3s}
     |                                    ^
       write it as 10s, 5m, 1h30m or 90d
plan.yaml:12:47: ´window´ is negative
  12 | limits: {revocation: 10, patience: 5, window: -3s}
     |                                               ^
       write 0s for: at once
plan.yaml:13:9: ´blocks´ cannot be "hihg"
  13 | blocks: hihg
     |         ^
       did you mean ´high´? allowed: low, medium, high, critical
plan.yaml:14:18: ´tokens´ wants a whole number, not text
  14 | budget: {tokens: many, registrations: -1}
     |                  ^
       for example: ´tokens: 2000´
plan.yaml:14:39: ´registrations´ is negative
  14 | budget: {tokens: many, registrations: -1}
     |                                       ^
       write 0 or more
plan.yaml:15:8: ´allow´ wants a list, not text
  15 | allow: load
     |        ^
       write ´allow: [load]´
plan.yaml:16:21: ´window´ wants true or false, not text
  16 | agreement: {window: yes}
     |                     ^
       write true or false
`,
	},
	{
		name: "absent",
		text: "name: small\n",
		want: `
plan.yaml:1:1: the plan has no ´registration´
   1 | name: small
     | ^
       add ´registration: {mode: dcr}´
plan.yaml:1:1: the plan has no ´clients´
   1 | name: small
     | ^
       add ´clients: [{name: partner, scopes: [payments:read]}]´
plan.yaml:1:1: the plan has no ´points´
   1 | name: small
     | ^
       add ´points: [{name: edge, url: https://edge.example, revocation: introspect, operations: [{name: list, request: GET /payments}]}]´
`,
	},
	{
		name: "duplicate key",
		text: small + "name: other\n",
		want: `
plan.yaml:12:1: key ´name´ is there twice, first in line 1
  12 | name: other
     | ^
       remove one of them
`,
	},
	{
		name: "alias, anchor, tag",
		text: small + "agreement: &a {owner: !!str x}\nbudget: *a\n",
		want: `
plan.yaml:12:12: anchor &a is not allowed in a plan
  12 | agreement: &a {owner: !!str x}
     |            ^
       remove it and write the value out where it is needed
plan.yaml:12:23: tag !!str is not allowed in a plan
  12 | agreement: &a {owner: !!str x}
     |                       ^
       remove the tag
plan.yaml:13:9: alias *a is not allowed in a plan
  13 | budget: *a
     |         ^
       write the value out: each promise must stand on its own line
`,
	},
	{
		name: "merge key",
		text: small + "agreement: {<<: {owner: x}}\n",
		want: `
plan.yaml:12:13: merge key << is not allowed in a plan
  12 | agreement: {<<: {owner: x}}
     |             ^
       write the keys out: each promise must stand on its own line
`,
	},
	{
		name: "second document",
		text: small + "---\nname: other\n",
		want: `
plan.yaml:12:1: a second document begins here
  12 | ---
     | ^
       a plan is one document: remove the line --- and what follows
`,
	},
	{
		name: "not YAML",
		text: with("registration: {mode: dcr}", "registration: {mode: dcr"),
		want: `
plan.yaml:4:8: not YAML: did not find expected ',' or '}'
   4 | clients:
     |        ^
       correct the YAML here or just above
`,
	},
	{
		name: "star",
		text: small + "waivers:\n  - {check: *, reason: r, owner: o, expires: 2027-01-01}\n",
		want: `
plan.yaml:13:14: not YAML: did not find expected alphabetic or numeric character
  13 |   - {check: *, reason: r, owner: o, expires: 2027-01-01}
     |              ^
       put a * or & that is meant as text in quotes: "*"
`,
	},
	{
		name: "tab",
		text: with("  - {name: partner", "\t- {name: partner"),
		want: `
plan.yaml:5:1: not YAML: found character that cannot start any token
   5 |  - {name: partner, scopes: [read]}
     | ^
       indent with spaces, not tabs, and put text that begins with @, ´ or % in quotes
`,
	},
	{
		name: "control character",
		text: with("name: small", "name: sm\x1ball"),
		want: `
plan.yaml:1:9: character U+001B is not allowed
   1 | name: sm?all
     |         ^
       save the plan as plain UTF-8 text
`,
	},
	{
		name: "no UTF-8",
		text: with("name: small", "name: sm\xff"),
		want: `
plan.yaml:1:9: byte 0xff, which is no UTF-8, is not allowed
   1 | name: sm�
     |         ^
       save the plan as plain UTF-8 text
`,
	},
	{
		name: "too deep",
		text: "name: " + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "\n",
		want: `
plan.yaml:1:31: nested deeper than 24 levels
   1 | name: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
     |                               ^
       a plan needs no more than ten: look for a missing line break or bracket
`,
	},
	{
		name: "too big",
		text: "name: " + strings.Repeat("a", 1<<20),
		want: `
plan.yaml:1:1: the plan is larger than 1 MiB
       keep bodies in files of their own: body: file:PATH
`,
	},
	{
		name: "literal secret",
		text: with("scopes: [read]", "secret: hunter2, colour: red"),
		want: `
plan.yaml:5:29: ´secret´ is a secret and stands in the plan itself
   5 |   - {name: partner, secret: ***, colour: red}
     |                             ^
       write env:NAME or file:PATH, and change the secret if the plan was shared
plan.yaml:5:38: unknown key ´colour´ in ´clients.partner´
   5 |   - {name: partner, secret: ***, colour: red}
     |                                  ^
       allowed here: name, id, auth, secret, key, scopes, resource, sender_constraint, certificate, metadata, api_key, may, owns, organization
`,
	},
	{
		name: "literal secret under a misspelled key",
		text: with("scopes: [read]", "secrt: hunter2"),
		want: `
plan.yaml:5:21: unknown key ´secrt´ in ´clients.partner´
   5 |   - {name: partner, secrt: ***}
     |                     ^
       did you mean ´secret´?
`,
	},
	{
		name: "literal secret in broken YAML",
		text: with("scopes: [read]}", "secret: hunter2"),
		want: `
plan.yaml:6:7: not YAML: did not find expected ',' or '}'
   6 | points:
     |       ^
       correct the YAML here or just above
`,
	},
	{
		name: "literal secrets elsewhere",
		text: with("registration: {mode: dcr}", "registration: {mode: dcr, initial_access_token: abc.def}") + "hooks: {suspend: {http: POST https://a.example/x, headers: {Authorization: Bearer hunter2}}}\n",
		want: `
plan.yaml:3:49: ´initial_access_token´ is a secret and stands in the plan itself
   3 | registration: {mode: dcr, initial_access_token: ***}
     |                                                 ^
       write env:NAME or file:PATH, and change the secret if the plan was shared
plan.yaml:12:76: the header field Authorization is a secret and stands in the plan itself
  12 | hooks: {suspend: {http: POST https://a.example/x, headers: {Authorization: ***}}}
     |                                                                            ^
       write env:NAME or file:PATH for the whole value
`,
	},
	{
		name: "issue key in the plan",
		text: with("scopes: [read]", "certificate: {issue: {ca: ca.pem, key: test-ca.key}}"),
		want: `
plan.yaml:5:47: ´ca´ is neither a reference nor PEM
   5 |   - {name: partner, certificate: {issue: {ca: ca.pem, key: ***}}}
     |                                               ^
       write file:PATH or env:NAME
plan.yaml:5:60: ´key´ is a secret and stands in the plan itself
   5 |   - {name: partner, certificate: {issue: {ca: ca.pem, key: ***}}}
     |                                                            ^
       write env:NAME or file:PATH, and change the secret if the plan was shared
`,
	},
	{
		name: "two partners",
		text: with("  - {name: partner, scopes: [read]}", "  - {name: partner}\n  - {name: partner}"),
		want: `
plan.yaml:6:12: there are two clients named partner, the first in line 5
   6 |   - {name: partner}
     |            ^
       partner, neighbour, resource_server and second_resource_server each stand once
`,
	},
	{
		name: "no partner",
		text: with("name: partner", "name: neighbour"),
		want: `
plan.yaml:5:3: no client is named partner
   5 |   - {name: neighbour, scopes: [read]}
     |   ^
       name the client under test partner
`,
	},
	{
		name: "stranger in the cast",
		text: with("name: partner", "name: partnr"),
		want: `
plan.yaml:5:12: ´name´ cannot be "partnr"
   5 |   - {name: partnr, scopes: [read]}
     |            ^
       did you mean ´partner´? allowed: partner, neighbour, resource_server, second_resource_server
`,
	},
	{
		name: "given without id",
		text: with("mode: dcr", "mode: given"),
		want: `
plan.yaml:5:5: client partner has no ´id´, and mode given says that it exists
   5 |   - {name: partner, scopes: [read]}
     |     ^
       add ´id: env:NAME´ or the client_id itself
`,
	},
	{
		name: "given without credentials",
		text: with("scopes: [read]", "id: p-17, scopes: [a]") + "agreement: {scopes: [a], unentitled_scopes: [a]}\n",
		want: `
plan.yaml:5:5: client partner exists and authenticates by client_secret_basic, but has no ´secret´
   5 |   - {name: partner, id: p-17, scopes: [a]}
     |     ^
       add ´secret: env:NAME´, or say another ´auth´
plan.yaml:12:46: the scope "a" is both agreed and unentitled
  12 | agreement: {scopes: [a], unentitled_scopes: [a]}
     |                                              ^
       remove it from scopes or from unentitled_scopes
`,
	},
	{
		name: "hook mode without hook",
		text: with("mode: dcr", "mode: hook"),
		want: `
plan.yaml:3:22: mode hook needs the hook ´provision´
   3 | registration: {mode: hook}
     |                      ^
       add ´provision´ to ´hooks´, or choose dcr or given
`,
	},
	{
		name: "certificate missing",
		text: with("scopes: [read]", "auth: tls_client_auth"),
		want: `
plan.yaml:5:5: client partner authenticates by tls_client_auth, but has no ´certificate´
   5 |   - {name: partner, auth: tls_client_auth}
     |     ^
       add ´certificate: {cert: file:PATH, key: file:PATH}´ or ´certificate: {issue: {ca: file:PATH, key: file:PATH}}´
`,
	},
	{
		name: "which server",
		text: with("{main: {issuer: https://as.example}}", "{main: {issuer: https://as.example}, old: {ca: file:ca.pem}}"),
		want: `
plan.yaml:2:66: ´authorization_servers.old´ has no way to get tokens
   2 | authorization_servers: {main: {issuer: https://as.example}, old: {ca: file:ca.pem}}
     |                                                                  ^
       give it an ´issuer´, or ´endpoints: {token: URL}´, or ´token: {exec: [COMMAND]}´, or add the hook ´mint_token´
plan.yaml:3:15: ´registration´ does not say at which authorization server clients are registered
   3 | registration: {mode: dcr}
     |               ^
       add ´server: main´, or another of: main, old
plan.yaml:7:5: point edge does not say whose tokens it takes
   7 |   - name: edge
     |     ^
       add ´token_from: main´, or another of: main, old
`,
	},
	{
		name: "unknown server",
		text: with("    revocation:", "    token_from: mian\n    revocation:"),
		want: `
plan.yaml:9:17: ´token_from´ names the authorization server "mian", which is not in the plan
   9 |     token_from: mian
     |                 ^
       did you mean ´main´?
`,
	},
	{
		name: "urls",
		text: with("https://as.example", "as.example") + "    origin: 'a b'\n    addresses: [192.0.2.1:99999]\n",
		want: `
plan.yaml:2:40: ´issuer´ is not an absolute URL
   2 | authorization_servers: {main: {issuer: as.example}}
     |                                        ^
       write it with scheme and host: https://host.example/path
plan.yaml:12:13: ´origin´ is neither a URL nor host:port
  12 |     origin: 'a b'
     |             ^
       write https://origin.example:8443 or origin.example:8443
plan.yaml:13:17: ´addresses´ cannot be "192.0.2.1:99999"
  13 |     addresses: [192.0.2.1:99999]
     |                 ^
       write host:port or host, such as 192.0.2.10:8443 or [2001:db8::1]:8443
`,
	},
	{
		name: "password in a url",
		text: with("https://edge.example", "https://me:hunter2@edge.example"),
		want: `
plan.yaml:8:10: ´url´ holds a user or password
   8 |     url: https://***@edge.example
     |          ^
       take it out of the URL; secrets are given by reference
`,
	},
	{
		name: "path in a point's url",
		text: with("https://edge.example", "https://edge.example/v1/?a"),
		want: `
plan.yaml:8:10: ´url´ has a path
   8 |     url: https://edge.example/v1/?a
     |          ^
       take it away and put it into each request: GET /v1/...
`,
	},
	{
		name: "placeholder in a request",
		text: with("GET /items", "'GET /items/{id}?of={client_id}'"),
		want: `
plan.yaml:11:31: ´request´ has the unknown placeholder {id}
  11 |       - {name: list, request: 'GET /items/{id}?of={client_id}'}
     |                               ^
       only {client_id} is replaced here, by the id of the client that calls
`,
	},
	{
		name: "two points of one name",
		text: small + "  - {name: edge, url: http://b.example, revocation: push, operations: [{name: a, request: GET /, deny: true, route_proof: neighbour}]}\n",
		want: `
plan.yaml:12:12: there are two points named edge, the first in line 7
  12 |   - {name: edge, url: http://b.example, revocation: push, operations: [{name: a, request: GET /, deny: true, route_proof
     |            ^
       give each point a name of its own
plan.yaml:12:71: point edge has no operation that is allowed
  12 |  edge, url: http://b.example, revocation: push, operations: [{name: a, request: GET /, deny: true, route_proof: neighbou
     |                                                             ^
       add one that the partner may call: a refusal counts only beside a call that gets in
plan.yaml:12:123: ´route_proof´ names neighbour, which is not in the cast
  12 | e, url: http://b.example, revocation: push, operations: [{name: a, request: GET /, deny: true, route_proof: neighbour}]}
     |                                                                                                             ^
       add that client to ´clients´, or choose from: partner
`,
	},
	{
		name: "request",
		text: with("request: GET /items", "request: get /items, deny: yes"),
		want: `
plan.yaml:11:31: ´request´ cannot be "get /items"
  11 |       - {name: list, request: get /items, deny: yes}
     |                               ^
       write a method in capitals, a space and a target: GET /payments
plan.yaml:11:49: ´deny´ wants true or false, not text
  11 |       - {name: list, request: get /items, deny: yes}
     |                                                 ^
       write true or false
`,
	},
	{
		name: "words",
		text: with("revocation: introspect", "revocation: introspct\n    credential: jwt"),
		want: `
plan.yaml:9:17: ´revocation´ cannot be "introspct"
   9 |     revocation: introspct
     |                 ^
       did you mean ´introspect´? allowed: introspect, push, expiry
plan.yaml:10:17: ´credential´ cannot be "jwt"
  10 |     credential: jwt
     |                 ^
       allowed: bearer, dpop, mtls, api_key, basic, exec
`,
	},
	{
		name: "DPoP without a partner that proves",
		text: with("revocation: introspect", "revocation: introspect\n    credential: dpop"),
		want: `
plan.yaml:10:17: point edge wants DPoP, and the partner's tokens are not bound by it
  10 |     credential: dpop
     |                 ^
       say ´sender_constraint: dpop´ under the partner, or here ´credential: bearer´ and ´dpop: true´ if the point takes both
`,
	},
	{
		name: "DPoP where no tokens are taken",
		text: with("revocation: introspect", "dpop: true\n    credential: mtls"),
		want: `
plan.yaml:9:11: point edge takes DPoP-bound tokens, but its credential is no token
   9 |     dpop: true
     |           ^
       say ´credential: bearer´ or ´credential: dpop´, or remove ´dpop´
`,
	},
	{
		name: "status",
		text: with("GET /items", "GET /items, accepted_when: {status: [200, 20], json: items}"),
		want: `
plan.yaml:11:73: 20 is no HTTP status code
  11 |       - {name: list, request: GET /items, accepted_when: {status: [200, 20], json: items}}
     |                                                                         ^
       write one from 100 to 599
plan.yaml:11:84: ´json´ is no JSON pointer: "items"
  11 |       - {name: list, request: GET /items, accepted_when: {status: [200, 20], json: items}}
     |                                                                                    ^
       begin it with a slash: /items (RFC 6901)
`,
	},
	{
		name: "covers",
		text: small + "audit:\n  - {name: log, covers: [egde]}\n",
		want: `
plan.yaml:13:5: the log log wants exactly one of ´file´ and ´exec´
  13 |   - {name: log, covers: [egde]}
     |     ^
       add ´file: PATH´ or ´exec: [COMMAND]´, not both
plan.yaml:13:26: ´covers´ names "egde", which is no point and no authorization server
  13 |   - {name: log, covers: [egde]}
     |                          ^
       did you mean ´edge´? allowed: main, edge
`,
	},
	{
		name: "audit",
		text: small + "audit: nothing\n",
		want: `
plan.yaml:12:8: ´audit´ wants a list of logs or the word none, not text
  12 | audit: nothing
     |        ^
       write ´audit: none´, or ´- {name: edge, file: edge.jsonl, covers: [edge]}´ below it
`,
	},
	{
		name: "hooks",
		text: small + "hooks:\n  suspnd: {http: \"POST https://a.example/{client}\"}\n  resume: {exec: [a], http: a}\n  find_client: {http: \"GET https://{client_id}.example/\"}\n",
		want: `
plan.yaml:13:11: there is no hook "suspnd"
  13 |   suspnd: {http: "POST https://a.example/{client}"}
     |           ^
       did you mean ´suspend´? allowed: suspend, resume, reduce_entitlement, restore_entitlement, take_role, give_role, open_window, close_window, schedule_window, rotate_secret, rotate_key, rotate_certificate, issue_certificate, withdraw_certificate, publish_keys, rotate_signing_key, withdraw_signing_key, mint_token, facts, find_client, delete_client, provision, provision_api_key, deprovision, software_statement, mint_initial_access_token, break_introspection, restore_introspection
plan.yaml:13:18: ´http´ has the unknown placeholder {client}
  13 |   suspnd: {http: "POST https://a.example/{client}"}
     |                  ^
       did you mean ´{client_id}´? allowed: {client_id}, {client_name}, {scope}, {role}, {resource}, {kid}, {auth}, {subject_dn}, {jwks}, {csr}, {certificate}, {thumbprint}, {serial}, {from}, {until}, {organization}, {fault}
plan.yaml:14:11: the hook resume wants exactly one of ´http´ and ´exec´
  14 |   resume: {exec: [a], http: a}
     |           ^
       add ´http: POST https://admin.example/...´ or ´exec: [COMMAND]´, not both
plan.yaml:14:29: ´http´ wants METHOD and URL
  14 |   resume: {exec: [a], http: a}
     |                             ^
       write: POST https://admin.example/clients/{client_id}/suspend
plan.yaml:15:23: ´http´ has a placeholder in its host
  15 |   find_client: {http: "GET https://{client_id}.example/"}
     |                       ^
       write the host out: only hosts in the plan are called
`,
	},
	{
		name: "exclusions",
		text: small + "out_of_scope:\n  - {check: revok.*, reason: r, owner: ops, expires: 2027-01-01}\n  - {check: revoke.*, reason: r, owner: payments team, expires: 2026-01-31}\nwaivers:\n  - {check: revoke, point: egde, expires: tomorrow}\n",
		want: `
plan.yaml:13:13: ´check´ cannot be "revok.*": there is no stage "revok"
  13 |   - {check: revok.*, reason: r, owner: ops, expires: 2027-01-01}
     |             ^
       did you mean ´revoke´? allowed: discover, register, authenticate, issue, bind, claims, enforce, audit, rotate, expire, revoke, compromise, offboard
plan.yaml:14:65: the exclusion of revoke.* expired on 2026-01-31; payments team owns it
  14 |   - {check: revoke.*, reason: r, owner: payments team, expires: 2026-01-31}
     |                                                                 ^
       ask the owner to renew it, or remove it
plan.yaml:16:5: ´waivers.0´ has no ´reason´
  16 |   - {check: revoke, point: egde, expires: tomorrow}
     |     ^
       add ´reason: vendor change freeze´
plan.yaml:16:5: ´waivers.0´ has no ´owner´
  16 |   - {check: revoke, point: egde, expires: tomorrow}
     |     ^
       add ´owner: payments team´
plan.yaml:16:13: ´check´ cannot be "revoke"
  16 |   - {check: revoke, point: egde, expires: tomorrow}
     |             ^
       write a check's id, or revoke.*, or "*"
plan.yaml:16:28: ´point´ names "egde", which is no point and no authorization server
  16 |   - {check: revoke, point: egde, expires: tomorrow}
     |                            ^
       did you mean ´edge´? allowed: main, edge
plan.yaml:16:43: ´expires´: "tomorrow" is not a date
  16 |   - {check: revoke, point: egde, expires: tomorrow}
     |                                           ^
       write a day as 2027-01-31, or an instant as 2027-01-31T18:00:00Z
`,
	},
	{
		name: "allow without authorization",
		text: small + "allow: [load, lock-out]\n",
		want: `
plan.yaml:12:8: ´allow´ needs ´authorization´
  12 | allow: [load, lock-out]
     |        ^
       add ´authorization: {ticket: SEC-1412, approver: security desk, until: 2027-01-31}´
plan.yaml:12:15: ´allow´ cannot be "lock-out"
  12 | allow: [load, lock-out]
     |               ^
       did you mean ´lockout´? allowed: shared-impact, load, lockout, smuggling, resource
`,
	},
	{
		name: "allow with an old authorization",
		text: small + "allow: [load]\nauthorization: {ticket: T-1, approver: desk, until: 2026-10-05}\n",
		want: `
plan.yaml:13:53: the authorization T-1 by desk ended on 2026-10-05
  13 | authorization: {ticket: T-1, approver: desk, until: 2026-10-05}
     |                                                     ^
       ask for it again, or remove ´allow´ and ´authorization´
`,
	},
	{
		name: "production",
		text: small + "environment: production\nallow: [load]\nauthorization: {ticket: T-1, approver: desk, until: 2027-10-05}\n",
		want: `
plan.yaml:13:8: in production only harmless checks are allowed
  13 | allow: [load]
     |        ^
       remove ´allow´, or ride against staging
`,
	},
	{
		name: "what does not go together",
		text: with("    operations:\n      - {name: list, ", "    exec: [./sign]\n    identity: {partnr: x}\n    operations:\n      - {name: list, headers: {Authorization: Bearer hunter2}, ") + "hooks: {suspend: {exec: [a], body: \"{kidd}\"}}\naudit:\n  - {name: a, file: a, covers: [edge]}\n  - {name: a, file: b, covers: [edge]}\n",
		want: `
plan.yaml:10:11: point edge has ´exec´, but another credential
  10 |     exec: [./sign]
     |           ^
       say ´credential: exec´ or remove ´exec´
plan.yaml:11:24: ´identity´ names "partnr", which is not in the cast
  11 |     identity: {partnr: x}
     |                        ^
       did you mean ´partner´?
plan.yaml:13:47: the header field Authorization of an operation would be a credential
  13 |       - {name: list, headers: {Authorization: ***}, request: GET /items}
     |                                               ^
       remove it: credentials come from the cast
plan.yaml:14:18: the hook suspend has a body or header fields, but no ´http´
  14 | hooks: {suspend: {exec: [a], body: "{kidd}"}}
     |                  ^
       a command takes arguments only
plan.yaml:14:36: ´body´ has the unknown placeholder {kidd}
  14 | hooks: {suspend: {exec: [a], body: "{kidd}"}}
     |                                    ^
       did you mean ´{kid}´? allowed: {client_id}, {client_name}, {scope}, {role}, {resource}, {kid}, {auth}, {subject_dn}, {jwks}, {csr}, {certificate}, {thumbprint}, {serial}, {from}, {until}, {organization}, {fault}
plan.yaml:17:12: there are two logs named a, the first in line 16
  17 |   - {name: a, file: b, covers: [edge]}
     |            ^
       give each log a name of its own
`,
	},
	{
		name: "certificate half given",
		text: with("scopes: [read]", "auth: private_key_jwt, may: [read], certificate: {cert: file:a.pem}, owns: {lst: /items/1}"),
		want: `
plan.yaml:5:49: client partner has ´may´, but no ´id´
   5 |   - {name: partner, auth: private_key_jwt, may: [read], certificate: {cert: file:a.pem}, owns: {lst: /items/1}}
     |                                                 ^
       ´may´ bounds what is done to a client that exists; what the ride registers it may do anything to
plan.yaml:5:70: the certificate of client partner is neither issued nor given
   5 |   - {name: partner, auth: private_key_jwt, may: [read], certificate: {cert: file:a.pem}, owns: {lst: /items/1}}
     |                                                                      ^
       add ´cert´ and ´key´, or ´issue: {ca: file:PATH, key: file:PATH}´
plan.yaml:5:102: ´owns´ names the operation "lst", which no point has
   5 |   - {name: partner, auth: private_key_jwt, may: [read], certificate: {cert: file:a.pem}, owns: {lst: /items/1}}
     |                                                                                                      ^
       did you mean ´list´?
`,
	},
	{
		name: "issued by nobody",
		text: with("scopes: [read]", "auth: tls_client_auth, certificate: {issue: {subject: 'x-{name}'}}"),
		want: `
plan.yaml:5:65: nobody issues the certificate of client partner
   5 |   - {name: partner, auth: tls_client_auth, certificate: {issue: {subject: 'x-{name}'}}}
     |                                                                 ^
       give a test CA by ´ca´ and ´key´, or add the hook ´issue_certificate´
`,
	},
	{
		name: "a CA without its key",
		text: with("scopes: [read]", "auth: tls_client_auth, certificate: {issue: {ca: file:ca.pem}}"),
		want: `
plan.yaml:5:65: a test CA is named by half
   5 |   - {name: partner, auth: tls_client_auth, certificate: {issue: {ca: file:ca.pem}}}
     |                                                                 ^
       give both ´ca´ and ´key´, or neither and the hook ´issue_certificate´
`,
	},
	{
		name: "references",
		text: with("scopes: [read]", "id: 'env:1X', secret: 'file:', api_key: [hunter2]"),
		want: `
plan.yaml:5:25: ´id´: env: wants the name of a variable
   5 |   - {name: partner, id: 'env:1X', secret: ***, api_key: [***]}
     |                         ^
       write env:NAME, with letters, digits and _
plan.yaml:5:43: ´secret´ is a secret and stands in the plan itself
   5 |   - {name: partner, id: 'env:1X', secret: ***, api_key: [***]}
     |                                           ^
       write env:NAME or file:PATH, and change the secret if the plan was shared
plan.yaml:5:61: ´api_key´ wants one value, not a list
   5 |   - {name: partner, id: 'env:1X', secret: ***, api_key: [***]}
     |                                                         ^
       for example: ´api_key: env:PARTNER_API_KEY´
`,
	},
	{
		name: "an operation that needs a scope which its point does not know",
		text: with("revocation: introspect\n    operations:\n      - {name: list, request: GET /items}", "revocation: introspect\n    scopes: [read]\n    operations:\n      - {name: list, request: GET /items, scopes: [read, write]}"),
		want: `
plan.yaml:12:51: the operation list needs the scope "write", which the ´scopes´ of point edge do not name
  12 |       - {name: list, request: GET /items, scopes: [read, write]}
     |                                                   ^
       add it to the ´scopes´ of the point: all that its resource knows
`,
	},
	{
		name: "quotas that promise nothing",
		text: strings.NewReplacer("main: {issuer: https://as.example}", "main: {issuer: https://as.example, quota: {requests: 0, within: 1m}}",
			"revocation: introspect", "revocation: introspect\n    quota: {requests: 5, within: 0s}").Replace(small),
		want: `
plan.yaml:2:78: ´requests´ is 0: no request would be let through
   2 | authorization_servers: {main: {issuer: https://as.example, quota: {requests: 0, within: 1m}}}
     |                                                                              ^
       write 1 or more, or remove ´quota´
plan.yaml:10:34: ´within´ is 0: every rate keeps to that
  10 |     quota: {requests: 5, within: 0s}
     |                                  ^
       write 1s or more
`,
	},
	{
		name: "a proxy's password in the plan",
		text: small + "proxy: http://me:hunter2@proxy.example:3128\nproxy_credentials: me:hunter2\n",
		want: `
plan.yaml:12:8: ´proxy´ holds a user or password
  12 | proxy: http://***@proxy.example:3128
     |        ^
       take it out of the URL, and give it by reference: proxy_credentials: env:NAME
plan.yaml:13:20: ´proxy_credentials´ is a secret and stands in the plan itself
  13 | proxy_credentials: ***
     |                    ^
       write env:NAME or file:PATH, and change the secret if the plan was shared
`,
	},
	{
		name: "a password for no proxy",
		text: small + "proxy_credentials: env:PROXY\nproxy_ca: file:ca.pem\n",
		want: `
plan.yaml:12:20: ´proxy_credentials´ is for a proxy, and ´proxy´ is none
  12 | proxy_credentials: env:PROXY
     |                    ^
       say ´proxy: http://proxy.example:3128´, or remove it
plan.yaml:13:11: ´proxy_ca´ is for a proxy, and ´proxy´ is none
  13 | proxy_ca: file:ca.pem
     |           ^
       say ´proxy: https://proxy.example:3128´, or remove it
`,
	},
	{
		name: "nothing to say",
		text: small + "waivers:\nproxy: \"\"\npace: {concurrency: 0}\n",
		want: `
plan.yaml:12:9: ´waivers´ has no value
  12 | waivers:
     |         ^
       give it a value or remove the key
plan.yaml:13:8: ´proxy´ is empty
  13 | proxy: ""
     |        ^
       give it a value such as http://proxy.example:3128 or remove the key
plan.yaml:14:21: ´concurrency´ is 0: nothing could be sent
  14 | pace: {concurrency: 0}
     |                     ^
       write 1 or more
`,
	},
}

// with gives the small plan with a text replaced, which must be there.
func with(old, replacement string) string {
	if strings.Count(small, old) != 1 {
		panic("not there once: " + old)
	}
	return strings.Replace(small, old, replacement, 1)
}

func TestBadPlans(t *testing.T) {
	for _, bad := range badPlans {
		t.Run(bad.name, func(t *testing.T) {
			_, err := parse(bad.text)
			if err == nil {
				t.Fatal("no error")
			}
			checkErrors(t, err)
			want := strings.NewReplacer("´", "`", "ALL-KEYS", strings.Join(keysOf(fieldsOf(planType)), ", ")).Replace(strings.Trim(bad.want, "\n"))
			if err.Error() != want {
				t.Errorf("got:\n%s\nwant:\n%s", err, want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("a secret is shown")
			}
		})
	}
}
