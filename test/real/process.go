//go:build linux

package real

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// patience bounds how long a system may take to come up or to end.
const patience = 30 * time.Second

// errEndedEarly says that a system ended before it was of use, for instance because its port was taken.
var errEndedEarly = errors.New("ended before it answered")

// process is a running system.
type process struct {
	name  string
	files []*os.File // what it writes its standard output and errors to
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended; err is set then
	err   error
}

// startProcess starts a program. Its standard output goes to the file stdout in dir, its errors to errors.log.
func startProcess(ctx context.Context, name, dir, stdout, file string, args ...string) (*process, error) {
	found, err := program(file)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w; run test/real/install.sh", name, err)
	}
	out, err := os.Create(filepath.Join(dir, stdout))
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	errs, err := os.Create(filepath.Join(dir, "errors.log"))
	if err != nil {
		_ = out.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, files: []*os.File{out, errs}, ended: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, found, args...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, out, errs
	p.cmd.Cancel = p.terminate
	p.cmd.WaitDelay = patience
	// A test that is killed must not leave servers behind.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	err = p.cmd.Start()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), out.Close(), errs.Close())
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) terminate() error { return p.cmd.Process.Signal(syscall.SIGTERM) }

// ready waits until the condition gives no error, and gives up when the process has ended or patience is over.
func (p *process) ready(ctx context.Context, condition func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := condition(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s %w: %v", p.name, errEndedEarly, p.err)
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer within %v: %w", p.name, patience, err)
		case <-again.C:
		}
	}
}

// stop ends the process and waits for it.
func (p *process) stop() error {
	select {
	case <-p.ended:
	default:
		_ = p.terminate() // it may just have ended by itself
		select {
		case <-p.ended:
		case <-time.After(patience):
			_ = p.cmd.Process.Kill()
			<-p.ended
			return fmt.Errorf("%s had to be killed: it did not end within %v", p.name, patience)
		}
	}
	for _, file := range p.files {
		_ = file.Close() // a second stop finds them closed
	}
	return nil
}

// said gives the end of what the process wrote.
func (p *process) said() string {
	var all bytes.Buffer
	for _, file := range p.files {
		text, err := os.ReadFile(file.Name())
		if err != nil {
			fmt.Fprintln(&all, err)
			continue
		}
		all.Write(text[max(0, len(text)-4096):])
	}
	return all.String()
}

// freePorts finds ports of 127.0.0.1 below the range from which the kernel takes the ports of outgoing connections, so
// that nobody else is given them before they are used. Another of our stacks could choose them meanwhile, and HAProxy shares
// a port with whoever has it (SO_REUSEPORT): each is claimed by a socket of that name until what is given is closed.
func freePorts(n int) ([]int, claims, error) {
	var ports []int
	var claimed claims
	for range 1000 {
		if len(ports) == n {
			return ports, claimed, nil
		}
		port := 15000 + rand.IntN(17000)
		claim, err := net.Listen("unix", fmt.Sprintf("@checkride-real-%d", port))
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			_ = claim.Close()
			continue
		}
		_ = l.Close()
		claimed = append(claimed, claim)
		ports = append(ports, port)
	}
	claimed.close()
	return nil, nil, errors.New("no free ports between 15000 and 32000 of 127.0.0.1")
}

type claims []net.Listener

// close may be called more than once.
func (c claims) close() {
	for _, one := range c {
		_ = one.Close()
	}
}

// listens says whether somebody accepts connections at a port.
func listens(ctx context.Context, port int) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	return conn.Close()
}

// answers says whether a URL answers 200.
func answers(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
