package cast

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/ledger"
	"github.com/checkride/checkride/internal/logbook"
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
	Like     *Member        // the same software: its metadata, keys and certificates
}

func (w Wish) key() string {
	return string(w.Auth) + "|" + strings.Join(w.Scopes, " ") + "|" + fmt.Sprint(w.Metadata) + fmt.Sprint(w.Unbound, w.DPoP, w.ByDNS, w.Keys) + w.Shared + fmt.Sprint(w.Claims)
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

// register makes a client by RFC 7591. What is intended is in the ledger before the request is sent: a client whose
// answer never came can still be found by its unique client_name.
func (c *Cast) register(ctx context.Context, described plan.Client, wish Wish) (*Member, error) {
	home := c.HomeServer()
	server, err := c.Server(ctx, home)
	if err != nil {
		return nil, err
	}
	fact := fmt.Sprintf("%s registered at %s", described.Name, home)
	if c.plan.Registration.Mode == "hook" {
		return c.provision(ctx, described, wish, server, fact)
	}
	if server.Endpoints.Registration == "" {
		return nil, &FactError{Fact: fact, Err: fmt.Errorf("%s has no registration endpoint; name it under authorization_servers.%s.endpoints.registration, or set registration.mode to given", home, home)}
	}
	member, err := c.draft(ctx, described, wish, server)
	if err != nil {
		return nil, &FactError{Fact: fact, Err: err}
	}
	exchange, err := patiently(ctx, func() (wire.Exchange, error) { return c.Register(ctx, member, member.metadata) })
	if err != nil {
		return nil, &FactError{Fact: fact, Err: err}
	}
	if decision, why := oauth.RegistrationDecision(exchange); decision != wire.Accepted {
		if refusal := oauth.ReadError(exchange); refusal != nil && decision == wire.Denied {
			return nil, &FactError{Fact: fact, Err: fmt.Errorf("the registration was not accepted: %w", refusal)}
		}
		return nil, &FactError{Fact: fact, Err: fmt.Errorf("the registration was not accepted: %s", why)}
	}
	err = c.settle(ctx, member)
	if err != nil {
		return nil, &FactError{Fact: fact, Err: err}
	}
	return member, nil
}

// provision lets the operator's hook make a client. The hook gets {client_name}, {scope}, {auth}, {subject_dn} and {jwks}
// and answers as RFC 7591 §3.2.1 does: client_id, and client_secret where there is one.
func (c *Cast) provision(ctx context.Context, described plan.Client, wish Wish, server *oauth.Server, fact string) (*Member, error) {
	client, metadata, err := c.describe(ctx, server, described, wish)
	if err != nil {
		return nil, &FactError{Fact: fact, Err: err}
	}
	if wish.Metadata != nil || client.Auth != methodOf(described) {
		return nil, &FactError{Fact: fact, Err: errors.New("the hook provision makes clients as the plan describes them and no others; let the ride register by dcr to have this tested")}
	}
	member := &Member{Role: described.Name, Plan: described, Server: server, Own: true, cast: c, name: client.Name, metadata: metadata, client: client}
	err = c.intend(ctx, member)
	if err != nil {
		return nil, err
	}
	values, err := metadataValues(metadata)
	if err != nil {
		return nil, &FactError{Fact: fact, Err: err}
	}
	exchange, err := c.Hook(whole(ctx), plan.Provision, member, values)
	if err != nil {
		c.unanswered(member)
		return nil, &FactError{Fact: fact, Err: err}
	}
	registration, err := oauth.ReadRegistration(exchange, c.cfg.Keeper)
	if err != nil {
		c.unanswered(member)
		return nil, &FactError{Fact: fact, Err: fmt.Errorf("the answer of hook provision: %w", err)}
	}
	err = c.came(member, registration)
	if err != nil {
		return nil, &FactError{Fact: fact, Err: err}
	}
	err = c.settle(ctx, member)
	if err != nil {
		return nil, &FactError{Fact: fact, Err: err}
	}
	return member, nil
}

// metadataValues gives what the hook provision is told of a client's metadata.
func metadataValues(metadata map[string]any) (map[string]string, error) {
	values := map[string]string{"jwks": "null"} // as JSON has it, where the client has no keys
	values["scope"], _ = metadata["scope"].(string)
	values["subject_dn"], _ = metadata["tls_client_auth_subject_dn"].(string)
	if jwks, there := metadata["jwks"]; there {
		text, err := json.Marshal(jwks)
		if err != nil {
			return nil, fmt.Errorf("the client's keys: %w", err)
		}
		values["jwks"] = string(text)
	}
	return values, nil
}

// intend writes down that a member is about to be created, within the budget. A ride that was stopped creates nothing
// any more.
func (c *Cast) intend(ctx context.Context, member *Member) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if c.cfg.Ledger == nil {
		return errors.New("no ledger is open, so nothing may be created")
	}
	if c.clients.Add(1) > int64(c.plan.Budget.Registrations) {
		c.clients.Add(-1)
		return fmt.Errorf("the budget of %d registrations is used up; raise budget.registrations", c.plan.Budget.Registrations)
	}
	entry, err := c.cfg.Ledger.Intend(c.intent(member))
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	member.entry = entry
	return nil
}

