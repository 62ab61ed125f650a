package main

import (
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/docs"
	"github.com/checkride/checkride/internal/logbook"
)

func newChecks() *cobra.Command {
	var stage string
	cmd := &cobra.Command{
		Use:   "checks",
		Short: "list the checks: id, severity, where they run, and the defect that proves them",
		Example: examples(`
checkride checks
checkride checks --stage revoke
checkride explain bind.without-its-certificate     one of them`),
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if stage != "" && !slices.Contains(stages(), stage) {
				return misused("the stages are "+fmt.Sprint(stages()), "--stage %s: there is no such stage", stage)
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, c := range checks.Catalogue() {
				if stage != "" && string(c.Stage()) != stage {
					continue
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", c.ID, c.Severity, docs.Where(c.At), c.Card().Twin)
			}
			return table.Flush()
		},
	}
	cmd.Flags().StringVar(&stage, "stage", "", "only this stage of a partner's life")
	completes(cmd, "stage", stages)
	return cmd
}

func stages() []string {
	var all []string
	for _, stage := range logbook.Stages {
		all = append(all, string(stage))
	}
	return all
}
