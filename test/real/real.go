//go:build linux

// Package real runs third-party systems on loopback, so that the program is not only tested on its own sandbox: the
// certified authorization server oidc-provider, nginx as a gateway that introspects, HAProxy as a gateway that verifies
// JWTs offline, oauth4webapi and jose as resource servers, and a small API behind them.
//
// Start with [ForTest] in a test, or with [Start], and with [Stack.Plan], which lays a plan for a ride against it. The
// systems are installed by install.sh in this folder.
package real

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The resources (RFC 8707) that the authorization server knows. A token for [JWTResource] and [OtherJWTResource] is a JWT
// signed with ES256; one for [OpaqueResource], which is the default, is opaque.
const (
	JWTResource      = "https://api.partner.test/jwt"
	OtherJWTResource = "https://api.partner.test/jwt-of-another-api"
	OpaqueResource   = "https://api.partner.test/opaque"
)

// jsModule is where Debian's package libnginx-mod-http-js puts nginx's JavaScript.
const jsModule = "/usr/lib/nginx/modules/ngx_http_js_module.so"

// Options say how the stack behaves. The zero value is oidc-provider with dynamic registration, tokens of five minutes
// and an introspection cache of 15 s.
type Options struct {
	Dir       string        // where configurations, keys and logs are laid; it must exist
	TokenLife time.Duration // whole seconds; 0: 5 min
	CacheLife time.Duration // of nginx's introspection cache at /api/; whole seconds; 0: 15 s
	Proofs    bool          // oidc-provider asks for nonces in DPoP proofs, and a resource server made with oauth4webapi takes JWTs with proofs
	Given     bool          // registration is off: partner and neighbour exist, and nobody but the gateway may introspect
	Follows   bool          // who verifies JWTs follows the key set of oidc-provider: HAProxy is brought it, and a resource server made with jose fetches it
	Fetches   bool          // oidc-provider fetches what clients name from addresses within, too
	Profile   string        // of the plans, in YAML; empty: baseline
}

// Client is a client that the authorization server knows from its start.
type Client struct {
	ID     string
	Secret string // empty for private_key_jwt
	Key    string // file of the private key in PEM, for private_key_jwt
}

// Stack is the running systems. Origins are without a trailing slash.
type Stack struct {
	Dir                string
	Issuer             string // oidc-provider: https://localhost:PORT
	Nginx              string // introspects: /api/ with a cache, /nocache/ without
	HAProxy            string // verifies JWTs of [JWTResource] offline
	Proving            string // takes JWTs of [JWTResource] with DPoP proofs; with Options.Proofs only
	Library            string // takes JWTs of [JWTResource] with the certificate that they name; with Options.Follows only
	InitialAccessToken string // empty with Options.Given
	ResourceServer     Client // may introspect; empty with Options.Given
	Partner, Neighbour Client // with Options.Given only
	Elsewhere          string // the issuer of the partner's other environment
	OtherSecret        Client // the partner there, by secret
	OtherKey           Client // and by key; with Options.Given it is the same key as here

	options   Options
	operator  string // the whole field Authorization of who operates oidc-provider
	authority *authority
	settings  settings
	api       *api
	processes []*process
	courier   *courier // with Options.Follows only
	claimed   claims   // of ports
	shared    any      // the public keys of the given partner, which has them elsewhere, too
}

// settings is what the configurations and plans are filled in with.
type settings struct {
	Dir, Open, Guarded, GatewayKey         string
	Issuer, JSModule                       string
	IssuerPort, NginxPort, HAProxyPort     int
	ProvingPort, LibraryPort               int
	ElsewherePort                          int
	Proving, Library, Elsewhere            string
	KeySeconds                             int
	SigningKeys                            []string // files with public keys, for HAProxy
	TokenSeconds, CacheSeconds             int
	GatewayBasic                           string
	JWTResource, OpaqueResource            string
	Nginx, HAProxy                         string
	ResourceServerID, PartnerID, Neighbour string
	OtherSecretID, OtherKeyID              string
	Root                                   bool
	Profile, Today                         string
	Elevated, Follows                      bool
}

// ForTest starts a stack for one test and stops it at the test's end. It skips the test when a system is not installed,
// unless CHECKRIDE_REAL=required says that this must not happen. Logs of a failed test stay readable in its output.
func ForTest(t testing.TB, o Options) *Stack {
	t.Helper()
	missing := Missing()
	if len(missing) > 0 {
		reason := "not installed: " + strings.Join(missing, ", ") + "; run test/real/install.sh"
		if os.Getenv("CHECKRIDE_REAL") == "required" {
			t.Fatal(reason)
		}
		t.Skip(reason)
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	stack, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := stack.Close()
		if err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(stack.outputs())
		}
	})
	return stack
}

