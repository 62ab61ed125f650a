package as

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// fetchNamed is the bug of a library that gets the keys that the header of a JWT points to (RFC 7515 §4.1.2, §4.1.5) before
// it looks at who signed, and then goes by the right ones. A healthy server reads neither jku nor x5u.
func (s *Server) fetchNamed(c *call) {
	if s.cfg.Fetch == nil {
		return
	}
	var named []string
	if c.defects.AssertionAddressFetched {
		named = append(named, addressesIn(c.form.Get("client_assertion"))...)
	}
	if members, err := c.object(); err == nil && c.defects.StatementAddressFetched {
		line, err := textUpTo(members, statementMember, maxBody)
		if err == nil {
			named = append(named, addressesIn(line)...)
		}
	}
	for _, address := range named {
		_, _, _ = s.fetch(c.r.Context(), address, true) // what comes of it is not used
	}
}

// addressesIn reads the addresses of keys in the header of a JWT that nobody has verified.
func addressesIn(compact string) []string {
	header, _, _ := strings.Cut(compact, ".")
	text, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil {
		return nil
	}
	var members map[string]any
	err = json.Unmarshal(text, &members)
	if err != nil {
		return nil
	}
	var all []string
	for _, name := range []string{"jku", "x5u"} {
		address, is := members[name].(string)
		if is {
			all = append(all, address)
		}
	}
	return all
}
