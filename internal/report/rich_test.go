package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

// richRide is a ride that has one of everything: failures with times, with cases and with a common cause, a waiver that
// is used, one that expired and one that matches nothing, declared and undeclared gaps, a broken tool, a missing result,
// and strangers who write into logs and names.
func richRide() []logbook.Entry {
	b := &richBook{started: time.Date(2026, 10, 6, 8, 14, 28, 900e6, time.UTC)}
	b.head()
	b.cards()
	b.roll()
	b.story()
	b.close()
	return b.entries
}

type richBook struct {
	started time.Time
	entries []logbook.Entry
	serial  uint64
	now     time.Duration
}

func (b *richBook) add(e logbook.Entry) {
	e.At = b.now
	b.entries = append(b.entries, e)
}

func (b *richBook) head() {
	date := func(s string) time.Time {
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			panic(err)
		}
		return t
	}
	b.add(logbook.Entry{Head: &logbook.Head{
		Ride: "20261006-081428-7c41", Started: b.started, Tool: "checkride 1.0.0", Name: "acme payments, staging", Environment: "staging",
		Partner: "acme", Owner: "payments team", Purpose: "reads the status of its own payments", Plan: "plan.yaml", PlanDigest: strings.Repeat("1a867927", 8),
		PlanText: "name: acme payments, staging\nlimits:\n  revocation: {introspect: 10s, push: 10s}\n",
		Lines:    map[string]int{"limits.revocation.introspect": 41, "limits.revocation.push": 41, "limits.log_delay": 44},
		Limits:   map[string]string{"limits.revocation.introspect": "10s", "limits.revocation.push": "10s", "limits.log_delay": "30s", "limits.token_lifetime": "2m"},
		Blocks:   logbook.High, Permission: &logbook.Permission{Ticket: "SEC-1412", Approver: "security desk", Until: date("2027-01-31")},
		Points: []logbook.Point{
			{Name: "AS", Kind: "as", URL: "https://as.example"},
			{Name: "edge", Kind: "point", URL: "https://edge.example", Credential: "bearer", Revocation: "introspect", Limit: 10 * time.Second, Nodes: 2},
			{Name: "partner-gw", Kind: "point", URL: "https://gw.example", Credential: "mtls", Revocation: "push", Limit: 10 * time.Second},
			{Name: "legacy", Kind: "point", URL: "https://legacy.example", Credential: "bearer", Revocation: "introspect", Limit: 10 * time.Second},
			{Name: "api-log", Kind: "log"},
		},
		Scope: []logbook.Exclusion{
			{Check: "rotate.*", Reason: "vendor change freeze", Owner: "payments team", Expires: date("2026-12-31"), Line: 70},
			{Check: "expire.*", Reason: "was frozen in summer", Owner: "payments team", Expires: date("2026-09-01"), Line: 71},
		},
		Waivers: []logbook.Exclusion{
			{Check: "audit.origin-is-caller", Point: "legacy", Reason: "PROXY protocol comes with the move in Q4", Owner: "payments-desk", Expires: date("2026-12-31"), Line: 75},
			{Check: "offboard.token-outlives-client", Reason: "accepted for the pilot", Owner: "s.okafor", Expires: date("2026-09-30"), Line: 76},
			{Check: "claims.gone", Reason: "an old check", Owner: "nobody", Expires: date("2027-01-01"), Line: 77},
		},
		LongestWait: 2 * time.Minute, Command: "checkride run plan.yaml",
	}})
}

