package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/plan"
)

// preset tells how a line of a producer is read: where each normal name is found, as dotted paths into a JSON object;
// the first path that is there wins.
type preset struct {
	plain bool // the line is text
	paths map[string][]string
}

// presets holds what each producer writes. nginx and HAProxy have no fixed JSON form: the names are those of the log
// formats in our documentation, with usual alternatives behind.
var presets = map[string]map[string][]string{
	"checkride": {
		"id": {"id"}, "time": {"time"}, "component": {"component"}, "action": {"action"}, "decision": {"decision"},
		"reason": {"reason"}, "partner": {"client_id"}, "org": {"org"}, "token": {"token_id"},
		"certificate": {"cert_sha256"}, "origin": {"origin"}, "method": {"method"}, "resource": {"path"},
		"status": {"status"}, "trace": {"traceparent"}, "request_id": {"request_id"},
	},
	// nginx's $request_id is its own: it tells two deliveries of one record from two requests.
	"nginx-json": {
		"id": {"req"}, "time": {"ts", "time", "time_iso8601", "msec"}, "partner": {"client_id", "oauth_client"},
		"org": {"org"}, "token": {"jti", "token_id"}, "certificate": {"cert", "ssl_client_fingerprint", "ssl_client_s_dn"},
		"origin": {"origin", "remote_addr", "ip"}, "method": {"method", "request_method"},
		"resource": {"path", "uri", "request_uri"}, "status": {"status"}, "reason": {"reason"}, "decision": {"decision"},
		"trace": {"trace", "traceparent", "http_traceparent"}, "request_id": {"request_id", "http_x_request_id"},
		"component": {"component", "server_name"},
	},
	"haproxy-json": {
		"id": {"id", "unique_id"}, "time": {"ts", "time"}, "partner": {"client_id"}, "org": {"org"},
		"token": {"jti", "token_id"}, "certificate": {"cert"}, "origin": {"origin", "client_ip", "ip"},
		"method": {"method"}, "resource": {"path", "uri"}, "status": {"status"}, "reason": {"reason"},
		"decision": {"decision"}, "trace": {"trace", "traceparent"}, "request_id": {"req", "request_id"},
		"component": {"component", "frontend"},
	},
	"oidc-provider": {
		"id": {"id"}, "time": {"ts"}, "action": {"event"}, "partner": {"client_id"}, "token": {"jti"}, "origin": {"ip"},
		"reason": {"error", "detail"}, "method": {"method"}, "resource": {"path"}, "status": {"status"},
		"trace": {"trace"}, "request_id": {"request_id", "req"},
	},
	"plain": nil,
}

// synonyms holds further words that a plan may use for a normal name.
var synonyms = map[string]string{"client": "partner", "client_id": "partner", "path": "resource", "ip": "origin", "traceparent": "trace"}

func presetOf(src plan.LogSource) (preset, error) {
	name := src.Preset
	if name == "" {
		name = "checkride"
	}
	paths, ok := presets[name]
	if !ok {
		return preset{}, fmt.Errorf("open audit log %s: unknown preset %q; use one of %s", src.Name, name, strings.Join(slices.Sorted(maps.Keys(presets)), ", "))
	}
	p := preset{plain: name == "plain" && len(src.Fields) == 0, paths: maps.Clone(paths)}
	if p.paths == nil {
		p.paths = map[string][]string{}
	}
	for field, path := range src.Fields {
		normal := field
		if other, ok := synonyms[field]; ok {
			normal = other
		}
		if !slices.Contains(Fields, normal) {
			return preset{}, fmt.Errorf("open audit log %s: unknown field %q; use one of %s", src.Name, field, strings.Join(Fields, ", "))
		}
		p.paths[normal] = []string{path}
	}
	return p, nil
}

// records splits a line into records: the members of a batch, which is a JSON array, else the line itself.
func (p preset) records(text string) []string {
	if p.plain || !strings.HasPrefix(strings.TrimSpace(text), "[") {
		return []string{text}
	}
	var batch []json.RawMessage
	err := json.Unmarshal([]byte(text), &batch)
	if err != nil || len(batch) == 0 {
		return []string{text}
	}
	parts := make([]string, len(batch))
	for i, member := range batch {
		parts[i] = string(member)
	}
	return parts
}