// Missing names what Start needs and this machine lacks.
func Missing() []string {
	var missing []string
	for _, name := range []string{"node", "nginx", "haproxy"} {
		_, err := program(name)
		if err != nil {
			missing = append(missing, name)
		}
	}
	files := map[string]string{"libnginx-mod-http-js": jsModule}
	folder, err := serverFolder()
	if err != nil {
		return append(missing, err.Error())
	}
	for _, name := range []string{"oidc-provider", "oauth4webapi"} {
		files["npm package "+name] = filepath.Join(folder, "node_modules", name, "package.json")
	}
	for name, file := range files {
		_, err := os.Stat(file)
		if err != nil {
			missing = append(missing, name)
		}
	}
	return missing
}

// Start lays keys and configurations in o.Dir, starts the systems on free ports of 127.0.0.1 and waits until each
// answers. The systems live until Close, or until ctx ends.
func Start(ctx context.Context, o Options) (*Stack, error) {
	if o.TokenLife == 0 {
		o.TokenLife = 5 * time.Minute
	}
	if o.CacheLife == 0 {
		o.CacheLife = 15 * time.Second
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("lay the stack in %s: %w", o.Dir, err)
	}
	o.Dir = dir
	// Between our choice of a port and its use somebody else may take it: then the system ends at once, and we choose anew.
	for try := 1; ; try++ {
		s := &Stack{Dir: dir, options: o}
		err := s.start(ctx)
		if err == nil {
			return s, nil
		}
		err = errors.Join(err, errors.New(s.outputs()), s.Close())
		if try == 3 || !errors.Is(err, errEndedEarly) {
			return nil, err
		}
	}
}

func (s *Stack) start(ctx context.Context) error {
	for _, folder := range []string{"pki", "oidc-provider", "nginx/temp", "nginx/cache", "haproxy"} {
		err := os.MkdirAll(filepath.Join(s.Dir, folder), 0o700)
		if err != nil {
			return fmt.Errorf("lay the stack: %w", err)
		}
	}
	var err error
	s.authority, err = newAuthority()
	if err != nil {
		return err
	}
	err = s.authority.lay(filepath.Join(s.Dir, "pki"))
	if err != nil {
		return err
	}
	s.api, err = serveAPI()
	if err != nil {
		return err
	}
	err = s.settle()
	if err != nil {
		return err
	}
	err = s.startServer(ctx)
	if err != nil {
		return err
	}
	err = s.startGateways(ctx)
	if err != nil {
		return err
	}
	if s.options.Proofs {
		err = s.startResource(ctx, "oauth4webapi", s.settings.ProvingPort)
		if err != nil {
			return err
		}
	}
	if s.options.Follows {
		return s.startResource(ctx, "jose", s.settings.LibraryPort)
	}
	return nil
}

// startResource starts oidc-provider/resource.mjs with one of its libraries.
func (s *Stack) startResource(ctx context.Context, library string, port int) error {
	folder, err := serverFolder()
	if err != nil {
		return err
	}
	text, err := json.Marshal(map[string]any{
		"library": library, "issuer": s.Issuer, "audience": JWTResource, "port": port, "api": s.api.guarded, "gateway_key": s.api.key,
		"key": s.path("pki/server.key"), "certificate": s.path("pki/server.pem"), "ca": s.path("pki/ca.pem"), "keys_kept_seconds": s.settings.KeySeconds,
	})
	if err != nil {
		return fmt.Errorf("configure %s: %w", library, err)
	}
	dir := s.path(library)
	file := filepath.Join(dir, "config.json")
	err = errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(file, text, 0o600))
	if err != nil {
		return fmt.Errorf("configure %s: %w", library, err)
	}
	started, err := startProcess(ctx, library, dir, "output.log", "node", filepath.Join(folder, "resource.mjs"), file)
	if err != nil {
		return err
	}
	s.processes = append(s.processes, started)
	return started.ready(ctx, func(ctx context.Context) error { return listens(ctx, port) })
}

