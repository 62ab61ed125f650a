package plan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Filter runs a command without a shell, gives it a text on its standard input and gives what it prints: at most 1 MiB,
// within ten seconds. What it says on its standard error may hold secrets and is not shown.
func (r Resolver) Filter(argv []string, input []byte) ([]byte, error) {
	name := strings.Join(argv, " ")
	if !r.AllowExec {
		return nil, fmt.Errorf("%s: commands are not allowed: give --allow-exec if you trust the plan", name)
	}
	if len(argv) == 0 || argv[0] == "" {
		return nil, errors.New("the command is empty: write its name and its arguments")
	}
	output, err := r.run(argv, input)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return output, nil
}

func (r Resolver) run(argv []string, input []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), execTimeout)
	defer cancel()
	output := &capped{}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.WaitDelay = r.Dir, output, time.Second
	if input != nil {
		cmd.Stdin = bytes.NewReader(input)
	}
	err := cmd.Run()
	switch {
	case output.over:
		return nil, errors.New("the command printed more than 1 MiB: let it print the value only")
	case ctx.Err() != nil:
		return nil, fmt.Errorf("the command took longer than %s: run it by hand to see why", execTimeout)
	case err != nil:
		return nil, fmt.Errorf("the command failed (%w): run it by hand to see why", err)
	}
	return output.kept.Bytes(), nil
}
