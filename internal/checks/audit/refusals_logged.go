package audit

import (
	"context"
	"crypto/rand"

	"github.com/checkride/checkride/internal/audit"
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

// RefusalsLogged looks for what was refused: a call without a token, with a garbage one and with another's certificate;
// a token request of an unknown client, and one that the partner may not make. An attack is a row of refusals: where
// they leave no record, nobody sees it. Whether they name the caller is told and not judged.
//
// ASVS 5.0 V16.3.1 and V16.3.2 want failed authentication and failed authorization logged.
var RefusalsLogged = &check.Check{
	ID:       "audit.refusals-logged",
	Title:    "each refusal leaves a record that says so",
	Broken:   "a refusal leaves no record",
	Why:      "somebody can try keys and tokens for days, and no log shows it",
	Fix:      "write a record for each refusal, TLS ones included, with the reason and whatever is known of the caller",
	Refs:     []frameworks.Ref{frameworks.ASVS("16.3.1"), frameworks.ASVS("16.3.2"), frameworks.SP80053("AU-2"), frameworks.SP80053("AU-12"), frameworks.CSF("PR.PS-04"), frameworks.CSF("DE.CM-09")},
	Rows:     []string{"L-AU-02", "A-LG-06"},
	Severity: logbook.High,
	At:       check.EverySource,
	Needs:    []check.Need{check.Audit},
	Promise:  func(*plan.Point) string { return "limits.log_delay" },
	Besides:  []*logbook.Breach{audit.Misrecorded},
	Twin:     defect.Set{DenialsUnlogged: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		who := p.NamedInLogs(partner)
		var tries []try
		switch {
		case p.Point != nil:
			tries, err = atPoint(ctx, p, who)
		case p.Name == partner.Server.Name:
			tries = atServer(p, partner, who)
		default:
			return check.NotApplicable("the ride has no client at %s", p.Name)
		}
		if err != nil {
			return err
		}
		var steps []check.Step
		for _, try := range tries {
			x, answer, err := p.Do(ctx, wire.Altered, try.call)
			if err != nil {
				return err
			}
			if answer.Decision != wire.Denied && answer.Decision != wire.Odd {
				p.Note("%s was not refused (%s), so there is nothing to find", try.name, answer.Why)
				continue
			}
			if x.Status == 0 {
				p.Note("%s was refused in the handshake (%s), where a request's id cannot be logged", try.name, answer.Why)
				continue
			}
			steps = append(steps, check.Step{Name: try.name, Exchange: x, Denied: true, Who: try.who})
		}
		if len(steps) == 0 {
			return check.CannotTell("nothing was refused, so no record of a refusal can be looked for")
		}
		return p.Tells(ctx, steps...)
	},
}

// try is a call that should be refused, and whom its record could name.
type try struct {
	name, who string
	call      check.Call
}

func atPoint(ctx context.Context, p *check.Pass, who string) ([]try, error) {
	call, err := p.Opened(ctx)
	if err != nil {
		return nil, err
	}
	forger, err := p.Forger(ctx)
	if err != nil {
		return nil, err
	}
	tries := []try{
		{"a call without a token", "", altered(call, forge.WithoutToken())},
		{"a call with a garbage token", "", altered(call, forger.GarbageToken())},
	}
	request, err := call.Make()
	if err != nil || request.Over.Certificate == nil || !p.Cast.Has(cast.Neighbour) {
		return tries, err
	}
	neighbour, err := p.Neighbour(ctx)
	if err != nil {
		return nil, err
	}
	certificate := neighbour.Client().Certificate
	if certificate == nil {
		return tries, nil
	}
	return append(tries, try{"a call with another's certificate", who, altered(call, forge.WithCertificate(certificate, "the neighbour's certificate"))}), nil
}

func altered(call check.Call, change wire.Change) check.Call {
	control := call.Make
	call.Make = func() (wire.Request, error) {
		request, err := control()
		if err != nil {
			return request, err
		}
		return change.Apply(request.Clone())
	}
	return call
}

// atServer harms no client: the first request is nobody's, the second is rightly authenticated.
func atServer(p *check.Pass, partner *cast.Member, who string) []try {
	login := p.Login(partner)
	secret := p.Stack.Keeper.Keep("wrong secret", rand.Text()+rand.Text())
	nobody := oauth.Client{Name: "stranger", ID: "checkride-nobody", Auth: oauth.ClientSecretBasic, Secret: secret}
	stranger := login
	stranger.Name = "a token request of an unknown client"
	stranger.Make = func() (wire.Request, error) {
		return partner.Server.TokenRequest(nobody, oauth.TokenOptions{Scopes: partner.Plan.Scopes, Resource: partner.Usual().Resource}), nil
	}
	return []try{
		{stranger.Name, nobody.ID, stranger},
		{"a token request for a grant that does not exist", who, altered(login, forge.FormField("grant_type", "urn:checkride:no-such-grant"))},
	}
}
