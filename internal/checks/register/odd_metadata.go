package register

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// OddMetadata sends registrations that no partner means: no JSON, another JSON, members of the wrong type, what does not
// fit together, members that nobody knows, and names that are not names. A server refuses them in the words of the
// standard, or takes of them what it understands and tells so; it does not break.
//
// RFC 7591 §3.2.2: 400 and JSON, with one of four codes. §2: what is not understood MUST be ignored. §2.1: inconsistent
// grant and response types SHOULD be prevented. §5: metadata are self-asserted. No status is named for what is no
// registration at all, so any refusal of it will do that is not the server's own fault; that it is none is our demand.
var OddMetadata = &check.Check{
	ID:       "register.odd-metadata",
	Title:    "a registration that makes no sense is refused in the words of the standard, or put right and told",
	Broken:   "a registration that makes no sense breaks the server, or is answered as no standard has it",
	Why:      "a server that breaks on one wrong type shows that nobody judges what comes in, and a partner whose mistake is answered by a page of HTML cannot mend it",
	Fix:      "judge the types of all metadata before anything is done with them, ignore unknown members, answer 400 with invalid_client_metadata or invalid_redirect_uri, and always JSON",
	Refs:     []frameworks.Ref{frameworks.RFC(7591, "3.2.2"), frameworks.RFC(7591, "2"), frameworks.RFC(7591, "2.1"), frameworks.RFC(7591, "3.1"), frameworks.RFC(7591, "5"), frameworks.House(), frameworks.SP80053("SI-10")},
	Rows:     []string{"L-RG-05", "L-RG-07", "L-RG-14", "L-RG-18", "L-RG-19", "L-RG-20"},
	Severity: logbook.Low,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Twin:     defect.Set{BadMetadataCrashes: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		opens := false // a registration with a member that is to be ignored is as good a control as any
		for _, one := range oddities() {
			accepted, err := one.play(ctx, p)
			if err != nil {
				return err
			}
			opens = opens || accepted && one.name == unknownMember
		}
		if opens {
			return nil
		}
		return p.RegistrationOpens(ctx, cast.Partner)
	},
}

// oddity is one odd registration. Anyhow: any refusal will do, since it is no registration. Taken says what is wrong with
// one that was taken; nil: nothing.
type oddity struct {
	name   string
	anyhow bool
	alter  func(wire.Request) (wire.Request, error)
	taken  func(got check.Registered) string
}

// play tells whether the registration was taken.
func (o oddity) play(ctx context.Context, p *check.Pass) (bool, error) {
	expected := "400 with a code of RFC 7591 §3.2.2, or made good and told"
	got, err := p.RegisterAltered(ctx, wire.Altered, cast.Partner, cast.Wish{}, o.alter)
	if err != nil {
		return false, err
	}
	x := got.Exchange
	switch {
	case x.Status >= 500 && x.Status != 503:
		p.Case(o.name, logbook.Fail, expected, fmt.Sprintf("%s, which is the server's own fault", got.Why), o.name, "")
	case got.Decision == wire.Unknown && !(o.anyhow && x.Failure == wire.Reset):
		p.Case(o.name, logbook.Inconclusive, expected, "", o.name, got.Why)
	case got.Decision == wire.Accepted:
		wrong := ""
		if o.taken != nil {
			wrong = o.taken(got)
		}
		if !strings.HasPrefix(strings.ToLower(x.Header.Get("Content-Type")), "application/json") {
			wrong = strings.TrimPrefix(wrong+"; told as "+x.Header.Get("Content-Type"), "; ")
		}
		p.Case(o.name, outcome(wrong == ""), expected, strings.TrimSuffix(got.Why+"; "+wrong, "; "), o.name, "")
	case o.anyhow || got.Decision == wire.Denied:
		if o.name == unknownMember {
			p.Case(o.name, logbook.Fail, "ignored", got.Why, o.name, "")
			return false, nil
		}
		p.Case(o.name, logbook.Pass, expected, got.Why, o.name, "")
	default:
		p.Case(o.name, logbook.Fail, expected, got.Why, o.name, "")
	}
	return got.Decision == wire.Accepted, nil
}