func (b *richBook) cards() {
	rfc := func(n int, section string) logbook.Reference {
		return logbook.Reference{ID: fmt.Sprintf("RFC %d §%s", n, section), URL: fmt.Sprintf("https://www.rfc-editor.org/rfc/rfc%d#section-%s", n, section)}
	}
	nhi := logbook.Reference{ID: "NHI1:2025", Title: "Improper Offboarding", URL: "javascript:alert(1)"}
	for _, c := range []logbook.Card{
		{ID: "discover.issuer-matches", Title: "the metadata names the issuer that the plan names", Severity: logbook.High, Refs: []logbook.Reference{rfc(8414, "3.3")}},
		{ID: "register.needs-initial-token", Title: "registration without the initial access token is refused", Severity: logbook.High, Refs: []logbook.Reference{rfc(7591, "3")}},
		{ID: "issue.response-not-stored", Title: "the token response forbids storing", Broken: "the token response lacks Pragma: no-cache", Severity: logbook.Low,
			Why: "a shared cache may keep the token", Fix: "send Cache-Control: no-store and Pragma: no-cache", Refs: []logbook.Reference{rfc(6749, "5.1")}},
		{ID: "bind.without-its-certificate", Title: "a certificate-bound token is refused without its certificate", Broken: "a certificate-bound token is accepted without its certificate", Severity: logbook.Critical,
			Why: "the binding is what makes a copied token worthless", Fix: "compare the certificate's SHA-256 with cnf.x5t#S256 on every request", Refs: []logbook.Reference{rfc(8705, "3"), nhi}, Twin: "IgnoresBinding"},
		{ID: "bind.with-another-certificate", Title: "a certificate-bound token is refused with another certificate", Severity: logbook.Critical, Why: "as above", Fix: "as above"},
		{ID: "bind.renewed-certificate", Title: "a token bound to a renewed certificate is accepted", Severity: logbook.High},
		{ID: "enforce.forged-identity-header", Title: "identity headers of the caller are dropped", Broken: "identity headers of the caller reach the application", Severity: logbook.High,
			Why: "whoever can send a header is whoever he likes", Fix: "remove every identity header at the edge", Refs: []logbook.Reference{{ID: "SP 800-207 tenet 6"}}, Twin: "PassesIdentityHeaders"},
		{ID: "enforce.no-token", Title: "a call without a token is refused", Severity: logbook.Critical, Twin: "OpenRoute"},
		{ID: "enforce.wrong-audience", Title: "a token for another audience is refused", Severity: logbook.Critical, Twin: "IgnoresAudience"},
		{ID: "audit.origin-is-caller", Title: "the log names the caller's address", Severity: logbook.Medium},
		{ID: "audit.refusals-logged", Title: "refused calls leave a record", Broken: "refused calls leave no record", Severity: logbook.Medium, Why: "who tries stolen tokens is seen by nobody", Fix: "write the record in the last phase"},
		{ID: "rotate.withdrawn-signing-key", Title: "a token signed with a withdrawn key is refused", Severity: logbook.High},
		{ID: "expire.token-after-expiry", Title: "an expired token is refused", Severity: logbook.High},
		{ID: "revoke.token-outlives-revocation", Title: "a revoked access token is refused at every enforcement point within the agreed time", Severity: logbook.Critical,
			Why: "whoever holds a leaked token keeps its access after the alarm", Fix: "shorten the introspection cache, or push revocations to the gateway",
			Refs: []logbook.Reference{nhi, rfc(7009, "2.1"), {ID: "CSF PR.AA-05"}}, Twin: "TokenCache"},
		{ID: "compromise.stolen-token", Title: "a stolen token is refused", Severity: logbook.Critical, Why: "as above", Fix: "as above"},
		{ID: "offboard.token-outlives-client", Title: "a deleted client's token is refused within the agreed time", Severity: logbook.High, Why: "the partner keeps its access after the contract", Fix: "drop a client's tokens when it is deleted"},
	} {
		stage, _, _ := strings.Cut(c.ID, ".")
		c.Stage = logbook.Stage(stage)
		b.add(logbook.Entry{Card: &c})
	}
}

func (b *richBook) due(d logbook.Due) { b.add(logbook.Entry{Due: &d}) }

