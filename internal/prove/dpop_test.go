package prove

import (
	"slices"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// byProof makes the plan one in which both partners bind their tokens by DPoP and the points want nothing else.
func byProof(p *plan.Plan) {
	for i := range p.Clients {
		c := &p.Clients[i]
		if c.Name != "resource_server" {
			c.Auth, c.SenderConstraint = "private_key_jwt", "dpop"
		}
	}
	// Without certificates they cannot register as the trust framework wants it, so the operator lets them in.
	p.Registration.InitialAccessToken = plan.Reference{Text: "file:operator-iat.txt"}
	p.Registration.ClientCertificate, p.Registration.Statement, p.Registration.SignedRequest, p.Registration.AccessTokens = "none", nil, nil, plan.AccessTokenPolicy{}
	p.Points = slices.DeleteFunc(p.Points, func(point plan.Point) bool { return !point.DPoP })
	for i := range p.Points {
		p.Points[i].Credential, p.Points[i].TLSClient, p.Points[i].DPoP = "dpop", "none", false
	}
	p.Audit.Sources = slices.DeleteFunc(p.Audit.Sources, func(s plan.LogSource) bool { return slices.Contains(s.Covers, "legacy") })
}

// Where all tokens are bound by DPoP, the ride finds nothing wrong with a healthy stack, and what is wrong in each of its
// stages it still finds: controls, forgeries and watches all show fresh proofs.
func TestPartnersThatProveTheirKeys(t *testing.T) {
	for name, row := range map[string]struct {
		defects defect.Set
		fails   string
	}{
		"healthy":          {},
		"unsigned tokens":  {defect.Set{AlgNone: true}, "enforce.unsigned-token"},
		"other audience":   {defect.Set{AudienceIgnored: true}, "enforce.other-audience"},
		"other issuer":     {defect.Set{IssuerUnion: true}, "enforce.foreign-issuer"},
		"cached tokens":    {defect.Set{TokenCache: 6 * time.Second}, "revoke.token-outlives-revocation"},
		"deleted partner":  {defect.Set{DeleteKeepsTokens: true}, "offboard.token-outlives-client"},
		"scope":            {defect.Set{ScopeIgnored: true}, "enforce.denied-operations"},
		"unbound tokens":   {defect.Set{UnboundAccepted: true}, "bind.unbound-token"},
		"as bearer tokens": {defect.Set{DPoPTokenAsBearer: true}, "bind.dpop-token-as-bearer"},
		"unsigned proofs":  {defect.Set{ProofSignatureIgnored: true}, "bind.forged-proof"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			setup := Setup{Catalogue: checks.Catalogue(), Defects: row.defects, Edit: byProof}
			if row.fails != "" {
				setup.Only = []string{row.fails}
			}
			ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
				passes, found := 0, row.fails == ""
				for _, e := range entries {
					o := e.Observation
					switch {
					case o == nil:
					case o.Outcome == logbook.Pass:
						passes++
					case o.Outcome == logbook.Fail && o.Check == row.fails:
						found = true
					case o.Outcome == logbook.Error, row.fails == "" && o.Outcome != logbook.NotApplicable:
						t.Errorf("%s at %s: %v; expected %s; observed %s; because %s; notes %v", o.Check, o.Point, o.Outcome, o.Expected, o.Observed, o.Because, o.Notes)
					}
				}
				if !found {
					t.Errorf("%s does not fail", row.fails)
				}
				if row.fails == "" && passes < 80 {
					t.Errorf("only %d passes", passes)
				}
			})
		})
	}
}
