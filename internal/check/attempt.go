package check

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// Attempt is a try to end a token by somebody who has no right to. It gives the answer, and what made it wrong.
type Attempt struct {
	Name string
	Send func(ctx context.Context, token oauth.Token) (answer Answer, differs string, err error)
}

// NobodyElseEnds asserts that a member's token lives through each attempt to end it, whatever the attempt was answered.
// The control is the owner's own revocation of a token, which comes after the attempts and is seen to work: what had no
// effect when that has had its effect has none.
//
// Each attempt has a token of its own that nobody has used, so that no point can answer from memory. Where the server
// gives the same token until it expires there is one for all, and the owner's revocation ends it.
func (p *Pass) NobodyElseEnds(ctx context.Context, member *cast.Member, attempts ...Attempt) error {
	token, err := member.NewToken(ctx, p.HomePoint())
	if err != nil {
		return err
	}
	w, err := p.witnessOf(ctx, member, token)
	if err != nil {
		return err
	}
	found, err := p.Cast.Calibrate(ctx, member.Server.Name)
	if err != nil {
		return err
	}
	all := make([]tried, len(attempts))
	for i, attempt := range attempts {
		all[i], err = p.tryToEnd(ctx, w, token, attempt)
		if err != nil {
			return err
		}
		if found.SameToken { // it must be asked now: in the end it is dead
			err = p.Wait(ctx, w.remembers)
			if err != nil {
				return err
			}
			err = p.look(ctx, w, member, &all[i])
			if err != nil {
				return err
			}
		}
		token, err = member.NewToken(ctx, p.HomePoint())
		if err != nil {
			return err
		}
	}
	control := p.ownerEnds(ctx, w, member, token)
	if control != nil && !found.SameToken {
		return control
	}
	for i := range all {
		if !found.SameToken {
			err = p.look(ctx, w, member, &all[i])
			if err != nil {
				return err
			}
		}
		if control == nil || all[i].answer.Decision == wire.Denied {
			p.tellTried(all[i])
		}
	}
	return control
}

// witness sees whether a token lives.
type witness struct {
	ask       func(token oauth.Token) Call
	within    time.Duration // how long a death may take to be seen
	remembers time.Duration // how long it may answer from memory about a token that it has seen
	cause     string        // which check says why a death is not seen
}

// witnessOf gives the server's introspection where the ride may use it and where it calls the token active, else a point
// that learns of revocations.
func (p *Pass) witnessOf(ctx context.Context, member *cast.Member, token oauth.Token) (witness, error) {
	pulse, err := p.IntrospectedPulse(ctx, token)
	if err != nil {
		return witness{}, err
	}
	if pulse != nil {
		by, err := p.ResourceServer(ctx)
		return witness{
			ask:    func(token oauth.Token) Call { return p.AtIntrospection(by, token.Text) },
			within: p.Limits.Settle.D(), cause: "revoke.not-revocable",
		}, err
	}
	point := p.HomePoint()
	if point == nil || point.Revocation == "expiry" {
		_, err = p.ownerRevokes(ctx, member, token) // that the server revokes no such tokens is the better reason
		if err == nil {
			err = CannotTell("whether a token lives cannot be seen: the ride may not introspect, and no point learns of revocations")
		}
		return witness{}, err
	}
	limit, _ := p.Limits.Revocation.For(point.Revocation)
	return witness{
		ask:    func(token oauth.Token) Call { return p.CallAt(point, p.Allowed(point), member, token) },
		within: limit + p.Limits.Patience.D(), remembers: limit, cause: "revoke.token-outlives-revocation",
	}, nil
}

// tried is an attempt that was made. Its answer is Accepted if the token lives.
type tried struct {
	name, differs, said string
	ask                 Call
	answer              Answer
}

func (p *Pass) tryToEnd(ctx context.Context, w witness, token oauth.Token, attempt Attempt) (tried, error) {
	answer, differs, err := attempt.Send(ctx, token)
	if err != nil {
		return tried{}, err
	}
	one := tried{name: attempt.Name, differs: differs, said: answer.Why, ask: w.ask(token)}
	if answer.Decision == wire.Accepted {
		p.Note("%s: answered %s", attempt.Name, answer.Why)
	}
	return one, nil
}

// look asks whether the token of an attempt lives. If it does not, another one of the same client does (rule 3).
func (p *Pass) look(ctx context.Context, w witness, member *cast.Member, one *tried) error {
	var err error
	for range 2 { // what cannot be decided at first is asked once more
		_, one.answer, err = p.Do(ctx, wire.Probe, one.ask)
		if err != nil || one.answer.Decision != wire.Unknown {
			break
		}
	}
	if err != nil || !decidedAs(one.answer, wire.Denied) {
		return err
	}
	one.answer.Decision = wire.Denied
	other, err := member.NewToken(ctx, p.HomePoint())
	if err != nil {
		return err
	}
	return p.Opens(ctx, w.ask(other))
}

func (p *Pass) tellTried(one tried) {
	const expected = "the token lives"
	observed := "answered " + one.said + "; " + one.ask.Name + ": " + one.answer.Why
	switch one.answer.Decision {
	case wire.Accepted:
		p.Case(one.name, logbook.Pass, expected, observed, one.differs, "")
	case wire.Denied:
		p.Case(one.name, logbook.Fail, expected, observed, one.differs, "")
	default:
		p.Case(one.name, logbook.Inconclusive, expected, "", one.differs, "whether the token lives could not be decided: "+observed)
	}
}

// ownerEnds is the control: the owner's own revocation ends a token, and its death is seen.
func (p *Pass) ownerEnds(ctx context.Context, w witness, member *cast.Member, token oauth.Token) error {
	why, err := p.ownerRevokes(ctx, member, token)
	if err != nil {
		return err
	}
	_, answer, err := p.Becomes(ctx, w.ask(token), wire.Denied, w.within)
	if err == nil && !decidedAs(answer, wire.Denied) {
		err = BecauseOf(w.cause, "the owner's own revocation (%s) does nothing either (%s)", why, answer.Why)
	}
	return err
}

// ownerRevokes is the owner's own revocation; it gives what that was answered. A server that revokes no such tokens at
// all (RFC 7009 §2.2.1, unsupported_token_type) does so for nobody else either.
func (p *Pass) ownerRevokes(ctx context.Context, member *cast.Member, token oauth.Token) (string, error) {
	x, answer, err := p.Do(ctx, wire.Control, p.AtRevocation(member, token.Text))
	if err != nil {
		return "", err
	}
	if Unsupported(x) {
		return "", NotApplicable("the server revokes such tokens for nobody (%s); revoke.not-revocable judges that", answer.Why)
	}
	if answer.Decision != wire.Accepted {
		return "", BecauseOf("revoke.not-revocable", "the owner's own revocation was not accepted: %s", answer.Why)
	}
	return answer.Why, nil
}
