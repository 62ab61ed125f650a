package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

func soundsSecret(key string) bool {
	key = strings.ToLower(key)
	for _, part := range []string{"secret", "passw", "token", "key", "credential"} {
		if strings.Contains(key, part) {
			return true
		}
	}
	return false
}

func (d *decoder) hideAll(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && (Reference{Text: node.Value}).Scheme() == "" {
		d.hide(node.Value)
	}
	for _, child := range node.Content {
		d.hideAll(child)
	}
}

var legalEnv = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reference refuses literal secrets and names of files that look like a value.
func (d *decoder) reference(node *yaml.Node, r Reference, f field, at place) {
	if f.secret() && r.Scheme() == "" {
		d.hide(r.Text)
		d.fault(node, at, fmt.Sprintf("`%s` is a secret and stands in the plan itself", f.key), "write env:NAME or file:PATH, and change the secret if the plan was shared")
		return
	}
	scheme, rest, _ := strings.Cut(r.Text, ":")
	switch {
	case scheme == "env" && !legalEnv.MatchString(rest):
		d.fault(node, at, fmt.Sprintf("`%s`: env: wants the name of a variable", f.key), "write env:NAME, with letters, digits and _")
	case r.Text == "":
		d.fault(node, at, fmt.Sprintf("`%s` is empty", f.key), "give it a value"+such(f)+" or remove the key")
	case r.Scheme() == "" && (r.Text == "file:" || r.Text == "exec:"):
		d.fault(node, at, fmt.Sprintf("`%s`: %s wants something after the colon", f.key, r.Text), "write file:PATH or exec:COMMAND")
	case f.is == "pem" && r.Scheme() == "" && !strings.Contains(r.Text, "-----BEGIN "):
		d.fault(node, at, fmt.Sprintf("`%s` is neither a reference nor PEM", f.key), "write file:PATH or env:NAME")
	}
}

// credentialHeaders are header fields whose value nobody may read in a plan.
var credentialHeaders = []string{"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "apikey", "x-auth-token"}

func (d *decoder) header(node *yaml.Node, f field, name string, r Reference, at place) {
	if !slices.Contains(credentialHeaders, strings.ToLower(name)) || r.Scheme() != "" || r.Empty() {
		return
	}
	d.hideAll(node)
	d.fault(node, at, fmt.Sprintf("the header field %s is a secret and stands in the plan itself", printable(name)), "write env:NAME or file:PATH for the whole value")
}
