package as

import (
	"encoding/json"
	"errors"
	"net/http"
)

// A wrongType is a member of another JSON type than its standard has.
type wrongType struct{ name, want string }

func (e *wrongType) Error() string { return e.name + " must be " + e.want }

// badMetadata refuses a registration, or under BadMetadataCrashes breaks on what it did not expect.
func (c *call) badMetadata(err error) answer {
	var unexpected *wrongType
	if c.defects.BadMetadataCrashes && errors.As(err, &unexpected) {
		return answer{status: http.StatusInternalServerError, page: "<h1>Internal Server Error</h1>", reason: "server_error: " + err.Error()}
	}
	return invalidMetadata(c, err)
}

// accessTokenOf says whether this is a live access token of the client.
func (s *Server) accessTokenOf(c *call, cl *client, shown string) bool {
	for _, t := range s.tokensOf(cl) {
		if same(shown, t.raw) && t.dead == "" && c.now.Before(t.expires) {
			return true
		}
	}
	return false
}

// named gives the client that the body of an update names, if there is one.
func (s *Server) named(members map[string]json.RawMessage, otherwise *client) *client {
	id, err := text(members, "client_id")
	if err != nil {
		return otherwise
	}
	cl := s.clients[id]
	if cl == nil || cl.deleted {
		return otherwise
	}
	return cl
}

// pretend answers an update as if it had been made.
func (s *Server) pretend(cl *client, r registration) answer {
	asked := *cl
	asked.registration = r
	return reply(http.StatusOK, s.information(&asked))
}
