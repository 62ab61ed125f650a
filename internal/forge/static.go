package forge

import (
	"errors"

	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// WithoutCredential takes everything away that the request shows: key, password or signature.
func WithoutCredential() wire.Change {
	const name = "no credential"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		if len(r.Credentials) == 0 {
			return r, errors.New(name + ": the request carries none already")
		}
		r.Credentials = nil
		return r, nil
	}}
}

// GarbageCredential shows nonsense of the right shape in the place of a key, a password or what a signer makes.
func (f *Forger) GarbageCredential() wire.Change {
	const name = "garbage credential"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		if len(r.Credentials) == 0 {
			return r, errors.New(name + ": the request carries none")
		}
		c := &r.Credentials[0]
		if c.Sign == nil {
			c.Text = f.keep.Keep("garbage", otherThan(c.Text.Reveal()))
			return r, nil
		}
		sign := c.Sign
		c.Signer = "nobody, in the shape of " + c.Signer
		c.Sign = func(s wire.Signing) ([]wire.Field, error) {
			fields, err := sign(s)
			for i := range fields {
				fields[i].Value = otherThan(fields[i].Value)
			}
			return fields, err
		}
		return r, nil
	}}
}

// otherThan is nonsense of the same shape, and never the text itself.
func otherThan(text string) string {
	for range 8 {
		if garbage := scrambled(text); garbage != text {
			return garbage
		}
	}
	return text + "0"
}

// AlteredKeys are keys or passwords that nobody was given: with another second half, with another character in the middle,
// cut, and with more at the end. The text is the first credential's that is one.
func AlteredKeys(keep *secret.Keeper) []wire.Change {
	return []wire.Change{
		key(keep, "the key with another second half", func(text string) string {
			half := len(text) / 2
			return text[:half] + otherThan(text[half:])
		}),
		key(keep, "the key with another character in the middle", func(text string) string {
			b, half := []byte(text), len(text)/2
			b[half] = map[bool]byte{true: 'B', false: 'A'}[b[half] == 'A']
			return string(b)
		}),
		key(keep, "the key without its last character", func(text string) string { return text[:len(text)-1] }),
		key(keep, "the key with a character more", func(text string) string { return text + "A" }),
	}
}

func key(keep *secret.Keeper, name string, alter func(string) string) wire.Change {
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		for i := range r.Credentials {
			c := &r.Credentials[i]
			text := c.Text.Reveal()
			if c.JWT != nil || text == "" {
				continue
			}
			altered := alter(text)
			if altered == text || altered == "" {
				return r, errors.New(name + ": that is the key itself; give a longer one")
			}
			c.Text = keep.Keep("altered key", altered)
			return r, nil
		}
		return r, errors.New(name + ": the request carries no key")
	}}
}

// KeyInQuery moves the key from its header field into the query, under a name.
func KeyInQuery(name string) wire.Change {
	return wire.Change{Name: "the key in the query as " + name, Apply: func(r wire.Request) (wire.Request, error) {
		for i := range r.Credentials {
			c := &r.Credentials[i]
			if c.In == wire.InHeader && c.JWT == nil && !c.Text.Empty() {
				c.In, c.Name, c.Prefix = wire.InQuery, name, ""
				return r, nil
			}
		}
		return r, errors.New("the request carries no key in its header")
	}}
}
