package attach

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"github.com/checkride/checkride/internal/audit"
	"github.com/checkride/checkride/internal/plan"
)

// export is a file of log lines that was read to its end.
type export struct {
	name       string
	digest     string
	log        *audit.Log
	tokens     int   // lines with a whole JWT
	firstToken int64 // byte at which the first of them begins
}

// open reads an export to its end.
func open(ctx context.Context, source plan.LogSource, ride string) (*export, error) {
	e := &export{name: filepath.Base(source.File)}
	err := e.scan(source.File)
	if err != nil {
		return nil, fmt.Errorf("read the export: %w", err)
	}
	absolute, err := filepath.Abs(source.File)
	if err != nil {
		return nil, err
	}
	source.File = absolute
	e.log, err = audit.Open(source, audit.Config{Ride: ride, FromStart: true})
	if err != nil {
		return nil, err
	}
	err = e.log.Poll(ctx)
	if err != nil {
		return nil, errors.Join(err, e.log.Close())
	}
	return e, nil
}

// wholeToken is a JWT in compact form (RFC 7519 §3) whose header and payload begin as JSON objects do.
var wholeToken = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{20,}`)

// scan takes the file's digest and counts the lines that hold a token. Of a line the first 64 KiB are looked at.
func (e *export) scan(path string) error {
	info, err := os.Stat(path) // opening a pipe would wait for whoever writes to it
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%q is no regular file; write the log's lines into one", filepath.Base(path))
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha256.New()
	lines := bufio.NewReaderSize(io.TeeReader(file, sum), audit.MaxLine)
	start := int64(0)
	for begins := true; ; {
		part, err := lines.ReadSlice('\n')
		if begins && wholeToken.Match(part) {
			if e.tokens == 0 {
				e.firstToken = start
			}
			e.tokens++
		}
		start += int64(len(part))
		begins = !errors.Is(err, bufio.ErrBufferFull)
		if errors.Is(err, io.EOF) {
			e.digest = hex.EncodeToString(sum.Sum(nil))
			return nil
		}
		if err != nil && begins {
			return err
		}
	}
}
