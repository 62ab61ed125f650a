package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
)

const ride = "00c0ffee00c0ffee"

func traceOf(serial uint64) string   { return fmt.Sprintf("%s%016x", ride, serial) }
func parentOf(serial uint64) string  { return "00-" + traceOf(serial) + "-00f067aa0ba902b7-01" }
func requestOf(serial uint64) string { return fmt.Sprintf("cr-%s-%016x", ride, serial) }

// journal is a log file that a test writes.
type journal struct {
	t    *testing.T
	path string
}

func newJournal(t *testing.T) journal {
	j := journal{t, filepath.Join(t.TempDir(), "audit.jsonl")}
	j.write("")
	return j
}

func (j journal) write(text string) {
	j.t.Helper()
	f, err := os.OpenFile(j.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		j.t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err != nil {
		j.t.Fatal(err)
	}
	err = f.Close()
	if err != nil {
		j.t.Fatal(err)
	}
}

func (j journal) follow(preset string, cfg Config) *Log {
	j.t.Helper()
	cfg.Ride, cfg.Dir = ride, filepath.Dir(j.path)
	l, err := Open(plan.LogSource{Name: "edge", File: filepath.Base(j.path), Preset: preset, Covers: []string{"edge"}}, cfg)
	if err != nil {
		j.t.Fatal(err)
	}
	j.t.Cleanup(func() {
		err := l.Close()
		if err != nil {
			j.t.Error(err)
		}
	})
	return l
}

func poll(t *testing.T, l *Log) {
	t.Helper()
	err := l.Poll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
}

func TestPresetsReadRealLines(t *testing.T) {
	for _, c := range []struct {
		name, preset, line string
		overrides          map[string]string
		want               map[string]string
		have               int
		missing            []string
	}{
		{
			name: "sandbox", preset: "checkride",
			line: `{"id":"edge-1f-7","time":"2026-11-24T10:00:00.123456789Z","component":"edge","action":"access","decision":"deny","reason":"token revoked","client_id":"c-1","org":"acme","token_id":"j-9","cert_sha256":"AbC","origin":"127.0.0.1:4711","method":"GET","path":"/payments","status":401,"traceparent":"` + parentOf(7) + `","request_id":"` + requestOf(7) + `"}`,
			want: map[string]string{"id": "edge-1f-7", "time": "2026-11-24T10:00:00.123456789Z", "component": "edge", "action": "access", "decision": "deny", "reason": "token revoked", "partner": "c-1", "org": "acme", "token": "j-9", "certificate": "AbC", "origin": "127.0.0.1:4711", "method": "GET", "resource": "/payments", "status": "401", "trace": traceOf(7), "request_id": requestOf(7)},
			have: 8,
		},
		{
			name: "nginx", preset: "nginx-json",
			line: `{"ts":"2026-11-24T10:00:00+00:00","status":200,"path":"/api/payments","client_id":"c-1","cert":"0A1B","verify":"SUCCESS","req":"9f86d081884c7d65","trace":"` + parentOf(7) + `","cache":"HIT"}`,
			want: map[string]string{"id": "9f86d081884c7d65", "time": "2026-11-24T10:00:00+00:00", "status": "200", "resource": "/api/payments", "partner": "c-1", "certificate": "0A1B", "decision": "allow", "trace": traceOf(7)},
			have: 6, missing: []string{"what", "origin"},
		},
		{
			name: "nginx without identity", preset: "nginx-json",
			line: `{"ts":"2026-11-24T10:00:00+00:00","status":403,"path":"/api/","client_id":"-","cert":"","verify":"NONE","req":"a1","trace":"` + parentOf(7) + `","cache":"-"}`,
			want: map[string]string{"id": "a1", "time": "2026-11-24T10:00:00+00:00", "status": "403", "resource": "/api/", "decision": "deny", "trace": traceOf(7)},
			have: 4, missing: []string{"who", "what", "origin", "partner identity"},
		},
		{
			name: "haproxy behind syslog", preset: "haproxy-json",
			line: `<134>Nov 24 10:00:00 gw haproxy[31]: {"ts":"24/Nov/2026:10:00:00.250","status":401,"method":"GET","path":"/x","client_id":"","cert":"","origin":"192.0.2.9","req":"` + requestOf(7) + `"}`,
			want: map[string]string{"time": "24/Nov/2026:10:00:00.250", "status": "401", "method": "GET", "resource": "/x", "origin": "192.0.2.9", "request_id": requestOf(7), "decision": "deny"},
			have: 6, missing: []string{"who", "partner identity"},
		},
		{
			name: "oidc-provider refuses", preset: "oidc-provider",
			line: `{"ts":"2026-11-24T10:00:00.000Z","event":"grant.error","client_id":"c-1","ip":"::ffff:127.0.0.1","error":"invalid_scope","detail":"requested scope is not allowed","trace":"` + parentOf(7) + `"}`,
			want: map[string]string{"time": "2026-11-24T10:00:00.000Z", "action": "grant.error", "partner": "c-1", "origin": "::ffff:127.0.0.1", "reason": "invalid_scope", "decision": "deny", "trace": traceOf(7)},
			have: 7, missing: []string{"resource"},
		},
		{
			name: "oidc-provider issues", preset: "oidc-provider",
			line: `{"ts":"2026-11-24T10:00:00.000Z","event":"client_credentials.issued","client_id":"c-1","jti":"t1","ip":"::1","trace":"` + parentOf(7) + `"}`,
			want: map[string]string{"time": "2026-11-24T10:00:00.000Z", "action": "client_credentials.issued", "partner": "c-1", "token": "t1", "origin": "::1", "decision": "allow", "trace": traceOf(7)},
			have: 7, missing: []string{"resource"},
		},
		{
			name: "own fields", preset: "nginx-json", overrides: map[string]string{"client": "consumer.custom_id", "trace": "headers.0.traceparent", "decision": "auth.result", "status": "http.response.status"},
			line: `{"consumer":{"custom_id":"c-1"},"headers":[{"traceparent":"` + parentOf(7) + `"}],"auth":{"result":"Success"},"http.response.status":200,"ts":1795514400123}`,
			want: map[string]string{"partner": "c-1", "trace": traceOf(7), "decision": "allow", "status": "200", "time": "1795514400123"},
			have: 5, missing: []string{"what", "origin", "resource"},
		},
		{
			name: "plain", preset: "plain",
			line: `192.0.2.9 - - [24/Nov/2026:10:00:00 +0000] "GET /x HTTP/1.1" 401 0 "-" "checkride" ` + requestOf(7),
			want: map[string]string{}, have: 0, missing: []string{"who", "what", "when", "outcome", "origin", "resource", "correlation", "partner identity"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := newJournal(t)
			l, err := Open(plan.LogSource{Name: "edge", File: j.path, Preset: c.preset, Fields: c.overrides}, Config{Ride: ride})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			j.write(c.line + "\n")
			poll(t, l)
			found := l.Find(traceOf(7), "")
			if len(found) != 1 {
				t.Fatalf("found %d records, want 1", len(found))
			}
			got := found[0]
			if diff := cmp.Diff(c.want, got.Fields); diff != "" {
				t.Error(diff)
			}
			if got.Text != c.line || got.Garbled || got.Cut || got.Size != int64(len(c.line))+1 {
				t.Errorf("the line came back as %+v", got.Record)
			}
			if c.want["time"] != "" && (got.Time.Format("2006-01-02 15:04") != "2026-11-24 10:00" || got.Zoneless != (c.preset == "haproxy-json")) {
				t.Errorf("time %s, zoneless %v", got.Time, got.Zoneless)
			}
			have, missing := Score(got.Fields)
			if have != c.have || !slices.Equal(missing, c.missing) {
				t.Errorf("score %d missing %v, want %d missing %v", have, missing, c.have, c.missing)
			}
		})
	}
}

func TestKeysTellWhatMatched(t *testing.T) {
	j := newJournal(t)
	l := j.follow("plain", Config{})
	j.write("trace " + parentOf(1) + "\n" +
		"request " + requestOf(2) + "\n" +
		"decimal cr-" + ride + "-3\n" +
		"both " + requestOf(4) + " " + parentOf(4) + "\n" +
		"two exchanges " + parentOf(5) + " " + parentOf(6) + "\n" +
		"agent checkride/1.0 (ride " + ride + ")\n" +
		"too long " + traceOf(7) + "0\n" +
		"inside another id f" + traceOf(8) + "\n" +
		"other ride 00-11111111111111110000000000000001-00f067aa0ba902b7-01\n")
	poll(t, l)
	want := map[uint64]Key{1: ByTrace, 2: ByRequestID, 3: ByRequestID, 4: ByTrace, 5: ByTrace, 6: ByTrace}
	got := map[uint64]Key{}
	for serial := range uint64(10) {
		for _, m := range l.Find(traceOf(serial), "") {
			got[serial] = m.Key
		}
		byRequest := l.Find("", requestOf(serial))
		if len(byRequest) != len(l.Find(traceOf(serial), "")) {
			t.Errorf("trace id and request id of %d find different records", serial)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if found := l.Find("11111111111111110000000000000001", ""); found != nil {
		t.Errorf("found another ride's record: %v", found)
	}
	if stats := l.Stats(); stats.Lines != 9 || stats.Marked != 8 {
		t.Errorf("stats %+v", stats)
	}
}

func TestFollowsFromTheEndOrFromTheStart(t *testing.T) {
	j := newJournal(t)
	j.write("old " + parentOf(1) + "\n")
	fresh, whole := j.follow("plain", Config{}), j.follow("plain", Config{FromStart: true})
	j.write("new " + parentOf(2) + "\n")
	poll(t, fresh)
	poll(t, whole)
	if len(fresh.Find(traceOf(1), "")) != 0 || len(fresh.Find(traceOf(2), "")) != 1 {
		t.Error("a follower must see only what is new")
	}
	if len(whole.Find(traceOf(1), "")) != 1 || len(whole.Find(traceOf(2), "")) != 1 {
		t.Error("an attached export must be read from its start")
	}
	j.write("last " + parentOf(3)) // exports often end without a newline
	export := j.follow("plain", Config{FromStart: true})
	poll(t, export)
	if len(export.Find(traceOf(3), "")) != 1 {
		t.Error("the last line of an export was not read, for it has no newline")
	}
	if got, want := fresh.Find(traceOf(2), "")[0].Offset, int64(len("old "+parentOf(1)+"\n")); got != want {
		t.Errorf("offset %d, want %d", got, want)
	}
}

func TestCutLastLineIsCompletedLater(t *testing.T) {
	j := newJournal(t)
	l := j.follow("checkride", Config{})
	line := `{"id":"1","client_id":"c-1","traceparent":"` + parentOf(1) + `"}`
	for _, part := range []string{line[:20], line[20:60], line[60:]} {
		j.write(part)
		poll(t, l)
		if len(l.Find(traceOf(1), "")) != 0 {
			t.Fatal("a line without end was taken for whole")
		}
	}
	j.write("\r\n")
	poll(t, l)
	found := l.Find(traceOf(1), "")
	if len(found) != 1 || found[0].Fields["partner"] != "c-1" || found[0].Text != line {
		t.Fatalf("found %+v", found)
	}
}

func TestRotation(t *testing.T) {
	j := newJournal(t)
	l := j.follow("plain", Config{})
	j.write("a " + parentOf(1) + "\n")
	poll(t, l)
	j.write("b " + parentOf(2) + "\nno end " + parentOf(3))
	err := os.Rename(j.path, j.path+".1")
	if err != nil {
		t.Fatal(err)
	}
	poll(t, l) // the new file is not there yet
	j.write("d " + parentOf(4) + "\n")
	poll(t, l)
	for serial := uint64(1); serial <= 4; serial++ {
		if len(l.Find(traceOf(serial), "")) != 1 {
			t.Errorf("record %d was lost in the rotation", serial)
		}
	}
	if stats := l.Stats(); stats.Rotations != 1 || stats.Truncations != 0 {
		t.Errorf("stats %+v", stats)
	}
}

func TestTruncatedFileIsReadFromItsStart(t *testing.T) {
	j := newJournal(t)
	j.write(strings.Repeat("old\n", 100))
	l := j.follow("plain", Config{})
	err := os.Truncate(j.path, 0)
	if err != nil {
		t.Fatal(err)
	}
	j.write("e " + parentOf(5) + "\n")
	poll(t, l)
	found := l.Find(traceOf(5), "")
	if len(found) != 1 || found[0].Offset != 0 {
		t.Errorf("found %+v", found)
	}
	if stats := l.Stats(); stats.Truncations != 1 || stats.Rotations != 0 {
		t.Errorf("stats %+v", stats)
	}
}

func TestFileThatIsNotThereYet(t *testing.T) {
	j := journal{t, filepath.Join(t.TempDir(), "late.jsonl")}
	l := j.follow("plain", Config{})
	err := l.Poll(t.Context())
	if !errors.Is(err, errMissing) {
		t.Fatalf("poll says %v", err)
	}
	j.write("a " + parentOf(1) + "\n")
	poll(t, l)
	if len(l.Find(traceOf(1), "")) != 1 {
		t.Error("a file that appears is read from its start")
	}
}

func TestHostileLines(t *testing.T) {
	j := newJournal(t)
	l := j.follow("checkride", Config{})
	deep := `{"traceparent":"` + parentOf(5) + `","x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`
	j.write(`{"client_id":"evil\r\n\u001b[2J","traceparent":"` + parentOf(1) + `"}` + "\n" +
		"{\"client_id\":\"raw\x1b[31m\rreturn\",\"traceparent\":\"" + parentOf(2) + "\"}\n" +
		`{"traceparent":"` + parentOf(3) + `","pad":"` + strings.Repeat("A", 10<<20) + "\"}\n" +
		"{\"client_id\":\"\xff\xfe\",\"traceparent\":\"" + parentOf(4) + "\"}\n" +
		deep + "\n" +
		`{"client_id":{"id":["c",1]},"status":1e2,"decision":null,"traceparent":"` + parentOf(6) + `"}` + "\n" +
		`[{"id":"b1","traceparent":"` + parentOf(7) + `"},{"id":"b2","traceparent":"` + parentOf(8) + `"}]` + "\n" +
		`"just a text ` + parentOf(9) + `"` + "\n" +
		"\n\n{\n" +
		`{"id":"last","traceparent":"` + parentOf(10) + `"}` + "\n")
	poll(t, l)
	for serial := uint64(1); serial <= 10; serial++ {
		found := l.Find(traceOf(serial), "")
		if len(found) != 1 {
			t.Fatalf("line %d: found %d records", serial, len(found))
		}
		got := found[0]
		if strings.ToValidUTF8(got.Text, "") != got.Text || len(got.Text) > MaxLine {
			t.Errorf("line %d: text is not valid UTF-8, or too long", serial)
		}
		if garbled := serial == 2 || serial == 3 || serial == 5 || serial == 9; got.Garbled != garbled {
			t.Errorf("line %d: garbled %v", serial, got.Garbled)
		}
		if got.Cut != (serial == 3) {
			t.Errorf("line %d: cut %v", serial, got.Cut)
		}
	}
	if got := l.Find(traceOf(1), "")[0].Fields["partner"]; got != "evil\r\n\x1b[2J" {
		t.Errorf("partner %q", got)
	}
	if got := l.Find(traceOf(6), "")[0].Fields; got["partner"] != `{"id":["c",1]}` || got["decision"] != "" {
		t.Errorf("fields %q", got)
	}
	if got := l.Find(traceOf(3), "")[0]; got.Size < 10<<20 {
		t.Errorf("size %d", got.Size)
	}
	if stats := l.Stats(); stats.Cut != 1 || stats.Garbled != 4 || stats.Lines != 12 {
		t.Errorf("stats %+v", stats)
	}
}

func TestRepeatedDeliveryIsOneRecord(t *testing.T) {
	j := newJournal(t)
	l := j.follow("checkride", Config{})
	withID := `{"id":"edge-1","decision":"allow","traceparent":"` + parentOf(1) + `"}` + "\n"
	without := `{"decision":"allow","traceparent":"` + parentOf(2) + `"}` + "\n"
	j.write(withID + withID + without + without)
	poll(t, l)
	j.write(withID + `{"id":"edge-2","decision":"allow","traceparent":"` + parentOf(1) + `"}` + "\n")
	poll(t, l)
	found := l.Find(traceOf(1), "")
	if len(found) != 2 || found[0].Copies != 3 || found[1].Copies != 1 || found[0].Serial == found[1].Serial {
		t.Errorf("found %+v", found)
	}
	if found := l.Find(traceOf(2), ""); len(found) != 2 || found[0].ID != "" {
		t.Errorf("without the producer's id nothing can be called a repetition: %+v", found)
	}
	if stats := l.Stats(); stats.Repeated != 2 {
		t.Errorf("stats %+v", stats)
	}
}

func TestSecretsAreFoundAndNeverShown(t *testing.T) {
	const token, late = "eyJhbGciOiJub25l.c2VjcmV0LXRva2Vu.c2lnbmF0dXJl", "late-secret-0123456789abcdef"
	keeper := secret.NewKeeper()
	keeper.Keep("token", token)
	j := newJournal(t)
	l := j.follow("checkride", Config{Keeper: keeper})
	clean := `{"id":"1","reason":"as [token 7] said","traceparent":"` + parentOf(1) + `"}` + "\n"
	leaking := `{"id":"2","reason":"Bearer ` + token + `","traceparent":"` + parentOf(2) + `"}` + "\n"
	j.write(clean + leaking + "unmarked " + token + "\n" + `{"id":"3","reason":"` + late + `","traceparent":"` + parentOf(3) + `"}` + "\n")
	poll(t, l)
	keeper.Keep("client secret", late) // the answer that told it to us came after the line

	leaks := l.Secrets()
	if len(leaks) != 3 {
		t.Fatalf("leaks: %+v", leaks)
	}
	if leaks[0].Offset != int64(len(clean)) || !leaks[0].Marked || !slices.Equal(leaks[0].Kinds, []string{"token"}) {
		t.Errorf("first leak %+v", leaks[0])
	}
	if leaks[1].Marked || !slices.Equal(leaks[2].Kinds, []string{"client secret"}) {
		t.Errorf("other leaks %+v", leaks[1:])
	}
	shown := fmt.Sprintf("%+v %+v %+v", leaks, l.Find(traceOf(2), ""), l.Find(traceOf(3), ""))
	if strings.Contains(shown, token) || strings.Contains(shown, late) || strings.Contains(shown, "c2VjcmV0LXRva2Vu") {
		t.Error("a secret got out")
	}
	if len(l.Secrets()) != 3 || l.Stats().Leaking != 3 {
		t.Error("a line was counted twice")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	j := newJournal(t)
	l := j.follow("checkride", Config{Clients: []string{"c-1"}})
	j.write(strings.Repeat("noise\n", 200_000))
	poll(t, l)
	var echo strings.Builder
	for n := range keptPerExchange + 10 {
		fmt.Fprintf(&echo, "{\"id\":\"e%d\",\"traceparent\":%q}\n", n, parentOf(1))
	}
	for n := range keptUnmarked + 10 {
		fmt.Fprintf(&echo, "{\"id\":\"u%d\",\"client_id\":\"c-1\"}\n", n)
	}
	j.write(echo.String())
	poll(t, l)
	if got := len(l.Find(traceOf(1), "")); got != keptPerExchange {
		t.Errorf("%d records are kept", got)
	}
	if stats := l.Stats(); stats.Dropped != 10 || len(l.unmarked) != keptUnmarked || len(l.unscanned) != 0 {
		t.Errorf("stats %+v, %d unmarked", stats, len(l.unmarked))
	}
	weak := l.FindWeak(Hint{Client: "c-1", From: time.Now().Add(-time.Minute), To: time.Now().Add(time.Minute)})
	if len(weak) != keptUnmarked || weak[0].ID != "u10" || weak[len(weak)-1].ID != fmt.Sprintf("u%d", keptUnmarked+9) {
		t.Errorf("%d weak matches, or out of order", len(weak))
	}
}

func TestWeakMatches(t *testing.T) {
	j := newJournal(t)
	l := j.follow("haproxy-json", Config{})
	l.Watch("c-1")
	j.write(`{"ts":"2026-11-24T10:00:00Z","status":200,"method":"GET","path":"/payments?limit=1","client_id":"c-1"}` + "\n" +
		`{"ts":"2026-11-24T10:00:01Z","status":200,"method":"GET","path":"/other","client_id":"c-1"}` + "\n" +
		`{"ts":"2026-11-24T10:00:01Z","status":200,"method":"POST","path":"/payments","client_id":"c-1"}` + "\n" +
		`{"ts":"2026-11-24T10:00:01Z","status":200,"method":"GET","path":"/payments","client_id":"c-12"}` + "\n" +
		`{"ts":"2026-11-24T10:05:00Z","status":200,"method":"GET","path":"/payments","client_id":"c-1"}` + "\n")
	poll(t, l)
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	found := l.FindWeak(Hint{Client: "c-1", Method: "get", Path: "/payments", From: at.Add(-10 * time.Second), To: at.Add(10 * time.Second)})
	if len(found) != 1 || found[0].Key != ByClientAndTime || !found[0].Key.Weak() || found[0].Fields["decision"] != "allow" {
		t.Errorf("found %+v", found)
	}
}

func TestWaitPollsUntilTheRecordComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(t)
		l := j.follow("plain", Config{})
		var waiting sync.WaitGroup
		for serial := range uint64(5) {
			waiting.Go(func() {
				found, err := l.Wait(t.Context(), traceOf(serial), time.Minute)
				if err != nil || len(found) != 1 {
					t.Errorf("waiting for %d: %v, %v", serial, found, err)
				}
			})
		}
		time.Sleep(7 * time.Second)
		for serial := range uint64(5) {
			j.write("a " + parentOf(serial) + "\n")
		}
		began := time.Now()
		waiting.Wait()
		if late := time.Since(began); late > longestInterval {
			t.Errorf("the record was seen %s late", late)
		}

		began = time.Now()
		found, err := l.Wait(t.Context(), traceOf(99), 30*time.Second)
		if err != nil || len(found) != 0 || time.Since(began) != 30*time.Second {
			t.Errorf("waited %s: %v, %v", time.Since(began), found, err)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = l.Wait(ctx, traceOf(99), time.Hour)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("wait did not heed its context: %v", err)
		}
	})
}

func TestWaitTellsAnUnreadableLogFromAMissingRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := journal{t, filepath.Join(t.TempDir(), "never.jsonl")}
		l := j.follow("plain", Config{})
		_, err := l.Wait(t.Context(), traceOf(1), 5*time.Second)
		if !errors.Is(err, errMissing) || !strings.HasPrefix(err.Error(), "read audit log edge: ") {
			t.Errorf("wait says %v", err)
		}
	})
}

