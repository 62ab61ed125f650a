package check

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/canary"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// aMoment is how long a server may take to fetch what it was just told of, beyond its answer: some do so in the
// background.
const aMoment = 250 * time.Millisecond

// Canary lays a bait at the ride's own listener: a document (a JWK Set of the check's own keys, say) under an address
// that nobody knows whom the check does not tell. It is nil where the plan has no canary. What comes of it says
// [Pass.Fetched].
func (p *Pass) Canary(document any) (*canary.Bait, error) {
	if p.Stack.Canary == nil {
		return nil, nil
	}
	text, err := json.Marshal(document)
	if err != nil {
		return nil, Broken("the canary's document: %v", err)
	}
	return p.Stack.Canary.Lay(text), nil
}

// AloneAtCanary waits until no other check looks who comes to its baits: who knocks and names no address may have come for any
// that is out. The function that it gives ends that.
func (p *Pass) AloneAtCanary(ctx context.Context) (func(), error) {
	if p.Stack.Canary == nil {
		return func() {}, nil
	}
	p.stand()
	err := p.Stack.Baits.Take(ctx)
	if err != nil {
		return nil, err
	}
	err = p.sit(ctx)
	if err != nil {
		p.Stack.Baits.Leave()
		return nil, err
	}
	return p.Stack.Baits.Leave, nil
}

// Fetched gives the visits to a bait, waiting a moment for the first. None means that nobody came, not that the stack
// would not come if it could: whether it can reach the listener the plan alone knows. Who knocked, and did not like the
// listener's certificate, leaves it open who was meant: that is an error. Who turned away without a word fetched nothing.
func (p *Pass) Fetched(ctx context.Context, bait *canary.Bait) ([]canary.Fetch, error) {
	if fetches := bait.Fetches(); len(fetches) > 0 {
		return fetches, nil
	}
	err := p.Wait(ctx, aMoment)
	if err != nil {
		return nil, err
	}
	fetches := bait.Fetches()
	if len(fetches) == 0 && bait.Knocks() > 0 {
		return nil, CannotTell("somebody came to the canary and did not speak to the end, so what was to be fetched is not known; give canary.cert a certificate that the stack trusts")
	}
	return fetches, nil
}

// CanaryListener needs a listener of the ride's own, which sees what a stack fetches.
var CanaryListener = Need{Name: "a canary", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	if p.Canary != nil {
		return Present, "", ""
	}
	return DeclaredGap, "the plan has no listener that could see what the stack fetches (canary)", "what the stack fetches (no canary)"
}}

// NeverFetches asserts that nobody comes for the address that an altered request names, whatever is answered to it: each
// change is made with an address of its own, at which the document lies, and is sent between two accepted controls.
// Whether such a request is refused is another promise.
func (p *Pass) NeverFetches(ctx context.Context, control Call, document any, changes ...func(address string) wire.Change) error {
	const expected = "nobody comes for the address"
	leave, err := p.AloneAtCanary(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for _, pointing := range changes {
		bait, err := p.Canary(document)
		if err != nil {
			return err
		}
		if bait == nil {
			return CannotTell("the plan has no listener that could see what the stack fetches (canary)")
		}
		change := pointing(bait.URL())
		found, err := p.try(ctx, control, nil, change, false)
		if err != nil {
			return err
		}
		fetches, err := p.Fetched(ctx, bait)
		switch {
		case err != nil:
			p.Case(change.Name, logbook.Inconclusive, expected, "", found.differs, err.Error())
		case len(fetches) > 0:
			p.Case(change.Name, logbook.Fail, expected, fmt.Sprintf("fetched by %s from %s; the answer was %s", fetches[0].Method, fetches[0].From, found.answer.Why), found.differs, "")
		case !found.controlled:
			p.Case(change.Name, logbook.Inconclusive, expected, "", found.differs, "the control failed: "+found.control.Why)
		case found.answer.Decision == wire.Unknown:
			p.Case(change.Name, logbook.Inconclusive, expected, "", found.differs, found.answer.Why)
		default:
			p.Note("nobody came to the canary; that the stack could reach it is the plan's word")
			p.Case(change.Name, logbook.Pass, expected, "nobody came; the answer was "+found.answer.Why, found.differs, "")
		}
	}
	return nil
}

// MayFetchFrom says whether the agreement lets the authorization server fetch a partner's keys from the canary's host
// (agreement.key_hosts). Where it says nothing, any host will do that is not internal.
func (p *Pass) MayFetchFrom(host string) bool {
	agreed := p.Stack.Plan.Agreement.KeyHosts
	if len(agreed) == 0 {
		return !internal(host)
	}
	return slices.ContainsFunc(agreed, func(one string) bool {
		name, _, err := net.SplitHostPort(one)
		if err != nil {
			name = one
		}
		return strings.EqualFold(name, host)
	})
}

// internal says whether a host is plainly one of a network that is nobody else's business: a loopback, private or
// link-local address, or a name that cannot be public.
func internal(host string) bool {
	if ip := net.ParseIP(strings.Trim(host, "[]")); ip != nil {
		return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return !strings.Contains(host, ".") || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".internal") || strings.HasSuffix(host, ".local")
}