func (b *richBook) roll() {
	at := func(check string, points ...string) {
		for _, p := range points {
			d := logbook.Due{Check: check, Point: p, Required: true}
			if strings.HasPrefix(check, "revoke.") || strings.HasPrefix(check, "offboard.") {
				d.Promise = "limits.revocation.introspect"
				if p == "partner-gw" {
					d.Promise = "limits.revocation.push"
				}
			}
			b.due(d)
		}
	}
	at("discover.issuer-matches", "AS")
	at("register.needs-initial-token", "AS")
	at("issue.response-not-stored", "AS")
	at("bind.without-its-certificate", "edge", "partner-gw", "legacy")
	at("bind.with-another-certificate", "edge", "partner-gw", "legacy")
	at("bind.renewed-certificate", "partner-gw")
	at("enforce.forged-identity-header", "edge", "partner-gw", "legacy")
	at("enforce.no-token", "edge", "partner-gw", "legacy")
	at("enforce.wrong-audience", "edge", "partner-gw", "legacy")
	at("audit.origin-is-caller", "edge", "legacy")
	b.due(logbook.Due{Check: "audit.refusals-logged", Point: "edge", Required: true})
	b.due(logbook.Due{Check: "audit.refusals-logged", Point: "partner-gw", Required: true, LeftOut: "the plan names no log for it", Declared: true, Gap: "audit of partner-gw (no access)"})
	b.due(logbook.Due{Check: "audit.refusals-logged", Point: "api-log", LeftOut: "the log keeps accepted calls only"})
	b.due(logbook.Due{Check: "rotate.withdrawn-signing-key", Point: "AS", Required: true, LeftOut: "out of scope", Declared: true})
	at("expire.token-after-expiry", "edge", "legacy")
	at("revoke.token-outlives-revocation", "AS", "edge", "partner-gw", "legacy")
	at("compromise.stolen-token", "partner-gw")
	at("offboard.token-outlives-client", "edge", "legacy")
}

// exchange writes one exchange and gives its serial.
func (b *richBook) exchange(point, check, purpose string, status int, decision string, edit ...func(*logbook.Exchange)) uint64 {
	b.serial++
	b.now += 40 * time.Millisecond
	x := &logbook.Exchange{
		Serial: b.serial, Trace: fmt.Sprintf("7c41d0a2b95e4f60%016x", b.serial), Check: check, Point: point, Purpose: purpose, Who: "partner",
		Method: "GET", URL: "https://" + point + ".example/payments",
		Request: logbook.Message{Header: []logbook.Field{{Name: "Authorization", Value: "Bearer [access token 31]"}, {Name: "X-Request-ID", Value: fmt.Sprintf("cr-7c41-%04d", b.serial)}}},
		Status:  status, Response: logbook.Message{Header: []logbook.Field{{Name: "Content-Type", Value: "application/json"}}, Body: `{"saw":{"client_id":"cr-7c41"},"nonce":"k3J9xQ"}`, Size: 49},
		Remote: "192.0.2.10:443", TLS: "1.3", ClientCert: "CN=partner-a.example, sha256 9f2c41ab", Took: 12 * time.Millisecond, Decision: decision,
	}
	for _, f := range edit {
		f(x)
	}
	b.add(logbook.Entry{Exchange: x})
	return b.serial
}

func (b *richBook) saw(o logbook.Observation) {
	if o.Asserted == 0 && o.Outcome == logbook.Pass && o.Because == "" {
		o.Asserted = 3
	}
	b.now += 5 * time.Millisecond
	b.add(logbook.Entry{Observation: &o})
}

func (b *richBook) pass(check string, points ...string) {
	for _, p := range points {
		b.saw(logbook.Observation{Check: check, Point: p, Outcome: logbook.Pass, Expected: "refused", Observed: "401 invalid_token", Exchanges: []uint64{b.exchange(p, check, "altered", 401, "refused")}})
	}
}

const evil = "\u202egnp.\u202c <script>alert('x')</script>\x1b[2J\u200b"

