// Package gateway is the sandbox's enforcement point that introspects tokens, with a short cache. Start with [New] and
// [Gateway.ServeHTTP].
package gateway

import (
	"context"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/auditlog"
	"github.com/checkride/checkride/internal/sandbox/dpop"
	"github.com/checkride/checkride/internal/sandbox/point"
)

const maxCached = 10_000

// Config is what a [Gateway] needs.
type Config struct {
	Point      point.Config
	Introspect point.Introspector
	Cache      time.Duration // how long an introspection is believed
	Situation  defect.Situation
}

// Gateway introspects, compares audience, scope and binding at every call, and relays.
type Gateway struct {
	cfg     Config
	point   *point.Point
	front   *front
	answers *answers
	quotas  *quotas
	proofs  *dpop.Verifier

	mu     sync.Mutex
	cached map[[sha256.Size]byte]introspection
}

type introspection struct {
	claims point.Claims
	at     time.Time
}

// New makes a gateway. Close it.
func New(cfg Config) *Gateway {
	return &Gateway{
		cfg:     cfg,
		point:   point.New(cfg.Point),
		front:   newFront(cfg.Situation),
		answers: newAnswers(),
		quotas:  newQuotas(),
		proofs:  &dpop.Verifier{Nonces: dpop.NewNonces(), Seen: dpop.NewSeen()},
		cached:  map[[sha256.Size]byte]introspection{},
	}
}

// Close closes the connections to the API.
func (g *Gateway) Close() { g.point.Close() }

func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.cfg.Point.Defects().ChallengeMissing && r.Header.Get("DPoP") == "" {
		w = &unchallenged{w}
	}
	if g.front.blocks(w, r) {
		return
	}
	refusal := g.front.limits(r)
	if refusal != nil {
		record := auditlog.Of("access", r)
		g.edit(&record, r)
		g.point.Refuse(w, record, refusal)
		return
	}
	answer := &observed{ResponseWriter: w}
	if g.cfg.Point.Defects().SharedCache {
		g.answers.serve(answer, r, g.decide)
	} else {
		g.decide(answer, r)
	}
	g.front.count(r, answer.status)
}

func (g *Gateway) decide(w http.ResponseWriter, r *http.Request) {
	defects := g.cfg.Point.Defects()
	resource := ""
	if defects.ResourceMetadataOfAnother {
		resource = "http://" + g.cfg.Point.API
	}
	g.point.Serve(w, r, point.Policy{
		Authenticate: g.admit,
		Resource:     resource,
		AnyScope:     defects.ScopeIgnored,
		Public: func(r *http.Request) bool {
			return defects.PublicRoute && r.Method == http.MethodGet && r.URL.EscapedPath() == "/payments" && r.Header.Get("Authorization") == ""
		},
		Missing: func(r *http.Request) bool {
			return g.cfg.Situation.MissingRoute && r.Method == http.MethodPost && r.URL.EscapedPath() == "/payments"
		},
		Edit: g.edit,
	})
}

func (g *Gateway) edit(record *auditlog.Record, r *http.Request) {
	defects := g.cfg.Point.Defects()
	if defects.TokenInLog {
		record.Authorization = r.Header.Get("Authorization")
	}
	if defects.LogClockWrong {
		record.Time = time.Now().Add(time.Hour)
	}
}

// admit lets a client in that is who it is and has not called too often.
func (g *Gateway) admit(r *http.Request, presented string) (point.Grant, *point.Refusal) {
	grant, refusal := g.authenticate(r, presented)
	if refusal == nil {
		refusal = g.quotas.over(grant, address(r), g.cfg.Point.Defects().QuotaShutsAddress)
	}
	return grant, refusal
}

// authenticate asks the AS about the token and compares its binding (RFC 8705 §3) and audience.
func (g *Gateway) authenticate(r *http.Request, presented string) (point.Grant, *point.Refusal) {
	shown, refusal := point.Authorized(r)
	if refusal != nil {
		return point.Grant{}, refusal
	}
	claimed := point.Claimed(shown.Token)
	claims, hit, err := g.introspect(r.Context(), shown.Token)
	defects := g.cfg.Point.Defects()
	if err != nil && defects.FailsOpen {
		claims, err = point.Unproven(shown.Token)
	}
	if err != nil {
		return point.Grant{}, point.Unavailable(claimed)
	}
	if !claims.Active {
		return point.Grant{}, point.Invalid(claimed, "token is not active")
	}
	grant := claims.Grant()
	if !g.point.ForMe(grant) && (len(grant.Audience) > 0 || !defects.AudienceOptional) {
		return point.Grant{}, point.Invalid(grant, "aud is not this resource")
	}
	if grant.ProofKey != "" || shown.Proven {
		lax := dpop.Lax{
			Signature: defects.ProofSignatureIgnored, Host: defects.ProofHostIgnored, Verbatim: defects.ProofURIVerbatim, Nonce: defects.ProofNonceOptional,
		}
		refusal = g.point.Possessed(r, shown, grant, g.proofs, lax)
		grant.NextNonce = g.proofs.Next(time.Now())
		if refusal != nil || grant.Thumbprint == "" {
			return grant, refusal
		}
	}
	if hit && defects.CacheSkipsBinding {
		return grant, nil
	}
	if presented == "" && defects.PointTrustsCertificateHeader {
		presented = certificateInHeader(r.Header)
	}
	refusal = point.Bound(grant, presented)
	if refusal != nil {
		return point.Grant{}, refusal
	}
	return grant, nil
}

// introspect gives the claims and whether they came from the cache. Only active answers are kept, and none beyond its
// exp (RFC 7662 §4).
func (g *Gateway) introspect(ctx context.Context, token string) (point.Claims, bool, error) {
	life := g.cfg.Cache
	if longer := g.cfg.Point.Defects().TokenCache; longer > 0 {
		life = longer
	}
	key := sha256.Sum256([]byte(token)) // of the whole token: a prefix or its jti would let another signature in
	if known, ok := g.lookup(key); ok && time.Since(known.at) < life && alive(known.claims) {
		return known.claims, true, nil
	}
	asked := time.Now()
	claims, err := g.cfg.Introspect.Ask(ctx, token)
	if err != nil {
		return point.Claims{}, false, err
	}
	if claims.Active {
		g.remember(key, introspection{claims: claims, at: asked})
	}
	return claims, false, nil
}

func alive(c point.Claims) bool {
	return c.Expiry == nil || time.Now().Before(c.ExpiresAt())
}

func (g *Gateway) lookup(key [sha256.Size]byte) (introspection, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	known, ok := g.cached[key]
	return known, ok
}

func (g *Gateway) remember(key [sha256.Size]byte, known introspection) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.cached) >= maxCached {
		clear(g.cached)
	}
	g.cached[key] = known
}

// observed remembers the status of an answer.
type observed struct {
	http.ResponseWriter
	status int
}

func (o *observed) WriteHeader(status int) {
	o.status = status
	o.ResponseWriter.WriteHeader(status)
}

// unchallenged is the bug of an error page of one's own, which is put in the place of the answer and of its header.
type unchallenged struct{ http.ResponseWriter }

func (u *unchallenged) WriteHeader(status int) {
	u.Header().Del("WWW-Authenticate")
	u.ResponseWriter.WriteHeader(status)
}
