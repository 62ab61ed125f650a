package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/checkride/checkride/internal/verdict"
)

// asProgram lets a test start this binary as checkride itself, so that it can be killed.
const asProgram = "CHECKRIDE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	testscript.Main(m, map[string]func(){"checkride": main})
}

// TestScripts runs the command line as people do. CHECKRIDE_UPDATE=1 writes what comes out into the scripts.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: os.Getenv("CHECKRIDE_UPDATE") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_STATE_HOME", env.WorkDir+"/state")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"misuse":     ends(exitMisuse),
			"notready":   ends(exitNotReady),
			"cannottell": ends(exitCannotTell),
			"await":      await,
		},
	})
}

// ends wants a command to end with this exit code.
func ends(code int) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) == 0 {
			ts.Fatalf("usage: misuse checkride ARGUMENTS; likewise notready and cannottell")
		}
		err := ts.Exec(args[0], args[1:]...)
		var ended *exec.ExitError
		if !errors.As(err, &ended) || ended.ExitCode() != code {
			ts.Fatalf("%v: want exit %d", err, code)
		}
	}
}

// await waits until a file is there.
func await(ts *testscript.TestScript, _ bool, args []string) {
	deadline := time.After(time.Minute)
	for {
		_, err := os.Stat(ts.MkAbs(args[0]))
		if err == nil {
			return
		}
		select {
		case <-deadline:
			ts.Fatalf("%s does not come", args[0])
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestExitCodes pins what each code means: pipelines rest on them.
func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
	}{
		{nil, 0}, {errors.New("disk full"), 1}, {&fault{what: "x"}, 1}, {misused("hint", "wrong"), 2}, {fmt.Errorf("plan: %w", misused("", "wrong")), 2},
		{exited((&verdict.Verdict{Word: verdict.Ready}).Exit()), 0}, {exited((&verdict.Verdict{Word: verdict.NotReady}).Exit()), 3},
		{exited((&verdict.Verdict{Word: verdict.CannotTell}).Exit()), 4}, {exited((&verdict.Verdict{}).Exit()), 4},
	} {
		if got := exitCode(c.err); got != c.code {
			t.Errorf("%v ends with %d, want %d", c.err, got, c.code)
		}
	}
}

// TestPanicsKeepSecrets shows what is told of a mistake in checkride itself: where it happened, and not what it held.
func TestPanicsKeepSecrets(t *testing.T) {
	const token = "eyJhbGciOiJub25lIn0.c2VjcmV0"
	for _, value := range []any{token, errors.New("bad token " + token), fmt.Errorf("while: %w", errors.New(token)), struct{ t string }{token}} {
		var out bytes.Buffer
		err := guard(func() error { panic(value) })
		complain(&out, err)
		if strings.Contains(out.String(), token) || !strings.Contains(out.String(), "main_test.go") || exitCode(err) != exitBroke {
			t.Errorf("a panic with %T tells:\n%s", value, out.String())
		}
	}
	var none []int
	var out bytes.Buffer
	complain(&out, guard(func() error { return fmt.Errorf("%d", none[len(out.String())]) }))
	if !strings.Contains(out.String(), "index out of range [0] with length 0") {
		t.Errorf("what the runtime said is lost:\n%s", out.String())
	}
}
