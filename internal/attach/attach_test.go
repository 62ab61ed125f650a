//go:build unix

package attach

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/checkride/checkride/internal/audit"
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

// An application may answer 422 to the body of a call that was let in, and a login page comes with 200: a record that holds
// the status of the answer alone says no more than that.
func TestARecordOfTheAnswersStatusSaysNoOther(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		fields   map[string]string
		answered int
		wanted   string
		allow    bool
		deny     bool
	}{
		{map[string]string{"status": "200"}, 200, "allow", true, false},
		{map[string]string{"status": "422"}, 422, "allow", true, false},
		{map[string]string{"status": "200"}, 200, "deny", false, true},
		{map[string]string{"status": "403"}, 200, "allow", false, true},
		{map[string]string{"status": "200"}, 401, "deny", true, false},
		{map[string]string{"status": "200", "decision": "deny"}, 200, "allow", false, true},
		{nil, 200, "allow", false, false},
	} {
		says := decided([]audit.Match{{Record: audit.Record{Fields: row.fields}}}, row.answered, row.wanted)
		if says["allow"] != row.allow || says["deny"] != row.deny {
			t.Errorf("%v, answered %d: %v", row.fields, row.answered, says)
		}
	}
}

// A record too many is not told as one that is missing.
func TestTheGravestFaultOfRecordsIsTold(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		all  []*logbook.Breach
		want *logbook.Breach
	}{
		{nil, nil},
		{[]*logbook.Breach{audit.Repeated}, audit.Repeated},
		{[]*logbook.Breach{audit.Repeated, audit.Misrecorded}, audit.Misrecorded},
		{[]*logbook.Breach{audit.Misrecorded, nil}, nil},
	} {
		if got := gravest(row.all); got != row.want {
			t.Errorf("%v: %+v", row.all, got)
		}
	}
}
