package register

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
)

// SignedRequest registers by requests that are signed as a whole, as Open Banking UK has them (Dynamic Client Registration
// 3.3): expired, for another server, by another issuer than the software, and signed by nobody or by somebody else. The
// software statement inside is good each time.
//
// RFC 7519 §4.1.4: on or after exp a JWT MUST NOT be accepted; §4.1.3: one with an aud that does not name its reader MUST be
// rejected. Open Banking UK says of exp that such requests must be rejected, of aud that a server may look at it, which the
// plan can say, and of iss that it must be the software which the statement vouches for. RFC 8725 §3.3: where a signature
// does not verify, the whole JWT MUST be rejected.
var SignedRequest = &check.Check{
	ID:       "register.signed-request",
	Title:    "a signed registration that is out of time, for somebody else or not the software's own registers nobody",
	Broken:   "a signed registration that is out of time, for somebody else or not the software's own registers a client",
	Why:      "whoever has seen a registration, as every server has to which a partner was ever brought, sends it again elsewhere or changes it, and becomes a client in that partner's name",
	Fix:      "verify the request with the keys of the software that its statement vouches for, and refuse it after exp, without our name in aud, and when iss is not that software",
	Refs:     []frameworks.Ref{frameworks.RFC(7519, "4.1.4"), frameworks.RFC(7519, "4.1.3"), frameworks.RFC(7519, "4.1.1"), frameworks.RFC(8725, "3.3"), frameworks.RFC(7591, "3.2.2"), frameworks.House(), frameworks.CSF("PR.AA-04"), frameworks.SP80053("IA-5")},
	Rows:     []string{"L-SS-10"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.SignedRequests},
	Twin:     defect.Set{RequestClaimsIgnored: true},
	Also:     []defect.Set{{RequestUnverified: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		signed := p.AtRegistration(ctx, cast.Partner, cast.Wish{Signed: true})
		request, err := signed.Make()
		if err != nil {
			return err
		}
		own, err := oauth.NewKey(forge.RequestAlgorithm(request))
		if err != nil {
			return check.CannotTell("the software signs with %s: %v", forge.RequestAlgorithm(request), err)
		}
		described, changes := p.Stack.Plan.Registration.SignedRequest, forge.SignedRequests(own)
		if described.Bound {
			changes = append(changes, forge.RequestForAnother())
		} else {
			p.Note("the plan lets the server take requests for others (registration.signed_request.audience_bound)")
		}
		if described.Required {
			changes = append(changes, forge.UnsignedRequest())
		}
		return p.RefusesRegistrations(ctx, signed, nil, changes...)
	},
}
