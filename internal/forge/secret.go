package forge

import (
	"errors"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// WrongSecrets replace a client's secret by one that is wrong in one way: cut by a character, with another last
// character, longer by one, and another altogether. A server that compares a part of it takes some of them.
func WrongSecrets(keep *secret.Keeper) []wire.Change {
	return []wire.Change{
		wrongSecret(keep, "secret without its last character", func(s string) string { return s[:len(s)-1] }),
		wrongSecret(keep, "secret with another last character", func(s string) string {
			if s[len(s)-1] == 'A' {
				return s[:len(s)-1] + "B"
			}
			return s[:len(s)-1] + "A"
		}),
		wrongSecret(keep, "secret with one character more", func(s string) string { return s + "A" }),
		wrongSecret(keep, "another secret of the same length", scrambled),
	}
}

func wrongSecret(keep *secret.Keeper, name string, alter func(string) string) wire.Change {
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		c := clientSecret(&r)
		if c == nil {
			return r, fmt.Errorf("%s: the request carries no client secret; give one of a client that has one", name)
		}
		text := c.Text.Reveal()
		if len(text) < 2 {
			return r, fmt.Errorf("%s: the secret is too short to be altered", name)
		}
		wrong := alter(text)
		if wrong == text {
			return r, errors.New(name + ": the secret came out as it was; try again")
		}
		c.Text = keep.Keep("wrong secret", wrong)
		return r, nil
	}}
}

// clientSecret finds the secret that r presents: the password of Basic, or client_secret in the form.
func clientSecret(r *wire.Request) *wire.Credential {
	for i := range r.Credentials {
		c := &r.Credentials[i]
		if c.Basic != "" || c.In == wire.InForm && c.Name == "client_secret" {
			return c
		}
	}
	return nil
}

// Signed gives r with its client assertion signed now: what is sent are the same bytes each time, however much later.
// Replays need it, and assertions that were made before their key was withdrawn.
func Signed(keep *secret.Keeper, r wire.Request) (wire.Request, error) {
	r = r.Clone()
	for i := range r.Credentials {
		c := &r.Credentials[i]
		if c.JWT == nil || c.In == wire.InBody { // that one is made of the others
			continue
		}
		text, err := sample(*c.JWT, time.Now().Add(c.JWT.Clock))
		if err != nil {
			return r, fmt.Errorf("sign an assertion: %w", err)
		}
		c.Text, c.JWT = keep.Keep("assertion", text), nil
		return r, nil
	}
	return r, errors.New("the request carries no client assertion; give a private_key_jwt client's")
}
