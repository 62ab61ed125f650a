package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/docs"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/profile"
)

func newChecks() *cobra.Command {
	var stage string
	var profiles []string
	cmd := &cobra.Command{
		Use:   "checks",
		Short: "list the checks: id, severity and requirement under a profile, where they run, since when, and the defect that proves them",
		Example: examples(`
checkride checks
checkride checks --stage revoke
checkride checks --profile elevated,hygiene
checkride explain bind.without-its-certificate     one of them`),
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if stage != "" && !slices.Contains(stages(), stage) {
				return misused("the stages are "+fmt.Sprint(stages()), "--stage %s: there is no such stage", stage)
			}
			for _, name := range profiles {
				if !slices.Contains(profile.Names(), name) {
					return misused("the profiles are "+strings.Join(profile.Names(), ", "), "--profile %s: there is no such profile", name)
				}
			}
			set := profile.Of(profiles...)
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, c := range checks.Catalogue() {
				if stage != "" && string(c.Stage()) != stage {
					continue
				}
				judged := set.Judge(c.ID, c.Severity)
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", c.ID, judged.Severity, judged.Place, docs.Where(c.At), profile.Since(c.ID), c.Card().Twin)
			}
			return table.Flush()
		},
	}
	cmd.Flags().StringVar(&stage, "stage", "", "only this stage of a partner's life")
	cmd.Flags().StringSliceVar(&profiles, "profile", []string{profile.Default}, "severity and requirement under these profiles")
	completes(cmd, "stage", stages)
	completes(cmd, "profile", profile.Names)
	return cmd
}

func stages() []string {
	var all []string
	for _, stage := range logbook.Stages {
		all = append(all, string(stage))
	}
	return all
}
