// Package as is the sandbox's authorization server: strict and healthy, with switches that break it in exactly one way
// each. It serves RFC 8414, 7591, 7592, 6749 (client credentials), 7523, 8693, 8705, 8707, 9068, 9449, 7662 and 7009, and a feed of
// what is no longer good for points that verify tokens offline.
//
// Start with [New] and [Server.Handler].
package as

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/chain"
	"github.com/checkride/checkride/internal/sandbox/dpop"
)

// Static is a client that exists from the start: a resource server, which may introspect tokens and read the feed.
type Static struct {
	ID, Secret string
	Serves     string // it may introspect tokens for this resource alone; "": every token
}

// Given is a partner that exists from the start and authenticates by client_secret_basic.
type Given struct{ ID, Name, Secret string }

// Config is what a [Server] needs.
type Config struct {
	Issuer             string                           // https://as.sandbox.test, no trailing slash
	PartnerCAs         *x509.CertPool                   // trusted for tls_client_auth
	InitialAccessToken string                           // opens registration
	ResourceServers    []Static                         // may introspect and read the feed, with Basic
	Resources          []string                         // audiences that exist (RFC 8707); the first is the default
	Scopes             map[string][]string              // by resource: the scopes that it knows; one that is not in it knows all
	Grantable          []string                         // scopes that any registered partner is entitled to
	Privileged         func(clientName string) []string // further scopes by client_name; nil: "neighbour" in it adds payments:write
	TokenLife          time.Duration                    // whole seconds; 0: 5 min
	Fetch              *http.Client                     // fetches the key sets that clients publish (jwks_uri); nil: there is no such thing
	KeyHosts           []string                         // host, or host:port, from which key sets are fetched
	Defects            func() defect.Set                // asked at each request; nil: healthy
	SetDefects         func(defect.Set)                 // what the management port's POST /defects calls; nil: it answers 501
	Situation          defect.Situation                 // LaggingReplicas, SameToken, WrongClock and DeleteLies are the AS's
	Log                func(Event)                      // called before each answer leaves, never under a lock; nil: no audit
	Now                func() time.Time                 // nil: time.Now
	Partners           []Given                          // clients that exist from the start
	Copied             []Given                          // clients of another environment, known under OtherEnvironmentKnown alone
	Withdrawn          func(thumbprint string) bool     // whether the partners' CA has withdrawn a certificate, by its x5t#S256; nil: none

	Trust               *Trust // nil: software statements are ignored (RFC 7591 §2)
	OperatorAccessToken string // registers clients without a statement; empty: there is none

	Exchanges   bool   // clients may register for token exchange (RFC 8693)
	GrantIssuer *Trust // whose assertions are authorization grants (RFC 7523 §2.1); nil: nobody's
}

// Server is an authorization server. All its state sits under one short mutex; it starts no goroutine.
type Server struct {
	cfg    Config
	static map[string]string // resource server id -> secret
	serves map[string]string // resource server id -> the one resource that it serves

	partners *chain.Verifier

	mu         sync.Mutex
	closed     bool
	clients    map[string]*client // deleted ones stay, marked
	copied     map[string]*client // of another environment
	tokens     map[string]*token  // by their text
	assertions map[string]time.Time
	statements map[string]string     // jti of a software statement -> the client that it vouched for
	admissions map[string]*admission // minted initial access tokens
	keys       []signingKey          // the last one signs
	retired    signingKey            // left over from before the start; signs nothing
	proofs     *dpop.Verifier
	feed       feed
	fetched    map[string]fetchedKeys // by jwks_uri
	burst      burst
	numbered   int    // opaque tokens that were made, under GuessableToken
	fault      string // what the operator broke in introspection: "", down or no_audience
}

