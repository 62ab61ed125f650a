package issue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// inParallel is how many requests each of two partners sends, as many at a time as the plan's pace lets through.
const inParallel = 16

// ParallelRequests lets two partners ask for tokens at the same time, in turn, on many connections. Each token must be
// that of who asked, and no two alike; the server must not break. Seen: a field that several requests share, and a cache
// in front of the token endpoint whose key forgets the client. It comes after all others, so that nobody else's requests
// are mixed in.
//
// That is our demand: no RFC speaks of it. A 429, or a 502 to 504 of what stands before it, is a server that says when it
// has enough.
var ParallelRequests = &check.Check{
	ID:       "issue.parallel-requests",
	Title:    "partners that ask at the same time each get tokens of their own",
	Broken:   "partners that ask at the same time get each other's tokens",
	Why:      "under the load of a normal day one partner reads another's data, and no log shows how",
	Fix:      "keep nothing of a request in what several requests share; never cache answers of the token endpoint",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.ASVS("8.4.1"), frameworks.RFC(6749, "5.1"), frameworks.SP80053("SC-4")},
	Rows:     []string{"L-TK-17"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Neighbour},
	Alone:    true,
	Besides:  []*logbook.Breach{breaksInParallel},
	Twin:     defect.Set{TokensMixed: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		var all []*asked
		for _, role := range []string{cast.Partner, cast.Neighbour} {
			member, err := p.Cast.MemberWith(ctx, role, cast.Wish{Shared: "in parallel"}) // what may be mixed up is nobody else's
			if err != nil {
				return err
			}
			wish := member.Usual()
			partner, ok := p.Cast.Client(cast.Partner)
			if ok && !slices.ContainsFunc(partner.Scopes, func(scope string) bool { return !slices.Contains(member.Plan.Scopes, scope) }) {
				wish.Scopes = partner.Scopes // so that the requests differ in nothing but the client
			}
			for range inParallel {
				all = append(all, &asked{by: member, wish: wish})
			}
		}
		var together sync.WaitGroup
		for i := range inParallel { // in turn
			for _, one := range []*asked{all[i], all[inParallel+i]} {
				together.Go(func() { one.got, one.err = p.Issue(ctx, wire.Probe, one.by, one.wish) })
			}
		}
		together.Wait()
		return mixed(ctx, p, all)
	},
}

// asked is one of the requests and what came of it.
type asked struct {
	by   *cast.Member
	wish cast.TokenWish
	got  check.Issued
	err  error
}

func mixed(ctx context.Context, p *check.Pass, all []*asked) error {
	const expected = "each token is of who asked for it"
	var failed []error
	wrong, broke, busy, refused, told := "", "", 0, 0, 0
	seen := map[string]bool{}    // by role: a token of it tells whose it is
	owner := map[string]string{} // by token: who was given it
	for _, one := range all {
		switch {
		case one.err != nil:
			failed = append(failed, one.err)
			continue
		case slices.Contains([]int{429, 502, 503, 504}, one.got.Exchange.Status): // it or what stands before it has enough
			busy++
			continue
		case one.got.Exchange.Status >= 500:
			broke = one.got.Why
			continue
		case one.got.Decision != wire.Accepted:
			refused++
			continue
		}
		named, err := ownerOf(ctx, p, one, all)
		if err != nil {
			return err
		}
		text := one.got.Token.Text.String() // the same secret has the same number
		switch first := owner[text]; {
		case named != "" && named != one.by.ID():
			wrong = fmt.Sprintf("%s was given a token of %s", one.by.Role, named)
		case first != "" && first != one.by.ID():
			wrong = "both partners were given the same token"
		}
		owner[text] = one.by.ID()
		if named != "" {
			told++
			seen[one.by.Role] = true
		}
	}
	if busy > 0 {
		p.Note("%d of %d requests were told to come later", busy, len(all))
	}
	if wrong != "" {
		p.Case("identity", logbook.Fail, expected, wrong, "", "")
	}
	if broke != "" {
		defer p.Besides(breaksInParallel)()
		p.Case("server errors", logbook.Fail, "no 5xx", broke, "", "")
	}
	if len(owner) == 0 {
		return errors.Join(append(failed, check.CannotTell("none of %d requests at the same time brought a token", len(all)))...)
	}
	if told == 0 {
		return check.CannotTell("neither the tokens nor introspection nor a point name the client; let the resource server introspect, or name the place under operations.identity_at")
	}
	if refused > 0 {
		p.Note("%d of %d requests were refused, though each asks for what its partner may have", refused, len(all))
	}
	if len(seen) < 2 && wrong == "" {
		return check.CannotTell("at the same time only one of the two partners was given tokens that tell whose they are, so nothing could be mixed up")
	}
	if len(failed) > 0 {
		p.Note("%d requests could not be sent, the first: %v", len(failed), failed[0])
	}
	if wrong == "" && broke == "" {
		p.Case("identity", logbook.Pass, expected, fmt.Sprintf("%d tokens of two partners, each of its own", told), "", "")
	}
	return nil
}

// ownerOf is the client that a token names: itself, else by introspection, else by the API behind a point; empty where
// nobody tells.
func ownerOf(ctx context.Context, p *check.Pass, one *asked, all []*asked) (string, error) {
	var claims map[string]any
	if token := one.got.Token; token.JWT != nil {
		claims = token.JWT.Claims
	} else {
		var err error
		claims, err = p.Introspected(ctx, token)
		if err != nil {
			return "", err
		}
	}
	for _, name := range []string{"client_id", "azp", "cid"} {
		if id, ok := claims[name].(string); ok && id != "" {
			return id, nil
		}
	}
	if claims != nil {
		return "", nil
	}
	return seenByPoint(ctx, p, one, all)
}

// seenByPoint is the client of those that asked whom the API behind the home point sees in a token.
func seenByPoint(ctx context.Context, p *check.Pass, one *asked, all []*asked) (string, error) {
	point := p.HomePoint()
	if point == nil || p.Allowed(point).IdentityAt == "" {
		return "", nil
	}
	_, answer, err := p.Do(ctx, wire.Probe, p.CallAt(point, p.Allowed(point), one.by, one.got.Token))
	if err != nil || answer.Decision != wire.Accepted {
		return "", err
	}
	for _, other := range all {
		if p.CallAt(point, p.Allowed(point), other.by, one.got.Token).Expect == answer.Identity {
			return other.by.ID(), nil
		}
	}
	return "", nil
}

var breaksInParallel = &logbook.Breach{
	Broken:   "the server breaks when partners ask for tokens at the same time",
	Why:      "under the load of a normal day partners get no tokens, and what two requests share is looked at by nobody until it mixes them up",
	Fix:      "keep nothing of a request in what several requests share, and look for the error in the server's log",
	Severity: logbook.Medium,
}
