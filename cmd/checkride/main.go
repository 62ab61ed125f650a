// Checkride gives a checkride to the path by which a partner reaches an API. Start with `checkride demo`.
//
// The command holds no logic: flags, help by example and exit codes (exit.go), one file per subcommand.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() { os.Exit(program()) }

// program runs the command line and gives the exit code.
func program() int {
	// The first Ctrl-C stops and cleans up. Then the signals mean what they always mean: the second kills.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// execute runs one command line.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	begun := false
	root := newRoot(&begun)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := guard(func() error { return root.ExecuteContext(ctx) })
	var broken *fault
	if err != nil && !begun && !errors.As(err, &broken) { // cobra stopped at the command line itself
		err = &misuse{err: err, hint: "see `checkride --help`"}
	}
	complain(stderr, err)
	return exitCode(err)
}

func newRoot(begun *bool) *cobra.Command {
	root := &cobra.Command{
		Use:   "checkride",
		Short: "examine the path by which a partner reaches an API",
		Long: strings.TrimSpace(`
checkride plays a real partner against a real stack, from registration to offboarding, tries at each step what must not
work, and says with evidence whether that path is ready for production.

Exit codes: 0 ready, 1 the tool broke, 2 misuse, 3 not ready, 4 cannot tell.`),
		Example: examples(`
checkride demo                       a ride against the built-in sandbox; needs nothing else
checkride plan example > plan.yaml   a plan to start from
checkride run plan.yaml --dry-run    what a ride would do, without sending anything
checkride run plan.yaml              the ride`),
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRun:  func(*cobra.Command, []string) { *begun = true },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetUsageTemplate(usage)
	root.SetHelpCommand(&cobra.Command{Hidden: true})
	root.AddCommand(
		newDemo(), newRun(), newResume(), newReport(), newCompare(), newAttach(), newCleanup(),
		newPlan(), newLint(), newChecks(), newExplain(),
		newSandbox(), newProve(), newVersion(),
	)
	return root
}

// usage shows the examples first: they are what people read.
const usage = `{{if .HasExample}}Examples:
{{.Example}}

{{end}}Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

"{{.CommandPath}} COMMAND --help" says more. "checkride completion bash" (zsh, fish) completes commands and check ids.{{end}}
`

// examples indents the lines of an example.
func examples(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
}

// one wants exactly one argument and names it in its error.
func one(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return misused("see `"+cmd.CommandPath()+" --help`", "%s wants one %s, and got %d", cmd.CommandPath(), name, len(args))
		}
		return nil
	}
}

// exactly wants these arguments.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return misused("see `"+cmd.CommandPath()+" --help`", "%s wants %s, and got %d", cmd.CommandPath(), strings.Join(names, " and "), len(args))
		}
		return nil
	}
}

// none wants no arguments.
func none(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misused("see `"+cmd.CommandPath()+" --help`", "%s takes no argument, and got %q", cmd.CommandPath(), args[0])
	}
	return nil
}