func (b *richBook) story() {
	b.add(logbook.Entry{Note: &logbook.Note{About: "calibration", Point: "AS", Text: "the AS gives a new token for each request; its clock is 20 ms ahead"}})
	b.add(logbook.Entry{Note: &logbook.Note{About: "nodes", Point: "edge", Text: "2 of 2 nodes seen"}})
	b.pass("discover.issuer-matches", "AS")
	b.pass("register.needs-initial-token", "AS")
	b.saw(logbook.Observation{Check: "issue.response-not-stored", Point: "AS", Outcome: logbook.Fail, Expected: "Cache-Control: no-store and Pragma: no-cache", Observed: "no Pragma", Asserted: 2,
		Exchanges: []uint64{b.exchange("AS", "issue.response-not-stored", "setup", 200, "accepted")}})
	b.bind()
	b.enforce()
	b.saw(logbook.Observation{Check: "audit.origin-is-caller", Point: "edge", Outcome: logbook.Pass, Asserted: 1})
	b.saw(logbook.Observation{Check: "audit.origin-is-caller", Point: "legacy", Outcome: logbook.Fail, Expected: "the caller's address", Observed: "10.0.4.7, the load balancer", Asserted: 1})
	b.saw(logbook.Observation{Check: "audit.refusals-logged", Point: "edge", Outcome: logbook.Error, Because: "panic in the reader of edge.jsonl: index out of range"})
	b.saw(logbook.Observation{Check: "expire.token-after-expiry", Point: "edge", Outcome: logbook.NotApplicable, Because: "tokens of the plan do not expire within longest_wait"})
	b.revoke()
	b.saw(logbook.Observation{Check: "offboard.token-outlives-client", Point: "edge", Outcome: logbook.Fail, Expected: "refused within 10 s of the deletion", Asserted: 1,
		Bounds: []logbook.Bound{{Name: "warm", Low: 98400 * time.Millisecond, High: 98600 * time.Millisecond, Limit: 10 * time.Second, Interval: 200 * time.Millisecond, Expired: true, Probes: 492, Accepted: 490, Outcome: logbook.Fail, Limited: "limits.revocation.introspect"}}})
	b.saw(logbook.Observation{Check: "offboard.token-outlives-client", Point: "legacy", Outcome: logbook.Pass, Asserted: 1,
		Bounds: []logbook.Bound{{Name: "warm", Low: 200 * time.Millisecond, High: 400 * time.Millisecond, Limit: 10 * time.Second, Held: 15 * time.Second, Probes: 76, Accepted: 1, Outcome: logbook.Pass}}})
}

func (b *richBook) bind() {
	const check = "bind.without-its-certificate"
	c1 := b.exchange("partner-gw", check, "control", 200, "accepted")
	n := b.exchange("partner-gw", check, "altered", 200, "accepted", func(x *logbook.Exchange) {
		x.ClientCert = ""
		x.Response.Header = append(x.Response.Header, logbook.Field{Name: "X-Partner", Value: evil})
	})
	b.add(logbook.Entry{Record: &logbook.Record{Serial: 1, Exchange: n, Source: "partner-gw", Key: "request id", Text: `{"rid":"cr-7c41","ua":"` + evil + `"}`, Delay: 22 * time.Millisecond,
		Fields: map[string]string{"decision": "allow", "partner": evil}}})
	c2 := b.exchange("partner-gw", check, "control", 200, "accepted")
	b.saw(logbook.Observation{Check: check, Point: "partner-gw", Outcome: logbook.Fail, Expected: "401 invalid_token", Observed: "200 with the partner's identity, three times of three",
		Differs: "client certificate: CN=partner-a.example -> none", Exchanges: []uint64{c1, n, c2}, Records: []uint64{1}, Asserted: 3, Relevance: "a token from a log or a crash dump is enough to act as acme"})
	b.pass(check, "edge", "legacy")
	b.saw(logbook.Observation{Check: "bind.with-another-certificate", Point: "edge", Outcome: logbook.Pass, Asserted: 1, Openings: []logbook.Opening{
		{What: "the new " + evil, At: "edge", After: 37 * time.Millisecond, Limit: 2 * time.Second},
		{What: "the new " + evil, At: "edge", After: 41 * time.Millisecond, Limit: 2 * time.Second},
		{What: "the new " + evil, At: "partner-gw", After: 2 * time.Second, Never: true, Limit: 2 * time.Second},
		{What: "a token by the new signing key", At: "edge", After: 510 * time.Millisecond, Limit: 2 * time.Second},
	}})
	b.pass("bind.with-another-certificate", "legacy")
	b.saw(logbook.Observation{Check: "bind.with-another-certificate", Point: "partner-gw", Outcome: logbook.Fail, Observed: "200", Cause: check, Asserted: 1})
	b.saw(logbook.Observation{Check: "compromise.stolen-token", Point: "partner-gw", Outcome: logbook.Fail, Observed: "200", Cause: check, Asserted: 1})
	b.saw(logbook.Observation{Check: "bind.renewed-certificate", Point: "partner-gw", Outcome: logbook.Inconclusive, Cause: check, Because: "a point that ignores the binding cannot show how it treats a renewed certificate"})
}

