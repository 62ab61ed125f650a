package register

import (
	"context"
	"fmt"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
)

// SharedCredentials compares what proves the partner with what proves everybody else of the plan, and with what it holds
// in another environment: secrets, keys, the keys of certificates and API keys. Of secrets the server makes, it looks at
// those of two clients: seen are servers and setup scripts that derive them from the clock or from what clients share.
//
// Nothing is sent for what the plan gives. Whom the ride makes gets keys of its own, so there only secrets can be the same.
var SharedCredentials = &check.Check{
	ID:       "register.shared-credentials",
	Title:    "no two clients, and no two environments, share a secret or a key",
	Broken:   "two clients or environments share a secret or a key",
	Why:      "whoever has one of the two is the other as well, nobody can tell them apart in a log, and neither can be rotated alone",
	Fix:      "make a secret and a key for each client and each environment, at random",
	Refs:     []frameworks.Ref{frameworks.NHI(9), frameworks.NHI(8), frameworks.ASVS("11.5.1"), frameworks.ASVS("13.2.1"), frameworks.SP80053("IA-5(8)"), frameworks.RFC(6749, "10.10"), frameworks.House()},
	Rows:     []string{"L-EV-02"},
	Severity: logbook.High,
	At:       check.WholeStack,
	Twin:     defect.Set{SecretFromClock: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		all, err := everybody(ctx, p)
		if err != nil {
			return err
		}
		type owner struct{ who, kind, id string }
		first := map[any]owner{}
		compared := map[string]int{}
		alike := 0
		for _, member := range all {
			held, err := member.Holds()
			if err != nil {
				return err
			}
			for _, one := range held {
				me := owner{member.Role, one.Kind, member.ID() + " at " + member.Server.Name}
				other, known := first[one.Same]
				compared[one.Kind]++
				switch {
				case !known:
					first[one.Same] = me
				case other.id != me.id: // the same client met twice shares all with itself
					alike++
					p.Case(one.Kind+" of "+me.who, logbook.Fail, "its own", fmt.Sprintf("it is the %s of %s as well", other.kind, other.who), "", "")
				}
			}
		}
		some := 0
		for kind, n := range compared {
			if n > 1 {
				some++
				p.Note("%d of the kind %s were compared", n, kind)
			}
		}
		if some == 0 {
			return check.NotApplicable("the plan has no two clients whose credentials could be the same")
		}
		p.Holds("all are different", alike == 0, fmt.Sprintf("%d different credentials of %d clients", len(first), len(all)))
		return nil
	},
}

// everybody gives the cast, the partner as it is elsewhere, and where the ride may register, two clients with secrets.
func everybody(ctx context.Context, p *check.Pass) ([]*cast.Member, error) {
	var all []*cast.Member
	for _, role := range []string{cast.Partner, cast.Neighbour, cast.ResourceServer} {
		if !p.Cast.Has(role) {
			continue
		}
		member, err := p.Cast.Member(ctx, role)
		if err != nil {
			return nil, err
		}
		all = append(all, member)
		if !p.Cast.Makes(role) || role == cast.ResourceServer {
			continue
		}
		member, err = p.By(ctx, role, oauth.ClientSecretBasic, oauth.ClientSecretPost)
		if check.IsAbsent(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, member)
	}
	if p.Stack.Plan.OtherEnvironment != nil {
		member, err := p.Cast.PartnerElsewhere(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, member)
	}
	return all, nil
}
