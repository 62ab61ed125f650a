package point

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Introspector asks the authorization server about tokens (RFC 7662).
type Introspector struct {
	URL    string
	ID     string // of this resource server
	Secret string
	Client *http.Client
}

// Ask gives the server's claims about the token. An error means that it could not be asked.
func (i Introspector) Ask(ctx context.Context, token string) (Claims, error) {
	ctx, cancel := context.WithTimeout(ctx, upstreamTimeout)
	defer cancel()

	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return Claims{}, fmt.Errorf("introspect at %s: %w", i.URL, err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	// RFC 6749 §2.3.1: both parts are form-encoded first.
	r.SetBasicAuth(url.QueryEscape(i.ID), url.QueryEscape(i.Secret))
	answer, err := i.Client.Do(r)
	if err != nil {
		return Claims{}, fmt.Errorf("introspect at %s: %w", i.URL, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return Claims{}, fmt.Errorf("read the introspection at %s: %w", i.URL, err)
	}
	if answer.StatusCode != http.StatusOK {
		return Claims{}, fmt.Errorf("introspect at %s: status %d", i.URL, answer.StatusCode)
	}
	var c Claims
	err = json.Unmarshal(text, &c)
	if err != nil {
		return Claims{}, fmt.Errorf("decode the introspection at %s: %w", i.URL, err)
	}
	return c, nil
}

// Unavailable is the refusal when the authorization server could not be asked: a point that cannot decide must not
// let a call in.
func Unavailable(claimed Grant) *Refusal {
	return &Refusal{Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", Reason: "the authorization server does not answer", Claimed: claimed}
}