func TestCommand(t *testing.T) {
	dir := t.TempDir()
	lines := filepath.Join(dir, "lines")
	j := journal{t, lines}
	j.write(`{"decision":"allow","traceparent":"` + parentOf(1) + `"}` + "\n" + `{"decision":"allow","traceparent":"` + parentOf(1) + `"}` + "\n")
	src := plan.LogSource{Name: "cloud", Exec: []string{"sh", "-c", `test -n "$SINCE" && test -n "$UNTIL" && grep -h "$MARKER" lines`}}
	_, err := Open(src, Config{Ride: ride, Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "--allow-exec") {
		t.Fatalf("a command ran without leave: %v", err)
	}
	l, err := Open(src, Config{Ride: ride, Dir: dir, AllowExec: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	poll(t, l)
	j.write("noise\n" + `{"decision":"deny","traceparent":"` + parentOf(2) + `"}`) // no end of line: the end of the output ends it
	poll(t, l)
	poll(t, l)
	if got := len(l.Find(traceOf(1), "")); got != 2 {
		t.Errorf("%d records: what a later run repeats is no new record, what one run prints twice is two", got)
	}
	if got := l.Find(traceOf(2), ""); len(got) != 1 || got[0].Fields["decision"] != "deny" {
		t.Errorf("found %+v", got)
	}
	if stats := l.Stats(); stats.Lines != 3 {
		t.Errorf("stats %+v", stats)
	}
}

func TestFailingCommand(t *testing.T) {
	keeper := secret.NewKeeper()
	keeper.Keep("secret", "hunter2-hunter2-hunter2")
	src := plan.LogSource{Name: "cloud", Exec: []string{"sh", "-c", `echo '"` + parentOf(1) + `"'; echo no access with hunter2-hunter2-hunter2 >&2; exit 3`}, Preset: "plain"}
	l, err := Open(src, Config{Ride: ride, AllowExec: true, Keeper: keeper})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 2 {
		err = l.Poll(t.Context())
		if err == nil || !strings.Contains(err.Error(), "no access") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("poll says %v", err)
		}
	}
	if len(l.Find(traceOf(1), "")) != 1 {
		t.Error("what was printed before the failure counts, once")
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for want, src := range map[string]plan.LogSource{
		"neither file nor command": {},
		"keep one of them":         {File: "a", Exec: []string{"b"}},
		"unknown preset":           {File: "a", Preset: "splunk"},
		"unknown field":            {File: "a", Fields: map[string]string{"colour": "x"}},
		"no regular file":          {File: "."},
		"right file":               {File: "nowhere/a"},
	} {
		src.Name = "edge"
		_, err := Open(src, Config{Ride: ride, Dir: dir})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "open audit log edge") {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	_, err := Open(plan.LogSource{Name: "edge", File: "a"}, Config{Ride: "nope", Dir: dir})
	if err == nil {
		t.Error("a ride without mark was accepted")
	}
}

func TestLinesDoNotDependOnThePieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(rapid.StringMatching(`[a-z ]{0,12}`)).Draw(t, "lines")
		text := strings.Join(want, "\n") + "\n"
		if len(want) == 0 {
			text = ""
		}
		var s splitter
		var got []string
		var end int64
		emit := func(l line) {
			if l.offset != end {
				t.Fatalf("a line at %d follows one that ends at %d", l.offset, end)
			}
			end += l.size
			got = append(got, string(l.text))
		}
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			s.feed([]byte(rest[:n]), emit)
			rest = rest[n:]
		}
		if !slices.Equal(got, want) || end != int64(len(text)) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestReadTime(t *testing.T) {
	want := time.Date(2026, 11, 24, 10, 0, 0, 500_000_000, time.UTC)
	for text, zoneless := range map[string]bool{
		"2026-11-24T10:00:00.5Z": false, "2026-11-24T11:00:00.5+01:00": false, "2026-11-24T10:00:00.5+0000": false,
		"1795514400.5": false, "1795514400500": false, "1795514400500000": false, "1795514400500000000": false,
		"24/Nov/2026:10:00:00.500": true, "2026-11-24 10:00:00.5": true,
	} {
		got, without := readTime(text)
		if d := got.Sub(want); d.Abs() > time.Millisecond || without != zoneless {
			t.Errorf("%s: %s, zoneless %v", text, got, without)
		}
	}
	for _, text := range []string{"", "soon", "42", "-1", "NaN", "1e300"} {
		if got, _ := readTime(text); !got.IsZero() {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}
