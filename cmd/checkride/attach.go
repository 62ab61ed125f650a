package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/folder"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/report"
)

type attachFlags struct {
	name   string
	covers []string
	preset string
	fields []string
}

func newAttach() *cobra.Command {
	var f attachFlags
	cmd := &cobra.Command{
		Use:   "attach LOGBOOK EXPORT",
		Short: "add an audit export to a ride, and judge it anew",
		Long: `Where the ride could not see a log (audit: none), somebody can export it the next day. Every call, refusal, token grant and
change of a client that stands in the logbook is looked for in the export, by the ride's marker in X-Request-ID and
traceparent. The reports are written anew; the exit code is that of the new verdict.`,
		Example: examples(`
checkride attach checkride-20261006-081428/logbook.jsonl edge.jsonl --covers edge --preset nginx-json
checkride attach logbook.jsonl siem.jsonl --covers edge,main --preset plain --field partner=auth.client`),
		Args: exactly("logbook", "export"),
		RunE: func(cmd *cobra.Command, args []string) error { return attach(cmd, bookAt(args[0]), args[1], f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "the log's name in reports; without it, the file's")
	flags.StringSliceVar(&f.covers, "covers", nil, "the points and authorization servers whose decisions it records")
	flags.StringVar(&f.preset, "preset", "checkride", "how a line is read: "+strings.Join(presets(), ", "))
	flags.StringArrayVar(&f.fields, "field", nil, "where to find a field, NAME=dotted.path; may be repeated")
	completes(cmd, "preset", presets)
	return cmd
}

func presets() []string { return plan.Presets() }

func attach(cmd *cobra.Command, path, export string, f attachFlags) error {
	screen, err := newScreen(cmd.OutOrStdout(), "")
	if err != nil {
		return err
	}
	source := plan.LogSource{Name: f.name, File: export, Preset: f.preset, Covers: f.covers, Fields: map[string]string{}}
	if source.Name == "" {
		source.Name = strings.TrimSuffix(filepath.Base(export), filepath.Ext(export))
	}
	if len(f.covers) == 0 {
		return misused("say --covers edge,main", "%s: which places does it cover?", export)
	}
	for _, field := range f.fields {
		name, at, found := strings.Cut(field, "=")
		if !found {
			return misused("write NAME=dotted.path", "--field %s: has no place", field)
		}
		source.Fields[name] = at
	}
	laid, err := folder.Of(path)
	if err != nil {
		return &misuse{err: err, hint: "name the logbook.jsonl in the folder of a ride that has ended"}
	}
	v, err := laid.Attach(cmd.Context(), source, time.Now())
	if err != nil {
		return &misuse{err: fmt.Errorf("%s: %w", path, err), hint: "nothing was added; name the logbook.jsonl of a ride that has ended, and a log of that time"}
	}
	screen.opts.Report, screen.opts.Logbook = near(laid.HTML()), near(laid.Logbook())
	err = report.Terminal(screen.w, logbook.File(laid.Logbook()), screen.opts)
	if err != nil {
		return err
	}
	return exited(v.Exit())
}
