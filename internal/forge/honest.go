package forge

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// BasicEscaped writes client id and secret of Basic with each byte as %XX. RFC 6749 §2.3.1 and appendix B: both are
// form-encoded before they are joined, and whoever decodes a form gets the same pair.
func BasicEscaped(keep *secret.Keeper) wire.Change {
	const name = "id and secret of Basic with every character escaped"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		c := clientSecret(&r)
		if c == nil || c.Basic == "" {
			return r, errors.New(name + ": the request carries no Basic; give one of a client_secret_basic client")
		}
		pair := escaped(c.Basic) + ":" + escaped(c.Text.Reveal())
		c.Text = keep.Keep("basic", base64.StdEncoding.EncodeToString([]byte(pair)))
		c.Basic, c.Prefix = "", "Basic "
		return r, nil
	}}
}

func escaped(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "%%%02X", text[i])
	}
	return b.String()
}
