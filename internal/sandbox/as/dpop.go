package as

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/checkride/checkride/internal/sandbox/dpop"
)

// proven checks the DPoP proof of a token request and gives the thumbprint of its key, or "" where there is none
// (RFC 9449 §5). A client that is registered as always bound gets nothing without (§5.2).
func (s *Server) proven(c *call, cl *client) (string, *answer) {
	if !dpop.Present(c.r) {
		if cl.registration.dpopBound && !c.defects.DPoPBindingOptional {
			return "", refused(http.StatusBadRequest, "invalid_dpop_proof", "the client is registered for DPoP and the request has no proof")
		}
		return "", nil
	}
	want := dpop.Expected{Method: c.r.Method, URI: s.cfg.Issuer + c.r.URL.EscapedPath()}
	key, fault := s.proofs.Verify(c.r, c.now, want, dpop.Lax{})
	if fault == nil {
		return key, nil
	}
	a := refused(http.StatusBadRequest, fault.Code, fault.Reason)
	if fault.Nonce != "" {
		a.header.Set("DPoP-Nonce", fault.Nonce)
	}
	return "", a
}

// confirmation is cnf (RFC 8705 §3.1, RFC 9449 §6.1), or nil for a token that is bound to nothing.
func (t *token) confirmation(c *call) map[string]string {
	cnf := map[string]string{}
	if t.thumbprint != "" {
		cnf["x5t#S256"] = t.thumbprint
	}
	if t.proofKey != "" {
		cnf["jkt"] = t.proofKey
		if c.defects.KeyThumbprintInHex {
			cnf["jkt"] = inHex(t.proofKey)
		}
	}
	if len(cnf) == 0 {
		return nil
	}
	return cnf
}

func inHex(thumbprint string) string {
	raw, err := base64.RawURLEncoding.DecodeString(thumbprint)
	if err != nil {
		return thumbprint
	}
	return hex.EncodeToString(raw)
}

// kind is token_type (RFC 6749 §5.1, RFC 9449 §5).
func (t *token) kind() string {
	if t.proofKey != "" {
		return "DPoP"
	}
	return "Bearer"
}

// readProofs reads dpop_bound_access_tokens (RFC 9449 §5.2).
func (r *registration) readProofs(members map[string]json.RawMessage) error {
	raw, there := members["dpop_bound_access_tokens"]
	if !there {
		return nil
	}
	err := json.Unmarshal(raw, &r.dpopBound)
	if err != nil {
		return errors.New("dpop_bound_access_tokens must be true or false")
	}
	return nil
}
