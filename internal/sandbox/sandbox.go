// Package sandbox is an embedded partner stack that is worth testing by itself: an authorization server, three
// enforcement points of different kinds, a partner API and an audit log for each. It is healthy and strict unless a
// defect is switched on. It runs on loopback sockets for people, and on an in-memory network for proofs.
//
// Start with [Start] and [Sandbox.Plan]. The sandbox shares no protocol code with the tester: they meet over the network
// alone.
package sandbox

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/api"
	"github.com/checkride/checkride/internal/sandbox/as"
	"github.com/checkride/checkride/internal/sandbox/auditlog"
	"github.com/checkride/checkride/internal/sandbox/ca"
	"github.com/checkride/checkride/internal/sandbox/edge"
	"github.com/checkride/checkride/internal/sandbox/gateway"
	"github.com/checkride/checkride/internal/sandbox/legacy"
	"github.com/checkride/checkride/internal/sandbox/point"
	"github.com/checkride/checkride/internal/sandbox/trust"
)

// Config is what a sandbox needs.
type Config struct {
	Network   Network // nil: loopback sockets
	Dir       string  // where plan.yaml, PEM files and audit logs are written; made when absent
	Defects   defect.Set
	Situation defect.Situation
	Timing    Timing

	// Around gives what stands around a component (as, edge-a, edge-b, gateway, legacy, api) and may alter what goes in and
	// comes out, within the component's own TLS: a proof of how other products answer. Nil: nothing does.
	Around func(component string, h http.Handler) http.Handler
}

// Timing is how fast the stack forgets. What is zero is that of [Demo].
type Timing struct {
	TokenLife          time.Duration
	FeedPoll           time.Duration // edge reads the revocation feed
	IntrospectionCache time.Duration // gateway believes an introspection
	KeyRefresh         time.Duration // edge reads the key set
}

// Demo is a stack whose ride is short.
func Demo() Timing {
	return Timing{TokenLife: 7 * time.Second, FeedPoll: 250 * time.Millisecond, IntrospectionCache: 400 * time.Millisecond, KeyRefresh: 300 * time.Millisecond}
}

func (t Timing) orDemo() Timing {
	demo := Demo()
	for _, member := range []struct{ mine, demo *time.Duration }{
		{&t.TokenLife, &demo.TokenLife},
		{&t.FeedPoll, &demo.FeedPoll},
		{&t.IntrospectionCache, &demo.IntrospectionCache},
		{&t.KeyRefresh, &demo.KeyRefresh},
	} {
		if *member.mine <= 0 {
			*member.mine = *member.demo
		}
	}
	return t
}

// The components that listen.
const (
	mainAS     = "as"
	otherAS    = "other"
	edgePoint  = "edge"
	nodeA      = "edge-a"
	nodeB      = "edge-b"
	gatewayOne = "gateway"
	legacyOne  = "legacy"
	theAPI     = "api"
	management = "management"
)

// points are the enforcement points.
func points() []string { return []string{edgePoint, gatewayOne, legacyOne} }

// Sandbox is a running stack. Close it.
type Sandbox struct {
	cfg     Config
	defects atomic.Pointer[defect.Set]

	listeners map[string]net.Listener
	addresses map[string]string // component -> host:port
	partners  *ca.CA
	hosts     *ca.CA
	secrets   secrets
	logs      map[string]*auditlog.Log
	dialled   *dialled
	transport *http.Transport // from the points to the authorization servers
	servers   servers
	directory directory
	published publications
	canary    canary
	trust     *trust.Directory
	software  jose.JSONWebKey  // with which the partners' software signs its registrations
	vouches   *trust.Directory // signs the assertions that are authorization grants

	main, other *as.Server
	edge        *edge.Edge
	gateway     *gateway.Gateway
	legacy      *legacy.Legacy

	closed atomic.Bool
}

// secrets are made anew for each sandbox.
type secrets struct {
	initialAccessToken string
	operatorToken      string            // registers clients without a software statement
	resourceServer     string            // of the plan's resource server
	secondServer       string            // of the one that serves legacy's resource alone
	introspection      map[string]string // point -> its secret at the AS
	points             map[string]string // point -> the credential that it shares with the API
	elsewhere          string            // of the partner in the other environment
}

