package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/folder"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/report"
	"github.com/checkride/checkride/internal/ride"
)

type runFlags struct {
	dry    bool
	only   []string
	at     []string
	out    string
	exec   bool
	hosts  []string
	format string
}

func newRun() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run PLAN",
		Short: "ride a stack by its plan, and say whether it is ready",
		Long: `Rides the stack that the plan names. Logbook, ledger and reports are written to a folder checkride-DATE-TIME.
Ctrl-C once stops the ride and removes what it created; twice kills it, and then "checkride cleanup" removes the rest.`,
		Example: examples(`
checkride run plan.yaml --dry-run                          what would be done, without sending anything
checkride run plan.yaml
checkride run plan.yaml --only 'bind.*' --at edge          some checks at one point
checkride run plan.yaml --format plain --out build         in CI: lines, and the reports below build
checkride run plan.yaml --allow-host edge.example:443      a plan of a stranger: dial nothing else`),
		Args:              one("plan"),
		ValidArgsFunction: plans,
		RunE:              func(cmd *cobra.Command, args []string) error { return run(cmd, args[0], f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.dry, "dry-run", false, "say what would be done, and send nothing")
	flags.StringArrayVar(&f.only, "only", nil, "a check's id or a pattern like 'revoke.*'; may be repeated")
	flags.StringArrayVar(&f.at, "at", nil, "a point or authorization server; may be repeated")
	flags.StringVar(&f.out, "out", ".", "where the ride's folder is laid")
	flags.BoolVar(&f.exec, "allow-exec", false, "let the plan run its commands on this machine")
	flags.StringArrayVar(&f.hosts, "allow-host", nil, "HOST:PORT; if given, the plan may name no other; may be repeated")
	flags.StringVar(&f.format, "format", "", "live or plain; without it, what fits the terminal")
	completes(cmd, "only", ids)
	completes(cmd, "format", func() []string { return []string{"live", "plain"} })
	return cmd
}

func run(cmd *cobra.Command, path string, f runFlags) error {
	screen, err := newScreen(cmd.OutOrStdout(), f.format)
	if err != nil {
		return err
	}
	p, err := load(path)
	if err != nil {
		return err
	}
	err = known(p, f)
	if err != nil {
		return err
	}
	cfg := ride.Config{
		Plan: p, Catalogue: checks.Catalogue(), Only: f.only, At: f.at, AllowExec: f.exec, AllowHosts: f.hosts, Tool: tool(),
		Command: called(append([]string{"checkride", "run", path}, f.words()...)),
	}
	if f.dry {
		return dryRun(cmd.OutOrStdout(), cfg)
	}
	places := p.UsesExec()
	if len(places) > 0 && !f.exec {
		return misused("read them, then give --allow-exec", "%s runs commands on this machine: %s", path, strings.Join(places, ", "))
	}
	cfg.StateDir, err = stateDir()
	if err != nil {
		return err
	}
	laid, err := folder.Make(f.out, time.Now())
	if err != nil {
		return err
	}
	if len(p.Waiting()) > 0 {
		return park(cmd.OutOrStdout(), laid, cfg)
	}
	outcome, err := fly(cmd, screen, laid, cfg)
	remains(cmd, laid, outcome)
	return err
}

// load reads a plan; what is wrong with it is misuse. The ledger keeps the plan's whole path, so that a cleanup finds it
// from anywhere.
func load(path string) (*plan.Plan, error) {
	p, err := plan.Load(path)
	if err != nil {
		return nil, &misuse{err: err, hint: "`checkride lint " + path + "` looks at more; docs/plan.md and `checkride plan example` show how a plan is written"}
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	p.Source.File = absolute
	return p, nil
}

// known refuses names that select nothing: a ride without checks would say nothing and look calm.
func known(p *plan.Plan, f runFlags) error {
	for _, pattern := range f.only {
		if len(matching(pattern)) == 0 {
			return misused("`checkride checks` lists them", "--only %s: no check is called that", pattern)
		}
	}
	places := append([]string{check.Column}, p.Servers()...)
	for _, point := range p.Points {
		places = append(places, point.Name)
	}
	for _, at := range f.at {
		if !slices.Contains(places, at) {
			return misused("the plan has "+strings.Join(places, ", "), "--at %s: the plan has no such place", at)
		}
	}
	return nil
}

// fly rides, shows the summary and gives the verdict's exit code.
func fly(cmd *cobra.Command, screen screen, laid folder.Folder, cfg ride.Config) (folder.Outcome, error) {
	return shown(screen, laid, func(progress folder.Progress) (folder.Outcome, error) {
		return folder.Ride(cmd.Context(), cfg, laid, progress)
	})
}

// shown rides with progress on the screen, then shows the summary.
func shown(screen screen, laid folder.Folder, rides func(folder.Progress) (folder.Outcome, error)) (folder.Outcome, error) {
	outcome, err := rides(screen.progress())
	if err != nil {
		if outcome.Keeper != nil {
			err = errors.New(outcome.Keeper.Mask(err.Error()))
		}
		return outcome, err
	}
	opts := screen.opts
	opts.Brief = !screen.live // a log has had a line for each thing already
	opts.Report, opts.Logbook = near(laid.HTML()), near(laid.Logbook())
	if !screen.live {
		fmt.Fprintln(screen.w)
	}
	err = report.Terminal(screen.w, logbook.File(laid.Logbook()), opts)
	if err != nil {
		return outcome, err
	}
	return outcome, exited(outcome.Verdict.Exit())
}

// remains says what is left in the stack, and how to remove it.
func remains(cmd *cobra.Command, laid folder.Folder, outcome folder.Outcome) {
	if len(outcome.Left) == 0 {
		return
	}
	w := cmd.ErrOrStderr()
	fmt.Fprintf(w, "checkride: left in the stack:\n")
	for _, item := range outcome.Left {
		fmt.Fprintf(w, "  %s %s at %s\n", item.Kind, item.Name, item.Server)
	}
	fmt.Fprintf(w, "checkride: hint: checkride cleanup %s\n", near(laid.Ledger()))
}

func exited(code int) error {
	if code == exitReady {
		return nil
	}
	return &ended{code: code}
}

// words are the flags of a run that shape what is tested, for the report.
func (f runFlags) words() []string {
	var words []string
	for _, only := range f.only {
		words = append(words, "--only", only)
	}
	for _, at := range f.at {
		words = append(words, "--at", at)
	}
	if f.exec {
		words = append(words, "--allow-exec")
	}
	return words
}

// called is a command line as one would type it.
func called(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		if i == 0 {
			word = filepath.Base(word)
		}
		if strings.ContainsAny(word, " *'\"$&|;<>()`\\") {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		quoted[i] = word
	}
	return strings.Join(quoted, " ")
}