func (b *richBook) enforce() {
	const check = "enforce.forged-identity-header"
	var cases []logbook.Case
	for _, name := range []string{"X-User", "X-Client-ID", "X-Forwarded-User", "X-Tenant"} {
		c := logbook.Case{Name: name, Outcome: logbook.Pass, Observed: "identity unchanged", Differs: name + ": absent -> mallory"}
		if name == "X-Tenant" {
			c.Outcome, c.Observed = logbook.Fail, "the application saw tenant "+evil
			c.Exchanges = []uint64{
				b.exchange("legacy", check, "control", 200, "accepted"),
				b.exchange("legacy", check, "altered", 200, "accepted", func(x *logbook.Exchange) {
					x.Request.Header = append(x.Request.Header, logbook.Field{Name: "X-Tenant", Value: "mallory"})
				}),
			}
		}
		cases = append(cases, c)
	}
	b.saw(logbook.Observation{Check: check, Point: "legacy", Outcome: logbook.Fail, Expected: "the identity of the token", Observed: "the identity of the header", Weak: true, Cases: cases, Asserted: 4})
	b.pass(check, "edge", "partner-gw")
	b.pass("enforce.no-token", "edge", "partner-gw", "legacy")
	b.pass("enforce.wrong-audience", "edge", "partner-gw")
	b.saw(logbook.Observation{Check: "enforce.wrong-audience", Point: "legacy", Outcome: logbook.Inconclusive, Because: "the control after the altered request got 429; lower pace.requests_per_second",
		Exchanges: []uint64{b.exchange("legacy", "enforce.wrong-audience", "control", 429, "unknown"), b.exchange("legacy", "enforce.wrong-audience", "altered", 0, "unknown", func(x *logbook.Exchange) {
			x.Failure, x.Detail = "timeout", "no answer within 5 s"
			x.Response = logbook.Message{}
		})}})
}

// revoke is a watch of a revoked token at four places, beside a sibling that was not revoked.
func (b *richBook) revoke() {
	const check = "revoke.token-outlives-revocation"
	b.now = 8 * time.Second
	t0 := b.now
	revocation := b.exchange("AS", check, "setup", 200, "accepted", func(x *logbook.Exchange) {
		x.Method, x.URL = "POST", "https://as.example/revoke"
		x.Request.Body, x.Request.Size = "token=[access token 31]", 23
		x.Response = logbook.Message{}
	})
	type watch struct {
		point string
		ends  time.Duration // first refused
		never bool
	}
	watches := []watch{{"AS", 200 * time.Millisecond, false}, {"edge", 15 * time.Second, false}, {"partner-gw", 112800 * time.Millisecond, true}, {"legacy", 41 * time.Second, false}}
	for _, w := range watches {
		b.add(logbook.Entry{Watch: &logbook.Watch{Check: check, Point: w.point, Name: "warm", What: "revoked token", Since: t0, Limit: 10 * time.Second, Until: t0 + 2*time.Minute}})
	}
	const interval = 200 * time.Millisecond
	for b.now = t0; b.now < t0+114*time.Second; b.now += interval {
		since := b.now - t0
		for _, w := range watches {
			if since > w.ends+15*time.Second {
				continue
			}
			b.add(logbook.Entry{Tick: &logbook.Tick{Check: check, Point: w.point, Name: "warm", Accepted: since < w.ends}})
			if since >= w.ends && since < w.ends+interval {
				b.add(logbook.Entry{Watch: &logbook.Watch{Check: check, Point: w.point, Name: "warm", What: "revoked token", Since: t0, Limit: 10 * time.Second, Refused: since, Over: since > 10*time.Second}})
			}
		}
		b.add(logbook.Entry{Tick: &logbook.Tick{Check: check, Point: "edge", Name: "sibling", Accepted: true}})
	}
	for _, w := range watches {
		outcome := logbook.Fail
		if w.ends < 10*time.Second {
			outcome = logbook.Pass
		}
		o := logbook.Observation{Check: check, Point: w.point, Outcome: outcome, Expected: "refused within 10 s", Asserted: 1, Exchanges: []uint64{revocation},
			Bounds: []logbook.Bound{{Name: "warm", Low: w.ends - interval, High: w.ends, Limit: 10 * time.Second, Interval: interval, Held: 15 * time.Second, Expired: w.never, Never: w.never,
				Probes: int((w.ends + 15*time.Second) / interval), Accepted: int(w.ends / interval), Control: "sibling accepted, 570 of 570", Outcome: outcome, Limited: "limits.revocation.introspect"}}}
		if w.point != "AS" {
			o.Exchanges = append(o.Exchanges, b.exchange(w.point, check, "probe", 200, "accepted"), b.exchange(w.point, check, "probe", 401, "refused"))
		}
		b.saw(o)
	}
}

