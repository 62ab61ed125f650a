package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/prove"
	"github.com/checkride/checkride/internal/verdict"
)

func newProve() *cobra.Command {
	var only []string
	var side int
	cmd := &cobra.Command{
		Use:   "prove",
		Short: "prove each check: quiet on the healthy sandbox, loud on the one with its defect",
		Long: `Rides the healthy sandbox with all checks, and for each check a sandbox with the defect that it is there to find. All
in memory, in real time, many side by side. Exit 0 if every check is quiet and loud where it must be, else 3.`,
		Example: examples(`
checkride prove
checkride prove --only 'revoke.*'`),
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			catalogue, err := selected(only)
			if err != nil {
				return err
			}
			return proof(cmd, catalogue, side)
		},
	}
	cmd.Flags().StringArrayVar(&only, "only", nil, "a check's id or a pattern like 'revoke.*'; may be repeated")
	cmd.Flags().IntVar(&side, "side-by-side", 12, "how many sandboxes run at once")
	completes(cmd, "only", ids)
	return cmd
}

func selected(only []string) ([]*check.Check, error) {
	if len(only) == 0 {
		return checks.Catalogue(), nil
	}
	var chosen []*check.Check
	for _, pattern := range only {
		found := matching(pattern)
		if len(found) == 0 {
			return nil, misused("`checkride checks` lists them", "--only %s: no check is called that", pattern)
		}
		for _, c := range found {
			if !slices.Contains(chosen, c) {
				chosen = append(chosen, c)
			}
		}
	}
	return chosen, nil
}

func proof(cmd *cobra.Command, catalogue []*check.Check, side int) error {
	dir, err := os.MkdirTemp("", "checkride-prove-")
	if err != nil {
		return fmt.Errorf("prove: %w; set TMPDIR to a place that can be written", err)
	}
	defer os.RemoveAll(dir)
	w := cmd.OutOrStdout()
	quiet, loud, wrong := 0, 0, 0
	began := time.Now()
	err = prove.RealTime{Catalogue: catalogue, Side: side, Dir: dir, Done: func(t prove.Trial) {
		on := "healthy"
		if len(t.Defects) > 0 {
			on = strings.Join(t.Defects, " ")
		}
		switch {
		case !t.Right:
			wrong++
			fmt.Fprintf(w, "WRONG %s on %s: %s\n", t.Check, on, t.Because)
		case len(t.Defects) > 0:
			loud++
			fmt.Fprintf(w, "loud  %s on %s\n", t.Check, on)
		default:
			quiet++
		}
	}}.Run(cmd.Context())
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s: %d loud on the sandbox with their defect, %d quiet on the healthy one, %d wrong; %s\n",
		verdict.Count(len(catalogue), "check"), loud, quiet, wrong, verdict.Time(time.Since(began)))
	if wrong > 0 {
		return exited(exitNotReady)
	}
	return nil
}