// fields reads a record. It says false when the text is not what the preset expects. An object may have a prefix, as
// syslog puts before it.
func (p preset) fields(text string) (map[string]string, bool) {
	fields := make(map[string]string, len(p.paths))
	if p.plain {
		return fields, true
	}
	start := strings.IndexByte(text, '{')
	if start < 0 {
		return fields, false
	}
	decoder := json.NewDecoder(strings.NewReader(text[start:]))
	decoder.UseNumber() // 1e21 is no way to print a serial number
	var record any
	err := decoder.Decode(&record)
	if err != nil {
		return fields, false
	}
	object, _ := record.(map[string]any) // it begins with a brace
	for name, paths := range p.paths {
		for _, path := range paths {
			value := at(object, path)
			if value != "" {
				fields[name] = value
				break
			}
		}
	}
	normalize(fields)
	return fields, true
}

// at reads the text at a dotted path. A member whose name has dots in it is found by its whole name, a member of an
// array by its number. What producers write for "nothing" is nothing.
func at(object map[string]any, path string) string {
	var value any = object
	for path != "" {
		switch v := value.(type) {
		case map[string]any:
			whole, ok := v[path]
			if ok {
				value, path = whole, ""
				continue
			}
			head, rest, _ := strings.Cut(path, ".")
			value, path = v[head], rest
		case []any:
			head, rest, _ := strings.Cut(path, ".")
			n, err := strconv.Atoi(head)
			if err != nil || n < 0 || n >= len(v) {
				return ""
			}
			value, path = v[n], rest
		default:
			return ""
		}
	}
	return textOf(value)
}

func textOf(value any) string {
	switch v := value.(type) {
	case string:
		if v == "-" {
			return ""
		}
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case nil:
		return ""
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

// normalize gives the fields their one form.
func normalize(fields map[string]string) {
	if trace, ok := fields["trace"]; ok {
		fields["trace"] = traceID(trace)
	}
	decision := decisionOf(fields)
	if decision != "" {
		fields["decision"] = decision
	}
}

// traceID gives the trace id of a traceparent (W3C Trace Context §3.2.2), or the text itself.
func traceID(traceparent string) string {
	parts := strings.Split(traceparent, "-")
	if len(parts) >= 4 && len(parts[1]) == 32 {
		return parts[1]
	}
	return traceparent
}

// decisionOf reads what was decided: from the decision itself, else from the status, else from the way in which events
// are named.
func decisionOf(fields map[string]string) string {
	switch strings.ToLower(fields["decision"]) {
	case "allow", "allowed", "accept", "accepted", "permit", "permitted", "grant", "granted", "success", "succeeded", "ok", "true":
		return "allow"
	case "deny", "denied", "reject", "rejected", "refuse", "refused", "forbid", "forbidden", "failure", "failed", "fail", "error", "false":
		return "deny"
	case "":
		status, action := fields["status"], strings.ToLower(fields["action"])
		switch {
		case len(status) == 3 && status[0] == '2':
			return "allow"
		case status == "401" || status == "403":
			return "deny"
		case status != "":
			return ""
		case strings.HasSuffix(action, ".error") || strings.HasSuffix(action, "_error"):
			return "deny"
		case strings.HasSuffix(action, ".success") || strings.HasSuffix(action, ".issued") || strings.HasSuffix(action, ".saved"):
			return "allow"
		}
		return ""
	}
	return fields["decision"]
}

var layouts = []struct {
	layout string
	zone   bool
}{
	{time.RFC3339Nano, true},
	{"2006-01-02T15:04:05.999999999Z0700", true},
	{"2006-01-02 15:04:05.999999999Z07:00", true},
	{"02/Jan/2006:15:04:05 -0700", true},
	{time.RFC1123Z, true},
	{time.RFC1123, true},
	{"02/Jan/2006:15:04:05.999", false}, // HAProxy %tr
	{"2006-01-02T15:04:05.999999999", false},
	{"2006-01-02 15:04:05.999999999", false},
}

// readTime reads a time as logs write it: as a date, or as seconds, milliseconds, microseconds or nanoseconds since
// 1970. The second result says that there was no zone; then it is taken as UTC.
func readTime(s string) (time.Time, bool) {
	for _, l := range layouts {
		at, err := time.Parse(l.layout, s)
		if err == nil {
			return at.UTC(), !l.zone
		}
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= 1e8 && n <= 1e19) { // NaN is neither
		return time.Time{}, false
	}
	for n >= 1e11 { // seconds reach 1e11 in the year 5138
		n /= 1000
	}
	return time.UnixMicro(int64(n * 1e6)).UTC(), false
}
