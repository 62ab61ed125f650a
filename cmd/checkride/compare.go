package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/compare"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/report"
)

func newCompare() *cobra.Command {
	var mapping []string
	var asJSON bool
	var out string
	cmd := &cobra.Command{
		Use:   "compare LOGBOOK LOGBOOK",
		Short: "hold one ride against another: staging against production, or this night against the last",
		Long: `Tells what differs between two rides: findings that are new or ended, what only one of them could decide, measured times
that grew, limits, profiles and metadata. Points are matched by their names. Nothing is sent.

Two measured times differ if their intervals do not overlap. That is told from a quarter of the stricter limit, and is
drift if the time is longer by more than half of that limit and more than doubled. Addresses in metadata differ lawfully
between servers: members, lists and flags must be the same. What was not decided in both rides is never called the same.

Exit codes: 0 same, 1 the tool broke, 2 misuse, 3 drift, 4 cannot tell.`,
		Example: examples(`
checkride compare last/logbook.jsonl tonight/logbook.jsonl
checkride compare staging.jsonl production.jsonl --map staging-edge=edge
checkride compare staging.jsonl production.jsonl --map =partner-gw     only production has it, and that is known
checkride compare last.jsonl tonight.jsonl --json | jq '.findings[] | select(.change == "new")'`),
		Args: exactly("the logbook of one ride", "that of another"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 1 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return []string{"jsonl"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return compareRides(cmd, [2]string(args), mapping, asJSON, out)
		},
	}
	cmd.Flags().StringArrayVar(&mapping, "map", nil, "FIRST=SECOND: the first ride's point is the second's; NAME= or =NAME: it has no counterpart; may be repeated")
	cmd.Flags().BoolVar(&asJSON, "json", false, "for programs")
	cmd.Flags().StringVarP(&out, "output", "o", "", "a file instead of stdout")
	err := cmd.RegisterFlagCompletionFunc("map", func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return mappings(args), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the flag does not exist
	}
	return cmd
}

func compareRides(cmd *cobra.Command, paths [2]string, mapping []string, asJSON bool, out string) error {
	var pairs []compare.Mapping
	for _, text := range mapping {
		pair, err := compare.ParseMapping(text)
		if err != nil {
			return misused("write --map FIRST=SECOND, with the names of points", "--map: %w", err)
		}
		pairs = append(pairs, pair)
	}
	var rides [2]*compare.Ride
	for i, path := range paths {
		path = bookAt(path)
		ride, err := readRide(path)
		if err != nil {
			return err
		}
		rides[i] = ride
	}
	compared, err := compare.Of(rides[0], rides[1], pairs)
	if err != nil {
		return &misuse{err: fmt.Errorf("--map: %w", err), hint: "write --map FIRST=SECOND, with the names of points"}
	}
	screen, err := newScreen(cmd.OutOrStdout(), "")
	if err != nil {
		return err
	}
	if out != "" {
		screen.opts = report.Options{}
	}
	err = into(cmd.OutOrStdout(), out, func(w io.Writer) error {
		if asJSON {
			return report.ComparisonJSON(w, compared)
		}
		return report.Comparison(w, compared, screen.opts)
	})
	if err != nil {
		return err
	}
	return exited(compared.Exit())
}

// readRide reads a book; one that cannot be compared is misuse.
func readRide(path string) (*compare.Ride, error) {
	ride, err := compare.Read(logbook.File(path))
	var unread *logbook.Fault
	switch {
	case err == nil:
		return ride, nil
	case errors.Is(err, compare.ErrParked):
		return nil, &misuse{err: fmt.Errorf("%s: %w", path, err), hint: "`checkride resume " + path + "` when they are there"}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, compare.ErrEmpty), errors.As(err, &unread):
		return nil, &misuse{err: fmt.Errorf("%s: %w", path, err), hint: "name the logbook.jsonl in the folder of a ride"}
	}
	return nil, fmt.Errorf("%s: %w", path, err)
}

// mappings offers the shell each point of the first ride that the second has not, with each that only the second has.
func mappings(paths []string) []string {
	var names [2][]string
	for i := range min(len(paths), 2) {
		for e, err := range logbook.File(bookAt(paths[i]))() {
			if err != nil {
				break
			}
			if e.Head != nil { // the first entry
				for _, p := range e.Head.Points {
					names[i] = append(names[i], p.Name)
				}
				break
			}
		}
	}
	var all []string
	for _, first := range missing(names[0], names[1]) {
		for _, second := range missing(names[1], names[0]) {
			all = append(all, first+"="+second)
		}
	}
	return all
}

// missing gives the names that others do not have. A stranger's name must not be taken for something else by a shell.
func missing(names, others []string) []string {
	known := map[string]bool{}
	for _, name := range others {
		known[name] = true
	}
	var all []string
	for _, name := range names {
		if !known[name] && name == visible(name) && !strings.ContainsAny(name, " \t\n=") {
			all = append(all, name)
		}
	}
	return all
}
