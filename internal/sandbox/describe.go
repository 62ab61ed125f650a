package sandbox

import (
	"fmt"
	"strings"
)

// Describe says who listens where, and how to play a partner by hand with curl.
func (s *Sandbox) Describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-24s %s\n", "authorization server", s.url(mainAS))
	fmt.Fprintf(&b, "%-24s %s\n", "other issuer", s.url(otherAS))
	fmt.Fprintf(&b, "%-24s %s   verifies JWTs offline, reads a revocation feed; replicas %s and %s\n", "edge", s.url(edgePoint), s.addresses[nodeA], s.addresses[nodeB])
	fmt.Fprintf(&b, "%-24s %s   introspects, with a short cache\n", "gateway", s.url(gatewayOne))
	fmt.Fprintf(&b, "%-24s %s   introspects, tells the API in header fields; takes API keys\n", "legacy", s.url(legacyOne))
	fmt.Fprintf(&b, "%-24s %s   answers points only\n", "API", s.url(theAPI))
	fmt.Fprintf(&b, "%-24s %s\n", "management", s.url(management))
	fmt.Fprintf(&b, "%-24s %s   vouches for partners by software statements\n", "directory", s.trust.Issuer())
	fmt.Fprintf(&b, "%-24s %s\n", "plan, keys, audit logs", s.cfg.Dir)
	b.WriteString("\nPlay a partner:\n\n")
	b.WriteString(s.Commands())
	b.WriteString("\nBreak the stack (durations are nanoseconds), and heal it:\n\n")
	fmt.Fprintf(&b, "curl -sS -X POST -d '{\"token_cache\":6000000000}' %s/defects\n", s.url(management))
	fmt.Fprintf(&b, "curl -sS -X POST -d '{}' %s/defects\n", s.url(management))
	return b.String()
}

// Commands is a shell script that registers a partner, gets a token, and calls each point with it.
func (s *Sandbox) Commands() string {
	r := strings.NewReplacer(
		"{dir}", quote(s.cfg.Dir), "{as}", s.url(mainAS), "{edge}", s.url(edgePoint), "{gateway}", s.url(gatewayOne),
		"{legacy}", s.url(legacyOne), "{management}", s.url(management), "{subject}", "CN="+demoClient,
	)
	return r.Replace(`cd {dir}
CLIENT=$(curl -sS --cacert ca.pem -H "Authorization: Bearer $(cat operator-iat.txt)" -H 'Content-Type: application/json' \
  -d '{"client_name":"demo","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject_dn":"{subject}","grant_types":["client_credentials"],"scope":"payments:read","tls_client_certificate_bound_access_tokens":true}' \
  {as}/register | sed -n 's/.*"client_id":"\([^"]*\)".*/\1/p')
TOKEN=$(curl -sS --cacert ca.pem --cert demo.pem --key demo.key -d grant_type=client_credentials -d client_id=$CLIENT \
  -d resource={edge} -d resource={gateway} -d resource={legacy} {as}/token | sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')
curl -sS --cacert ca.pem --cert demo.pem --key demo.key -H "Authorization: Bearer $TOKEN" -w '\n' {edge}/payments
curl -sS --cacert ca.pem --cert demo.pem --key demo.key -H "Authorization: Bearer $TOKEN" -w '\n' {gateway}/payments
curl -sS --cacert ca.pem --cert demo.pem --key demo.key -H "Authorization: Bearer $TOKEN" -w '\n' {legacy}/payments
curl -sS -X POST {management}/clients/$CLIENT/suspend
sleep 1
curl -sS --cacert ca.pem --cert demo.pem --key demo.key -H "Authorization: Bearer $TOKEN" -w '\n' {edge}/payments
`)
}

// quote makes one word of a path for a POSIX shell.
func quote(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }
