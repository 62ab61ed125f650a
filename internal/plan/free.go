package plan

import (
	"strconv"

	"go.yaml.in/yaml/v4"
)

// free decodes what has no known type: client metadata.
func (d *decoder) free(node *yaml.Node) any {
	switch node.Kind {
	case yaml.MappingNode:
		table := map[string]any{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			table[node.Content[i].Value] = d.free(node.Content[i+1])
		}
		return table
	case yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, child := range node.Content {
			list[i] = d.free(child)
		}
		return list
	case yaml.ScalarNode:
		return freeScalar(node)
	}
	return nil
}

func freeScalar(node *yaml.Node) any {
	switch node.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return node.Value == "true"
	case "!!int":
		n, err := strconv.ParseInt(node.Value, 10, 64)
		if err == nil {
			return n
		}
	case "!!float":
		x, err := strconv.ParseFloat(node.Value, 64)
		if err == nil && x-x == 0 { // no infinity: JSON has none
			return x
		}
	}
	return node.Value
}