// settle chooses ports and names.
func (s *Stack) settle() error {
	ports, claimed, err := freePorts(6)
	if err != nil {
		return err
	}
	s.claimed = claimed
	s.Issuer = fmt.Sprintf("https://localhost:%d", ports[0])
	s.Nginx = fmt.Sprintf("https://localhost:%d", ports[1])
	s.HAProxy = fmt.Sprintf("https://localhost:%d", ports[2])
	s.Proving = fmt.Sprintf("https://localhost:%d", ports[3])
	s.Library = fmt.Sprintf("https://localhost:%d", ports[4])
	s.Elsewhere = fmt.Sprintf("https://localhost:%d", ports[5])
	s.settings = settings{
		ProvingPort: ports[3], Proving: s.Proving, LibraryPort: ports[4], Library: s.Library, ElsewherePort: ports[5], Elsewhere: s.Elsewhere,
		KeySeconds: int(keysKept / time.Second), Follows: s.options.Follows,
		Dir: s.Dir, Open: s.api.open, Guarded: s.api.guarded, GatewayKey: s.api.key, Issuer: s.Issuer, JSModule: jsModule,
		IssuerPort: ports[0], NginxPort: ports[1], HAProxyPort: ports[2],
		TokenSeconds: int(s.options.TokenLife / time.Second), CacheSeconds: int(s.options.CacheLife / time.Second),
		JWTResource: JWTResource, OpaqueResource: OpaqueResource,
		Nginx: s.Nginx, HAProxy: s.HAProxy, Root: os.Geteuid() == 0,
		Profile: s.options.Profile, Elevated: strings.Contains(s.options.Profile, "elevated"), Today: time.Now().UTC().Format(time.DateOnly),
	}
	if s.settings.Profile == "" {
		s.settings.Profile = "baseline"
	}
	return nil
}

// clientMetadata is a client in oidc-provider's configuration, in the words of RFC 7591.
type clientMetadata struct {
	ID     string `json:"client_id"`
	Name   string `json:"client_name"`
	Method string `json:"token_endpoint_auth_method"`
	Secret string `json:"client_secret,omitempty"`
	Scope  string `json:"scope,omitempty"`
	JWKS   any    `json:"jwks,omitempty"`
	Bound  bool   `json:"tls_client_certificate_bound_access_tokens,omitempty"`
}

// serverConfig is what oidc-provider/server.mjs reads.
type serverConfig struct {
	Issuer             string                    `json:"issuer"`
	Port               int                       `json:"port"`
	Key                string                    `json:"key"`
	Certificate        string                    `json:"certificate"`
	CA                 string                    `json:"ca"`
	Audit              string                    `json:"audit"`
	JWKS               any                       `json:"jwks"`
	CookieKey          string                    `json:"cookie_key"`
	TokenLife          int                       `json:"token_life_seconds"`
	Registration       bool                      `json:"registration"`
	InitialAccessToken string                    `json:"initial_access_token"`
	MayIntrospect      []string                  `json:"may_introspect"`
	DefaultResource    string                    `json:"default_resource"`
	Resources          map[string]map[string]any `json:"resources"`
	Clients            []clientMetadata          `json:"clients"`
	NonceSecret        []byte                    `json:"nonce_secret,omitempty"`
	Operator           string                    `json:"operator"`
	FetchesWithin      bool                      `json:"fetches_within"`
	Elsewhere          *serverConfig             `json:"elsewhere,omitempty"`
}

func (s *Stack) startServer(ctx context.Context) error {
	folder, err := serverFolder()
	if err != nil {
		return err
	}
	signing, err := newSigningKey("as-1")
	if err != nil {
		return err
	}
	s.settings.SigningKeys = []string{s.path("haproxy/as-1.pem")}
	err = layPublic(signing.private.Public(), s.settings.SigningKeys[0])
	if err != nil {
		return err
	}
	s.operator = "Bearer " + rand.Text()
	jwt := map[string]any{"accessTokenFormat": "jwt", "jwt": map[string]any{"sign": map[string]any{"alg": "ES256"}}}
	config := serverConfig{
		Issuer: s.Issuer, Port: s.settings.IssuerPort,
		Key: s.path("pki/server.key"), Certificate: s.path("pki/server.pem"), CA: s.path("pki/ca.pem"), Audit: s.path("oidc-provider/audit.jsonl"),
		JWKS: signing.privateSet(), CookieKey: rand.Text(), Operator: s.operator, TokenLife: s.settings.TokenSeconds, DefaultResource: OpaqueResource,
		Resources:     map[string]map[string]any{JWTResource: jwt, OtherJWTResource: jwt, OpaqueResource: {"accessTokenFormat": "opaque"}},
		FetchesWithin: s.options.Fetches,
	}
	if s.options.Proofs {
		config.NonceSecret = make([]byte, 32)
		_, _ = rand.Read(config.NonceSecret) // never fails (crypto/rand)
	}
	err = s.introduce(&config)
	if err != nil {
		return err
	}
	config.Elsewhere, err = s.elsewhere(config)
	if err != nil {
		return err
	}
	err = os.WriteFile(s.path("operator.authorization"), []byte(config.Operator), 0o600)
	if err != nil {
		return fmt.Errorf("lay the operator's key: %w", err)
	}
	text, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return fmt.Errorf("configure oidc-provider: %w", err)
	}
	file := s.path("oidc-provider/config.json")
	err = os.WriteFile(file, text, 0o600)
	if err != nil {
		return fmt.Errorf("configure oidc-provider: %w", err)
	}
	// It trusts the stack's CA, also where it fetches.
	server, err := startProcess(ctx, "oidc-provider", s.path("oidc-provider"), "output.log", "env", "NODE_EXTRA_CA_CERTS="+s.path("pki/ca.pem"), "node", filepath.Join(folder, "server.mjs"), file)
	if err != nil {
		return err
	}
	s.processes = append(s.processes, server)
	client := &http.Client{Transport: s.authority.transport(nil)}
	defer client.CloseIdleConnections()
	return server.ready(ctx, func(ctx context.Context) error {
		return answers(ctx, client, s.Issuer+"/.well-known/openid-configuration")
	})
}

