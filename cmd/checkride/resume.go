package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/folder"
	"github.com/checkride/checkride/internal/ride"
	"github.com/checkride/checkride/internal/verdict"
)

type resumeFlags struct {
	steps  int
	plan   string
	exec   bool
	hosts  []string
	format string
}

func newResume() *cobra.Command {
	var f resumeFlags
	cmd := &cobra.Command{
		Use:   "resume LOGBOOK",
		Short: "go on with a ride that waits for people",
		Long: `A plan with registration.mode manual parks its ride: people make the clients, which can take days. When they are there,
write their ids into the plan (clients.*.id, and secret by reference), and resume. The ride goes on in the same book, and the
report tells how long onboarding took and how many steps people had to do by hand.`,
		Example: examples(`
checkride resume checkride-20261006-081428/logbook.jsonl
checkride resume logbook.jsonl --manual-steps 7          two forms, three mails, two tickets`),
		Args: one("logbook"),
		RunE: func(cmd *cobra.Command, args []string) error { return resume(cmd, bookAt(args[0]), f) },
	}
	flags := cmd.Flags()
	flags.IntVar(&f.steps, "manual-steps", -1, "how many things people had to do: forms, mails, tickets; -1: nobody counted")
	flags.StringVar(&f.plan, "plan", "", "the plan, if it has moved since the ride was parked")
	flags.BoolVar(&f.exec, "allow-exec", false, "let the plan run its commands on this machine")
	flags.StringArrayVar(&f.hosts, "allow-host", nil, "HOST:PORT; if given, the plan may name no other; may be repeated")
	flags.StringVar(&f.format, "format", "", "live or plain; without it, what fits the terminal")
	completes(cmd, "format", func() []string { return []string{"live", "plain"} })
	return cmd
}

// park opens the book, says what people have to do, and ends: nothing is told of the stack yet.
func park(w io.Writer, laid folder.Folder, cfg ride.Config) error {
	parked, err := folder.Park(cfg, laid)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, `PARKED: people have yet to make %s

1. Make what stands in %s (client metadata as in RFC 7591; no secrets).
2. Write what comes back into %s: clients.*.id, and secret by reference (secret: env:NAME).
3. checkride resume %s --manual-steps N

`, verdict.List(parked.Clients, 3), near(laid.Sheet()), near(cfg.Plan.Source.File), near(laid.Logbook()))
	return exited(exitCannotTell)
}

func resume(cmd *cobra.Command, path string, f resumeFlags) error {
	screen, err := newScreen(cmd.OutOrStdout(), f.format)
	if err != nil {
		return err
	}
	if f.steps < -1 {
		return misused("count what people had to do", "--manual-steps %d: is no number of steps", f.steps)
	}
	laid, err := folder.Of(path)
	if err != nil {
		return &misuse{err: err, hint: "name the logbook.jsonl in the folder of a parked ride"}
	}
	parked, err := folder.Waits(path)
	if err != nil {
		hint := "name the logbook.jsonl in the folder of a parked ride"
		if errors.Is(err, folder.ErrNotParked) {
			hint = "`checkride run PLAN` begins another ride"
		}
		return &misuse{err: fmt.Errorf("%s: %w", path, err), hint: hint}
	}
	if f.plan == "" {
		f.plan = parked.Plan
	}
	p, err := load(f.plan)
	if err != nil {
		return err
	}
	if waiting := p.Waiting(); len(waiting) > 0 {
		return misused("write each client_id under clients.*.id, and secrets by reference, when people have made them", "%s: no id yet for %s", near(f.plan), verdict.List(waiting, len(waiting)))
	}
	places := p.UsesExec()
	if len(places) > 0 && !f.exec {
		return misused("read them, then give --allow-exec", "%s runs commands on this machine: %s", f.plan, strings.Join(places, ", "))
	}
	if f.steps >= 0 {
		parked.Steps, parked.Counted = f.steps, true
	}
	cfg := ride.Config{
		Plan: p, Catalogue: checks.Catalogue(), AllowExec: f.exec, AllowHosts: f.hosts, Tool: tool(), Parked: &parked,
		Command: called([]string{"checkride", "resume", path}),
	}
	for _, word := range parked.Head.Only { // what was asked for when it was parked
		if len(matching(word)) > 0 {
			cfg.Only = append(cfg.Only, word)
		} else {
			cfg.At = append(cfg.At, word)
		}
	}
	err = known(p, runFlags{only: cfg.Only, at: cfg.At})
	if err != nil {
		return err
	}
	cfg.StateDir, err = stateDir()
	if err != nil {
		return err
	}
	outcome, err := shown(screen, laid, func(progress folder.Progress) (folder.Outcome, error) {
		return folder.Resume(cmd.Context(), cfg, laid, progress)
	})
	remains(cmd, laid, outcome)
	return err
}
