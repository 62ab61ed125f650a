package compare

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// plans compares what the rides were judged by. Limits, what a point promises, the profile and what blocks must be the
// same; versions, gaps, waivers and the rest of the plans may differ lawfully, and are told.
func (c *Comparison) plans() {
	c.limits()
	points := [2]map[string]logbook.Point{named(c.Sides[0].Head.Points), named(c.Sides[1].Head.Points)}
	for _, p := range c.Points {
		if p.Matched() {
			c.promises("points."+p.Name()+".", points[0][p.Names[0]], points[1][p.Names[1]])
		}
	}
	first, second := &c.Sides[0].Head, &c.Sides[1].Head
	c.differ("profile", profile(first), profile(second), Drifted)
	c.differ("blocks", first.Blocks.String(), second.Blocks.String(), Drifted)
	c.differ("pinned catalogue", first.Pinned, second.Pinned, Noted)
	c.differ("catalogue", first.Catalogue, second.Catalogue, Noted)
	c.differ("program", first.Tool, second.Tool, Noted)
	c.exclusions("out of scope", first.Scope, second.Scope)
	c.exclusions("waivers", first.Waivers, second.Waivers)
	for _, p := range c.Points {
		if p.Matched() {
			c.differ("how "+p.Name()+" behaves", c.Sides[0].calibrated[p.Names[0]], c.Sides[1].calibrated[p.Names[1]], Noted)
		}
	}
	if first.PlanDigest != second.PlanDigest {
		c.texts(first.PlanText, second.PlanText)
	}
}

func (c *Comparison) differ(what, first, second string, w Weight) {
	if first != second {
		c.Plans = append(c.Plans, Difference{What: what, Values: [2]string{first, second}, Weight: w})
	}
}

// limits compares each limit. One of which a book says nothing is of a newer program: it is told.
func (c *Comparison) limits() {
	first, second := c.Sides[0].Head.Limits, c.Sides[1].Head.Limits
	all := maps.Clone(first)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, second)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		a, b := first[key], second[key]
		if a == "" || b == "" {
			c.differ(key, a, b, Noted)
			continue
		}
		c.Limits++
		c.differ(key, a, b, Drifted)
	}
}

// promises compares what the plans say of one point. Its nodes are counted: more of them in production are lawful.
func (c *Comparison) promises(what string, first, second logbook.Point) {
	c.differ(what+"credential", first.Credential, second.Credential, Drifted)
	c.differ(what+"revocation", first.Revocation, second.Revocation, Drifted)
	c.differ(what+"addresses", nodes(first), nodes(second), Noted)
}

func nodes(p logbook.Point) string {
	if p.Nodes == 0 {
		return ""
	}
	return strconv.Itoa(p.Nodes)
}

func profile(head *logbook.Head) string {
	return strings.Join(slices.Sorted(slices.Values(head.Profile)), ", ")
}

// exclusions tells the gaps or waivers that one plan declares alone.
func (c *Comparison) exclusions(what string, first, second []logbook.Exclusion) {
	as := c.renamed
	said := func(all []logbook.Exclusion, as map[string]string) map[string]bool {
		set := map[string]bool{}
		for _, x := range all {
			text := x.Check
			if x.Point != "" {
				text += " at " + cmp.Or(as[x.Point], x.Point)
			}
			set[text] = true
		}
		return set
	}
	a, b := said(first, as), said(second, nil)
	c.differ(what, verdict.List(without(a, b), 8), verdict.List(without(b, a), 8), Noted)
}

// texts tells the members of the plans that differ, but for what is compared by itself and for what differs lawfully:
// addresses, references to secrets, who signed for what.
func (c *Comparison) texts(first, second string) {
	a, okA := flat(first, c.renamed)
	b, okB := flat(second, nil)
	if !okA || !okB {
		c.Plans = append(c.Plans, Difference{What: "the plans' texts, which cannot be read as plans", Values: [2]string{c.Sides[0].Head.PlanDigest, c.Sides[1].Head.PlanDigest}})
		return
	}
	all := maps.Clone(a)
	maps.Copy(all, b)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		x, inA := a[path]
		y, inB := b[path]
		parent := path[:max(strings.LastIndexByte(path, 0), 0)]
		_, parentA := a[parent]
		_, parentB := b[parent]
		switch {
		case inA && inB && (x == y || x.lawful && y.lawful):
		case !inA && !parentA, !inB && !parentB: // said of all that is around it
		case c.unmatched(path), slices.ContainsFunc(c.Plans, func(d Difference) bool { return d.What == shown(path) }): // told already
		default:
			c.differ(shown(path), x.text, y.text, Noted)
		}
	}
}