// introduce makes the clients that exist from the start, and lays their secrets where the plans look for them.
func (s *Stack) introduce(config *serverConfig) error {
	gateway := clientMetadata{ID: "gateway", Name: "the gateway", Method: "client_secret_basic", Secret: rand.Text()}
	s.settings.GatewayBasic = base64.StdEncoding.EncodeToString([]byte(gateway.ID + ":" + gateway.Secret))
	config.Clients = []clientMetadata{gateway}
	config.MayIntrospect = []string{gateway.ID}
	secrets := map[string]string{}
	if s.options.Given {
		key, err := newSigningKey("partner-1")
		if err != nil {
			return err
		}
		s.shared = key.publicSet()
		s.Partner = Client{ID: "given-partner", Key: s.path("partner.key.pem")}
		err = key.layPrivate(s.Partner.Key)
		if err != nil {
			return err
		}
		s.Neighbour = Client{ID: "given-neighbour", Secret: rand.Text()}
		secrets["neighbour.secret"] = s.Neighbour.Secret
		for _, name := range []string{"partner", "neighbour"} { // where tokens are bound, by certificates that are given, too
			err = s.authority.layClient(name, s.Dir)
			if err != nil {
				return err
			}
		}
		config.Clients = append(config.Clients,
			clientMetadata{ID: s.Partner.ID, Name: "partner", Method: "private_key_jwt", Scope: "payments:read", JWKS: s.shared, Bound: s.settings.Elevated},
			clientMetadata{ID: s.Neighbour.ID, Name: "neighbour", Method: "client_secret_basic", Secret: s.Neighbour.Secret, Scope: "payments:read payments:write", Bound: s.settings.Elevated})
		s.settings.PartnerID, s.settings.Neighbour = s.Partner.ID, s.Neighbour.ID
	} else {
		s.InitialAccessToken = rand.Text()
		config.Registration, config.InitialAccessToken = true, s.InitialAccessToken
		s.ResourceServer = Client{ID: "resource-server", Secret: rand.Text()}
		config.Clients = append(config.Clients,
			clientMetadata{ID: s.ResourceServer.ID, Name: "resource server of the ride", Method: "client_secret_basic", Secret: s.ResourceServer.Secret})
		config.MayIntrospect = append(config.MayIntrospect, s.ResourceServer.ID)
		s.settings.ResourceServerID = s.ResourceServer.ID
		secrets["initial-access.token"] = s.InitialAccessToken
		secrets["resource-server.secret"] = s.ResourceServer.Secret
	}
	for name, secret := range secrets {
		err := os.WriteFile(s.path(name), []byte(secret), 0o600)
		if err != nil {
			return fmt.Errorf("lay %s: %w", name, err)
		}
	}
	return nil
}