func (b *richBook) close() {
	for _, name := range []string{"cr-7c41-partner", "cr-7c41-neighbour"} {
		b.add(logbook.Entry{Removal: &logbook.Removal{Kind: "client", Name: name, Server: "AS", Gone: true, Tried: true, Detail: "token request: 401 invalid_client"}})
	}
	b.add(logbook.Entry{Removal: &logbook.Removal{Kind: "token", Name: "45 access tokens", Gone: true, Tried: true, Detail: "each tried at each point: refused"}})
	b.add(logbook.Entry{Removal: &logbook.Removal{Kind: "certificate", Name: "CN=thief", Gone: true, Tried: true}})
	b.add(logbook.Entry{End: &logbook.End{
		Finished: b.started.Add(122800 * time.Millisecond), Took: 122800 * time.Millisecond, LongestWait: 2 * time.Minute, Requests: 4400, PeakRate: 48, PeakMemory: 61 << 20,
		Created: map[string]int{"clients": 2, "certificates": 1, "tokens": 45}, Budget: []string{"tokens 45 of 400"}, WitnessNotes: []string{"RFC 7009: checked against a third-party server"},
	}})
}

// cutRide is the rich ride, killed in its middle.
func cutRide() []logbook.Entry {
	all := richRide()
	return all[:len(all)*2/3]
}

// healthyRide has nothing to complain about.
func healthyRide() []logbook.Entry {
	b := &richBook{started: time.Date(2026, 10, 6, 8, 14, 28, 0, time.UTC)}
	b.head()
	head := b.entries[0].Head
	head.Waivers, head.Scope = nil, nil
	b.add(logbook.Entry{Card: &logbook.Card{ID: "enforce.no-token", Stage: logbook.Enforce, Title: "a call without a token is refused", Severity: logbook.Critical, Twin: "OpenRoute"}})
	for _, p := range []string{"edge", "partner-gw", "legacy"} {
		b.due(logbook.Due{Check: "enforce.no-token", Point: p, Required: true})
	}
	b.pass("enforce.no-token", "edge", "partner-gw", "legacy")
	b.close()
	return b.entries
}

// dirtyRide could not remove what it had created, and was stopped.
func dirtyRide() []logbook.Entry {
	all := healthyRide()
	end := *all[len(all)-1].End
	end.Interrupted, end.Left, end.LeftCommand = "Ctrl-C", []string{"client cr-7c41-partner at AS"}, "checkride cleanup"
	all[len(all)-1].End = &end
	for i := range all {
		if r := all[i].Removal; r != nil {
			all[i].Removal = &logbook.Removal{Kind: r.Kind, Name: r.Name, Gone: r.Kind != "client", Detail: "503 three times"}
		}
	}
	return all
}

// emptyRide has a beginning and an end and nothing between them.
func emptyRide() []logbook.Entry {
	return []logbook.Entry{{Head: &logbook.Head{Ride: "r", Started: time.Date(2026, 10, 6, 8, 14, 28, 0, time.UTC)}}, {End: &logbook.End{}}}
}

// parkedRide waits for people.
func parkedRide() []logbook.Entry {
	since := time.Date(2026, 10, 6, 8, 14, 28, 0, time.UTC)
	return []logbook.Entry{
		{Head: &logbook.Head{Ride: "r", Name: "acme", Plan: "plan.yaml", Started: since}},
		{Parked: &logbook.Parked{Since: since, Clients: []string{"partner", "neighbour"}, Plan: "plan.yaml", Sheet: "onboarding.json"}},
	}
}
