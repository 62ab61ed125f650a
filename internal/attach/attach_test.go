//go:build unix

package attach

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// What stands in front of an authorization server refuses as well, and leaves no record in the server's log.
func TestOnlyTheServersRefusalsAreMissed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"its own", 401, `{"error":"invalid_client"}`, denied},
		{"a rate limit", 429, `{"error":"slow down"}`, ""},
		{"a proxy's page", 400, "<html>400 Bad Request</html>", ""},
		{"too large", 413, "", ""},
		{"granted", 200, `{"access_token":"[token 1]"}`, grants},
	} {
		x := &logbook.Exchange{Method: "POST", Status: c.status, Request: logbook.Message{Body: "grant_type=client_credentials"}, Response: logbook.Message{Body: c.body}}
		got, _ := kindOf(x, true)
		if got != c.want {
			t.Errorf("%s: kind %q, want %q", c.name, got, c.want)
		}
	}
}

// A pipe would be waited for until somebody writes to it.
func TestExportIsARegularFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe\x1b[31m")
	err := syscall.Mkfifo(path, 0o600)
	if err != nil {
		t.Skip(err)
	}
	defer os.Remove(path)
	_, err = open(t.Context(), plan.LogSource{Name: "log", File: path}, "0123456789abcdef")
	if err == nil || strings.Contains(err.Error(), "\x1b") || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a pipe as an export: %v", err)
	}
}