// elsewhere is the partner's other environment: the same server with another issuer, another key and other clients.
func (s *Stack) elsewhere(here serverConfig) (*serverConfig, error) {
	signing, err := newSigningKey("as-elsewhere")
	if err != nil {
		return nil, err
	}
	there := here
	there.Issuer, there.Port, there.Audit = s.Elsewhere, s.settings.ElsewherePort, s.path("oidc-provider/elsewhere.jsonl")
	there.JWKS, there.CookieKey, there.Operator = signing.privateSet(), rand.Text(), "Bearer "+rand.Text()
	there.Registration, there.InitialAccessToken, there.NonceSecret = false, "", nil
	s.OtherSecret = Client{ID: "partner-elsewhere", Secret: rand.Text()}
	err = os.WriteFile(s.path("elsewhere.secret"), []byte(s.OtherSecret.Secret), 0o600)
	if err != nil {
		return nil, fmt.Errorf("lay elsewhere.secret: %w", err)
	}
	s.OtherKey = Client{ID: "key-elsewhere", Key: s.path("partner.key.pem")}
	set := s.shared
	if !s.options.Given {
		key, err := newSigningKey("partner-elsewhere")
		if err != nil {
			return nil, err
		}
		err = key.layPrivate(s.OtherKey.Key)
		if err != nil {
			return nil, err
		}
		set = key.publicSet()
	}
	there.Clients = []clientMetadata{
		{ID: s.OtherSecret.ID, Name: "partner elsewhere", Method: "client_secret_basic", Secret: s.OtherSecret.Secret, Scope: "payments:read"},
		{ID: s.OtherKey.ID, Name: "partner elsewhere, by key", Method: "private_key_jwt", Scope: "payments:read", JWKS: set},
	}
	s.settings.OtherSecretID, s.settings.OtherKeyID = s.OtherSecret.ID, s.OtherKey.ID
	return &there, nil
}

func (s *Stack) startGateways(ctx context.Context) error {
	for name, file := range map[string]string{"nginx.conf": "nginx/nginx.conf", "gateway.js": "nginx/gateway.js", "haproxy.cfg": "haproxy/haproxy.cfg"} {
		err := s.settings.fill("configs/"+name, s.path(file))
		if err != nil {
			return err
		}
	}
	nginx, err := startProcess(ctx, "nginx", s.path("nginx"), "output.log", "nginx", "-p", s.path("nginx"), "-e", s.path("nginx/error.log"), "-c", s.path("nginx/nginx.conf"))
	if err != nil {
		return err
	}
	s.processes = append(s.processes, nginx)
	// HAProxy writes its log, and nothing else, to standard output.
	haproxy, err := startProcess(ctx, "haproxy", s.path("haproxy"), "audit.jsonl", "haproxy", "-W", "-db", "-f", s.path("haproxy/haproxy.cfg"))
	if err != nil {
		return err
	}
	s.processes = append(s.processes, haproxy)
	for gateway, port := range map[*process]int{nginx: s.settings.NginxPort, haproxy: s.settings.HAProxyPort} {
		err := gateway.ready(ctx, func(ctx context.Context) error { return listens(ctx, port) })
		if err != nil {
			return err
		}
	}
	if s.options.Follows {
		s.courier = s.carryKeys(ctx, haproxy)
	}
	return nil
}

// Plan lays one of the plans in the folder plans, for instance oidc-nginx.yaml, and gives its file name. Its secrets are
// files beside it.
func (s *Stack) Plan(name string) (string, error) {
	err := os.WriteFile(s.path("invalid-payment.json"), []byte(`{"amount": -1}`), 0o600)
	if err != nil {
		return "", fmt.Errorf("lay %s: %w", name, err)
	}
	file := s.path(name)
	return file, s.settings.fill("plans/"+name, file)
}

// Close stops the systems and waits until they have ended. It may be called more than once.
func (s *Stack) Close() error {
	var errs []error
	if s.courier != nil {
		errs = append(errs, s.courier.close())
	}
	for _, p := range s.processes {
		errs = append(errs, p.stop())
	}
	if s.api != nil {
		errs = append(errs, s.api.close())
	}
	s.claimed.close()
	return errors.Join(errs...)
}

func (s *Stack) path(name string) string { return filepath.Join(s.Dir, filepath.FromSlash(name)) }

// outputs gives what the systems said, for people who look for the reason of a failure.
func (s *Stack) outputs() string {
	var said strings.Builder
	for _, p := range s.processes {
		fmt.Fprintf(&said, "%s said:\n%s\n", p.name, p.said())
	}
	return said.String()
}

// program finds an executable; those of a system's administrator are not on everybody's path.
func program(name string) (string, error) {
	found, err := exec.LookPath(name)
	if err == nil {
		return found, nil
	}
	return exec.LookPath("/usr/sbin/" + name)
}

// serverFolder is the folder of server.mjs, which must stand beside its node_modules.
func serverFolder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find test/real: %w", err)
	}
	for ; ; dir = filepath.Dir(dir) {
		folder := filepath.Join(dir, "test", "real", "oidc-provider")
		_, err := os.Stat(filepath.Join(folder, "server.mjs"))
		if err == nil {
			return folder, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("test/real/oidc-provider/server.mjs not found; run inside the repository")
		}
	}
}