func newSecrets() secrets {
	s := secrets{initialAccessToken: "iat_" + rand.Text(), operatorToken: "operator_" + rand.Text(), resourceServer: "rs_" + rand.Text(), secondServer: "rs_" + rand.Text(), elsewhere: "oe_" + rand.Text(), introspection: map[string]string{}, points: map[string]string{}}
	for _, name := range points() {
		s.introspection[name] = "rs_" + rand.Text()
		s.points[name] = "pk_" + rand.Text()
	}
	return s
}

// Start runs a stack and writes the plan that fits it.
func Start(cfg Config) (*Sandbox, error) {
	if cfg.Dir == "" {
		return nil, errors.New("start the sandbox: no directory; set Config.Dir")
	}
	if cfg.Network == nil {
		cfg.Network = &loopback{}
	}
	cfg.Timing = cfg.Timing.orDemo()
	s := &Sandbox{
		cfg:       cfg,
		listeners: map[string]net.Listener{},
		addresses: map[string]string{},
		secrets:   newSecrets(),
		logs:      map[string]*auditlog.Log{},
		dialled:   &dialled{network: cfg.Network},
	}
	s.SetDefects(cfg.Defects)
	err := s.start()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the sandbox: %w", err), s.Close())
	}
	return s, nil
}

func (s *Sandbox) start() error {
	for _, step := range []func() error{s.openLogs, s.listen, s.certify, s.makeCanary, s.makePoints, s.startServers, s.startPoints, s.startManagement, s.writeFiles} {
		err := step()
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Sandbox) openLogs() error {
	err := os.MkdirAll(s.cfg.Dir, 0o700)
	if err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	for _, name := range append(points(), mainAS, theAPI) {
		log, err := auditlog.Open(filepath.Join(s.cfg.Dir, name+".jsonl"), name, s.cfg.Situation.DuplicateLog)
		if err != nil {
			return err
		}
		s.logs[name] = log
	}
	return nil
}

func (s *Sandbox) listen() error {
	for _, name := range []string{mainAS, otherAS, edgePoint, nodeA, nodeB, gatewayOne, legacyOne, theAPI, management, partnerKeys} {
		port := ":443"
		if name == theAPI || name == management {
			port = ":80"
		}
		l, address, err := s.cfg.Network.Listen(name + ".sandbox.test" + port)
		if err != nil {
			return fmt.Errorf("listen for %s: %w", name, err)
		}
		s.listeners[name], s.addresses[name] = l, address
	}
	return nil
}

func (s *Sandbox) certify() error {
	now := time.Now()
	var err error
	s.hosts, err = ca.New("sandbox hosts", now)
	if err != nil {
		return err
	}
	s.partners, err = ca.New("sandbox partners", now)
	if err != nil {
		return err
	}
	s.transport = &http.Transport{
		DialContext:         s.dialled.dial,
		TLSClientConfig:     &tls.Config{RootCAs: s.hosts.Pool(), MinVersion: tls.VersionTLS12, CurvePreferences: curves()},
		MaxIdleConnsPerHost: 64,
	}
	return nil
}

// curves are the classic ones: a stack of today, and cheap handshakes.
func curves() []tls.CurveID { return []tls.CurveID{tls.X25519, tls.CurveP256} }

// serve starts a component that speaks TLS and asks for a client certificate. Which certificates are good the component
// itself decides, so that it can refuse and log in its own way.
func (s *Sandbox) serve(name string, h http.Handler, assign func(context.Context, net.Conn) context.Context) error {
	host, _, err := net.SplitHostPort(s.addresses[name])
	if err != nil {
		return fmt.Errorf("address of %s: %w", name, err)
	}
	front, _, err := net.SplitHostPort(s.addresses[edgePoint]) // a replica answers for the address in front of it
	if err != nil {
		return fmt.Errorf("address of %s: %w", edgePoint, err)
	}
	life := time.Duration(0)
	if name == gatewayOne && s.live().CertificateEndsSoon {
		life = 7 * 24 * time.Hour
	}
	certificate, err := s.hosts.Server(life, host, front, "localhost")
	if err != nil {
		return err
	}
	config := &tls.Config{
		Certificates:     []tls.Certificate{certificate},
		ClientAuth:       tls.RequestClientCert,
		MinVersion:       tls.VersionTLS12,
		CurvePreferences: curves(),
	}
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.weakened(name, config), nil }
	s.servers.serve(s.listeners[name], s.around(name, h), config, assign)
	delete(s.listeners, name)
	return nil
}

// plain starts a component that speaks plain HTTP.
func (s *Sandbox) plain(name string, h http.Handler) {
	s.servers.serve(s.listeners[name], s.around(name, h), nil, nil)
	delete(s.listeners, name)
}

