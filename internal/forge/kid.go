package forge

import (
	"github.com/checkride/checkride/internal/wire"
)

// UnknownKid names another key at each sending that nobody has published, and is signed by a key of ours: whoever looks
// for keys on demand looks for each.
func (f *Forger) UnknownKid() wire.Change {
	return f.forged("tokens that name unknown keys", UnknownKey, func(o original) (string, error) {
		k, err := f.ownKey(o.alg())
		if err != nil {
			return "", err
		}
		return signed(o.headerWith(map[string]any{"kid": encode(random(16))}), o.parts[1], k)
	})
}
