package report

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

type exchangePage struct {
	Serial           string
	Anchor           string
	Purpose, Time    string
	What, Status     string
	Case             string // which of several cases it is
	Decision         string
	Altered, Odd     bool
	Request, Respond string
	Caption          string
}

func exchanges(v *verdict.Verdict, ev *evidence, o *logbook.Observation, serials []uint64, prefix string) []exchangePage {
	var out []exchangePage
	serials = slices.Sorted(slices.Values(serials))
	ofCase := map[uint64]string{}
	for _, c := range o.Cases {
		for _, serial := range c.Exchanges {
			ofCase[serial] = c.Name
		}
	}
	for _, serial := range serials {
		x := ev.exchanges[serial]
		if x == nil {
			continue // it is not in the book, as when the book is cut
		}
		page := newExchange(v, x, prefix)
		if page.Altered && len(o.Cases) > 1 {
			page.Case = ofCase[serial]
		}
		page.since(ev, o, x)
		out = append(out, page)
	}
	return out
}

// since tells of an exchange of a watch which token it was about, and how long after the withdrawal a probe was let in or
// refused. It was let in when it was sent, at the latest, and refused when it was answered.
func (page *exchangePage) since(ev *evidence, o *logbook.Observation, x *dated) {
	if len(o.Bounds) == 0 {
		return
	}
	token := tokenOf(&x.Exchange)
	page.Case = cmp.Or(token, page.Case)
	if x.Purpose != "probe" {
		return
	}
	t0, known := ev.start(trackKey{o.Check, o.Point, o.Bounds[0].Name})
	if !known || x.at < t0 {
		return
	}
	after := x.at - t0
	if x.Decision == "accepted" {
		after = max(after-x.Took, 0)
	}
	page.Case = verdict.Time(after) + " after the withdrawal"
	if token != "" {
		page.Case = token + ", " + page.Case
	}
	limit := o.Bounds[0].Limit
	if x.Decision == "accepted" && limit > 0 && after > limit {
		page.Odd = true
		page.Case += ", limit " + verdict.Time(limit)
	}
}

func newExchange(v *verdict.Verdict, x *dated, prefix string) exchangePage {
	page := exchangePage{
		Serial: fmt.Sprintf("%04d", x.Serial), Anchor: fmt.Sprintf("%s%d", prefix, x.Serial), Purpose: x.Purpose, Time: clockTime(v, x.at),
		What: x.Point + ": " + x.Method + " " + path(x.URL), Status: x.Failure, Decision: cmp.Or(x.Decision, "not judged"), Altered: x.Purpose == "altered",
		Request: requestText(&x.Exchange), Respond: answerText(&x.Exchange),
	}
	if x.Purpose == "setup" {
		page.Decision = x.Decision // what sets up is not judged
	}
	if x.Who != "" {
		page.What += ", " + strings.TrimPrefix(x.Who, "checkride "+v.Head.Ride+" ")
	}
	if x.Status > 0 {
		page.Status = fmt.Sprint(x.Status)
	}
	page.Odd = page.Altered && x.Decision == "accepted"
	page.Caption = fmt.Sprintf("Exchange %s: %s at %s, answered after %s", page.Serial, x.Purpose, x.Point, verdict.Time(x.Took))
	return page
}

var maskedToken = regexp.MustCompile(`\[(token \d+)\]`)

// tokenOf names the token that an exchange presents or, as a revocation does, is about; empty if it names none.
func tokenOf(x *logbook.Exchange) string {
	for _, h := range x.Request.Header {
		if found := maskedToken.FindStringSubmatch(h.Value); found != nil && strings.EqualFold(h.Name, "Authorization") {
			return found[1]
		}
	}
	if found := maskedToken.FindStringSubmatch(x.Request.Body); found != nil {
		return found[1]
	}
	return ""
}

// path is a URL without its scheme and host; the whole if it has none.
func path(url string) string {
	_, rest, found := strings.Cut(url, "://")
	if !found {
		return url
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return "/"
}

func requestText(x *logbook.Exchange) string {
	var b strings.Builder
	fmt.Fprintf(&b, "> %s %s\n", x.Method, x.URL)
	for _, h := range x.Request.Header {
		fmt.Fprintf(&b, "> %s: %s\n", h.Name, h.Value)
	}
	cert := cmp.Or(x.ClientCert, "none")
	if x.TLS != "" {
		fmt.Fprintf(&b, "> TLS %s, client certificate: %s\n", strings.TrimPrefix(x.TLS, "TLS "), cert)
	}
	if x.Remote != "" {
		connection := "kept"
		if x.Fresh {
			connection = "fresh"
		}
		fmt.Fprintf(&b, "> to %s on a %s connection\n", x.Remote, connection)
	}
	if x.Request.Body != "" {
		b.WriteString(">\n" + bodyText(x.Request.Body, x.Request.Size) + "\n")
	}
	return b.String()
}

func answerText(x *logbook.Exchange) string {
	if x.Status == 0 {
		text := "no answer: " + cmp.Or(x.Failure, "unknown")
		if x.Detail != "" {
			text += ", " + x.Detail
		}
		return text
	}
	var b strings.Builder
	fmt.Fprintf(&b, "< %d\n", x.Status)
	for _, h := range x.Response.Header {
		fmt.Fprintf(&b, "< %s: %s\n", h.Name, h.Value)
	}
	if x.Response.Body != "" {
		b.WriteString("<\n" + bodyText(x.Response.Body, x.Response.Size))
	}
	return b.String()
}

// bodyText cuts a long body; the logbook has the rest.
func bodyText(body string, size int64) string {
	if len(body) <= mostOfBody {
		return body
	}
	text := strings.ToValidUTF8(body[:mostOfBody], "")
	return fmt.Sprintf("%s\n… %s of %s bytes; the logbook has more", text, verdict.Number(mostOfBody), verdict.Number(max(size, int64(len(body)))))
}

// clockTime is a time of the ride as UTC time of day.
func clockTime(v *verdict.Verdict, at time.Duration) string {
	return v.Head.Started.Add(at).UTC().Format("15:04:05.00Z")
}