func (s *Sandbox) around(name string, h http.Handler) http.Handler {
	if s.cfg.Around == nil {
		return h
	}
	return s.cfg.Around(name, h)
}

func (s *Sandbox) url(name string) string {
	scheme := "https"
	if name == theAPI || name == management {
		scheme = "http"
	}
	return origin(scheme, s.addresses[name])
}

// resource is the audience of a point: its URL.
func (s *Sandbox) resource(name string) string { return s.url(name) }

func (s *Sandbox) live() defect.Set { return *s.defects.Load() }

// SetDefects switches defects at once.
func (s *Sandbox) SetDefects(d defect.Set) { s.defects.Store(&d) }

func (s *Sandbox) startServers() error {
	resources, scopes := []string{}, map[string][]string{}
	for _, name := range points() {
		resources = append(resources, s.resource(name))
		scopes[s.resource(name)] = scopesOf(name)
	}
	statics := []as.Static{{ID: resourceServerID, Secret: s.secrets.resourceServer}, {ID: secondServerID, Secret: s.secrets.secondServer, Serves: s.resource(legacyOne)}}
	for _, name := range points() {
		statics = append(statics, as.Static{ID: name, Secret: s.secrets.introspection[name]})
	}
	config := as.Config{
		Issuer:             s.url(mainAS),
		PartnerCAs:         s.partners.Pool(),
		InitialAccessToken: s.secrets.initialAccessToken,
		ResourceServers:    statics,
		Resources:          resources,
		Scopes:             scopes,
		Grantable:          []string{"payments:read"},
		Privileged:         privileged,
		TokenLife:          s.cfg.Timing.TokenLife,
		Fetch:              &http.Client{Transport: s.transport},
		KeyHosts:           []string{s.keyHost()},
		Defects:            s.live,
		SetDefects:         s.SetDefects,
		Situation:          s.cfg.Situation,
		Log:                s.logAS,
		Now:                time.Now,
		Copied:             []as.Given{s.elsewhere()},
		Withdrawn:          s.partners.Withdrawn,
	}
	var err error
	s.trust, err = trust.New(s.url(management) + "/directory")
	if err != nil {
		return err
	}
	config.OperatorAccessToken = s.secrets.operatorToken
	config.Trust = &as.Trust{Issuer: s.trust.Issuer(), Keys: s.trust.Keys}
	s.software, err = trust.NewKey()
	if err != nil {
		return err
	}
	s.vouches, err = trust.New(s.url(management) + "/assertions")
	if err != nil {
		return err
	}
	config.Exchanges, config.GrantIssuer = true, &as.Trust{Issuer: s.vouches.Issuer(), Keys: s.vouches.Keys}
	s.main, err = as.New(config)
	if err != nil {
		return err
	}
	// The other authorization server is honest, strict and trusted by nobody here. It issues for the same resources, so
	// that its tokens are wrong in nothing but their issuer.
	config.Issuer = s.url(otherAS)
	config.Trust = nil
	config.Exchanges, config.GrantIssuer = false, nil
	config.Defects = func() defect.Set { return defect.Set{} }
	config.SetDefects = func(defect.Set) {}
	config.Situation = defect.Situation{}
	config.Resources = append([]string{s.url(otherAS) + "/reports"}, resources...)
	config.Log = func(as.Event) {}
	config.Partners, config.Copied = config.Copied, nil
	s.other, err = as.New(config)
	if err != nil {
		return err
	}
	err = s.serve(mainAS, s.follow(s.main.Handler()), nil)
	if err != nil {
		return err
	}
	return s.serve(otherAS, s.other.Handler(), nil)
}

const (
	resourceServerID = "resource-server"
	secondServerID   = "second-resource-server"
)

// privileged are the scopes of a client beyond those that everybody gets: the neighbour may pay and read the archive.
func privileged(clientName string) []string {
	if strings.Contains(clientName, "neighbour") {
		return []string{"payments:write", point.Archive}
	}
	return nil
}

// scopesOf are the scopes that a point knows: the archive is reached through the older middleware alone.
func scopesOf(name string) []string {
	known := []string{"payments:read", "payments:write", "admin"}
	if name == legacyOne {
		known = append(known, point.Archive)
	}
	return known
}

