package enforce

import (
	"context"

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

// AlteredKey shows API keys and passwords that nobody was given, and that differ from the partner's in a part: wherever the
// plan says that they are wanted, and where one is taken beside tokens. Keys are looked up by a start that is kept readable
// for people, and then the rest must be compared with its hash, which is easily forgotten.
//
// No RFC knows API keys; that every part of a secret counts is our demand.
var AlteredKey = &check.Check{
	ID:            "enforce.altered-key",
	Title:         "an API key or a password that differs from the partner's in a part is refused",
	Broken:        "an API key or a password that differs from the partner's in a part is accepted",
	Why:           "what is compared in a part is guessed in a part: the start of a key stands in logs, tickets and consoles, and whoever reads it there makes up the rest",
	Fix:           "find the key by its start or its owner if you must, then compare the hash of the whole in constant time",
	Refs:          []frameworks.Ref{frameworks.House(), frameworks.API(2), frameworks.NHI(4), frameworks.SP80053("IA-5")},
	Rows:          []string{"A-TF-30"},
	Severity:      logbook.High,
	At:            check.WholeStack,
	AnyCredential: true,
	Twin:          defect.Set{KeysByPrefix: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		calls, err := keyed(ctx, p, "basic")
		if err != nil {
			return err
		}
		for _, call := range calls {
			p.Relevant("%s takes keys or passwords", call.Point.Name)
			changes := forge.AlteredKeys(p.Stack.Keeper)
			for i := range changes {
				changes[i].Name += " at " + call.Point.Name
			}
			err = p.Refuses(ctx, call, changes...)
			if err != nil {
				return err
			}
		}
		return nil
	},
}

// keyed gives the partner's calls with a key: at points that want API keys, or a credential of one of the other kinds, and
// at those that take an API key beside tokens.
func keyed(ctx context.Context, p *check.Pass, others ...string) ([]check.Call, error) {
	partner, err := p.Partner(ctx)
	if err != nil {
		return nil, err
	}
	var calls []check.Call
	for i := range p.Stack.Plan.Points {
		point := &p.Stack.Plan.Points[i]
		call, err := keyedAt(ctx, p, partner, point, others)
		if err != nil {
			return nil, err
		}
		if call != nil {
			calls = append(calls, *call)
		}
	}
	if len(calls) == 0 {
		return nil, check.NotApplicable("no point takes an API key or a password of the partner")
	}
	return calls, nil
}

func keyedAt(ctx context.Context, p *check.Pass, partner *cast.Member, point *plan.Point, others []string) (*check.Call, error) {
	wanted := point.Credential == "api_key"
	for _, other := range others {
		wanted = wanted || point.Credential == other
	}
	if wanted {
		token, err := partner.Token(ctx, point)
		if err != nil {
			return nil, err
		}
		call := p.CallAt(point, p.Allowed(point), partner, token)
		return &call, p.Opens(ctx, call)
	}
	if !point.TakesTokens() {
		return nil, nil
	}
	key, err := partner.APIKey(ctx)
	if err != nil || key.Empty() {
		return nil, err
	}
	call := p.CallAt(point, p.Allowed(point), partner, oauth.Token{Text: key}).With(func(r *wire.Request) {
		r.Credentials = []wire.Credential{{In: wire.InHeader, Name: point.Header, Text: key}}
	})
	call.Name = "the API key of the partner at " + point.Name
	_, answer, err := p.Do(ctx, wire.Setup, call)
	if err != nil || answer.Decision != wire.Accepted {
		return nil, err // it takes tokens alone
	}
	return &call, nil
}
