package audit

import (
	"context"
	"fmt"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

const (
	nameStart  = "checkride " // of the name, before its line break
	forgedLine = "checkride-injected"
)

// NamesForgeNoRecords asks for the registration of a client whose name holds a line break, a line that looks like a record
// and the code by which terminals change their colour. JSON may carry all of that; the server may refuse it
// or not. In the log it must not become a line of its own, and the code must not stand there as it is.
//
// CWE-117; ASVS 5.0 V16.4.1. Seen in servers that write records as plain text, and in pipelines that turn JSON back into
// lines.
var NamesForgeNoRecords = &check.Check{
	ID:       "audit.names-forge-no-records",
	Title:    "what a client calls itself cannot become a record of its own in the log",
	Broken:   "a client's name becomes a record of its own in the log",
	Why:      "whoever may register writes records: of calls that never were, in another partner's name, or such as hide what follows",
	Fix:      "encode what strangers wrote before it goes into the log: JSON with an encoder, text with line breaks and control characters escaped",
	Refs:     []frameworks.Ref{frameworks.ASVS("16.4.1"), frameworks.SP80053("AU-9"), frameworks.SP80053("SI-10")},
	Rows:     []string{"L-AU-07"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Audit, check.Registration},
	Besides:  []*logbook.Breach{controlCharacters},
	Twin:     defect.Set{LogUnescaped: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		x, err := aLastExchange(ctx, p)
		if err != nil {
			return err
		}
		if len(x.Trace) != 32 {
			return check.Broken("the exchange has no trace id by which a record could be found")
		}
		// By the trace id of an exchange that never was, the forged record is found wherever it stands.
		never := x.Trace[:16] + "fffffffffffffffe"
		name := nameStart + "{name}\r\n" + forgedLine + " " + never + " \x1b[31mallow"
		got, err := p.Register(ctx, wire.Altered, cast.Partner, cast.Wish{Metadata: map[string]any{"client_name": name}})
		if err != nil {
			return err
		}
		own, err := p.Logged(ctx, p.Name, got.Exchange)
		if err != nil {
			return err
		}
		const expected = "the name is no line of its own, and its control characters are escaped"
		found, forged := 0, false
		for _, log := range p.Stack.Logs[p.Name] {
			for _, record := range append(log.Find(never, ""), log.Find(got.Exchange.Trace, "")...) {
				found++
				switch {
				case standsAlone(record.Text):
					forged = true
					p.Holds(expected, false, fmt.Sprintf("log %s has the line %q", log.Name(), start(record.Text)))
				case strings.Contains(record.Text, "\x1b"):
					forged = true
					titled := p.Besides(controlCharacters)
					p.Holds(expected, false, fmt.Sprintf("log %s has the escape character in %q", log.Name(), start(record.Text)))
					titled()
				}
			}
		}
		if found == 0 && len(own) == 0 {
			return check.BecauseOf("audit.lifecycle-logged", "no record of the registration was found (%s)", got.Why)
		}
		if forged {
			return nil
		}
		p.Holds(expected, true, fmt.Sprintf("%d records of the registration (%s), none of them forged", found, got.Why))
		return nil
	},
}

var controlCharacters = &logbook.Breach{
	Broken:   "control characters of a client's name stand in the log as they are",
	Why:      "whoever may register paints the terminal of who reads the log: lines vanish, or look like others",
	Fix:      "escape control characters of what strangers wrote before it goes into the log",
	Severity: logbook.Medium,
}

// standsAlone says whether the forged line is a record of its own: what the name says before it is not in the same one. A
// shipper may have put time and host before it.
func standsAlone(text string) bool {
	before, _, found := strings.Cut(text, forgedLine)
	return found && !strings.Contains(before, nameStart)
}
