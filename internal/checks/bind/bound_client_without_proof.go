package bind

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// BoundClientWithoutProof asks for a token without a DPoP proof, as a client that is registered to have none but bound
// ones.
//
// RFC 9449 §5.2: with dpop_bound_access_tokens the authorization server MUST reject token requests without a proof. For
// certificates RFC 8705 §3.4 leaves it to the server, so that is asked of the points alone.
var BoundClientWithoutProof = &check.Check{
	ID:       "bind.bound-client-without-proof",
	Title:    "a client registered for DPoP-bound tokens gets none without a proof",
	Broken:   "a client registered for DPoP-bound tokens gets a token without a proof",
	Why:      "whoever has the client's credential leaves the proof out and gets tokens that need no key: the registration promised that there are none",
	Fix:      "refuse token requests without a DPoP header from clients with dpop_bound_access_tokens, with invalid_dpop_proof",
	Refs:     []frameworks.Ref{frameworks.RFC(9449, "5.2"), frameworks.RFC(9700, "2.2.1"), frameworks.ASVS("10.3.5"), frameworks.NHI(4)},
	Rows:     []string{"L-SC-08"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Twin:     defect.Set{DPoPBindingOptional: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Proven(ctx)
		if err != nil {
			return err
		}
		registered, told := call.Member.Client().Registered["dpop_bound_access_tokens"].(bool)
		if !told || !registered {
			return check.NotApplicable("the server does not register dpop_bound_access_tokens, which RFC 7591 §2 lets it ignore")
		}
		return p.Refuses(ctx, call, forge.WithoutProof())
	},
}
