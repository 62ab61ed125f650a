package register

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// StatementWins registers with a software statement and with JSON beside it that says otherwise: another organisation
// (the neighbour's), other software, whatever the statement claims. What is registered, what the tokens say and what the
// log says must be the statement's.
//
// RFC 7591 §2 and §3.1.1: values of a statement that is trusted take precedence over those in JSON. A server may refuse
// the contradiction, too.
var StatementWins = &check.Check{
	ID:       "register.statement-wins",
	Title:    "what a software statement claims wins over what the client says beside it",
	Broken:   "what a client says of itself wins over its software statement",
	Why:      "the signature protects nothing: with a good statement of its own, a partner registers as another organisation or with other rights",
	Fix:      "lay the claims of the verified statement over the JSON members, and build the client of the result",
	Refs:     []frameworks.Ref{frameworks.RFC(7591, "3.1.1"), frameworks.RFC(7591, "2"), frameworks.RFC(7591, "5"), frameworks.CSF("PR.AA-02"), frameworks.SP80053("IA-5")},
	Rows:     []string{"L-SS-01", "L-ID-01"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.Statements},
	Besides:  []*logbook.Breach{describedOtherwise, loggedOtherwise},
	Twin:     defect.Set{StatementClaimsLose: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		const differs = "JSON members beside the statement"
		draft, err := p.Cast.Draft(ctx, cast.Partner, cast.Wish{})
		if err != nil {
			return err
		}
		claimed, said, claims, err := contested(draft)
		if err != nil {
			return err
		}
		otherwise := map[string]any{}
		for _, name := range claimed {
			otherwise[name] = contradiction(p, name, said[name])
		}
		got, err := p.Register(ctx, wire.Altered, cast.Partner, cast.Wish{Metadata: otherwise, Claims: claims})
		switch {
		case err != nil:
			return err
		case got.Decision == wire.Unknown:
			return check.CannotTell("the registration could not be decided: %s", got.Why)
		case got.Decision != wire.Accepted: // it considers the whole request, as RFC 7591 §5 has it
			err = p.RegistrationOpens(ctx, cast.Partner)
			if err != nil {
				return err
			}
			p.Case("registration", logbook.Pass, "the statement's values, or a refusal", got.Why, differs, "")
			if len(claims) == 0 || len(claimed) == len(claims) {
				return nil
			}
			// One of many words may be refused for its form alone; that of a version has none (RFC 7591 §2).
			claimed = slices.Sorted(maps.Keys(claims))
			maps.DeleteFunc(otherwise, func(name string, _ any) bool { return claims[name] == nil })
			got, err = p.Register(ctx, wire.Altered, cast.Partner, cast.Wish{Metadata: otherwise, Claims: claims})
			if err != nil {
				return err
			}
			if got.Decision != wire.Accepted {
				p.Decides("registration with "+strings.Join(claimed, ", ")+" alone", "the statement's values, or a refusal", differs, got.Decision, got.Why)
				return nil
			}
		}
		statement := got.Member.Statement()
		if !slices.ContainsFunc(claimed, func(name string) bool { _, answered := got.Told(name); return answered }) {
			p.Case("registration", logbook.Inconclusive, "the statement's values, or a refusal", "", differs, "the answer tells nothing of what the JSON says otherwise than the statement")
		}
		for _, name := range claimed {
			value, answered := got.Told(name)
			expected := "as the statement says"
			switch {
			case !answered:
				p.Note("the answer does not tell %s", name)
			case value == fmt.Sprint(otherwise[name]):
				titled := func() {}
				if slices.Contains(describing, name) {
					titled = p.Besides(describedOtherwise)
				}
				p.Case(name, logbook.Fail, expected, "as the JSON says: "+value, differs, "")
				titled()
			case statement != nil && statement.JWT != nil && value != fmt.Sprint(statement.JWT.Claims[name]):
				p.Case(name, logbook.Pass, expected, "neither: "+value, differs, "")
			default:
				p.Case(name, logbook.Pass, expected, value, differs, "")
			}
		}
		return sameOrganization(ctx, p, got, otherwise, differs)
	},
}

// describing are members that say what people are shown of a client, and that no right hangs on (RFC 7591 §2).
var describing = []string{"client_uri", "logo_uri", "tos_uri", "policy_uri", "software_version"}

var describedOtherwise = &logbook.Breach{
	Broken:   "what a client says of its software wins over its software statement",
	Why:      "people are shown a name, a page or a version that nobody vouched for, and the order of the two is the wrong way round",
	Fix:      "lay the claims of the verified statement over the JSON members, and build the client of the result",
	Severity: logbook.Medium,
}

