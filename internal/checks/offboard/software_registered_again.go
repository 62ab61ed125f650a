package offboard

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// SoftwareRegisteredAgain deletes a client and registers the same software again: the same software_id, metadata, keys
// and certificates. What came with the first client must stay dead: its client_id, its tokens, its registration token.
//
// RFC 7592 §2.3: deletion ends them. RFC 7591 §3.2.1: a client_id is unique, and SHOULD NOT be currently valid for any
// other client, so that of a dead one is better not used again either; that alone is remarked and no failure.
var SoftwareRegisteredAgain = &check.Check{
	ID:       "offboard.software-registered-again",
	Title:    "what a deleted client had stays dead when its software registers again",
	Broken:   "what a deleted client had comes back when its software registers again",
	Why:      "a partner that returns under a new contract brings back the tokens that a former employee, or a thief, still holds",
	Fix:      "make a new client for every registration; end tokens and registration tokens by themselves and not by hiding their client",
	Refs:     []frameworks.Ref{frameworks.RFC(7592, "2.3"), frameworks.RFC(7592, "5"), frameworks.RFC(7591, "3.2.1"), frameworks.NHI(1), frameworks.SP80053("IA-4"), frameworks.SP80053("AC-2(3)")},
	Rows:     []string{"L-OF-07"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Takes:    check.Delete,
	Waits:    func(l plan.Limits) time.Duration { return l.Settle.D() },
	Twin:     defect.Set{ReregistrationRevives: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		software := "checkride-software-" + time.Now().UTC().Format("20060102150405.000000")
		same := map[string]any{"software_id": software}
		first, err := p.Cast.Own(ctx, cast.Partner, cast.Wish{Metadata: same, Claims: same})
		if err != nil {
			return err
		}
		err = p.Manageable(first)
		if err != nil {
			return err
		}
		gone, err := belongings(ctx, p, first)
		if err != nil {
			return err
		}
		_, err = p.Delete(ctx, first)
		if err != nil {
			return err
		}
		dead, err := whatDied(ctx, p, gone)
		if err != nil {
			return err
		}
		again, err := p.Register(ctx, wire.Control, cast.Partner, cast.Wish{Like: first, Claims: same})
		if err != nil {
			return err
		}
		if again.Decision == wire.Denied {
			return check.NotApplicable("%s does not register the software of a deleted client again (%s), so nothing of it can come back with it", p.Name, again.Why)
		}
		if again.Decision != wire.Accepted {
			return check.CannotTell("the software was not registered again: %s", again.Why)
		}
		if again.Member.ID() == first.ID() {
			p.Note("the new client has the client_id of the deleted one, so logs and grants of the two cannot be told apart")
		}
		err = p.Cast.Settle(ctx, again.Member)
		if err != nil {
			return err
		}
		if expires := dead[0].Token.Expires; !expires.IsZero() && time.Now().After(expires) {
			return check.CannotTell("the old access token has expired by itself, so its return cannot be seen; tokens live too short for this check")
		}
		alive := p.Login(again.Member)
		return p.Dead(ctx, &alive, dead...)
	},
}

// whatDied gives those of a deleted client's belongings that are dead: only they can come back. An access token that lives
// on until it expires, as servers may let it (RFC 7592 §2.3: SHOULD), is offboard.token-outlives-client's to judge.
func whatDied(ctx context.Context, p *check.Pass, gone []check.Call) ([]check.Call, error) {
	var dead []check.Call
	for _, call := range gone {
		_, answer, err := p.Becomes(ctx, call, wire.Denied, p.Limits.Settle.D())
		switch {
		case err != nil:
			return nil, err
		case answer.Decision == wire.Denied || answer.Decision == wire.Odd:
			dead = append(dead, call)
		case answer.Decision == wire.Accepted && !call.Token.Text.Empty():
			p.Note("%s outlives the deletion (%s), so it cannot come back; offboard.token-outlives-client judges that", call.Name, answer.Why)
		case answer.Decision == wire.Accepted:
			return nil, check.BecauseOf("offboard.registration-token-dies", "%s is not dead after the deletion (%s), so its return cannot be seen", call.Name, answer.Why)
		default:
			return nil, check.CannotTell("whether %s is dead after the deletion could not be decided: %s", call.Name, answer.Why)
		}
	}
	return dead, nil
}

// belongings are a client's token and registration token as calls that open now.
func belongings(ctx context.Context, p *check.Pass, client *cast.Member) ([]check.Call, error) {
	request := client.Client().ReadRequest(*client.Server) // with the token of now, whatever comes later
	read := p.AtConfiguration(client)
	read.Name = "the old registration token"
	read.Make = func() (wire.Request, error) { return request.Clone(), nil }
	point := p.HomePoint()
	token, err := client.NewToken(ctx, point)
	if err != nil {
		return nil, err
	}
	bearer, err := asked(ctx, p, client, token, point)
	if err != nil {
		return nil, err
	}
	bearer.Name, bearer.Token = "the old access token", token
	err = p.Opens(ctx, bearer)
	if err != nil {
		return nil, err
	}
	return []check.Call{bearer, read}, nil
}

// asked is how one sees whether a token lives: by introspection where the ride may, else at a point.
func asked(ctx context.Context, p *check.Pass, client *cast.Member, token oauth.Token, point *plan.Point) (check.Call, error) {
	pulse, err := p.IntrospectedPulse(ctx, token)
	if err != nil {
		return check.Call{}, err
	}
	if pulse != nil {
		by, err := p.ResourceServer(ctx)
		return p.AtIntrospection(by, token.Text), err
	}
	if point == nil {
		return check.Call{}, check.CannotTell("whether a token lives cannot be seen: the ride may not introspect, and no point takes tokens of this server")
	}
	return p.CallAt(point, p.Allowed(point), client, token), nil
}
