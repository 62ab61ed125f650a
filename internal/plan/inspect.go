package plan

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

// deepest is how deep a plan may nest: the deepest key has nine levels, free client metadata a few more.
const deepest = 24

// longest is how many members a list or a mapping may have. It keeps a plan from a stranger cheap to judge.
const longest = 1000

// inspect refuses what makes YAML say more than one sees: anchors, aliases, merge keys, tags, duplicate and
// composed keys. It says whether the tree is fit to be decoded.
func (d *decoder) inspect(node *yaml.Node, depth int) bool {
	if depth > deepest {
		d.add(node.Line, node.Column, fmt.Sprintf("nested deeper than %d levels", deepest), "a plan needs no more than ten: look for a missing line break or bracket")
		return false
	}
	if node.Kind == yaml.AliasNode {
		d.add(node.Line, node.Column, fmt.Sprintf("alias *%s is not allowed in a plan", printable(node.Value)), "write the value out: each promise must stand on its own line")
		return true
	}
	if len(node.Content) > 2*longest || node.Kind == yaml.SequenceNode && len(node.Content) > longest {
		d.add(node.Line, node.Column, fmt.Sprintf("more than %d members", longest), "no stack needs as many: split the plan")
		return false
	}
	if node.Anchor != "" {
		d.add(node.Line, node.Column, fmt.Sprintf("anchor &%s is not allowed in a plan", printable(node.Anchor)), "remove it and write the value out where it is needed")
	}
	if node.Style&yaml.TaggedStyle != 0 {
		d.add(node.Line, node.Column, fmt.Sprintf("tag %s is not allowed in a plan", printable(node.Tag)), "remove the tag")
	}
	if node.Kind == yaml.MappingNode {
		d.inspectKeys(node)
	}
	for _, child := range node.Content {
		if !d.inspect(child, depth+1) {
			return false
		}
	}
	return true
}

func (d *decoder) inspectKeys(node *yaml.Node) {
	first := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		switch {
		case key.Kind == yaml.AliasNode:
			continue
		case key.Kind != yaml.ScalarNode:
			d.add(key.Line, key.Column, "a key must be a word", "remove the ? or the brackets")
			continue
		case key.Value == "<<" && key.Tag == "!!merge":
			d.add(key.Line, key.Column, "merge key << is not allowed in a plan", "write the keys out: each promise must stand on its own line")
			continue
		}
		line, twice := first[key.Value]
		if twice {
			d.add(key.Line, key.Column, fmt.Sprintf("key `%s` is there twice, first in line %d", printable(key.Value), line), "remove one of them")
			continue
		}
		first[key.Value] = key.Line
	}
}
