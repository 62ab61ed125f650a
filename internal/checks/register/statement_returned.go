package register

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// StatementReturned compares the software statement in the answers to a registration and to a reading of it with the one
// that was sent, byte for byte.
//
// RFC 7591 §3.2.1: a statement that was used MUST be returned unmodified along with the other metadata.
var StatementReturned = &check.Check{
	ID:       "register.statement-returned",
	Title:    "the software statement is returned as it was sent",
	Broken:   "the software statement is not returned as it was sent",
	Why:      "the client and its auditor cannot see on whose word the registration rests, and whether the server understood what was signed",
	Fix:      "keep the statement's text beside the client and return it in every client information response",
	Refs:     []frameworks.Ref{frameworks.RFC(7591, "3.2.1"), frameworks.RFC(7592, "3"), frameworks.CSF("PR.AA-02")},
	Rows:     []string{"L-SS-02"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.Statements},
	Twin:     defect.Set{StatementNotReturned: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		got, err := p.RegisterSigned(ctx, wire.Control, cast.Partner, nil)
		if err != nil {
			return err
		}
		if got.Decision != wire.Accepted {
			return check.CannotTell("a registration as the plan describes it was not accepted: %s", got.Why)
		}
		told(p, got.Exchange, "the answer to the registration", got.Statement)
		if !got.Member.Manageable() {
			return nil
		}
		x, answer, err := p.Do(ctx, wire.Control, p.AtConfiguration(got.Member))
		if err != nil {
			return err
		}
		if answer.Decision != wire.Accepted {
			p.Note("the registration could not be read: %s", answer.Why)
			return nil
		}
		told(p, x, "the answer to a reading", got.Statement)
		return nil
	},
}

// told compares the statement in an answer with the one that was sent.
func told(p *check.Pass, x wire.Exchange, place string, sent wire.Credential) {
	const expected, differs = "the same text", "software_statement"
	value, there := x.JSON("/" + oauth.StatementMember)
	text, isText := value.(string)
	switch {
	case !there:
		p.Case(place, logbook.Fail, expected, "no statement", differs, "")
	case !isText || p.Stack.Keeper.Keep("statement", text) != sent.Text:
		p.Case(place, logbook.Fail, expected, "something else", differs, "")
	default:
		p.Case(place, logbook.Pass, expected, "the same text", differs, "")
	}
}
