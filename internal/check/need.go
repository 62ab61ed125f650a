package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/plan"
)

// Missing says what a check's absence is.
type Missing uint8

const (
	Present     Missing = iota
	Absent              // the stack does not have what the check is about: not applicable
	Gap                 // it should be tested and cannot: not green unless the plan declares it
	DeclaredGap         // the plan itself says that it cannot be tested
)

// Need is something that a check needs of the plan, so that a dry run can already say what is left out and why.
type Need struct {
	Name string
	Has  func(p *plan.Plan, at *plan.Point) (Missing, string, string) // kind, reason, short name of the gap
}

// Registration needs dynamic registration (RFC 7591).
var Registration = Need{Name: "dynamic registration", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	if p.Registration.Mode == "dcr" {
		return Present, "", ""
	}
	return DeclaredGap, "the plan says registration.mode " + p.Registration.Mode, "registration (" + p.Registration.Mode + ")"
}}

// Neighbour needs a second honest partner.
var Neighbour = Need{Name: "a neighbour", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	if _, there := p.Client("neighbour"); there {
		return Present, "", ""
	}
	return Gap, "needs a second partner: add clients.neighbour", "neighbour"
}}

// Introspection needs a client that may introspect.
var Introspection = Need{Name: "a resource server", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	if _, there := p.Client("resource_server"); there {
		return Present, "", ""
	}
	return Gap, "needs a client that may introspect: add clients.resource_server", "introspection (no right)"
}}

// Audit needs a log that covers the place.
var Audit = Need{Name: "an audit log", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	if p.Audit.None {
		return DeclaredGap, "the plan says audit: none", "audit (no access)"
	}
	if len(p.Audit.Sources) == 0 {
		return Gap, "needs an audit log: add sources under audit, or say audit: none", "audit"
	}
	return Present, "", ""
}}

// Hook needs one of the operator's hooks.
func Hook(name string) Need {
	return Need{Name: "hook " + name, Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
		if _, ok := p.Hooks[name]; ok {
			return Present, "", ""
		}
		return Gap, "needs hook `" + name + "`", "hook " + name
	}}
}

// Binding needs tokens that are bound to a client certificate (RFC 8705 §3).
var Binding = Need{Name: "certificate-bound tokens", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	partner, there := p.Client("partner")
	if partner.SenderConstraint == "mtls" {
		return Present, "", ""
	}
	if set := p.Profiles(); set.Demands.SenderConstraint && (!there || partner.SenderConstraint == "none") {
		return Gap, fmt.Sprintf("the profile %s demands bound tokens, and the plan has none (clients.partner.sender_constraint)", set), "sender constraint"
	}
	return Absent, "the partner's tokens are not bound to a certificate (clients.partner.sender_constraint)", ""
}}

// AgreedBinding needs a point at which the agreement demands sender-constrained tokens, or a profile that demands them at
// every point.
var AgreedBinding = Need{Name: "an agreed binding", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	if at != nil && (at.Binding || p.Profiles().Demands.SenderConstraint) {
		return Present, "", ""
	}
	return Absent, "the plan does not demand sender-constrained tokens here (points.binding)", ""
}}

// TestCA needs a CA with which the ride may issue the partner's certificates.
var TestCA = Need{Name: "a test CA", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	partner, _ := p.Client("partner")
	switch {
	case partner.Certificate == nil:
		return Absent, "the partner uses no certificate", ""
	case !partner.Certificate.OfTestCA():
		return DeclaredGap, "the plan names no CA of which the ride has the key, to issue faulty certificates", "faulty certificates (no test CA)"
	}
	return Present, "", ""
}}

// Renewal needs a way to renew the partner's certificate: a test CA, or the operator's hook. A certificate of the
// operator's CA for a client that exists already is one more by which it is known, so the plan must permit it (`may`).
var Renewal = Need{Name: "a way to renew certificates", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	partner, _ := p.Client("partner")
	_, hooked := p.Hooks[plan.IssueCertificate]
	switch {
	case partner.Certificate == nil:
		return Absent, "the partner uses no certificate", ""
	case !hooked && !partner.Certificate.OfTestCA():
		return DeclaredGap, "needs hook `issue_certificate`: the plan gives certificates, and nobody who renews them", "renewed certificates"
	case partner.Certificate.OfTestCA():
		return Present, "", ""
	}
	return mayTake(p, Rotate)
}}

// CertificateLogin needs a partner that authenticates by a certificate of a CA.
var CertificateLogin = Need{Name: "tls_client_auth", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	partner, _ := p.Client("partner")
	if partner.Auth == "tls_client_auth" || p.Registers() && partner.Certificate != nil {
		return Present, "", ""
	}
	return Absent, "the partner does not authenticate by certificate", ""
}}

// Method needs a partner that authenticates by this method, or that can be registered for it.
func Method(name string) Need {
	return Need{Name: name, Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
		partner, _ := p.Client("partner")
		if partner.Auth == name || p.Registers() {
			return Present, "", ""
		}
		return Absent, "the given partner does not authenticate by " + name, ""
	}}
}

