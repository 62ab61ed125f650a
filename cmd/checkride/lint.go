package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/verdict"
)

func newLint() *cobra.Command {
	var exec bool
	cmd := &cobra.Command{
		Use:   "lint PLAN",
		Short: "look at a plan: errors, advice, commands, secrets that cannot be read",
		Long: `Reads a plan as a ride would and sends nothing. Errors show the line and end with exit 2. Advice says what makes a ride
worth less than it could be; it does not fail. References to files and variables are tried; commands are run only with
--allow-exec.`,
		Example: examples(`
checkride lint plan.yaml
checkride lint plan.yaml --allow-exec      try the commands that give secrets, too`),
		Args:              one("plan"),
		ValidArgsFunction: plans,
		RunE:              func(cmd *cobra.Command, args []string) error { return lint(cmd, args[0], exec) },
	}
	cmd.Flags().BoolVar(&exec, "allow-exec", false, "run the plan's commands that give secrets")
	return cmd
}

func lint(cmd *cobra.Command, path string, exec bool) error {
	p, err := plan.Load(path)
	if err != nil {
		return &misuse{err: err, hint: "docs/plan.md and `checkride plan example` show how a plan is written"}
	}
	w := cmd.OutOrStdout()
	places := p.UsesExec()
	for _, place := range places {
		fmt.Fprintf(w, "runs a command: %s\n", place)
	}
	advice := append(plan.Lint(p), strangers(p)...)
	for _, line := range advice {
		fmt.Fprintf(w, "advice: %s\n", line)
	}
	unread := unreadable(p, exec)
	if len(unread) > 0 {
		return &misuse{err: errors.Join(unread...), hint: "set what is missing where the ride will run, or change the plan"}
	}
	pieces := fmt.Sprintf("%d pieces of advice", len(advice))
	if len(advice) == 1 {
		pieces = "1 piece of advice"
	}
	fmt.Fprintf(w, "%s is a good plan: %s, %s, %s\n", path, verdict.Count(len(p.Points), "point"), pieces, verdict.Count(len(places), "command"))
	return nil
}

// strangers advises of exclusions that name a check which this program does not have: they would exclude nothing.
func strangers(p *plan.Plan) []string {
	var advice []string
	for section, all := range map[string][]plan.Exclusion{"out_of_scope": p.OutOfScope, "waivers": p.Waivers} {
		for i, e := range all {
			known := e.Check == "*" || strings.HasSuffix(e.Check, ".*") || slices.ContainsFunc(checks.Catalogue(), func(c *check.Check) bool { return c.ID == e.Check })
			if !known {
				advice = append(advice, fmt.Sprintf("%s (line %d): no check is called %s, so this excludes nothing; `checkride checks` lists them", section, p.Source.Lines[fmt.Sprintf("%s.%d", section, i)], e.Check))
			}
		}
	}
	slices.Sort(advice)
	return advice
}

// unreadable tries the plan's references.
func unreadable(p *plan.Plan, exec bool) []error {
	resolver := p.Resolver(secret.NewKeeper(), exec)
	references := p.References()
	var all []error
	for _, promise := range slices.Sorted(maps.Keys(references)) {
		reference := references[promise]
		if reference.Scheme() == "exec" && !exec {
			continue
		}
		_, err := resolver.Text(reference)
		if err != nil {
			all = append(all, fmt.Errorf("%s: %s: %w", p.Source.File, promise, err))
		}
	}
	return all
}
