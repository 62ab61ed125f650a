package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/secret"
)

const (
	largestValue = 1 << 20 // bytes that a reference may hold
	execTimeout  = 10 * time.Second
)

// Resolver gives a resolver for the plan's references, which reads the process's environment.
func (p *Plan) Resolver(keeper *secret.Keeper, allowExec bool) Resolver {
	return Resolver{Dir: p.Source.Dir, AllowExec: allowExec, Env: os.LookupEnv, Keeper: keeper}
}

// Text reads what a reference names, without one line break at its end; text that is no reference is given as it is.
// Errors name the reference and its line, never the value. What is a secret must be read with [Resolver.Secret].
func (r Resolver) Text(ref Reference) (string, error) {
	scheme, name, _ := strings.Cut(ref.Text, ":")
	var value string
	var err error
	switch ref.Scheme() {
	case "env":
		value, err = r.variable(name)
	case "file":
		value, err = r.file(name)
	case "exec":
		value, err = r.command(name)
	default:
		if scheme == "env" || scheme == "file" || scheme == "exec" {
			return "", ref.wrap(fmt.Errorf("names nothing: write %s:NAME", scheme))
		}
		return ref.Text, nil
	}
	if err != nil {
		return "", ref.wrap(err)
	}
	value = strings.TrimSuffix(value, "\n")
	return strings.TrimSuffix(value, "\r"), nil
}

// Secret reads a secret of a kind (secret, key, token) and registers it with the keeper. A secret is never too short to
// be masked and never stands in the plan itself.
func (r Resolver) Secret(ref Reference, kind string) (secret.Text, error) {
	if ref.Scheme() == "" {
		return secret.Text{}, ref.wrap(errors.New("is no reference to a secret: write env:NAME or file:PATH"))
	}
	value, err := r.Text(ref)
	if err != nil {
		return secret.Text{}, err
	}
	if value == "" {
		return secret.Text{}, ref.wrap(errors.New("is empty: give it a value"))
	}
	// The keeper does not look for shorter ones, and a secret that cannot be masked must not be used.
	if len(value) < secret.Shortest {
		return secret.Text{}, ref.wrap(fmt.Errorf("is shorter than %d bytes and cannot be masked in reports: use a longer one", secret.Shortest))
	}
	return r.Keeper.Keep(kind, value), nil
}

func (r Reference) wrap(err error) error {
	name := r.String()
	if r.Empty() {
		name = "(nothing)"
	}
	if r.Line == 0 {
		return fmt.Errorf("reference %s: %w", name, err)
	}
	return fmt.Errorf("reference %s in line %d of the plan: %w", name, r.Line, err)
}

func (r Resolver) variable(name string) (string, error) {
	lookup := r.Env
	if lookup == nil {
		lookup = os.LookupEnv
	}
	value, found := lookup(name)
	if !found {
		return "", errors.New("the variable is not set: set it, or change the plan")
	}
	return value, nil
}

func (r Resolver) file(name string) (string, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.Dir, name)
	}
	file, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("%w: paths are relative to the plan", err)
	}
	defer file.Close()
	value, err := io.ReadAll(io.LimitReader(file, largestValue+1))
	if err != nil {
		return "", err
	}
	if len(value) > largestValue {
		return "", errors.New("the file is larger than 1 MiB: name another one")
	}
	return string(value), nil
}

// command runs a command without a shell. What it says on its standard error may hold secrets and is not shown.
func (r Resolver) command(line string) (string, error) {
	if !r.AllowExec {
		return "", errors.New("commands are not allowed: give --allow-exec if you trust the plan")
	}
	argv, err := splitArguments(line)
	if err != nil {
		return "", err
	}
	output, err := r.run(argv, nil)
	return string(output), err
}

// capped keeps what fits and refuses the rest, so that a command that prints for ever is stopped.
// The buffer is not embedded: io.Copy would find its ReadFrom and go around the cap.
type capped struct {
	kept bytes.Buffer
	over bool
}

func (c *capped) Write(p []byte) (int, error) {
	if c.kept.Len()+len(p) > largestValue {
		c.over = true
		return 0, errors.New("too much output")
	}
	return c.kept.Write(p)
}

// splitArguments splits at spaces; "double" and 'single' quotes keep spaces, and there is nothing else to know.
func splitArguments(line string) ([]string, error) {
	var argv []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, inWord = r, true
		case r == ' ' || r == '\t':
			if inWord {
				argv = append(argv, word.String())
				word.Reset()
			}
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("the command has an open quote: close it with %c", quote)
	}
	if inWord {
		argv = append(argv, word.String())
	}
	if len(argv) == 0 || argv[0] == "" {
		return nil, errors.New("the command is empty: write exec:COMMAND")
	}
	return argv, nil
}
