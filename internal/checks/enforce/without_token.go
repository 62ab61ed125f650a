package enforce

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// WithoutToken asks first what all other checks rest on: that the route is closed to whoever shows nothing, or nonsense.
//
// RFC 6750 §3: "If the protected resource request does not include authentication credentials or does not contain an
// access token that enables access to the protected resource, the resource server MUST include the HTTP
// WWW-Authenticate response header field".
var WithoutToken = &check.Check{
	ID:       "enforce.without-token",
	Title:    "a call without a credential, or with a garbage one, is refused",
	Broken:   "a call without any credential is let in",
	Why:      "the route is public: no other check at this point means anything",
	Fix:      "put the route behind the point's token check; look for an allow-list, a method or a path that skips it",
	Refs:     []frameworks.Ref{frameworks.RFC(6750, "3"), frameworks.API(2), frameworks.Tenet(6), frameworks.SP80053("AC-3")},
	Rows:     []string{"L-GW-01", "L-GW-02"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Besides:  []*logbook.Breach{garbageTaken},

	AnyCredential: true,

	Twin: defect.Set{PublicRoute: true},
	Also: []defect.Set{{IntrospectionByID: true}}, // of the right shape, and with the id of a token that lives
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		changes, err := check.Baselines(p.Point, forge.New(p.Stack.Keeper, nil))
		if err != nil {
			return err
		}
		err = p.Refuses(ctx, call, changes[0])
		if err != nil {
			return err
		}
		defer p.Besides(garbageTaken)()
		return p.Refuses(ctx, call, changes[1:]...)
	},
}

var garbageTaken = &logbook.Breach{
	Broken:   "a call with a garbage credential is let in",
	Why:      "whatever looks like a credential is taken for one: anybody can make it, and no other check at this point means anything",
	Fix:      "verify the whole credential, signature or issuer included, before anything that it says is believed",
	Severity: logbook.Critical,
}
