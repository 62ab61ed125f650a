package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/folder"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/ride"
	"github.com/checkride/checkride/internal/sandbox"
)

// typical are three defects as they are often met: a cache that outlives a revocation, a binding that is checked only
// when somebody shows a certificate, and a middleware that does not log what it refuses.
func typical() []string { return []string{"token_cache=6s", "binding_optional", "denials_unlogged"} }

func newDemo() *cobra.Command {
	var healthy bool
	var defects []string
	var out string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "ride the built-in sandbox: a verdict and a report in a quarter of a minute",
		Long: `Starts the sandbox on loopback with three typical defects, rides it, and ends with a verdict and a report.
It needs nothing: no plan, no network, no rights.`,
		Example: examples(`
checkride demo                                        three typical defects: not ready, exit 3
checkride demo --healthy                              none: ready, exit 0
checkride demo --defect alg_none --defect token_cache=6s
checkride demo --out ci                               the report is laid below ci`),
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if healthy && len(defects) > 0 {
				return misused("give one of them", "--healthy and --defect exclude each other")
			}
			if !healthy && len(defects) == 0 {
				defects = typical()
			}
			set, err := defect.Parse(defects...)
			if err != nil {
				return &misuse{err: err}
			}
			return demo(cmd, set, out)
		},
	}
	cmd.Flags().BoolVar(&healthy, "healthy", false, "no defect")
	cmd.Flags().StringArrayVar(&defects, "defect", nil, "a defect of the sandbox, NAME or NAME=6s; may be repeated")
	cmd.Flags().StringVar(&out, "out", ".", "where the ride's folder is laid")
	completes(cmd, "defect", defect.All)
	return cmd
}

func demo(cmd *cobra.Command, set defect.Set, out string) error {
	screen, err := newScreen(cmd.OutOrStdout(), "")
	if err != nil {
		return err
	}
	laid, err := folder.Make(out, time.Now())
	if err != nil {
		return err
	}
	stack, err := sandbox.Start(sandbox.Config{Dir: filepath.Join(laid.Dir, "sandbox"), Defects: set})
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	defer stack.Close()
	p, err := plan.Load(stack.Plan())
	if err != nil {
		return fmt.Errorf("the sandbox's plan: %w", err)
	}
	fmt.Fprintf(screen.w, "sandbox    AS, edge, gateway, legacy, API and their logs, on loopback\ndefects    %s\n", switched(set.Names()))
	_, err = fly(cmd, screen, laid, ride.Config{
		Plan: p, Catalogue: checks.Catalogue(), StateDir: filepath.Join(laid.Dir, "sandbox"), Tool: tool(), Command: called(os.Args),
	})
	return err
}

// switched says which defects are on.
func switched(names []string) string {
	if len(names) == 0 {
		return "none is on"
	}
	return strings.Join(names, ", ")
}
