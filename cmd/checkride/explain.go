package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
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
		return explainCheck(w, catalogue[i])
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

func explainCheck(w io.Writer, c *check.Check) error {
	fmt.Fprintf(w, "%s\n%s\n\n", c.ID, c.Title)
	for _, field := range [][2]string{
		{"severity", c.Severity.String()}, {"where", where(c.At)}, {"needs", strings.Join(needs(c), ", ")}, {"takes", takes(c)},
		{"why", c.Why}, {"fix", c.Fix}, {"proof", "fails on a sandbox with " + c.Card().Twin},
		{"see it", "checkride demo --defect " + example(c)},
		{"alone", "checkride run plan.yaml --only " + c.ID},
	} {
		if field[1] != "" {
			fmt.Fprintf(w, "%-9s %s\n", field[0], strings.ReplaceAll(wrapped(field[1], 100), "\n", "\n"+strings.Repeat(" ", 10)))
		}
	}
	fmt.Fprintln(w, "relates to")
	var err error
	for _, ref := range c.Refs {
		_, err = fmt.Fprintf(w, "  %s\n", strings.TrimSpace(ref.String()+"  "+ref.URL))
	}
	return err
}

func needs(c *check.Check) []string {
	var all []string
	for _, need := range c.Needs {
		all = append(all, need.Name)
	}
	return all
}

// takes says what the check does to others.
func takes(c *check.Check) string {
	var all []string
	if c.Takes != check.Nothing {
		all = append(all, "a client of its own, to which it may `"+string(c.Takes)+"`")
	}
	if c.Alone {
		all = append(all, "the whole authorization server: it comes last, alone")
	}
	if c.Harm != check.Harmless {
		all = append(all, "harm of the class "+string(c.Harm)+", which the plan must allow")
	}
	return strings.Join(all, "; ")
}

// example is the twin as one writes it on a command line.
func example(c *check.Check) string {
	var all []string
	for _, name := range c.Twin.Names() {
		if c.Twin.TokenCache > 0 && name == "token_cache" {
			name += "=6s"
		}
		all = append(all, name)
	}
	return strings.Join(all, " --defect ")
}

// wrapped breaks a text into lines of a width.
func wrapped(text string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+len(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len([]rune(word))
	}
	return b.String()
}
