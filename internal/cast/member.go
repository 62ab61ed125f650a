package cast

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// Wish asks for a client that differs from the plan's entry of its role.
type Wish struct {
	Auth     oauth.Method
	Scopes   []string
	Metadata map[string]any // further metadata; a nil value takes a member out
	Unbound  bool           // no certificate shown at the token endpoint, where the method allows it, and no proof
	DPoP     bool           // tokens that are bound by DPoP, and to no certificate where the method allows it
	ByDNS    bool           // for tls_client_auth: known by a DNS name of its certificate, not by the subject (RFC 8705 §2.1.2)
	Keys     []oauth.Key    // for private_key_jwt: its keys, the first of which signs; none: one that is made for it
	Shared   string
	Claims   map[string]any // further claims of its software statement
	Signed   bool           // registered by a request that is signed as a whole, where the plan says how, whatever it says of others
	Like     *Member        // the same software: its metadata, keys and certificates
}

func (w Wish) key() string {
	return string(w.Auth) + "|" + strings.Join(w.Scopes, " ") + "|" + fmt.Sprint(w.Metadata) + fmt.Sprint(w.Unbound, w.DPoP, w.ByDNS, w.Signed, w.Keys) + w.Shared + fmt.Sprint(w.Claims)
}

// Member is one client of the cast at its authorization server.
type Member struct {
	Role   string
	Plan   plan.Client
	Server *oauth.Server
	Own    bool // created by this ride, so it may be spent

	cast     *Cast
	name     string // client_name: unique, so that a lost one can be found again
	entry    string // id in the ledger
	metadata map[string]any

	access    secret.Text      // the initial access token of its registration
	statement *wire.Credential // the software statement of its registration; nil: none
	signing   *wire.Credential // what makes a JWT of its registration; nil: it registers by JSON

	key     Once[secret.Text] // its API key
	reading Turn              // whoever reads the registration
	mu      sync.Mutex
	client  oauth.Client
	deleted bool
	shut    string // the hook that lets it in again, if the operator has shut it out
}

// ReadAlone waits until nobody else reads the member's registration, and gives what ends that. A server may answer each
// read with another registration token and drop the one before it (RFC 7592 §3), so two readers at once spoil each other.
func (m *Member) ReadAlone(ctx context.Context) (func(), error) { return m.reading.Take(ctx) }

// Client gives the client as it stands: secrets, keys and registration token change over a life.
func (m *Member) Client() oauth.Client {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.client
}

// ID is the client_id.
func (m *Member) ID() string { return m.Client().ID }

// Name is the client_name.
func (m *Member) Name() string { return m.name }

// Metadata is what was asked for at registration.
func (m *Member) Metadata() map[string]any { return m.metadata }

// Manageable says whether the member has a client configuration endpoint and the token for it (RFC 7592).
func (m *Member) Manageable() bool {
	client := m.Client()
	return client.RegistrationURI != "" && !client.RegistrationToken.Empty()
}

// Change alters the client under its lock.
func (m *Member) Change(change func(*oauth.Client)) {
	m.mu.Lock()
	change(&m.client)
	m.mu.Unlock()
}

func (c *Cast) given(ctx context.Context, described plan.Client, wish Wish) (*Member, error) {
	fact := described.Name + " as given"
	server, err := c.Server(ctx, c.HomeServer())
	if err != nil {
		return nil, err
	}
	id, err := c.cfg.Resolver.Text(described.ID)
	if err != nil {
		return nil, &FactError{Fact: fact, Err: err}
	}
	client := oauth.Client{Name: described.Name, ID: id, Auth: oauth.Method(described.Auth)}
	if described.Secret.Text != "" {
		client.Secret, err = c.cfg.Resolver.Secret(described.Secret, "secret")
		if err != nil {
			return nil, &FactError{Fact: fact, Err: err}
		}
	}
	if described.Key.Text != "" {
		client.Key, err = c.keyOf(described.Key)
		if err != nil {
			return nil, &FactError{Fact: fact, Err: err}
		}
	}
	if described.Certificate != nil {
		client.Certificate, err = c.certificate(ctx, described.Name, described.Name)
		if err != nil {
			return nil, &FactError{Fact: fact, Err: err}
		}
	}
	if described.SenderConstraint == "dpop" || wish.DPoP { // RFC 9449 §5: its key needs no registration
		client.Proof, err = proofKey(server)
		if err != nil {
			return nil, &FactError{Fact: fact, Err: err}
		}
	}
	c.showing(described.Name, client.Certificate)
	return c.plays(&Member{Role: described.Name, Plan: described, Server: server, cast: c, name: described.Name, client: client}), nil
}

// CertificateJWK is the JWK of a certificate's key with the certificate as x5c (RFC 7517 §4.7), as
// self_signed_tls_client_auth registers it (RFC 8705 §2.2).
func CertificateJWK(certificate *tls.Certificate) map[string]any {
	key := oauth.PublicJWK(certificate.Leaf.PublicKey, Thumbprint(certificate), "ES256")
	key["x5c"] = []any{base64.StdEncoding.EncodeToString(certificate.Certificate[0])}
	return key
}

// Thumbprint is a certificate's x5t#S256 ([oauth.Thumbprint]); that of no certificate is empty.
func Thumbprint(certificate *tls.Certificate) string {
	if certificate == nil {
		return ""
	}
	return oauth.Thumbprint(certificate.Leaf)
}
