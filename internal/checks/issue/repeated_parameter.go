package issue

import (
	"context"
	"slices"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// RepeatedParameter says something twice in a token request: the same, and two things. Then it adds a parameter that
// nobody knows, and one without a value, which must change nothing.
//
// RFC 6749 §3.2: parameters MUST NOT be included more than once, unknown ones MUST be ignored, and those without a value
// count as omitted. §5.2: a repetition is an invalid_request.
var RepeatedParameter = &check.Check{
	ID:       "issue.repeated-parameter",
	Title:    "a token request that says a thing twice is refused, and what means nothing is ignored",
	Broken:   "a token request that says a thing twice gets a token",
	Why:      "whoever stands before the server reads the first value and the server reads the last: what was looked at is not what is issued",
	Fix:      "answer invalid_request to a repeated parameter; ignore unknown ones, and take those without a value for omitted",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "3.2"), frameworks.RFC(6749, "5.2"), frameworks.SP80053("SI-10")},
	Rows:     []string{"L-TK-11", "L-TK-12"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Besides:  []*logbook.Breach{idleRefused},
	Twin:     defect.Set{ParameterRepeated: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		call := p.AtToken(partner, partner.Usual())
		request, err := call.Make()
		if err != nil {
			return err
		}
		again := func(name, field, value string) wire.Change {
			return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) { return r.AddForm(field, value), nil }}
		}
		changes := []wire.Change{
			again("grant_type twice, the same", "grant_type", "client_credentials"),
			{Name: "grant_type twice, the first another", Apply: func(r wire.Request) (wire.Request, error) {
				r.Form = slices.Insert(slices.Clone(r.Form), 0, wire.Field{Name: "grant_type", Value: "password"})
				return r, nil
			}},
		}
		i := slices.IndexFunc(request.Form, func(f wire.Field) bool { return f.Name == "scope" })
		if i >= 0 {
			changes = append(changes, again("scope twice", "scope", request.Form[i].Value))
		}
		err = p.Refuses(ctx, call, changes...)
		if err != nil {
			return err
		}
		defer p.Besides(idleRefused)()
		for _, more := range []struct{ expected, field, value string }{
			{"an unknown parameter is ignored", "checkride_unknown", "1"},
			{"a parameter without a value counts as left out", "redirect_uri", ""},
		} {
			with := call.With(func(r *wire.Request) { *r = r.AddForm(more.field, more.value) })
			with.Name += " with " + more.field
			_, err = p.Accepts(ctx, with, more.expected)
			if err != nil {
				return err
			}
		}
		return nil
	},
}

var idleRefused = &logbook.Breach{
	Broken:   "a token request with a parameter that means nothing gets no token",
	Why:      "a partner whose library sends a parameter more, or an empty one, is shut out; RFC 6749 §3.2 has both ignored",
	Fix:      "ignore parameters that are unknown, and count those without a value as left out",
	Severity: logbook.Low,
}
