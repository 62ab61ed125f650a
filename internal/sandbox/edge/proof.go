package edge

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/dpop"
	"github.com/checkride/checkride/internal/sandbox/point"
)

// possessed checks the DPoP proof of a token that is bound by it, and of every request with that scheme.
func (n *node) possessed(r *http.Request, shown point.Shown, g point.Grant, defects defect.Set) *point.Refusal {
	if g.ProofKey == "" && !shown.Proven {
		return nil
	}
	if defects.DPoPTokenAsBearer && !shown.Proven {
		return nil
	}
	proofs := n.proofs
	if defects.ProofSeenByOneNode {
		proofs = n.own
	}
	return n.point.Possessed(r, shown, g, proofs, dpop.Lax{Hash: defects.ProofHashOptional, Age: defects.ProofAgeIgnored})
}

// sameSubject is the defect BindingBySubject: the node keeps the subject of each certificate that it has met and, by
// subject, takes a renewed certificate for the one that the token is bound to.
func (n *node) sameSubject(r *http.Request, g point.Grant, defects defect.Set) bool {
	if !defects.BindingBySubject || r.TLS == nil || len(r.TLS.PeerCertificates) == 0 || g.Thumbprint == "" {
		return false
	}
	subject := r.TLS.PeerCertificates[0].Subject.String()
	n.mu.Lock()
	defer n.mu.Unlock()
	if known, met := n.subjects[g.Thumbprint]; met {
		return known == subject
	}
	if thumbprint(r.TLS.PeerCertificates[0]) == g.Thumbprint {
		n.subjects[g.Thumbprint] = subject
	}
	return false
}

// isOnFile is the defect FirstCertificateKept: somebody has to tell the node of every renewal, and nobody does.
func (n *node) isOnFile(g point.Grant) bool {
	if g.Thumbprint == "" {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.onFile[g.ClientID] == "" {
		n.onFile[g.ClientID] = g.Thumbprint
	}
	return n.onFile[g.ClientID] == g.Thumbprint
}

func thumbprint(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