// unmatched says that a path leads to a point without counterpart.
func (c *Comparison) unmatched(path string) bool {
	parts := strings.SplitN(path, "\x00", 3)
	return len(parts) > 1 && (parts[0] == "points" || parts[0] == "authorization_servers") &&
		slices.ContainsFunc(c.Points, func(p Point) bool { return p.Name() == parts[1] && !p.Matched() })
}

// shown is a path as people write it.
func shown(path string) string { return strings.ReplaceAll(path, "\x00", ".") }

// value is what stands at a place of a plan.
type value struct {
	text   string
	lawful bool // may differ between two environments
}

const deepest = 32 // levels of a plan that are looked at

// apartFromTexts are sections that are compared by themselves, or that say who and where and not what.
var apartFromTexts = []string{"name", "environment", "limits", "profile", "catalogue", "blocks", "waivers", "out_of_scope", "authorization", "other_environment"}

// flat gives each member of a plan by its path, whose parts are joined by zero bytes. Of lists, members are named by
// their names.
func flat(plan string, as map[string]string) (map[string]value, bool) {
	var root yaml.Node
	err := yaml.Unmarshal([]byte(plan), &root)
	if err != nil || len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return nil, false
	}
	all := map[string]value{"": {}}
	top := root.Content[0]
	for i := 0; i+1 < len(top.Content); i += 2 {
		if !slices.Contains(apartFromTexts, top.Content[i].Value) {
			flatten(all, top.Content[i].Value, top.Content[i+1], as, deepest)
		}
	}
	return all, true
}

func flatten(all map[string]value, path string, node *yaml.Node, as map[string]string, levels int) {
	switch {
	case levels == 0:
	case node.Kind == yaml.MappingNode:
		all[path] = value{text: "given"}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i].Value
			flatten(all, path+"\x00"+cmp.Or(as[key], key), node.Content[i+1], as, levels-1)
		}
	case node.Kind == yaml.SequenceNode && scalars(node):
		var list []string
		lawful := false
		for _, item := range node.Content {
			list = append(list, cmp.Or(as[item.Value], item.Value))
			lawful = lawful || differsLawfully(item.Value)
		}
		all[path] = value{strings.Join(list, ", "), lawful}
	case node.Kind == yaml.SequenceNode:
		all[path] = value{text: "given"}
		for i, item := range node.Content {
			name := cmp.Or(nameOf(item), strconv.Itoa(i+1))
			flatten(all, path+"\x00"+cmp.Or(as[name], name), item, as, levels-1)
		}
	case node.Kind == yaml.AliasNode:
		all[path] = value{text: "*" + node.Value}
	default:
		last := path[strings.LastIndexByte(path, 0)+1:]
		text := cmp.Or(as[node.Value], node.Value)
		all[path] = value{text, last == "id" || last == "metadata_digest" || differsLawfully(text)}
	}
}

// scalars says that a list holds nothing but texts and numbers.
func scalars(list *yaml.Node) bool {
	return !slices.ContainsFunc(list.Content, func(n *yaml.Node) bool { return n.Kind != yaml.ScalarNode })
}

func nameOf(node *yaml.Node) string {
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == "name" {
			return node.Content[i+1].Value
		}
	}
	return ""
}

// address is a URL, HOST:PORT or an IP address, or a request to one.
var address = regexp.MustCompile(`://|^\[?[0-9A-Za-z.:-]+\]?:[0-9]+$|^[0-9]{1,3}(\.[0-9]{1,3}){3}$`)

// differsLawfully says that a text is an address or a reference to a secret: another environment has others.
func differsLawfully(text string) bool {
	scheme, _, reference := strings.Cut(text, ":")
	return reference && slices.Contains([]string{"env", "file", "exec"}, scheme) || address.MatchString(text)
}
