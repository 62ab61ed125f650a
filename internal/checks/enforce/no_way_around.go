package enforce

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// NoWayAround asks past the point: its upstream directly, without a credential, with a garbage one and with the
// partner's own, and the other points for the paths that only this one should serve. There whoever refuses counts, and
// that nobody answers from here as well.
//
// SP 800-207 §2.1, tenet 6, has authentication and authorization strictly enforced before access is allowed; RFC 9700
// §4.13 wants what runs between a proxy and the resource server protected. That the upstream is closed is the plan's
// word (points.origin).
var NoWayAround = &check.Check{
	ID:       "enforce.no-way-around",
	Title:    "the API cannot be reached past its enforcement point",
	Broken:   "the API is reached past its enforcement point",
	Why:      "the plan says that the upstream is closed: whoever knows the way needs no token, and the point's log shows nothing",
	Fix:      "let the upstream take calls from the point alone: by network, and by a credential that only the point has; serve its paths at no other point",
	Refs:     []frameworks.Ref{frameworks.Tenet(6), frameworks.RFC(9700, "4.13"), frameworks.API(9), frameworks.SP80053("AC-4"), frameworks.ASVS("13.2.1"), frameworks.SP800207("3"), frameworks.CSF("PR.IR-01"), frameworks.House()},
	Rows:     []string{"L-GW-10", "A-GW-17", "A-MG-09"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,

	AnyCredential: true,

	Needs:   []check.Need{check.Origin},
	Besides: []*logbook.Breach{openToTokens},
	Twin:    defect.Set{OriginOpen: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		forger, err := p.Forger(ctx)
		if err != nil {
			return err
		}
		baselines, err := check.Baselines(p.Point, forger)
		if err != nil {
			return err
		}
		err = p.Refuses(ctx, past(p, call, call),
			at(p.Point.Origin, "the upstream without a credential", baselines[0]),
			at(p.Point.Origin, "the upstream with a garbage credential", baselines[1]),
		)
		if err != nil {
			return err
		}
		titled := p.Besides(openToTokens)
		err = p.Refuses(ctx, past(p, call, call), at(p.Point.Origin, "the upstream with the partner's credential", wire.Change{}))
		titled()
		if err != nil {
			return err
		}
		for i := range p.Stack.Plan.Points {
			err = refusedThrough(ctx, p, call, &p.Stack.Plan.Points[i])
			if err != nil {
				return err
			}
		}
		return nil
	},
}

var openToTokens = &logbook.Breach{
	Broken:   "the API takes the partner's credential past its enforcement point",
	Why:      "the plan says that the upstream is closed: a partner that knows its address escapes what the point alone enforces, its quotas, its list of revoked tokens and its log",
	Fix:      "let the upstream take calls from the point alone: by network, and by a credential that only the point has",
	Severity: logbook.High,
}

// past understands answers from elsewhere by the oracle of what is wanted there. Every refusal is one, since how others
// refuse is not known beforehand, and that nobody listens is one too. A 404 of the upstream proves nothing: its paths may
// differ (rule 7).
func past(p *check.Pass, control, wanted check.Call) check.Call {
	here, there, home := control.Decide, wanted.Decide, strings.TrimSuffix(p.Point.URL, "/")
	control.Decide = func(ctx context.Context, x wire.Exchange) check.Answer {
		if x.Request.Origin == home {
			return here(ctx, x)
		}
		answer := there(ctx, x)
		switch {
		case x.Failure == wire.Refused:
			answer.Decision, answer.Why = wire.Denied, "not reachable from here"
			p.Note("%s is not reachable from here", x.Request.Origin)
		case x.Request.Origin == strings.TrimSuffix(p.Point.Origin, "/") && x.Status == 404:
			answer.Decision, answer.Why = wire.Unknown, "404: whether the path is there is not proven"
		case answer.Foreign:
			answer.Decision = wire.Denied
		}
		return answer
	}
	return control
}

// at sends the request to another origin after a change of its credential.
func at(origin, name string, credential wire.Change) wire.Change {
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		r.Origin, r.Over.Address = strings.TrimSuffix(origin, "/"), ""
		if credential.Apply == nil {
			return r, nil
		}
		return credential.Apply(r)
	}}
}

// refusedThrough asks another point for the paths that only this one declares. A point that lets a random path in does so
// with a page for everything, which says nothing about the API.
func refusedThrough(ctx context.Context, p *check.Pass, call check.Call, other *plan.Point) error {
	if other.URL == p.Point.URL {
		return nil
	}
	for _, operation := range p.Point.Operations {
		if slices.ContainsFunc(other.Operations, func(o plan.Operation) bool { return o.Request == operation.Request }) {
			continue // a door of its own, with checks of its own
		}
		wanted := p.CallAt(p.Point, operation, call.Member, call.Token)
		change := through(other, wanted)
		random := past(p, call, wanted)
		random.Name = "a random path of " + other.Name
		random.Make = func() (wire.Request, error) {
			request, err := wanted.Make()
			if err != nil {
				return request, err
			}
			request, err = change.Apply(request)
			request.Target = "/checkride-" + strings.ToLower(rand.Text())
			return request, err
		}
		_, answer, err := p.Do(ctx, wire.Baseline, random)
		if err != nil {
			return err
		}
		if answer.Decision == wire.Accepted {
			p.Note("%s answers a random path as it should answer %s, so nothing can be said of it", other.Name, operation.Name)
			continue
		}
		change.Name = operation.Name + " through " + other.Name
		err = p.Refuses(ctx, past(p, call, wanted), change)
		if err != nil {
			return err
		}
	}
	return nil
}

// through asks another point for what is wanted, without a credential.
func through(other *plan.Point, wanted check.Call) wire.Change {
	return wire.Change{Apply: func(r wire.Request) (wire.Request, error) {
		request, err := wanted.Make()
		if err != nil {
			return r, err
		}
		r.Origin, r.Over.Address = strings.TrimSuffix(other.URL, "/"), ""
		r.Method, r.Target, r.Header, r.Body = request.Method, request.Target, request.Header, request.Body
		r.Credentials, r.Over.Certificate = nil, nil
		return r, nil
	}}
}