var loggedOtherwise = &logbook.Breach{
	Broken:   "the log names the organisation that a client says, and not the one of its software statement",
	Why:      "whoever looks into an incident finds another organisation's name",
	Fix:      "write the organisation of the verified statement into the log",
	Severity: logbook.Medium,
}

// contested gives the names of the claims that the JSON contradicts, all that the statement says, and the claims that are
// added to it so that there are some: software_version, which nobody's rights hang on (RFC 7591 §2).
func contested(draft *cast.Member) ([]string, map[string]any, map[string]any, error) {
	statement := draft.Statement()
	if statement == nil {
		return nil, nil, nil, check.CannotTell("the registration carries no software statement")
	}
	claims, err := forge.StatementClaims(*statement)
	if err != nil {
		return nil, nil, nil, check.CannotTell("the statement of the hook could not be read: %v", err)
	}
	known, added := maps.Clone(claims), map[string]any{}
	if statement.JWT != nil {
		added["software_version"] = "as the statement says"
		maps.Copy(known, added)
	}
	var names []string
	for name, value := range known {
		_, text := value.(string)
		if text && !slices.Contains([]string{"iss", "sub", "aud", "jti", "client_id", "client_name", "scope", "token_endpoint_auth_method", "jwks_uri"}, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, known, added, nil
}

// contradiction is what the JSON says instead: the neighbour's organisation, an address where the statement has one, or a
// word of ours. What has another form would be refused for that.
func contradiction(p *check.Pass, name string, said any) string {
	mine, _ := p.Cast.Client(cast.Partner)
	theirs, _ := p.Cast.Client(cast.Neighbour)
	statement := p.Stack.Plan.Registration.Statement
	if text, _ := statement.Claims[name].(string); text == "{organization}" && theirs.Organization != "" && theirs.Organization != mine.Organization {
		return theirs.Organization
	}
	if text, _ := said.(string); strings.HasPrefix(text, "https://") {
		return "https://partner.checkride.invalid/otherwise"
	}
	return "as the JSON says"
}

// sameOrganization looks whether the client's tokens or the log say what the JSON said.
func sameOrganization(ctx context.Context, p *check.Pass, got check.Registered, otherwise map[string]any, differs string) error {
	err := p.Cast.Settle(ctx, got.Member)
	if err != nil {
		return err
	}
	token, err := got.Member.TokenWith(ctx, got.Member.Usual())
	if err != nil {
		return err
	}
	if token.JWT != nil {
		for _, name := range slices.Sorted(maps.Keys(p.Stack.Plan.Agreement.Claims)) {
			value, there := token.JWT.Claims[name]
			agreed := p.Stack.Plan.Agreement.Claims[name]
			switch {
			case !there:
				p.Note("the token does not carry %s", name)
			case fmt.Sprint(value) == agreed:
				p.Case("claim "+name+" of its tokens", logbook.Pass, agreed, agreed, differs, "")
			case saidBeside(otherwise, fmt.Sprint(value)):
				p.Case("claim "+name+" of its tokens", logbook.Fail, agreed, "as the JSON says: "+fmt.Sprint(value), differs, "")
			default:
				p.Case("claim "+name+" of its tokens", logbook.Inconclusive, agreed, "", differs, fmt.Sprintf("the token says %v as %s, which is neither agreed nor in the JSON: see claims.token-content", value, name))
			}
		}
	}
	return loggedOrganization(ctx, p, got, otherwise, differs)
}

// saidBeside says whether a value is one that the JSON said beside the statement.
func saidBeside(otherwise map[string]any, value string) bool {
	for _, said := range otherwise {
		if fmt.Sprint(said) == value {
			return true
		}
	}
	return false
}

func loggedOrganization(ctx context.Context, p *check.Pass, got check.Registered, otherwise map[string]any, differs string) error {
	defer p.Besides(loggedOtherwise)()
	organization := got.Member.Plan.Organization
	if len(p.Stack.Logs[p.Name]) == 0 || organization == "" {
		return nil
	}
	records, err := p.Logged(ctx, p.Name, got.Exchange)
	if err != nil {
		return err
	}
	for _, record := range records {
		switch told := record.Fields["org"]; {
		case told == organization:
			p.Case("organisation in the log", logbook.Pass, organization, told, differs, "")
		case told != "" && saidBeside(otherwise, told):
			p.Case("organisation in the log", logbook.Fail, organization, "as the JSON says: "+told, differs, "")
		}
	}
	return nil
}
