package check

import (
	"context"
	"slices"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
)

// ClientSecrets gives the secrets of the partner and of the neighbour, where they can log in by one, and the names that
// anybody may know of them. It is not applicable where no client has a secret.
func (p *Pass) ClientSecrets(ctx context.Context) ([]secret.Text, []string, error) {
	var secrets []secret.Text
	var names []string
	for _, role := range []string{cast.Partner, cast.Neighbour} {
		if !p.Cast.Has(role) {
			continue
		}
		member, err := p.By(ctx, role, oauth.ClientSecretBasic, oauth.ClientSecretPost)
		if IsAbsent(err) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		client := member.Client()
		if client.Secret.Empty() {
			continue
		}
		secrets, names = append(secrets, client.Secret), append(names, client.ID, member.Name(), client.Name)
	}
	if len(secrets) == 0 {
		return nil, nil, NotApplicable("no client of this ride has a secret")
	}
	return secrets, names, nil
}

// SampledTokens gives new tokens of the partner for a point: two of JWTs, else as many as [forge.StrengthOf] needs to tell
// chance from habit. Again says that one was given a second time, so that nothing can be said of the next.
func (p *Pass) SampledTokens(ctx context.Context, point *plan.Point) (tokens []oauth.Token, again bool, err error) {
	partner, err := p.Partner(ctx)
	if err != nil {
		return nil, false, err
	}
	for len(tokens) < forge.Sampled {
		token, err := partner.NewToken(ctx, point)
		if err != nil {
			return nil, false, err
		}
		if slices.ContainsFunc(tokens, func(before oauth.Token) bool { return before.Text == token.Text }) {
			return tokens, true, nil
		}
		tokens = append(tokens, token)
		if token.JWT != nil && len(tokens) == 2 {
			break
		}
	}
	return tokens, false, nil
}