// DeniedOperation needs an operation that the agreement denies.
var DeniedOperation = Need{Name: "a denied operation", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	if at != nil && slices.ContainsFunc(at.Operations, func(o plan.Operation) bool { return o.Deny }) {
		return Present, "", ""
	}
	return Gap, "needs an operation that the agreement denies: add one with deny: true", "denied operations"
}}

// OwnObject needs an operation on an object that belongs to one partner alone.
var OwnObject = Need{Name: "an object of one's own", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	if at != nil {
		partner, _ := p.Client("partner")
		for _, operation := range at.Operations {
			if OfOneClient(operation) || partner.Owns[operation.Name] != "" {
				return Present, "", ""
			}
		}
	}
	return Gap, "needs an object that belongs to one partner alone: an operation with {client_id}, or clients.*.owns", "objects of others"
}}

// OtherAudience needs two points that want different audiences.
var OtherAudience = Need{Name: "another audience", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	if at != nil {
		for _, other := range p.Points {
			if other.Resource != "" && at.Resource != "" && other.Resource != at.Resource {
				return Present, "", ""
			}
		}
	}
	return Absent, "no two points of the plan want different audiences (points.resource)", ""
}}

// Window needs access that is just in time.
var Window = Need{Name: "a just-in-time window", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	if p.Agreement.Window {
		return Present, "", ""
	}
	if set := p.Profiles(); set.Demands.Window {
		return Gap, fmt.Sprintf("the profile %s demands access that is just in time, and the agreement has no window (agreement.window)", set), "window"
	}
	return Absent, "the agreement has no just-in-time window (agreement.window)", ""
}}

// Origin needs the direct address of what stands behind the point.
var Origin = Need{Name: "an origin", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	if at != nil && at.Origin != "" {
		return Present, "", ""
	}
	return Gap, "needs the upstream's direct address (points.origin)", "origin"
}}

// Unentitled needs scopes that exist and that the partner must not get.
var Unentitled = Need{Name: "unentitled scopes", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	if len(p.Agreement.Unentitled) > 0 {
		return Present, "", ""
	}
	return Gap, "needs scopes that the partner must not get (agreement.unentitled_scopes)", "unentitled scopes"
}}

// SeveralPoints needs points to compare.
var SeveralPoints = Need{Name: "several points", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	if len(p.Points) > 1 {
		return Present, "", ""
	}
	return Absent, "the plan has one point", ""
}}

// mayTake says whether the plan lets a check do to its partner what it does.
func mayTake(p *plan.Plan, right Right) (Missing, string, string) {
	partner, _ := p.Client("partner")
	if right == Nothing || p.Registers() && partner.ID.Empty() {
		return Present, "", ""
	}
	if p.Environment == "production" { // the client is somebody's, and so may be the tokens that it shares
		return DeclaredGap, fmt.Sprintf("takes from a given client (%s), which in production is not harmless", right), fmt.Sprintf("`%s` (production)", right)
	}
	if slices.Contains(partner.May, string(right)) {
		return Present, "", ""
	}
	return DeclaredGap, fmt.Sprintf("needs a client that may `%s`", right), fmt.Sprintf("`%s` (not allowed)", right)
}

// OfOneClient says whether an operation is about an object that belongs to the client that its target names.
func OfOneClient(operation plan.Operation) bool {
	return strings.Contains(operation.Request, placeholder)
}

const placeholder = "{client_id}"

// Lacks says why a check cannot run at a place: the first need that is missing.
func (c *Check) Lacks(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	for _, need := range c.Needs {
		missing, reason, gap := need.Has(p, at)
		if missing != Present {
			return missing, reason, gap
		}
	}
	if at != nil && !c.AnyCredential && c.At == EveryPoint && !at.TakesTokens() {
		return Absent, fmt.Sprintf("the point takes %s and no tokens", at.Credential), ""
	}
	missing, reason, gap := mayTake(p, c.Takes)
	if missing != Present {
		return missing, reason, gap
	}
	if c.Harm != Harmless && p.Environment == "production" {
		return DeclaredGap, fmt.Sprintf("is of the class %s, and in production only harmless checks run", c.Harm), string(c.Harm) + " (production)"
	}
	if c.Harm != Harmless && p.Authorization == nil {
		return DeclaredGap, fmt.Sprintf("is of the class %s, which needs `authorization` in the plan", c.Harm), string(c.Harm) + " (not authorized)"
	}
	if c.Harm != Harmless && !slices.Contains(p.Allow, string(c.Harm)) {
		return DeclaredGap, fmt.Sprintf("is of the class %s, which the plan does not allow", c.Harm), string(c.Harm) + " (not allowed)"
	}
	return Present, "", ""
}

// Deletion needs a way to delete a client: registration by RFC 7592, or the operator's hook.
var Deletion = Need{Name: "a way to delete a client", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	if _, ok := p.Hooks["delete_client"]; ok || p.Registration.Mode == "dcr" {
		return Present, "", ""
	}
	return Gap, "needs a way to delete a client: add hook `delete_client`", "deletion"
}}
