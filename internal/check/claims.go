package check

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// ClaimsTold are what a token says by one of the places that tell it.
type ClaimsTold struct {
	By     string // the token, introspection
	Claims map[string]any
}

// ClaimsOf tells what a token says: by itself where it is a JWT, and by introspection where the ride may use that and
// where it calls the token active.
func (p *Pass) ClaimsOf(ctx context.Context, token oauth.Token) ([]ClaimsTold, error) {
	var all []ClaimsTold
	if token.JWT != nil {
		all = append(all, ClaimsTold{By: "the token", Claims: token.JWT.Claims})
	}
	asker, claims, err := p.introspected(ctx, token)
	if err != nil {
		return nil, err
	}
	switch {
	case claims != nil:
		all = append(all, ClaimsTold{By: "introspection", Claims: claims})
	case asker != nil:
		p.Note("the resource server is not told that the token is active, so introspection says nothing about it")
	}
	return all, nil
}

// WhoseToken gives a token request with good answers that name the client whose token they bring ([Answer.Identity]): by
// the token itself, else by introspection; nobody where neither tells.
func (p *Pass) WhoseToken(call Call) Call {
	decide := call.Decide
	call.Decide = func(ctx context.Context, x wire.Exchange) Answer {
		answer := decide(ctx, x)
		if answer.Decision != wire.Accepted {
			return answer
		}
		token, known := p.Cast.Issued(p.Stack.Keeper.Keep("token", x.Text("/access_token")))
		if !known {
			return answer
		}
		told, err := p.ClaimsOf(ctx, token)
		if err != nil {
			return Answer{Why: err.Error()}
		}
		for _, each := range told {
			for _, claim := range []string{"client_id", "sub"} { // RFC 9068 §2.2, RFC 7662 §2.2
				if id, is := each.Claims[claim].(string); is && answer.Identity == "" {
					answer.Identity = id
				}
			}
		}
		return answer
	}
	return call
}

// Says compares a claim with what it must be, by each place that tells it: equal as JSON values, where the order of a list
// and a list of one instead of its member do not matter. It gives how many places tell the claim, and which differ.
func Says(told []ClaimsTold, claim string, wanted any) (int, []string) {
	places := 0
	var differ []string
	for _, each := range told {
		value, there := each.Claims[claim]
		if !there {
			continue
		}
		places++
		if !equal(value, wanted) {
			differ = append(differ, fmt.Sprintf("%s says %v", each.By, short(value)))
		}
	}
	return places, differ
}

func equal(a, b any) bool { return reflect.DeepEqual(normal(a), normal(b)) }

// normal makes a list of one its member, and sorts a longer one.
func normal(value any) any {
	list, is := value.([]any)
	if !is {
		return value
	}
	if len(list) == 1 {
		return list[0]
	}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return sorted
}

// short cuts a stranger's value.
func short(value any) string {
	const most = 120
	text := fmt.Sprintf("%v", value)
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// Outside gives those of a token's values of a claim that are not among the wanted ones, with the place that tells them.
func Outside(told []ClaimsTold, claim string, wanted []string) []string {
	var found []string
	for _, each := range told {
		for _, value := range oauth.Strings(each.Claims[claim]) {
			if !slices.Contains(wanted, value) {
				found = append(found, fmt.Sprintf("%s by %s", short(value), each.By))
			}
		}
	}
	return found
}
