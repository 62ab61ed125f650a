package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox"
)

func newSandbox() *cobra.Command {
	var defects, situations []string
	var dir string
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "run the reference stack on loopback until Ctrl-C",
		Long: `Runs an authorization server, three enforcement points, an API and their logs on loopback, says where they listen
and how to play a partner by hand, and writes a plan that fits. Healthy unless told otherwise. Ctrl-C ends it.

A defect is a real bug: ` + listed(defect.All()) + `

A situation is an honest stack that traps a naive tester: ` + listed(defect.Situations()),
		Example: examples(`
checkride sandbox                                              healthy, in a temporary directory
checkride sandbox --defect alg_none --defect token_cache=6s
checkride sandbox --situation waf --situation lagging_replicas=500ms
checkride sandbox --dir stack                                  then: checkride run stack/plan.yaml`),
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := defect.Parse(defects...)
			if err != nil {
				return &misuse{err: err}
			}
			situation, err := defect.ParseSituation(situations...)
			if err != nil {
				return &misuse{err: err}
			}
			return stay(cmd, dir, set, situation)
		},
	}
	cmd.Flags().StringArrayVar(&defects, "defect", nil, "a defect, NAME or NAME=6s; may be repeated")
	cmd.Flags().StringArrayVar(&situations, "situation", nil, "a situation, NAME or NAME=VALUE; may be repeated")
	cmd.Flags().StringVar(&dir, "dir", "", "where the plan, keys and logs are written; without it a temporary directory, removed at the end")
	completes(cmd, "defect", defect.All)
	completes(cmd, "situation", defect.Situations)
	return cmd
}

func stay(cmd *cobra.Command, dir string, set defect.Set, situation defect.Situation) error {
	if dir == "" {
		made, err := os.MkdirTemp("", "checkride-sandbox-")
		if err != nil {
			return fmt.Errorf("sandbox: %w; give a place with --dir", err)
		}
		defer os.RemoveAll(made)
		dir = made
	}
	dir, err := filepath.Abs(dir) // what is printed must work from anywhere
	if err != nil {
		return err
	}
	stack, err := sandbox.Start(sandbox.Config{Dir: dir, Defects: set, Situation: situation})
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	w := cmd.OutOrStdout()
	fmt.Fprint(w, stack.Describe())
	on := set.Names()
	if len(on) > 0 {
		fmt.Fprintf(w, "\nDefects that are on: %s\n", strings.Join(on, ", "))
	}
	fmt.Fprintf(w, "\nRide it: checkride run %s\nCtrl-C ends the sandbox.\n", near(stack.Plan()))
	<-cmd.Context().Done()
	return stack.Close()
}

// listed sets names in lines that fit a terminal.
func listed(names []string) string {
	names = slices.Clone(names)
	slices.Sort(names)
	var b strings.Builder
	column := 1000
	for i, name := range names {
		if column+len(name)+2 > 116 {
			b.WriteString("\n ")
			column = 1
		}
		b.WriteString(" " + name)
		column += len(name) + 2
		if i < len(names)-1 {
			b.WriteString(",")
		}
	}
	return b.String()
}
