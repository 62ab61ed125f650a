package check

import (
	"context"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// Statements needs registrations with software statements (RFC 7591 §2.3).
var Statements = Need{Name: "software statements", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	if p.Registration.Statement != nil {
		return Present, "", ""
	}
	return Absent, "the plan speaks of no software statements (registration.software_statement)", ""
}}

// DirectoryKey needs the key that signs software statements, so that they can be forged in one thing alone.
var DirectoryKey = Need{Name: "the directory's key", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	missing, reason, gap := Statements.Has(p, at)
	if missing == Present && p.Registration.Statement.Key.Empty() {
		return Gap, "needs the key that signs software statements: give that of a test directory under registration.software_statement.key", "forged software statements (no key)"
	}
	return missing, reason, gap
}}

// SignedRequests needs registrations that are signed as a whole.
var SignedRequests = Need{Name: "signed registrations", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	if p.Registration.SignedRequest != nil {
		return Present, "", ""
	}
	return Absent, "the plan speaks of no registrations that are signed as a whole (registration.signed_request)", ""
}}

// RegistrationCertificate needs registration endpoints that demand a client certificate.
var RegistrationCertificate = Need{Name: "certificates at registration", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	if p.Registration.ClientCertificate == "required" {
		return Present, "", ""
	}
	return Absent, "the plan demands no client certificate at registration (registration.client_certificate)", ""
}}

// AccessTokenPromise needs a promise about initial access tokens, and a hook that mints them.
var AccessTokenPromise = Need{Name: "promises about initial access tokens", Has: func(p *plan.Plan, at *plan.Point) (Missing, string, string) {
	if p.Registration.AccessTokens == (plan.AccessTokenPolicy{}) {
		return Absent, "the plan promises nothing about initial access tokens (registration.initial_access_token_policy)", ""
	}
	return Hook(plan.MintInitialAccessToken).Has(p, at)
}}

// batch is how many altered registrations stand between two controls: a client comes of every control, and must be
// removed again.
const batch = 4

// RefusesRegistrations is [Pass.Refuses] for registrations. One accepted control stands before and one behind every few
// altered requests: what the server does in between it does for all of them. Elsewhere, if it is given, shows that what is
// borrowed from somebody is good for its owner (rule 2).
func (p *Pass) RefusesRegistrations(ctx context.Context, control Call, elsewhere *Call, changes ...wire.Change) error {
	err := p.goodElsewhere(ctx, elsewhere)
	if err != nil {
		return err
	}
	open := false
	for some := range slices.Chunk(changes, batch) {
		open, err = p.registrations(ctx, control, elsewhere, some, open)
		if err != nil {
			return err
		}
	}
	return nil
}

// registrations is one batch between its controls. It gives whether the last control was accepted.
func (p *Pass) registrations(ctx context.Context, control Call, elsewhere *Call, changes []wire.Change, open bool) (bool, error) {
	for attempt := 1; ; attempt++ {
		found, from, behind, err := p.tryRegistrations(ctx, control, elsewhere, changes, open)
		if err != nil {
			return false, err
		}
		undecided := slices.ContainsFunc(found, func(f tasted) bool { return f.answer.Decision == wire.Unknown })
		last := attempt == 3 || p.Stack.Rules.NoRepeat
		if behind.Decision == wire.Accepted && (!undecided || last) {
			for i, change := range changes {
				p.record(change.Name, found[i], from[i])
			}
			return true, nil
		}
		taken := false
		for i, change := range changes[:len(found)] {
			if found[i].answer.Decision == wire.Accepted { // attempts never turn an acceptance into a pass
				p.record(change.Name, found[i], from[i])
				taken = true
			}
		}
		if taken {
			return false, nil
		}
		if last {
			return false, CannotTell("the control, a registration as the plan describes it, was not accepted: %s", behind.Why)
		}
		open = false
		err = p.Wait(ctx, time.Duration(attempt)*300*time.Millisecond)
		if err != nil {
			return false, err
		}
	}
}

// tryRegistrations sends the altered registrations between two controls, the first of which may have been accepted just
// now. It gives what came of each, where its evidence begins, and the answer to the control that failed, or to the last.
func (p *Pass) tryRegistrations(ctx context.Context, control Call, elsewhere *Call, changes []wire.Change, open bool) ([]tasted, []int, Answer, error) {
	var answer Answer
	var err error
	if !open && !p.Stack.Rules.NoControls {
		_, answer, err = p.Do(ctx, wire.Control, control)
		if err != nil || answer.Decision != wire.Accepted {
			return nil, nil, answer, err
		}
	}
	var all []tasted
	var from []int
	for _, change := range changes {
		var found tasted
		altered, err := p.proven(control, elsewhere, change, &found)
		if err != nil {
			return all, from, answer, err
		}
		from = append(from, len(p.observation.Exchanges))
		err = p.bite(ctx, control, change, altered, &found)
		if err != nil {
			return all, from, answer, err
		}
		all = append(all, found)
	}
	if p.Stack.Rules.NoControls {
		return all, from, Answer{Decision: wire.Accepted}, nil
	}
	_, answer, err = p.Do(ctx, wire.Control, control)
	return all, from, answer, err
}

// MintAccessToken has the operator's hook mint an initial access token for the organisation of a role.
func (p *Pass) MintAccessToken(ctx context.Context, role string) (secret.Text, error) {
	draft, err := p.Cast.Draft(ctx, role, cast.Wish{})
	if err != nil {
		return secret.Text{}, err
	}
	return p.Cast.MintInitialAccessToken(ctx, draft)
}

// Signed is what came of a registration with a software statement whose bytes are known.
type Signed struct {
	Registered
	Statement wire.Credential
}

// RegisterSigned registers a new client of a role with a software statement whose bytes are known. Where an earlier one is
// given, its software registers again, with its keys, its certificates and the very bytes of its statement.
func (p *Pass) RegisterSigned(ctx context.Context, purpose wire.Purpose, role string, earlier *Signed) (Signed, error) {
	wish := cast.Wish{}
	if earlier != nil {
		wish.Like = earlier.Member
	}
	draft, err := p.Cast.Draft(ctx, role, wish)
	if err != nil {
		return Signed{}, err
	}
	request, err := p.Cast.RegistrationRequest(draft)
	if err != nil {
		return Signed{}, err
	}
	switch found := request.Credential(oauth.StatementMember); {
	case found == nil:
		return Signed{}, NotApplicable("the registration carries no software statement")
	case earlier != nil:
		*found = earlier.Statement
	case found.JWT != nil:
		request, err = forge.Signed(p.Stack.Keeper, request)
		if err != nil {
			return Signed{}, err
		}
	}
	registered, err := p.registered(ctx, purpose, draft, request)
	if err != nil {
		return Signed{}, err
	}
	return Signed{Registered: registered, Statement: *request.Credential(oauth.StatementMember)}, nil
}

// NamesSubject says whether the software statement of a member's registration names the subject of its certificate.
func NamesSubject(member *cast.Member) bool {
	statement, certificate := member.Statement(), member.Client().RegistrationCertificate
	if statement == nil || statement.JWT == nil || certificate == nil {
		return false
	}
	subject := oauth.SubjectDN(certificate.Leaf)
	for _, value := range statement.JWT.Claims {
		if text, is := value.(string); is && text == subject {
			return true
		}
	}
	return false
}
