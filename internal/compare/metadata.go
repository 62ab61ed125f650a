package compare

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/verdict"
)

// kinds are the documents that are compared, as they are called after /.well-known/; metadata stands at a place of the
// plan's own.
var kinds = []string{"oauth-authorization-server", "openid-configuration", "metadata", "oauth-protected-resource"}

const (
	sameBytes     = "same bytes"
	sameMembers   = "same but for addresses"
	otherMembers  = "differs"
	notComparable = "not comparable"
)

// documents compares the metadata of each point that both rides have.
func (c *Comparison) documents() {
	for _, p := range c.Points {
		for _, kind := range kinds {
			if !p.Matched() {
				continue
			}
			answers := [2]*served{c.Sides[0].served[spot{p.Names[0], kind}], c.Sides[1].served[spot{p.Names[1], kind}]}
			d := Document{Point: p.Name(), Kind: kind}
			for i, s := range answers {
				if s != nil && len(s.texts) > 0 {
					d.Digests[i] = s.texts[0].digest
				}
			}
			if d.Digests[0]+d.Digests[1] == "" { // no ride read it
				continue
			}
			c.document(&d, answers)
			c.Documents = append(c.Documents, d)
		}
	}
}

func (c *Comparison) document(d *Document, answers [2]*served) {
	var members [2]map[string]any
	for i, s := range answers {
		var wrong string
		members[i], wrong = s.steady()
		switch {
		case wrong == "":
			continue
		case d.Digests[i] == "" && s != nil && s.refused > 0: // there is none, and that is known
			d.State, d.Weight = otherMembers, Drifted
			d.Why = fmt.Sprintf("%s answers %d and no document", c.Labels[i], s.refused)
		default:
			d.State, d.Weight = notComparable, Unknown
			if len(c.Sides[i].Head.Only) > 0 && d.Digests[i] == "" {
				d.Weight = Noted // a partial ride had no reason to ask for it
			}
			d.Why = c.Labels[i] + ": " + wrong
		}
		return
	}
	d.State = sameBytes
	if d.Digests[0] == d.Digests[1] {
		return
	}
	d.State = sameMembers
	same := identified(members[0]) != "" && identified(members[0]) == identified(members[1])
	d.Members = differing("", members[0], members[1], same)
	if len(d.Members) > 0 {
		d.State, d.Weight = otherMembers, Drifted
	}
}

// steady gives the one document that a place answered, or why there is none: it was not read, or from one request to the
// next it said different things.
func (s *served) steady() (map[string]any, string) {
	if s == nil || len(s.texts) == 0 {
		return nil, "it was not read"
	}
	for _, one := range s.texts {
		if one.members == nil {
			return nil, one.wrong
		}
		if len(differing("", s.texts[0].members, one.members, true)) > 0 {
			return nil, "it said different things during the ride"
		}
	}
	return s.texts[0].members, ""
}

// identified is whose document it is: the issuer (RFC 8414 §2) or the resource (RFC 9728 §2).
func identified(members map[string]any) string {
	for _, name := range []string{"issuer", "resource"} {
		text, is := members[name].(string)
		if is {
			return text
		}
	}
	return ""
}

// unsaid is what the standards say of a member that is left out: RFC 8414 §2, and of the last RFC 8705 §3.3.
var unsaid = map[string][]string{
	"grant_types_supported":                      {"authorization_code", "implicit"},
	"token_endpoint_auth_methods_supported":      {"client_secret_basic"},
	"revocation_endpoint_auth_methods_supported": {"client_secret_basic"},
	"tls_client_certificate_bound_access_tokens": {"false"},
}

// differing gives the members that differ. If the documents are not of the same server, addresses may differ in all but
// their scheme: issuer and endpoints are others in every environment.
func differing(path string, first, second map[string]any, sameServer bool) []Member {
	all := maps.Clone(first)
	maps.Copy(all, second)
	var found []Member
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if name == "signed_metadata" { // made anew each time (RFC 8414 §2.1)
			continue
		}
		a, inA := first[name]
		b, inB := second[name]
		objectA, isA := a.(map[string]any)
		objectB, isB := b.(map[string]any)
		if isA && isB {
			found = append(found, differing(path+name+".", objectA, objectB, sameServer)...)
			continue
		}
		x, y := values(name, a, inA, sameServer), values(name, b, inB, sameServer)
		m := Member{Name: path + name, Only: [2][]string{without(x, y), without(y, x)}}
		if len(m.Only[0])+len(m.Only[1]) > 0 {
			found = append(found, m)
		}
	}
	return found
}

// values gives what a member says, as a set. An empty list is none (RFC 8414 §3.2).
func values(name string, value any, said, sameServer bool) map[string]bool {
	set := map[string]bool{}
	list, isList := value.([]any)
	switch {
	case !said || isList && len(list) == 0:
		for _, one := range unsaid[name] {
			set[one] = true
		}
	case isList:
		for _, one := range list {
			set[written(one, sameServer)] = true
		}
	default:
		set[written(value, sameServer)] = true
	}
	return set
}

// written is a value as people read it, without what may differ.
func written(value any, sameServer bool) string {
	text, is := value.(string)
	if !is {
		out, err := json.Marshal(value)
		if err != nil {
			return "a value that cannot be written"
		}
		return string(out)
	}
	if sameServer {
		return text
	}
	at, err := url.Parse(text)
	if err == nil && at.Host != "" {
		return "an address of the scheme " + strings.ToLower(at.Scheme)
	}
	return text
}

// Compared counts the documents of which both were read.
func (c *Comparison) Compared() int {
	n := 0
	for _, d := range c.Documents {
		if d.State != notComparable {
			n++
		}
	}
	return n
}

// Words says a member that differs: only in staging: password; only in production: none.
func (m Member) Words(labels [2]string) string {
	var parts []string
	for i, only := range m.Only {
		if len(only) > 0 {
			parts = append(parts, "only in "+labels[i]+": "+verdict.List(only, 8))
		}
	}
	return strings.Join(parts, "; ")
}
