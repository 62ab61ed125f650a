package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/report"
	"github.com/checkride/checkride/internal/verdict"
)

func newReport() *cobra.Command {
	var as, out string
	cmd := &cobra.Command{
		Use:   "report LOGBOOK",
		Short: "judge a stored logbook again and write a report of it",
		Long: `Makes a report of a logbook alone: of an old ride, or of one that was killed. Nothing is sent. The exit code is that of
the ride's verdict, whatever the format.`,
		Example: examples(`
checkride report checkride-20261006-081428/logbook.jsonl
checkride report logbook.jsonl --as html -o report.html
checkride report logbook.jsonl --as json | jq .verdict`),
		Args: one("logbook"),
		RunE: func(cmd *cobra.Command, args []string) error { return retell(cmd, bookAt(args[0]), as, out) },
	}
	cmd.Flags().StringVar(&as, "as", "terminal", "terminal, json or html")
	cmd.Flags().StringVarP(&out, "output", "o", "", "a file instead of stdout")
	completes(cmd, "as", func() []string { return []string{"terminal", "json", "html"} })
	return cmd
}

func retell(cmd *cobra.Command, path, as, out string) error {
	src := logbook.File(path)
	v, err := verdict.Of(src)
	if err != nil {
		var unread *logbook.Fault
		if errors.Is(err, fs.ErrNotExist) || errors.As(err, &unread) {
			return &misuse{err: fmt.Errorf("%s: %w", path, err), hint: "name the logbook.jsonl in the folder of a ride"}
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	var write func(io.Writer) error
	switch as {
	case "terminal":
		screen, err := newScreen(cmd.OutOrStdout(), "")
		if err != nil {
			return err
		}
		if out != "" {
			screen.opts = report.Options{}
		}
		screen.opts.Logbook = near(path)
		write = func(w io.Writer) error { return report.Terminal(w, src, screen.opts) }
	case "json":
		write = func(w io.Writer) error { return report.JSON(w, src) }
	case "html":
		write = func(w io.Writer) error { return report.HTML(w, src) }
	default:
		return misused("use terminal, json or html", "--as %s: no such format", as)
	}
	err = into(cmd.OutOrStdout(), out, write)
	if err != nil {
		return err
	}
	return exited(v.Exit())
}

// into writes to a file, or to stdout if none is named.
func into(stdout io.Writer, path string, write func(io.Writer) error) error {
	if path == "" {
		return write(stdout)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return &misuse{err: fmt.Errorf("report: %w", err), hint: "give a place that can be written with -o"}
	}
	return errors.Join(write(file), file.Close())
}
