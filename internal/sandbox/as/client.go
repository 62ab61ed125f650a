package as

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	clientCredentials = "client_credentials"

	clientSecretBasic       = "client_secret_basic"
	clientSecretPost        = "client_secret_post"
	privateKeyJWT           = "private_key_jwt"
	tlsClientAuth           = "tls_client_auth"
	selfSignedTLSClientAuth = "self_signed_tls_client_auth"
	publicClient            = "none"
)

// A client is a registered partner. What was taken from it stays known, so that the defects have something to forget.
type client struct {
	id                string
	registration      registration
	secret            string
	secretEnds        time.Time // zero: never
	registrationToken string
	formerTokens      []string // registration tokens that were replaced; used by a defect only
	registered        time.Time
	allowed           []string // scopes it is entitled to; registration.scope is within
	generation        int      // counts its updates and rotations
	suspended         bool
	windowClosed      bool
	deleted           bool
	asked             int // requests about it while the replicas differ
	quota             quota
	guessed           int       // wrong secrets in a row
	heldOff           time.Time // until then its secret is not looked at
	leftSecret        string    // that it had before it was moved to another method

	statement  string // the software statement that vouched for it
	byOperator bool   // registered by the operator, who needs no statement

	roles                   []string  // RFC 9068 §2.2.3.1
	windowFrom, windowUntil time.Time // of a window that opens and closes by itself; zero: there is none

	firstShown string // thumbprint of the certificate of its first token request; used by a defect only

	formerSecrets      []string
	formerKeys         []jose.JSONWebKey
	formerCertificates [][]byte
}

// A registration is a client's metadata as registered (RFC 7591 §2).
type registration struct {
	method       string
	signingAlg   string
	grants       []string
	scope        []string
	name         string
	organization string
	bound        bool
	dpopBound    bool
	secretLife   time.Duration // 0: secrets never end
	perSecond    int           // how often it may ask for tokens and call points; 0: as it likes
	subject      *subject
	jwks         json.RawMessage
	jwksURI      string
	keys         []jose.JSONWebKey
	certificates [][]byte       // DER of the x5c leaves in jwks
	plain        map[string]any // members that are only kept and told
}

func usesSecret(method string) bool { return method == clientSecretBasic || method == clientSecretPost }

// org is the organization that tokens name: as registered, else the first word of the client's name.
func (c *client) org() string {
	if c.registration.organization != "" {
		return c.registration.organization
	}
	words := strings.Fields(c.registration.name)
	if len(words) > 0 {
		return words[0]
	}
	return c.id
}

// find looks a client up for this call. A deleted client is no client. With lagging replicas, the second of two
// replicas, which serves every first, third, ... request about a client, does not know it before the lag has passed.
func (s *Server) find(c *call, id string) *client {
	cl := s.clients[id]
	if cl == nil && c.defects.OtherEnvironmentKnown {
		cl = s.copied[id]
	}
	if cl == nil || cl.deleted || s.lags(c, cl) {
		return nil
	}
	return cl
}

func (s *Server) lags(c *call, cl *client) bool {
	lag := s.cfg.Situation.LaggingReplicas
	if lag == 0 || !c.now.Before(cl.registered.Add(lag)) {
		return false
	}
	second, asked := c.replica[cl.id]
	if !asked {
		cl.asked++
		second = cl.asked%2 == 1
		c.replica[cl.id] = second
	}
	return second
}

// setRegistration replaces the metadata and remembers keys and certificates that went.
func (c *client) setRegistration(r registration) {
	c.formerKeys = append(c.formerKeys, c.registration.keys...)
	c.formerCertificates = append(c.formerCertificates, c.registration.certificates...)
	c.registration = r
}

// rotateSecret makes a new secret; the old one is dead at once.
func (c *client) rotateSecret(k *call) {
	if c.secret != "" {
		c.formerSecrets = append(c.formerSecrets, c.secret)
	}
	c.giveSecret(k)
	c.generation++
}

// information is what the client is told about itself (RFC 7591 §3.2.1, RFC 7592 §3).
func (s *Server) information(c *client) map[string]any {
	r := c.registration
	told := map[string]any{}
	for name, value := range r.plain {
		told[name] = value
	}
	told["client_id"] = c.id
	told["client_id_issued_at"] = c.registered.Unix()
	told["registration_access_token"] = c.registrationToken
	told["registration_client_uri"] = s.cfg.Issuer + "/register/" + c.id
	told["token_endpoint_auth_method"] = r.method
	told["grant_types"] = r.grants
	told["response_types"] = []string{}
	told["scope"] = strings.Join(r.scope, " ")
	told["tls_client_certificate_bound_access_tokens"] = r.bound
	told["dpop_bound_access_tokens"] = r.dpopBound
	if r.name != "" {
		told["client_name"] = r.name
	}
	if r.organization != "" {
		told["organization"] = r.organization
	}
	if r.signingAlg != "" {
		told["token_endpoint_auth_signing_alg"] = r.signingAlg
	}
	if r.subject != nil {
		told[r.subject.member] = r.subject.value
	}
	if r.jwks != nil {
		told["jwks"] = r.jwks
	}
	if r.jwksURI != "" {
		told["jwks_uri"] = r.jwksURI
	}
	if c.statement != "" && !s.cfg.Defects().StatementNotReturned {
		told[statementMember] = c.statement // RFC 7591 §3.2.1: unmodified
	}
	if c.secret != "" {
		told["client_secret"] = c.secret
		told["client_secret_expires_at"] = c.secretExpiresAt()
		if s.cfg.Defects().SecretExpiryUntold {
			delete(told, "client_secret_expires_at")
		}
	}
	return told
}

// RFC 6749 §10.10: the probability of guessing should be at most 2^-160; this is 2^-256.
func newCredential() string { return randomText(32) }

func newID() string { return randomText(16) }

func randomText(size int) string {
	raw := make([]byte, size)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(raw)
}

func same(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

func without(list []string, gone string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == gone })
}

// within keeps the members of asked that are allowed, in order and once each.
func within(asked, allowed []string) []string {
	kept := []string{}
	for _, s := range asked {
		if slices.Contains(allowed, s) && !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}
