package point

import (
	"net/http"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/sandbox/dpop"
)

const proofScheme = "DPoP"

// Shown is the access token of a request and the scheme that it is shown with.
type Shown struct {
	Token  string
	Proven bool // with the scheme DPoP
}

// Authorized is the token of the Authorization field, as a bearer token (RFC 6750 §2.1) or with the scheme DPoP
// (RFC 9449 §7.1).
func Authorized(r *http.Request) (Shown, *Refusal) {
	fields := r.Header["Authorization"]
	scheme, token, _ := strings.Cut(strings.Join(fields, ","), " ")
	if len(fields) != 1 || !strings.EqualFold(scheme, proofScheme) {
		token, refusal := Bearer(r)
		return Shown{Token: token}, refusal
	}
	if !b64token(token) {
		return Shown{}, Invalid(Grant{}, "malformed token").proving()
	}
	return Shown{Token: token, Proven: true}, nil
}

// proving says that the request used the scheme DPoP, so that the challenge does too.
func (r *Refusal) proving() *Refusal {
	r.Proving = true
	return r
}

// Possessed tells why the caller does not hold the key that the grant is bound to by DPoP, or nil (RFC 9449 §7.1). A
// grant that is bound to no such key must not come with this scheme, and one that is with no other (§7.2).
func (p *Point) Possessed(r *http.Request, shown Shown, g Grant, proofs *dpop.Verifier, lax dpop.Lax) *Refusal {
	switch {
	case !shown.Proven:
		return Invalid(g, "token is bound by DPoP and shown as a bearer token")
	case g.ProofKey == "":
		return Invalid(g, "token is not bound by DPoP").proving()
	}
	want := dpop.Expected{Method: r.Method, URI: p.Resource + r.URL.EscapedPath(), Token: shown.Token, Key: g.ProofKey}
	_, fault := proofs.Verify(r, time.Now(), want, lax)
	if fault == nil {
		return nil
	}
	return &Refusal{Status: http.StatusUnauthorized, Code: fault.Code, Reason: fault.Reason, Claimed: g, Proving: true, Nonce: fault.Nonce}
}

// challenges are those of a point that takes both schemes, the one that was used alone where one was.
func challenges(realm string, refusal *Refusal, takesProofs bool) []string {
	proving := `DPoP realm="` + realm + `", algs="` + strings.Join(dpop.Algorithms(), " ") + `"`
	switch {
	case refusal.Proving:
		return []string{proving + `, error="` + refusal.Code + `"`}
	case refusal.Code == "" && takesProofs:
		return []string{challenge(realm, ""), proving}
	}
	return []string{challenge(realm, refusal.Code)}
}
