package enforce

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// PointsAgree sends the same odd requests to every point that takes the same kind of credential and compares what they
// decide. Where some let in and some do not, a partner's access depends on the door, and the weaker one is what an
// attacker finds. How they refuse may differ, and whether they take a good request in a spelling that is lawful or that
// adds nothing to it: that is noted. Points whose declared kinds make a difference lawful are not compared: what concerns the certificate only where
// the plan says that bound tokens are agreed.
//
// Consistency is our own demand. Some of the variants have a clause of their own: RFC 9110 §11.1 makes scheme names
// case-insensitive, RFC 6750 §2 knows one way of sending a token per request, FAPI 2.0 §5.3.4 none in the query.
var PointsAgree = &check.Check{
	ID:       "enforce.points-agree",
	Title:    "all enforcement points decide the same about the same request",
	Broken:   "a request that other enforcement points refuse is let in",
	Why:      "the stack is as strict as its most lenient door, and nobody knows which one that is",
	Fix:      "give all points one policy, tested with one set of requests; correct the point that is named",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.FAPI2("5.3.4"), frameworks.RFC(6750, "2"), frameworks.RFC(9110, "11.1"), frameworks.Tenet(6), frameworks.API(8)},
	Rows:     []string{"L-GW-13", "A-GW-10", "A-GW-11", "A-GW-12", "A-MG-01"},
	Severity: logbook.High,
	At:       check.WholeStack,
	Needs:    []check.Need{check.SeveralPoints},
	Besides:  []*logbook.Breach{lenientForm},
	Twin:     defect.Set{BindingOptional: true},
	Also:     []defect.Set{{QueryToken: true}},
	Any:      true,
	Follows:  []string{"bind.*", "enforce.*"},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Cast.Member(ctx, cast.Partner)
		if err != nil {
			return err
		}
		forger, err := p.Forger(ctx)
		if err != nil {
			return err
		}
		variants := variantsOf(forger)
		seen := make([][]seenAt, len(variants))
		points := alikeIn(p.Stack.Plan)
		if len(points) < 2 {
			return check.NotApplicable("no two points take the same kind of credential")
		}
		for _, point := range points {
			answers, err := decisions(ctx, p, partner, point, variants)
			if err != nil {
				return err
			}
			for i, answer := range answers {
				if answer != nil {
					seen[i] = append(seen[i], seenAt{point.Name, *answer})
				}
			}
		}
		for i, variant := range variants {
			compare(p, variant, seen[i])
		}
		return nil
	},
}

// variant is one odd request. Bound: the certificate of the connection decides about it. Abroad: its token is the
// partner's own for another point, and the change is made for each point. Harmless: why it is a good request all the
// same, so that who accepts it gives nothing away and who refuses it errs on the safe side.
type variant struct {
	change        wire.Change
	bound, abroad bool
	harmless      string
	form          bool // the partner's own good token, shown in another way
}

var lenientForm = &logbook.Breach{
	Broken:   "a good token is taken in a way in which other enforcement points refuse it",
	Why:      "what one point reads and the next one does not is how a request says two things at once; and a token in an address is written into logs",
	Fix:      "take the token at every point in the Authorization field alone, with its scheme; correct the point that is named",
	Severity: logbook.Medium,
}

type seenAt struct {
	point  string
	answer check.Answer
}

func variantsOf(forger *forge.Forger) []variant {
	const lawful = "a lawful spelling (RFC 9110 §11)"
	return []variant{
		{change: forge.WithoutToken()},
		{change: forger.GarbageToken()},
		{change: forge.TokenInQuery(), form: true},
		{change: tokenInBoth(), form: true},
		{change: scheme("scheme in small letters", strings.ToLower), harmless: lawful},
		{change: scheme("scheme in capitals", strings.ToUpper), harmless: lawful},
		{change: scheme("two blanks after the scheme", func(s string) string { return s + " " }), harmless: lawful},
		{change: scheme("no blank after the scheme", strings.TrimSpace), form: true},
		{change: scheme("no scheme", func(string) string { return "" }), form: true},
		{change: scheme("another scheme", func(string) string { return "Token " }), form: true},
		{change: twice(), harmless: "the same good token and no other one, though RFC 9110 §5.3 forbids it to senders"},
		{change: withoutCertificate(), bound: true},
		{change: wire.Change{Name: "a token for another point"}, abroad: true},
	}
}

// alikeIn are the points that take the kind of credential that most variants alter: bearer tokens, or else tokens with
// DPoP proofs.
func alikeIn(p *plan.Plan) []*plan.Point {
	bearer, proven := taking(p, "bearer", ""), taking(p, "dpop")
	if len(bearer) < len(proven) {
		return proven
	}
	return bearer
}

func taking(p *plan.Plan, credentials ...string) []*plan.Point {
	var all []*plan.Point
	for i := range p.Points {
		if slices.Contains(credentials, p.Points[i].Credential) {
			all = append(all, &p.Points[i])
		}
	}
	return all
}

// scheme writes the scheme of the token in another way. A DPoP proof beside it stays.
func scheme(name string, spell func(string) string) wire.Change {
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		for i := range r.Credentials {
			if r.Credentials[i].JWT == nil {
				r.Credentials[i].Prefix = spell(r.Credentials[i].Prefix)
			}
		}
		return r, nil
	}}
}

