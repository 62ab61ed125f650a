package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
)

const (
	commandTimeout = 30 * time.Second
	commandOutput  = 64 << 20 // bytes of one run
	commandOverlap = 10 * time.Second
)

// command is a log that an operator's command prints: JSON lines on its standard output, of the time from SINCE to
// UNTIL (RFC 3339) and at best only those that contain MARKER, all three given in its environment. It is run anew at
// each poll and may repeat lines.
type command struct {
	argv   []string
	dir    string
	marker string
	keeper *secret.Keeper
	delay  time.Duration
	since  time.Time
	offset int64
}

func run(src plan.LogSource, cfg Config) (*command, error) {
	if !cfg.AllowExec {
		return nil, fmt.Errorf("open audit log %s: it runs a command (%s); allow that with --allow-exec", src.Name, src.Exec[0])
	}
	c := &command{argv: src.Exec, dir: cfg.Dir, marker: cfg.Ride, keeper: cfg.Keeper, delay: src.Delay.D(), since: time.Now()}
	if cfg.FromStart {
		c.since = time.Time{}
	}
	if c.keeper == nil {
		c.keeper = secret.NewKeeper()
	}
	return c, nil
}

func (c *command) repeats() bool { return true }
func (c *command) count(*Stats)  {}
func (c *command) close() error  { return nil }

func (c *command) read(ctx context.Context, emit func(line)) error {
	until := time.Now()
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	var complaint tail
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.Dir, cmd.Stderr, cmd.WaitDelay = c.dir, &complaint, time.Second
	cmd.Env = append(os.Environ(), "SINCE="+c.since.UTC().Format(time.RFC3339Nano), "UNTIL="+until.UTC().Format(time.RFC3339Nano), "MARKER="+c.marker)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	err = cmd.Start()
	if err != nil {
		return fmt.Errorf("%w; is the command there and executable?", err)
	}
	lines := splitter{offset: c.offset}
	whole, copied := c.copy(out, &lines, emit)
	if !whole {
		cancel() // it would print for ever
	}
	err = cmd.Wait()
	c.offset = lines.offset
	switch {
	case !whole:
		return fmt.Errorf("%s printed more than %d MiB; let it print only lines with MARKER", c.argv[0], commandOutput>>20)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%s did not end within %s; let it print what there is and end", c.argv[0], commandTimeout)
	case err != nil:
		return fmt.Errorf("%s: %w: %s", c.argv[0], err, c.keeper.Mask(complaint.text()))
	case copied != nil:
		return copied
	}
	// Lines arrive late, so the next run looks back.
	back := until.Add(-2*c.delay - commandOverlap)
	if back.After(c.since) {
		c.since = back
	}
	return nil
}

// copy feeds the output to the splitter and says whether it was read to its end.
func (c *command) copy(out io.Reader, lines *splitter, emit func(line)) (bool, error) {
	buffer := make([]byte, piece)
	for total := 0; total <= commandOutput; {
		n, err := out.Read(buffer)
		total += n
		lines.feed(buffer[:n], emit)
		if errors.Is(err, io.EOF) {
			lines.flush(emit)
			return true, nil
		}
		if err != nil {
			return true, err
		}
	}
	return false, nil
}

// tail keeps the end of what is written to it.
type tail struct{ kept bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	const most = 4 << 10
	t.kept.Write(p)
	if over := t.kept.Len() - most; over > 0 {
		t.kept.Next(over)
	}
	return len(p), nil
}

func (t *tail) text() string { return strings.TrimSpace(printable(t.kept.String())) }
