package check

import (
	"context"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// guarded says whether a point asks for a credential at all. If its baselines get in, the route is public: that is one
// finding of its own and not one in every check (rule 6).
func (p *Pass) guarded(ctx context.Context, control Call) error {
	if p.Check.ID == "enforce.without-token" || p.Stack.Rules.AnyRefuser {
		return nil
	}
	_, err := p.Stack.refusers(ctx, p, control.Point, p.Allowed(control.Point))
	return err
}

// refusers takes the baselines of an operation, once: no credential, and a garbage one of the right shape.
func (s *Stack) refusers(ctx context.Context, p *Pass, point *plan.Point, operation plan.Operation) (refusers, error) {
	return s.baselines.Get(ctx, point.Name+"|"+operation.Name, func(ctx context.Context) (refusers, error) { return s.baseline(ctx, p, point, operation) })
}

func (s *Stack) baseline(ctx context.Context, p *Pass, point *plan.Point, operation plan.Operation) (refusers, error) {
	known := refusers{looks: map[string]bool{}, shapes: map[string]bool{}}
	partner, err := s.Cast.Member(ctx, cast.Partner)
	if err != nil {
		return known, err
	}
	token, err := partner.Token(ctx, point)
	if err != nil {
		return known, err
	}
	call := p.CallAt(point, operation, partner, token)
	changes, err := Baselines(point, forge.New(s.Keeper, nil))
	if err != nil {
		return known, err
	}
	let := map[string]wire.Exchange{} // baselines that seem to get in
	for _, change := range changes {
		baseline, err := altered(call, change)
		if err != nil {
			return known, err
		}
		x, answer, err := s.baselineOf(ctx, p, operation, baseline)
		if err != nil {
			return known, err
		}
		if answer.Decision == wire.Accepted && !operation.Deny {
			if answer.Strong {
				return known, opensWith(point, operation, change)
			}
			let[change.Name] = x
		}
		if x.Failure == wire.None && answer.Decision != wire.Unknown {
			known.looks[look(x)] = true
		}
	}
	good, _, err := s.baselineOf(ctx, p, operation, call)
	if err != nil {
		return known, err
	}
	if good.Failure == wire.None && good.Status != http.StatusTooManyRequests {
		known.looks[look(good)] = true // what stands behind the point may refuse as well
	}
	if point.TLSClient != "none" && point.Credential != "mtls" { // whoever ends TLS at the point judges certificates, in a way of its own
		bare, answer, err := s.baselineOf(ctx, p, operation, call.bare())
		if err != nil {
			return known, err
		}
		if bare.Failure == wire.None && (answer.Decision == wire.Denied || answer.Decision == wire.Odd) {
			known.looks[look(bare)] = true
		}
	}
	for _, change := range changes {
		x, in := let[change.Name]
		switch {
		case !in:
		case shape(x) == shape(good):
			return known, opensWith(point, operation, change)
		default: // the error page with 200 of older middleware
			known.shapes[shape(x)] = true
		}
	}
	return known, nil
}

func opensWith(point *plan.Point, operation plan.Operation, change wire.Change) error {
	return BecauseOf("enforce.without-token", "%s at %s opens with %s", operation.Name, point.Name, change.Name)
}

// baselineOf sends a call as a baseline, three times at most while it cannot be decided: what everything at a point is
// compared with must not be the 503 of a bad moment.
func (s *Stack) baselineOf(ctx context.Context, p *Pass, operation plan.Operation, call Call) (wire.Exchange, Answer, error) {
	for attempt := 1; ; attempt++ {
		x, err := s.plain(ctx, call)
		if err != nil {
			return x, Answer{}, err
		}
		answer := p.decideAlone(operation, x)
		busy := answer.Decision == wire.Unknown && !answer.Cached && (x.Failure == wire.None && x.Status > 399 || x.Failure == wire.Timeout || x.Failure == wire.Refused || x.Failure == wire.Proxied)
		if !busy {
			return x, answer, nil
		}
		if attempt == 3 {
			return x, answer, CannotTell("a baseline at %s could not be decided: %s", call.Point.Name, answer.Why)
		}
		err = cast.Sleep(ctx, time.Duration(attempt)*300*time.Millisecond)
		if err != nil {
			return x, answer, err
		}
	}
}

// Baselines turn a good call at a point into one with no credential and into one with a garbage credential, of the kind
// that the point wants.
func Baselines(point *plan.Point, forger *forge.Forger) ([]wire.Change, error) {
	switch point.Credential {
	case "basic", "api_key", "exec":
		return []wire.Change{forge.WithoutCredential(), forger.GarbageCredential()}, nil
	case "mtls":
	default:
		return []wire.Change{forge.WithoutToken(), forger.GarbageToken()}, nil
	}
	nobodys, err := cast.SelfSigned("nobody")
	if err != nil {
		return nil, err
	}
	return []wire.Change{forge.WithoutCertificate(), forge.WithCertificate(nobodys, "one that nobody issued")}, nil
}

// altered gives a call whose every request has been changed.
func altered(call Call, change wire.Change) (Call, error) {
	request, err := call.Make()
	if err != nil {
		return call, err
	}
	request, err = change.Apply(request.Clone())
	if err != nil {
		return call, Broken("the change %q could not be made: %v", change.Name, err)
	}
	call.Make = func() (wire.Request, error) { return request.Clone(), nil }
	return call, nil
}

func (s *Stack) plain(ctx context.Context, call Call) (wire.Exchange, error) {
	request, err := call.Make()
	if err != nil {
		return wire.Exchange{}, err
	}
	request.Purpose, request.Over.Fresh = wire.Baseline, true
	return s.Do.Do(ctx, request)
}

// refusers are the looks of those who may refuse at a point: the point itself, seen without credential and with a
// garbage one, and what stands behind it, seen in a good answer (rule 6).
type refusers struct {
	looks  map[string]bool
	shapes map[string]bool // of good-looking answers that a baseline got, and that are unlike a really good one (rule 4)
}

func (r refusers) knows(x wire.Exchange) bool { return r.looks[look(x)] }

// look is what stays the same over the answers of one hop: its Server field, the kind of body and the members of a JSON one.
func look(x wire.Exchange) string {
	kind, _, _ := mime.ParseMediaType(x.Header.Get("Content-Type"))
	if len(x.Body) == 0 {
		kind = "empty"
	}
	return x.Header.Get("Server") + "|" + kind
}

// shape is all that one can tell of an answer without knowing what it means: status, look, and the members of its body.
func shape(x wire.Exchange) string {
	var members map[string]any
	if x.Decode(&members) != nil {
		members = nil
	}
	return fmt.Sprint(x.Status, "|", look(x), "|", slices.Sorted(maps.Keys(members)))
}
