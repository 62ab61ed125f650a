package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/docs"
	"github.com/checkride/checkride/internal/frameworks"
)

func newExplain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain ID",
		Short: "explain a check, or a reference such as RFC 7009 §2.1 or PR.AA-05",
		Example: examples(`
checkride explain revoke.token-outlives-revocation
checkride explain "RFC 8705 3"
checkride explain NHI7
checkride explain PR.AC-4          an id of an older edition: what it is called today`),
		Args: one("id"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return titled(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error { return explain(cmd.OutOrStdout(), args[0]) },
	}
}

func explain(w io.Writer, id string) error {
	catalogue := checks.Catalogue()
	i := slices.IndexFunc(catalogue, func(c *check.Check) bool { return c.ID == id })
	if i >= 0 {
		return docs.Explain(w, catalogue[i])
	}
	text, ok := frameworks.Explain(id)
	if !ok {
		return misused("`checkride checks` lists the checks; references are written like RFC 7009 §2.1, NHI7, PR.AA-05, AC-3, ASVS 10.3.5", "%q is neither a check nor a reference", id)
	}
	_, err := fmt.Fprintln(w, text)
	if err != nil {
		return err
	}
	return citing(w, catalogue, text)
}

// citing lists the checks that relate to the reference that a text begins with.
func citing(w io.Writer, catalogue []*check.Check, text string) error {
	var all []string
	for _, c := range catalogue {
		if slices.ContainsFunc(c.Refs, func(r frameworks.Ref) bool { return strings.HasPrefix(text, r.ID+":") }) {
			all = append(all, c.ID)
		}
	}
	if len(all) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\nchecks that relate to it:\n  %s\n", strings.Join(all, "\n  "))
	return err
}