// whole is a context for what must not be cut in the middle: a client whose answer nobody reads stays in the stack. It
// ends with the time that one exchange has.
func whole(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// unanswered remembers a member that may have come to be although nobody knows its client_id.
func (c *Cast) unanswered(member *Member) {
	c.mu.Lock()
	c.lost = append(c.lost, member)
	c.mu.Unlock()
}

// intent is what the ledger holds of a client before it is asked for.
func (c *Cast) intent(member *Member) ledger.Intent {
	return ledger.Intent{Kind: "client", Name: member.name, Server: member.Server.Name, Ride: c.cfg.Ride, Plan: c.plan.Source.File, At: time.Now()}
}

// came keeps a client that came to be.
func (c *Cast) came(member *Member, registration oauth.Registration) error {
	member.Change(func(client *oauth.Client) { *client = registration.Known(*client) })
	c.showing(member.Role, member.Client().Certificate)
	c.showing(member.Role, member.Client().RegistrationCertificate)
	c.mu.Lock()
	c.created = append(c.created, member)
	c.mu.Unlock()
	err := c.cfg.Ledger.Created(member.entry, registration.ClientID, registration.URI, registration.Token)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// Register sends a registration for a member and keeps what it creates in the ledger, whatever the answer means to the
// caller. The exchange is the caller's to judge.
func (c *Cast) Register(ctx context.Context, member *Member, metadata map[string]any) (wire.Exchange, error) {
	request, err := c.registration(member, metadata)
	if err != nil {
		return wire.Exchange{}, err
	}
	return c.RegisterBy(ctx, member, request)
}

// RegisterBy sends a registration request as it stands: a check may have altered it. A client that comes of it is in the
// ledger all the same.
func (c *Cast) RegisterBy(ctx context.Context, member *Member, request wire.Request) (wire.Exchange, error) {
	err := c.intend(ctx, member)
	if err != nil {
		return wire.Exchange{}, err
	}
	request.Who = member.Role
	exchange, err := c.cfg.Do.Do(whole(ctx), request)
	if err != nil { // nothing was sent
		return exchange, errors.Join(err, c.notCreated(member))
	}
	registration, err := oauth.ReadRegistration(exchange, c.cfg.Keeper)
	switch {
	case err == nil:
		return exchange, c.came(member, registration)
	case neverCreated(exchange):
		return exchange, c.notCreated(member)
	}
	c.unanswered(member)
	return exchange, nil
}

// neverCreated says that an answer leaves no doubt that nothing was created: it was refused, or was never sent.
func neverCreated(x wire.Exchange) bool {
	switch x.Failure {
	case wire.None:
		return x.Status >= 300 && x.Status < 500 || x.Status == http.StatusServiceUnavailable
	case wire.Alert, wire.Refused, wire.Untrusted, wire.Broke:
		return true
	}
	return false
}

// notCreated takes back an intent. The budget counts what was created.
func (c *Cast) notCreated(member *Member) error {
	c.clients.Add(-1)
	err := c.cfg.Ledger.Removed(member.entry)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// Draft makes a member that is not registered yet, with the metadata that its registration would send.
func (c *Cast) Draft(ctx context.Context, role string, wish Wish) (*Member, error) {
	described, ok := c.Client(role)
	if !ok {
		return nil, &FactError{Fact: "a " + role, Err: errors.New("the plan has none; add one under clients")}
	}
	server, err := c.Server(ctx, c.HomeServer())
	if err != nil {
		return nil, err
	}
	member, err := c.draft(ctx, described, wish, server)
	if err != nil {
		return nil, &FactError{Fact: "a draft of " + role, Err: err}
	}
	return member, nil
}

// draft makes a member that is not registered yet, with all that its registration presents.
func (c *Cast) draft(ctx context.Context, described plan.Client, wish Wish, server *oauth.Server) (*Member, error) {
	client, metadata, err := c.describe(ctx, server, described, wish)
	if err != nil {
		return nil, err
	}
	member := &Member{Role: described.Name, Plan: described, Server: server, Own: true, cast: c, name: client.Name, metadata: metadata, client: client}
	return member, c.vouchers(ctx, member, wish.Claims)
}

// describe makes a client's keys and the metadata of its registration.
func (c *Cast) describe(ctx context.Context, server *oauth.Server, described plan.Client, wish Wish) (oauth.Client, map[string]any, error) {
	n := c.serial.Add(1)
	method := wish.Auth
	if method == "" {
		method = methodOf(described)
	}
	scopes := described.Scopes
	if wish.Scopes != nil {
		scopes = wish.Scopes
	}
	client := oauth.Client{Name: fmt.Sprintf("checkride %s %s %d", c.cfg.Ride, described.Name, n), Auth: method}
	if wish.Like != nil {
		return again(client, wish.Like)
	}
	metadata := map[string]any{
		"client_name":                client.Name,
		"token_endpoint_auth_method": string(method),
		"grant_types":                c.plan.GrantTypes(),
		"response_types":             []any{},
		"redirect_uris":              []any{},
	}
	if len(scopes) > 0 {
		metadata["scope"] = strings.Join(scopes, " ")
	}
	var err error
	bound := described.SenderConstraint == "mtls" && !wish.Unbound && !wish.DPoP
	if bound || method == oauth.TLSClientAuth {
		client.Certificate, err = c.certificate(ctx, described.Name, fmt.Sprintf("%s-%d", described.Name, n))
		if err != nil {
			return client, nil, err
		}
	}
	if bound {
		metadata["tls_client_certificate_bound_access_tokens"] = true
	}
	if wish.DPoP || described.SenderConstraint == "dpop" && !wish.Unbound {
		client.Proof, err = proofKey(server)
		if err != nil {
			return client, nil, err
		}
		metadata["dpop_bound_access_tokens"] = true
	}
	switch method {
	case oauth.PrivateKeyJWT:
		keys := wish.Keys
		if len(keys) == 0 {
			one, err := oauth.NewKey("ES256")
			if err != nil {
				return client, nil, err
			}
			keys = []oauth.Key{one}
		}
		client.Key, metadata["jwks"] = keys[0], oauth.JWKSet(keys...)
	case oauth.SelfSignedTLSClientAuth:
		client.Certificate, err = SelfSigned(client.Name)
		if err != nil {
			return client, nil, err
		}
		metadata["jwks"] = map[string]any{"keys": []any{CertificateJWK(client.Certificate)}}
	case oauth.TLSClientAuth:
		switch {
		case wish.ByDNS:
			client.Certificate, err = c.Issue(described.Name, client.Certificate.Leaf.Subject.CommonName, Fault{DNS: client.Certificate.Leaf.Subject.CommonName})
			if err != nil {
				return client, nil, err
			}
			metadata["tls_client_auth_san_dns"] = client.Certificate.Leaf.DNSNames[0]
		case !namesSubject(described.Metadata):
			metadata["tls_client_auth_subject_dn"] = oauth.SubjectDN(client.Certificate.Leaf)
		}
	}
	client.RegistrationCertificate, err = c.registrationCertificate(ctx, described.Name, fmt.Sprintf("%s-%d", described.Name, n), client)
	if err != nil {
		return client, nil, err
	}
	for _, more := range []map[string]any{c.plan.Registration.Metadata, described.Metadata, wish.Metadata} {
		for name, value := range more {
			if strings.HasPrefix(name, "tls_client_auth_") && (method != oauth.TLSClientAuth || wish.ByDNS) {
				continue
			}
			if value == nil {
				delete(metadata, name)
				continue
			}
			metadata[name] = replaceName(value, described.Name, n)
		}
	}
	return client, metadata, nil
}

// proofKey makes the key to which a member's tokens are bound by DPoP, for an algorithm that the server takes (RFC 9449
// §5.1).
func proofKey(server *oauth.Server) (oauth.Key, error) {
	alg := server.ProofAlgorithm()
	if told := server.ProofAlgorithms(); alg == "" && len(told) > 0 {
		return oauth.Key{}, fmt.Errorf("%s takes DPoP proofs signed with %s, and this program signs with none of them", server.Name, strings.Join(told, ", "))
	}
	return oauth.NewKey(alg)
}

// again describes the software of a client anew: it keeps its keys, certificates and metadata, and gets another name, by
// which the ride finds it.
func again(client oauth.Client, like *Member) (oauth.Client, map[string]any, error) {
	before := like.Client()
	client.Auth, client.Key, client.Proof, client.Certificate, client.RegistrationCertificate = before.Auth, before.Key, before.Proof, before.Certificate, before.RegistrationCertificate
	metadata := maps.Clone(like.metadata)
	metadata["client_name"] = client.Name
	return client, metadata, nil
}

func methodOf(described plan.Client) oauth.Method {
	if described.Auth == "" {
		return oauth.ClientSecretBasic
	}
	return oauth.Method(described.Auth)
}

func namesSubject(metadata map[string]any) bool {
	for name := range metadata {
		if strings.HasPrefix(name, "tls_client_auth_") {
			return true
		}
	}
	return false
}

// replaceName puts the member's own name for {name} in a text of the plan: literally, once.
func replaceName(value any, name string, n int64) any {
	text, ok := value.(string)
	if !ok {
		return value
	}
	return strings.ReplaceAll(text, "{name}", fmt.Sprintf("%s-%d", name, n))
}

// settle waits until a new client is known wherever it may be asked for: token requests on fresh connections must
// succeed twice in a row within the plan's budget (rule 13).
func (c *Cast) settle(ctx context.Context, member *Member) error {
	if c.cfg.Rules.NoSettling {
		return nil
	}
	started := time.Now()
	row, tries := 0, 0
	for {
		tries++
		_, err := c.mint(ctx, member, TokenWish{Fresh: true, Keep: row == 0, Resource: member.resource(c.firstPoint(member.Server.Name))})
		if err == nil {
			row++
			if row == 2 {
				if tries > 2 {
					c.cfg.Note(logbook.Note{About: "settle", Point: member.Server.Name, Text: fmt.Sprintf("%s was known everywhere after %v and %d tries", member.Role, time.Since(started).Round(time.Millisecond), tries)})
				}
				return nil
			}
			continue
		}
		row = 0
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(started) > c.plan.Limits.Settle.D() {
			return fmt.Errorf("got no token within %v of registration: %w", c.plan.Limits.Settle.D(), err)
		}
		err = Sleep(ctx, 100*time.Millisecond)
		if err != nil {
			return err
		}
	}
}

// patiently sends what everything else rests on once more, and a third time, where the answer says that it was not looked
// at: one 503 at the start must not make a whole ride undecided. A pause that a 429 asks for is held by the wire.
func patiently(ctx context.Context, send func() (wire.Exchange, error)) (wire.Exchange, error) {
	for pause := 250 * time.Millisecond; ; pause *= 4 {
		exchange, err := send()
		busy := exchange.Failure == wire.None && (exchange.Status == http.StatusTooManyRequests || exchange.Status == http.StatusServiceUnavailable)
		if !busy || pause > time.Second {
			return exchange, err
		}
		err = Sleep(ctx, pause)
		if err != nil {
			return exchange, err
		}
	}
}

// Sleep waits, or gives up with the context.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
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
