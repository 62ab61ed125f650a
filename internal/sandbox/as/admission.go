package as

import (
	"net/http"
	"time"
)

// defaultAdmission is how long a minted initial access token may be used.
const defaultAdmission = 2 * time.Second

// An admission is an initial access token that the operator minted: for one registration of one organisation, and for a
// time (RFC 7591 §1.2: how it is obtained and validated is the server's business).
type admission struct {
	organization string // empty: of anybody
	expires      time.Time
	used         bool
}

// admitted is what an initial access token permits.
type admitted struct {
	operator bool       // needs neither statement nor certificate
	minted   *admission // nil: the standing token
}

// admit looks at the initial access token of a registration.
func (s *Server) admit(c *call) (admitted, bool) {
	shown := bearer(c.r)
	if same(shown, s.cfg.OperatorAccessToken) {
		return admitted{operator: true}, true
	}
	if c.defects.OpenRegistration || same(shown, s.cfg.InitialAccessToken) {
		return admitted{}, true
	}
	minted := s.admissions[shown]
	if minted == nil {
		return admitted{}, false
	}
	if !c.defects.InitialAccessTokenStateless && (minted.used || !c.now.Before(minted.expires)) {
		return admitted{}, false
	}
	return admitted{minted: minted}, true
}

// permits says whether the token permits the registration of an organisation.
func (a admitted) permits(c *call, organization string) bool {
	return a.minted == nil || a.minted.organization == "" || a.minted.organization == organization || c.defects.InitialAccessTokenStateless
}

// mintAdmission makes an initial access token for ?organization=, good for ?lifetime= or two seconds.
func (s *Server) mintAdmission(c *call) answer {
	life := defaultAdmission
	if asked := c.r.URL.Query().Get("lifetime"); asked != "" {
		d, err := time.ParseDuration(asked)
		if err != nil || d <= 0 || d > time.Hour {
			return refuse(http.StatusBadRequest, "invalid_request", "lifetime must be a length of time of at most an hour")
		}
		life = d
	}
	token := newCredential()
	s.admissions[token] = &admission{organization: c.r.URL.Query().Get("organization"), expires: c.now.Add(life)}
	return reply(http.StatusOK, map[string]any{"initial_access_token": token, "expires_in": int(life.Seconds())})
}