// New makes a server. It refuses a configuration that no healthy server would start with.
func New(cfg Config) (*Server, error) {
	issuer, err := url.Parse(cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("issuer %q: %w", cfg.Issuer, err)
	}
	// RFC 8414 §2: an https URL without query or fragment.
	if issuer.Scheme != "https" || issuer.Host == "" || issuer.Path != "" || issuer.RawQuery != "" || issuer.Fragment != "" {
		return nil, fmt.Errorf("issuer %q: must be https://host[:port] and nothing more", cfg.Issuer)
	}
	if cfg.InitialAccessToken == "" {
		return nil, errors.New("initial access token: empty, set one")
	}
	if len(cfg.Resources) == 0 {
		return nil, errors.New("resources: none, name at least the default audience")
	}
	if cfg.PartnerCAs == nil {
		cfg.PartnerCAs = x509.NewCertPool() // nil would mean the system's roots
	}
	if cfg.TokenLife == 0 {
		cfg.TokenLife = 5 * time.Minute
	}
	if cfg.Privileged == nil {
		cfg.Privileged = neighbourMayWrite
	}
	if cfg.Defects == nil {
		cfg.Defects = func() defect.Set { return defect.Set{} }
	}
	if cfg.Log == nil {
		cfg.Log = func(Event) {}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	retired, err := newSigningKey()
	if err != nil {
		return nil, err
	}
	first, err := newSigningKey()
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg:        cfg,
		static:     map[string]string{},
		serves:     map[string]string{},
		clients:    map[string]*client{},
		copied:     map[string]*client{},
		tokens:     map[string]*token{},
		assertions: map[string]time.Time{},
		fetched:    map[string]fetchedKeys{},
		statements: map[string]string{},
		admissions: map[string]*admission{},
		keys:       []signingKey{first},
		retired:    retired,
		partners:   chain.New(cfg.PartnerCAs),
		proofs:     &dpop.Verifier{Nonces: dpop.NewNonces(), Seen: dpop.NewSeen()},
	}
	for _, g := range cfg.Partners {
		s.clients[g.ID] = s.given(g)
	}
	for _, g := range cfg.Copied {
		s.copied[g.ID] = s.given(g)
	}
	for _, r := range cfg.ResourceServers {
		if r.ID == "" || r.Secret == "" {
			return nil, fmt.Errorf("resource server %q: needs an id and a secret", r.ID)
		}
		s.static[r.ID], s.serves[r.ID] = r.Secret, r.Serves
	}
	return s, nil
}

func neighbourMayWrite(clientName string) []string {
	if strings.Contains(clientName, "neighbour") {
		return []string{"payments:write"}
	}
	return nil
}

// Close ends the server: whatever still reaches its handlers gets 503. There is nothing to join.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// Handler serves the protocol endpoints. It must be behind TLS that asks for a client certificate and does not verify
// it (tls.RequestClientCert): the server verifies chains itself, by the registered method.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	metadata := s.serve(routes{"GET": {run: s.metadata}})
	mux.Handle("/.well-known/oauth-authorization-server", metadata)
	mux.Handle("/.well-known/openid-configuration", metadata)
	mux.Handle("/jwks", s.serve(routes{"GET": {run: s.jwks}}))
	mux.Handle("/register", s.serve(routes{"POST": {action: "register", run: s.register}}))
	mux.Handle("/register/{client_id}", s.serve(routes{
		"GET":    {action: "read", run: s.read},
		"PUT":    {action: "update", run: s.update},
		"DELETE": {action: "delete", run: s.delete},
	}))
	for _, way := range []string{"", aliasPath} {
		mux.Handle(way+"/token", s.serve(routes{"POST": {action: "grant", form: true, run: s.token}}))
		mux.Handle(way+"/introspect", s.serve(routes{"POST": {action: "introspect", form: true, run: s.introspect}}))
		mux.Handle(way+"/revoke", s.serve(routes{"POST": {action: "revoke", form: true, run: s.revoke}}))
	}
	mux.Handle("/feed", s.serve(routes{"GET": {run: s.readFeed}}))
	mux.Handle("/", s.serve(routes{}))
	return s.dated(mux)
}

// now is the time by the server's clock.
func (s *Server) now() time.Time { return s.cfg.Now().Add(s.cfg.Situation.WrongClock) }

// dated puts the server's time on every answer, those of the mux included.
func (s *Server) dated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
		next.ServeHTTP(w, r)
	})
}
