package as

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// askedScope is the scope parameter. RFC 6749 §3.3: scope-tokens of %x21 / %x23-5B / %x5D-7E, one space between two; what
// is malformed is an invalid_scope (§5.2).
func askedScope(c *call) ([]string, *answer) {
	text := c.form.Get("scope")
	if text == "" {
		return nil, nil
	}
	asked := strings.Split(text, " ")
	for _, one := range asked {
		if one == "" || strings.ContainsFunc(one, func(r rune) bool { return r < 0x21 || r > 0x7e || r == '"' || r == '\\' }) {
			return nil, invalidScope("the scope is malformed")
		}
	}
	return asked, nil
}

func invalidScope(description string) *answer {
	return refused(http.StatusBadRequest, "invalid_scope", description)
}

// counted is the next opaque token of the defect GuessableToken.
func (s *Server) counted() string {
	s.numbered++
	return fmt.Sprintf("at-2026-%010d", 4711000000+s.numbered)
}

// hinted finds a token. RFC 7662 §2.1 and RFC 7009 §2.1: the hint helps the search and does not bound it.
func (s *Server) hinted(c *call, raw string) *token {
	if hint := c.form.Get("token_type_hint"); c.defects.HintTrusted && hint != "" && hint != "access_token" {
		return nil
	}
	return s.lookup(raw)
}

func (s *Server) introspectsActive(c *call, t *token) bool {
	if c.defects.IntrospectionIgnoresExpiry {
		return t.dead == "" && s.lookup(t.raw) == t
	}
	return s.active(c, t)
}

// isFor says whether a token is for whoever asks. RFC 7662 §4: whether it may be used at the server that makes the call.
func isFor(c *call, t *token, serves string) bool {
	if serves == "" || c.defects.IntrospectionAnyAudience {
		return true
	}
	several, ok := t.audience.([]string)
	return t.audience == serves || ok && slices.Contains(several, serves)
}

// inactive is what is told of a token that is not active for whoever asks. RFC 7662 §2.2: nothing else.
func inactive(c *call, t *token, may bool) map[string]any {
	told := map[string]any{"active": false}
	if t == nil && may && c.defects.InactiveExplained {
		told["reason"] = "no such token"
	}
	return told
}

// What an operator can break in introspection, to see what points do then.
const (
	faultDown       = "down"        // every question is answered 500
	faultNoAudience = "no_audience" // answers lack aud
)

// breakIntrospection lets introspection fail in a way, until it is told fault=none.
func (s *Server) breakIntrospection(c *call) answer {
	fault := c.r.URL.Query().Get("fault")
	switch {
	case fault == "none":
		s.fault = ""
	case slices.Contains([]string{faultDown, faultNoAudience}, fault):
		s.fault = fault
	default:
		return refuse(http.StatusBadRequest, "invalid_request", "fault must be down, no_audience or none")
	}
	return done()
}

// asWritten is a text as a stranger wrote it, for the record of what was asked.
func asWritten(raw json.RawMessage) string {
	var text string
	err := json.Unmarshal(raw, &text)
	if err != nil {
		return ""
	}
	return bounded(text)
}

// A burst is who asked for tokens last, and the last token that was made, under TokensMixed.
type burst struct {
	asked []string // client ids, the last burstLength of them
	last  *token
}

const burstLength = 28

// cached is what a cache in front of the token endpoint answers when two clients press it: the last token that was made,
// whoever asked for it.
func (s *Server) cached(c *call, cl *client, made *token) *token {
	if !c.defects.TokensMixed {
		return made
	}
	b := &s.burst
	last := b.last
	b.last = made
	b.asked = append(b.asked, cl.id)
	if len(b.asked) <= burstLength {
		return made
	}
	b.asked = b.asked[1:]
	asked := map[string]int{}
	for _, id := range b.asked {
		asked[id]++
	}
	if len(asked) != 2 || asked[cl.id] < burstLength/2-2 || asked[cl.id] > burstLength/2+2 || last == nil || !s.active(c, last) {
		return made
	}
	return last
}
