package main

import (
	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/plan"
)

func newPlan() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "show how a plan is written: an example, the JSON schema, all members",
		Example: examples(`
checkride plan example > plan.yaml        a whole plan with comments
checkride plan schema > plan.schema.json  for editors: completion and errors while one types
checkride plan reference | less           every member, with its default`),
	}
	for _, page := range []struct {
		name, short string
		text        func() []byte
	}{
		{"example", "print a whole plan with comments", plan.Example},
		{"schema", "print the JSON schema of plans", plan.Schema},
		{"reference", "print every member of a plan, as Markdown", plan.Markdown},
	} {
		cmd.AddCommand(&cobra.Command{
			Use: page.name, Short: page.short, Args: none, Example: examples("checkride plan " + page.name),
			RunE: func(cmd *cobra.Command, _ []string) error {
				_, err := cmd.OutOrStdout().Write(page.text())
				return err
			},
		})
	}
	return cmd
}