func tokenInBoth() wire.Change {
	return wire.Change{Name: "token in the header and in the query", Apply: func(r wire.Request) (wire.Request, error) {
		for _, credential := range r.Credentials {
			credential.In, credential.Name, credential.Prefix = wire.InQuery, "access_token", ""
			return r.WithCredential(credential), nil
		}
		return r, nil
	}}
}

// twice repeats a field that is no list, with the same value.
func twice() wire.Change {
	return wire.Change{Name: "the same header twice", Apply: func(r wire.Request) (wire.Request, error) {
		for _, credential := range r.Credentials {
			if credential.JWT == nil {
				r = r.WithCredential(credential)
			}
		}
		return r, nil
	}}
}

func withoutCertificate() wire.Change {
	return wire.Change{Name: "no client certificate", Apply: func(r wire.Request) (wire.Request, error) {
		r.Over.Certificate = nil
		return r, nil
	}}
}

// decisions are those of one point about all variants, between two accepted calls; nil where its kind makes a
// difference lawful.
func decisions(ctx context.Context, p *check.Pass, partner *cast.Member, point *plan.Point, variants []variant) ([]*check.Answer, error) {
	token, err := partner.Token(ctx, point)
	if err != nil {
		return nil, err
	}
	call := p.CallAt(point, p.Allowed(point), partner, token)
	err = p.Opens(ctx, call)
	if err != nil {
		return nil, err
	}
	answers := make([]*check.Answer, len(variants))
	for i, variant := range variants {
		if variant.bound && (!point.Binding || point.TLSClient == "none") {
			continue
		}
		if variant.abroad {
			other, found, err := tokenAbroad(ctx, p, partner, point)
			if err != nil {
				return nil, err
			}
			if !found {
				continue
			}
			variant.change = forge.Showing(other, variant.change.Name)
		}
		altered := call
		altered.Make = func() (wire.Request, error) {
			request, err := call.Make()
			if err != nil {
				return request, err
			}
			return variant.change.Apply(request.Clone())
		}
		_, answer, err := p.Do(ctx, wire.Altered, altered)
		if err != nil {
			return nil, err
		}
		answers[i] = &answer
	}
	return answers, p.Opens(ctx, call)
}

// tokenAbroad is the partner's token for the first point that wants another audience, if the server gives one that is
// not for this point too.
func tokenAbroad(ctx context.Context, p *check.Pass, partner *cast.Member, point *plan.Point) (oauth.Token, bool, error) {
	here, err := partner.Token(ctx, point)
	if err != nil {
		return here, false, err
	}
	for _, other := range alikeIn(p.Stack.Plan) {
		if other.Resource == "" || point.Resource == "" || other.Resource == point.Resource {
			continue
		}
		token, err := partner.Token(ctx, other)
		if err != nil {
			return token, false, err
		}
		if token.Text == here.Text {
			continue
		}
		also, err := isFor(ctx, p, token, point)
		if err != nil || !also {
			return token, !also, err
		}
	}
	return here, false, nil
}

// compare judges one variant over all points. Who is the odd one is told by number; of two, and of halves, those that let
// in are.
func compare(p *check.Pass, variant variant, seen []seenAt) {
	name := variant.change.Name
	var in, out, unknown, ways []string
	for _, at := range seen {
		told := at.point + " " + at.answer.Why
		switch at.answer.Decision {
		case wire.Accepted:
			in = append(in, at.point)
		case wire.Denied, wire.Odd:
			out = append(out, at.point)
			ways = append(ways, told)
		default:
			unknown = append(unknown, told)
		}
	}
	const expected = "the same decision at every point"
	if variant.form {
		defer p.Besides(lenientForm)()
	}
	switch {
	case len(in) > 0 && len(out) > 0 && variant.harmless != "":
		p.Case(name, logbook.Pass, expected, fmt.Sprintf("harmless, accepted at %s, refused at %s", list(in), list(out)), "", "")
		p.Note("%s is %s; it is refused at %s", name, variant.harmless, list(out))
	case len(in) > 0 && len(out) > 0 && len(in) <= len(out):
		p.Case(name, logbook.Fail, expected, fmt.Sprintf("accepted at %s, refused at %s", list(in), list(out)), "", "")
		p.Where(in...)
	case len(in) > 0 && len(out) > 0:
		p.Case(name, logbook.Fail, expected, fmt.Sprintf("refused at %s, accepted at %s", list(out), list(in)), "", "")
		p.Where(in...)
	case len(in)+len(out) < 2 && len(unknown) > 0:
		p.Case(name, logbook.Inconclusive, expected, "", "", "could not be decided at "+strings.Join(unknown, ", "))
	case len(in)+len(out) < 2:
		p.Case(name, logbook.NotApplicable, expected, "", "", "no two points are alike in this")
	case len(in) > 0:
		p.Case(name, logbook.Pass, expected, "accepted at "+list(in), "", "")
	default:
		p.Case(name, logbook.Pass, expected, "refused at "+list(out), "", "")
		if !alike(seen) {
			p.Note("%s is refused in different ways: %s", name, strings.Join(ways, ", "))
		}
	}
	if len(unknown) > 0 && len(in)+len(out) >= 2 {
		p.Note("%s could not be decided at %s", name, strings.Join(unknown, ", "))
	}
}

func list(points []string) string { return strings.Join(points, ", ") }

func alike(seen []seenAt) bool {
	for _, at := range seen {
		if at.answer.Why != seen[0].answer.Why {
			return false
		}
	}
	return true
}
