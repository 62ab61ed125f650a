package as

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A feed is the numbered list of what is no longer good.
type feed struct {
	last    int
	entries []feedEntry
}

type feedEntry struct {
	number int
	token  *token // or
	client string // the id of a client that is gone, and with it all its tokens
}

type revokedToken struct {
	ID      string `json:"jti"`
	Expires int64  `json:"exp"`
}

func (f *feed) revoked(t *token) { f.add(feedEntry{token: t}) }

func (f *feed) gone(clientID string) { f.add(feedEntry{client: clientID}) }

func (f *feed) add(e feedEntry) {
	f.last++
	e.number = f.last
	f.entries = append(f.entries, e)
}

func (f *feed) forgetExpired(now time.Time) {
	f.entries = slices.DeleteFunc(f.entries, func(e feedEntry) bool {
		return e.token != nil && !now.Before(e.token.expires)
	})
}

// readFeed answers a resource server with what died after the number since; next is the number to ask with.
func (s *Server) readFeed(c *call) answer {
	_, ok := s.resourceServer(c)
	if !ok {
		return *invalidClient("not a resource server")
	}
	since := 0
	if asked := c.r.URL.Query().Get("since"); asked != "" {
		n, err := strconv.Atoi(asked)
		if err != nil || n < 0 {
			return refuse(http.StatusBadRequest, "invalid_request", "since must be a number")
		}
		since = n
	}
	tokens, clients := []revokedToken{}, []string{}
	for _, e := range s.feed.entries {
		switch {
		case e.number <= since:
		case e.token == nil:
			clients = append(clients, e.client)
		case e.token.dead != "": // a revived one is not told of
			tokens = append(tokens, revokedToken{e.token.id, e.token.expires.Unix()})
		}
	}
	return reply(http.StatusOK, map[string]any{"revoked": tokens, "clients_gone": clients, "next": s.feed.last})
}
