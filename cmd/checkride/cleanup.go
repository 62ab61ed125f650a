package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/cleanup"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/verdict"
)

func newCleanup() *cobra.Command {
	var from string
	var exec bool
	cmd := &cobra.Command{
		Use:   "cleanup LEDGER",
		Short: "remove what a killed ride left in the stack",
		Long: `Reads the ledger of a ride that was killed and removes what it created: with the registration tokens that the ledger
keeps sealed, else by the plan's hooks find_client and delete_client. Each removal is tried. What could not be removed
is listed by name, with exit 4. May be called again.`,
		Example: examples(`
checkride cleanup checkride-20261006-081428/ledger.jsonl
checkride cleanup ledger.jsonl --plan plan.yaml      if the plan has moved, or was given hooks since`),
		Args: one("ledger"),
		RunE: func(cmd *cobra.Command, args []string) error { return clean(cmd, args[0], from, exec) },
	}
	cmd.Flags().StringVar(&from, "plan", "", "the plan; without it, the one that the ledger names")
	cmd.Flags().BoolVar(&exec, "allow-exec", false, "let the plan run its commands on this machine")
	return cmd
}

func clean(cmd *cobra.Command, path, from string, exec bool) error {
	state, err := stateDir()
	if err != nil && os.Getenv("CHECKRIDE_LEDGER_KEY") == "" {
		return err
	}
	job, err := cleanup.Open(path, state)
	if err != nil {
		return &misuse{err: err}
	}
	defer job.Close()
	fates, err := cleaned(cmd, job, from, exec)
	if err != nil {
		return err
	}
	return told(cmd, job, fates)
}

func cleaned(cmd *cobra.Command, job *cleanup.Job, from string, exec bool) ([]cleanup.Fate, error) {
	if len(job.Left()) == 0 {
		return nil, nil
	}
	path, when := job.Plan()
	if from != "" {
		path = from
	}
	if path == "" {
		return nil, misused("give it with --plan", "the ledger does not say which plan it belongs to")
	}
	// Read as of the ride: a waiver that has ended since must not hinder a cleanup.
	p, err := plan.Load(path, plan.At(when))
	if err != nil {
		return nil, &misuse{err: err, hint: "give the plan with --plan"}
	}
	return job.Clean(cmd.Context(), cleanup.Config{Plan: p, AllowExec: exec, Tool: tool()})
}

// told says what became of each item. What is left, and what the ledger has lost, is "cannot tell".
func told(cmd *cobra.Command, job *cleanup.Job, fates []cleanup.Fate) error {
	w := cmd.OutOrStdout()
	gone, left := 0, 0
	for _, fate := range fates {
		word := "gone"
		if !fate.Gone {
			word = "LEFT"
			left++
		} else {
			gone++
		}
		name := fate.Name
		if name == "" {
			name = fate.ClientID
		}
		fmt.Fprintf(w, "%s  %s %s at %s: %s\n", word, fate.Kind, name, fate.Server, fate.Detail)
	}
	damage := job.Damage()
	if damage != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "checkride: %s\n", damage)
	}
	if len(fates) == 0 && damage == nil {
		fmt.Fprintln(w, "nothing is left of this ride")
		return nil
	}
	fmt.Fprintf(w, "%s gone, %d left\n", verdict.Count(gone, "client"), left)
	if left > 0 || damage != nil {
		return exited(exitCannotTell)
	}
	return nil
}
