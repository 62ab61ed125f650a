// Package secret keeps what must not leave the process unmasked. Start with [Keeper], which knows the secrets of a
// ride and masks them in all that is written, and with [Text], a secret that prints as [kind n].
package secret

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
)

// Text is a secret that prints as [kind n], whatever prints it. The zero value is empty. Two Texts of one [Keeper] are
// equal (==) exactly when their secrets are.
type Text struct {
	// A pointer, because fmt does not call the methods of unexported struct fields: {token: Text} then prints an
	// address and not the secret.
	kept *kept
}

type kept struct {
	kind  string
	n     int
	value string
}

// Empty says whether there is no secret.
func (t Text) Empty() bool { return t.kept == nil }

// Kind is what the secret was kept as (token, secret, key, assertion), or "" when there is none.
func (t Text) Kind() string {
	if t.kept == nil {
		return ""
	}
	return t.kept.kind
}

// Reveal gives the secret itself. Only wire, forge and ledger may call it.
func (t Text) Reveal() string {
	if t.kept == nil {
		return ""
	}
	return t.kept.value
}

// String gives [kind n], which is also what masked text shows in the secret's place.
func (t Text) String() string {
	if t.kept == nil {
		return "[empty]"
	}
	return "[" + t.kept.kind + " " + strconv.Itoa(t.kept.n) + "]"
}

// GoString is for %#v.
func (t Text) GoString() string { return t.String() }

// Format prints [kind n] for every verb, %x and %d included.
func (t Text) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, t.String()) }

// MarshalText writes [kind n].
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalJSON writes "[kind n]".
func (t Text) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// LogValue is for log/slog.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }
