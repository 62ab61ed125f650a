package main

import (
	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
)

// matching gives the checks of an id, or of a pattern that ends with a star.
func matching(pattern string) []*check.Check {
	var found []*check.Check
	for _, c := range checks.Catalogue() {
		if c.Matches(pattern) {
			found = append(found, c)
		}
	}
	return found
}

// ids gives the ids of all checks.
func ids() []string {
	var all []string
	for _, c := range checks.Catalogue() {
		all = append(all, c.ID)
	}
	return all
}

// titled gives the ids with their titles, as shells show them.
func titled() []string {
	var all []string
	for _, c := range checks.Catalogue() {
		all = append(all, c.ID+"\t"+c.Title)
	}
	return all
}

// completes lets the shell complete a flag's values.
func completes(cmd *cobra.Command, flag string, values func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the flag does not exist
	}
}

// plans lets the shell complete the name of a plan.
func plans(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}
