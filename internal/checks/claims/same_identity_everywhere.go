package claims

import (
	"context"
	"fmt"
	"slices"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// SameIdentityEverywhere makes one good call per point and asks all who name the caller: the token, introspection, the
// API behind the point as its answer echoes it, and the audit logs. They must all say the client_id, or the alias that
// the plan declares for the point (points.identity).
//
// RFC 9068 §2.2 only says that sub SHOULD be the client in this grant. That there is one canonical name is our demand.
var SameIdentityEverywhere = &check.Check{
	ID:       "claims.same-identity-everywhere",
	Title:    "token, introspection, API and audit logs name the partner alike",
	Broken:   "the partner has several names on its way",
	Why:      "a name that is cut or folded on the way makes two partners one, and an investigation cannot follow what a partner did",
	Fix:      "hand the client_id on unchanged at every hop, or declare the alias of a point under points.identity",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(9068, "2.2"), frameworks.SP80053("AU-16(1)"), frameworks.SP80053("IA-4"), frameworks.CSF("PR.AA-04"), frameworks.ASVS("16.2.4")},
	Rows:     []string{"L-AT-03", "L-AT-07", "L-AU-06", "A-MG-02", "A-LG-10"},
	Severity: logbook.High,
	At:       check.WholeStack,
	Besides:  []*logbook.Breach{loggedOtherwise},
	Twin:     defect.Set{PartnerRenamed: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		type call struct {
			check.Call
			exchange wire.Exchange
		}
		var calls []call
		asked := 0
		judge := func(place, where, named, alias string) {
			asked++
			outcome, expected := logbook.Pass, "named "+partner.ID()
			if alias != partner.ID() {
				expected += " or " + alias
			}
			if named != partner.ID() && named != alias {
				outcome = logbook.Fail
			}
			p.Case(where, outcome, expected, "named "+named, "", "")
			p.Where(place)
		}
		for i := range p.Stack.Plan.Points {
			point := &p.Stack.Plan.Points[i]
			token, err := partner.Token(ctx, point)
			if err != nil {
				return err
			}
			good := p.CallAt(point, p.Allowed(point), partner, token)
			x, answer, err := p.Do(ctx, wire.Control, good)
			switch {
			case err != nil:
				return err
			case answer.Decision != wire.Accepted:
				p.Case("call at "+point.Name, logbook.Inconclusive, "accepted", "", "", "the call at "+point.Name+" was not accepted: "+answer.Why)
				continue
			case answer.Identity == "":
				p.Note("%s does not tell who was seen; name the place under operations.identity_at", point.Name)
			default:
				judge(point.Name, "API behind "+point.Name, answer.Identity, good.Expect)
			}
			calls = append(calls, call{good, x})
			if token.JWT == nil {
				continue
			}
			var named []string
			for _, claim := range []string{"client_id", "azp", "appid", "cid", "sub"} {
				if text, ok := token.JWT.Claims[claim].(string); ok && text != "" {
					named = append(named, text)
				}
			}
			id, told := token.JWT.Claims["client_id"].(string)
			switch {
			case told:
				judge(partner.Server.Name, "token for "+point.Name, id, partner.ID())
			case slices.Contains(named, partner.ID()):
				judge(partner.Server.Name, "token for "+point.Name, partner.ID(), partner.ID())
			case len(named) > 0:
				judge(partner.Server.Name, "token for "+point.Name, named[0], partner.ID())
			}
			if sub, ok := token.JWT.Claims["sub"].(string); ok && sub != partner.ID() {
				p.Note("sub of the token for %s is %q and not the client_id, which RFC 9068 §2.2 advises", point.Name, sub)
			}
		}
		if home := p.HomePoint(); home != nil && p.Cast.Has(cast.ResourceServer) && partner.Server.Endpoints.Introspection != "" {
			token, err := partner.Token(ctx, home)
			if err != nil {
				return err
			}
			claims, err := p.Introspected(ctx, token)
			if err != nil {
				return err
			}
			if id, told := claims["client_id"].(string); told {
				judge(partner.Server.Name, "introspection", id, partner.ID())
			} else {
				p.Note("introspection does not tell the client_id")
			}
		}
		for _, call := range calls {
			if len(p.Stack.Logs[call.Point.Name]) == 0 {
				continue
			}
			records, err := p.Logged(ctx, call.Point.Name, call.exchange)
			if err != nil {
				return err
			}
			told := false
			for _, record := range records {
				if named := record.Fields["partner"]; named != "" {
					told = true
					titled := p.Besides(loggedOtherwise)
					judge(call.Point.Name, fmt.Sprintf("log %s, of the call at %s", record.Source, call.Point.Name), named, call.Expect)
					titled()
				}
			}
			if !told {
				p.Note("no log tells who made the call at %s", call.Point.Name)
			}
		}
		if asked == 0 && len(calls) > 0 {
			return check.NotApplicable("neither tokens, introspection, answers nor logs tell how they name the partner")
		}
		return nil
	},
}

var loggedOtherwise = &logbook.Breach{
	Broken:   "the audit log names the partner otherwise than everybody else does",
	Why:      "who looks for what a partner did does not find it under the partner's name, or finds two partners under one",
	Fix:      "log the client_id unchanged, or declare the alias of the point under points.identity",
	Severity: logbook.Medium,
}