func (s *Sandbox) logAS(e as.Event) {
	record := auditlog.Record{
		Actor: e.Actor, Action: e.Action, Decision: auditlog.Decision(e.Decision), Reason: e.Reason,
		ClientName: e.ClientName, ClientID: e.ClientID, Org: e.Org, TokenID: e.TokenID, CertSHA256: e.CertificateSHA256,
		Origin: e.Origin, Method: e.Method, Path: e.Path, Status: e.Status,
		Traceparent: e.Traceparent, RequestID: e.RequestID,
	}
	if s.live().LogUnescaped {
		record.ClientName, record.Unescaped = "", record.ClientName
	}
	s.logs[mainAS].Write(record)
}

func (s *Sandbox) makePoints() error {
	s.gateway = gateway.New(gateway.Config{
		Point:      s.point(gatewayOne),
		Introspect: s.introspector(gatewayOne),
		Cache:      s.cfg.Timing.IntrospectionCache,
		Situation:  s.cfg.Situation,
	})
	s.legacy = legacy.New(legacy.Config{Point: s.point(legacyOne), Introspect: s.introspector(legacyOne)})
	return nil
}

func (s *Sandbox) startPoints() error {
	s.plain(theAPI, api.New(api.Config{Keys: s.secrets.points, Defects: s.live, Log: s.logs[theAPI].Write}))

	var err error
	s.edge, err = edge.New(context.Background(), edge.Config{
		Point:       s.point(edgePoint),
		Issuer:      s.url(mainAS),
		JWKS:        s.url(mainAS) + "/jwks",
		ForeignJWKS: s.url(otherAS) + "/jwks",
		Feed:        s.url(mainAS) + "/feed",
		ID:          edgePoint,
		Secret:      s.secrets.introspection[edgePoint],
		Client:      &http.Client{Transport: s.transport},
		FeedPoll:    s.cfg.Timing.FeedPoll,
		KeyRefresh:  s.cfg.Timing.KeyRefresh,
		PartnerKeys: s.directory.keys,
		Situation:   s.cfg.Situation,
	})
	if err != nil {
		return err
	}
	for _, start := range []func() error{
		func() error { return s.serve(gatewayOne, s.gateway, nil) },
		func() error { return s.serve(legacyOne, s.legacy, nil) },
		func() error { return s.serve(edgePoint, s.edge.Front(), s.edge.Assign) },
		func() error { return s.serve(nodeA, s.edge.Node(0), nil) },
		func() error { return s.serve(nodeB, s.edge.Node(1), nil) },
	} {
		err := start()
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Sandbox) point(name string) point.Config {
	return point.Config{
		Name:     name,
		Resource: s.resource(name),
		Issuer:   s.url(mainAS),
		Partners: s.partners.Pool(),
		API:      s.addresses[theAPI],
		Key:      s.secrets.points[name],
		Dial:     s.dialled.dial,
		Defects:  s.live,
		Log:      s.logs[name].Write,
		Proofs:   takesProofs(name),
		Scopes:   scopesOf(name),
		Withdrawn: func(thumbprint string) bool {
			return s.partners.Withdrawn(thumbprint) && !(name == edgePoint && s.live().WithdrawnCertificateOpens)
		},
	}
}

// takesProofs says whether a point knows DPoP: the older middleware does not.
func takesProofs(name string) bool { return name != legacyOne }

// elsewhere is the partner as it exists in the other environment, whose authorization server is the other one.
func (s *Sandbox) elsewhere() as.Given {
	return as.Given{ID: elsewhereID, Name: "acme in the other environment", Secret: s.secrets.elsewhere}
}

const elsewhereID = "acme-elsewhere"

func (s *Sandbox) introspector(name string) point.Introspector {
	return point.Introspector{
		URL:    s.url(mainAS) + "/introspect",
		ID:     name,
		Secret: s.secrets.introspection[name],
		Client: &http.Client{Transport: s.transport},
	}
}

// Close stops everything and joins it. What was written stays.
func (s *Sandbox) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.close()
}

func (s *Sandbox) close() error {
	var all []error
	if s.edge != nil {
		s.edge.Close()
	}
	all = append(all, s.servers.close())
	for _, l := range s.listeners {
		all = append(all, l.Close())
	}
	if s.gateway != nil {
		s.gateway.Close()
	}
	if s.legacy != nil {
		s.legacy.Close()
	}
	if s.transport != nil {
		s.transport.CloseIdleConnections()
	}
	for _, server := range []*as.Server{s.main, s.other} {
		if server != nil {
			server.Close()
		}
	}
	s.dialled.open.Wait()
	for _, log := range s.logs {
		all = append(all, log.Close())
	}
	return errors.Join(all...)
}