const unknownMember = "a member that nobody knows"

func oddities() []oddity {
	const marker = "x_checkride_unknown"
	all := []oddity{
		{name: "another Content-Type", anyhow: true, alter: func(r wire.Request) (wire.Request, error) { return r.SetHeader("Content-Type", "text/plain"), nil }},
		{name: "JSON null", anyhow: true, alter: body("null")},
		{name: "a JSON array", anyhow: true, alter: body("[]")},
		{name: "no JSON", anyhow: true, alter: body(`{"client_name":`)},
		{name: "a body of 900 kB", anyhow: true, alter: members(map[string]any{marker: strings.Repeat("a", 900_000)})},
		{name: unknownMember, alter: members(map[string]any{marker: map[string]any{"a": []any{1}}})},
		{name: "response_types that do not fit grant_types", alter: members(map[string]any{"response_types": []any{"code"}, "redirect_uris": []any{"https://partner.checkride.invalid/callback"}}), taken: func(got check.Registered) string {
			told := got.Member.Client().Registered
			if slices.Contains(oauth.Strings(told["response_types"]), "code") && !slices.Contains(oauth.Strings(told["grant_types"]), "authorization_code") {
				return "registered for the response type code without its grant"
			}
			return ""
		}},
		{name: "redirect_uris that are none", alter: members(map[string]any{"redirect_uris": []any{"javascript:alert(1)", "https://partner.checkride.invalid/#fragment"}}), taken: func(got check.Registered) string {
			if told := oauth.Strings(got.Member.Client().Registered["redirect_uris"]); len(told) > 0 {
				return "registered with " + strings.Join(told, " ")
			}
			return ""
		}},
	}
	for _, one := range []struct {
		member string
		value  any
	}{
		{"token_endpoint_auth_method", 7}, {"token_endpoint_auth_method", "no such method"}, {"grant_types", map[string]any{"a": "b"}}, {"scope", []any{[]any{}}}, {"jwks", "keys"}, {"contacts", 1},
	} {
		all = append(all, oddity{name: fmt.Sprintf("%s: %s", one.member, spelled(one.value)), alter: members(map[string]any{one.member: one.value})})
	}
	for name, more := range map[string]string{
		"markup and reversed text in client_name": ` <img src=x onerror=alert(1)>"'{{7*7}}` + "\u202egnp.exe\u2066",
		"client_name of ten thousand letters":     strings.Repeat("a", 10_000),
	} {
		all = append(all, oddity{name: name, alter: func(r wire.Request) (wire.Request, error) {
			var err error
			r.Body, err = renamed(r.Body, more)
			return r, err
		}})
	}
	slices.SortStableFunc(all, func(a, b oddity) int { return strings.Compare(a.name, b.name) })
	return all
}

// body sends other bytes. What a statement would be put into is not there.
func body(text string) func(wire.Request) (wire.Request, error) {
	return func(r wire.Request) (wire.Request, error) {
		r = r.WithoutCredential(oauth.StatementMember)
		r.Body = []byte(text)
		return r, nil
	}
}

func members(changed map[string]any) func(wire.Request) (wire.Request, error) {
	return func(r wire.Request) (wire.Request, error) {
		var err error
		r.Body, err = check.WithMembers(r.Body, changed)
		return r, err
	}
}

// renamed puts more behind a client's name, which stays its own: a client that nobody answered for is found by it.
func renamed(object []byte, more string) ([]byte, error) {
	name, err := check.Member(object, "client_name")
	if err != nil {
		return nil, err
	}
	return check.WithMembers(bytes.Clone(object), map[string]any{"client_name": name + more})
}
