package sandbox

import (
	"bytes"
	_ "embed" // plan.yaml.tmpl
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/checkride/checkride/internal/sandbox/api"
	"github.com/checkride/checkride/internal/sandbox/ca"
	"github.com/checkride/checkride/internal/sandbox/legacy"
)

//go:embed plan.yaml.tmpl
var planText string

// Plan is the path of the plan that fits this sandbox.
func (s *Sandbox) Plan() string { return s.path("plan.yaml") }

func (s *Sandbox) path(name string) string { return filepath.Join(s.cfg.Dir, name) }

// demoClient is the certificate of the partner that [Sandbox.Describe] plays.
const demoClient = "demo.partners.example"

// invalidPayment is authorised and invalid: a broken point must not lead to a payment.
const invalidPayment = `{"amount":""}`

func (s *Sandbox) writeFiles() error {
	key, err := s.partners.KeyPEM()
	if err != nil {
		return err
	}
	demo, err := s.partners.Client(demoClient, ca.Options{})
	if err != nil {
		return err
	}
	demoKey, err := ca.KeyPEM(demo.PrivateKey)
	if err != nil {
		return err
	}
	directory, err := s.trust.PrivateJWK()
	if err != nil {
		return err
	}
	assertions, err := s.vouches.PrivateJWK()
	if err != nil {
		return err
	}
	software, err := json.Marshal(s.software)
	if err != nil {
		return fmt.Errorf("encode the software's key: %w", err)
	}
	certificate := ca.Options{}
	if s.live().LongLivedCertificate {
		certificate.NotAfter = time.Now().AddDate(10, 0, -1)
	}
	elsewhere, err := s.partners.Client(elsewhereID, certificate)
	if err != nil {
		return err
	}
	elsewhereKey, err := ca.KeyPEM(elsewhere.PrivateKey)
	if err != nil {
		return err
	}
	plan, err := s.planYAML(time.Now().UTC())
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name    string
		content []byte
	}{
		{"ca.pem", s.hosts.CertificatePEM()},
		{"partner-ca.pem", s.partners.CertificatePEM()},
		{"partner-ca.key", key},
		{"demo.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: demo.Leaf.Raw})},
		{"demo.key", demoKey},
		{"elsewhere.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: elsewhere.Leaf.Raw})},
		{"elsewhere.key", elsewhereKey},
		{"elsewhere-secret.txt", []byte(s.secrets.elsewhere)},
		{"iat.txt", []byte(s.secrets.initialAccessToken)},
		{"operator-iat.txt", []byte(s.secrets.operatorToken)},
		{"directory.jwk", directory},
		{"assertions.jwk", assertions},
		{"software.jwk", software},
		{"rs-secret.txt", []byte(s.secrets.resourceServer)},
		{"second-rs-secret.txt", []byte(s.secrets.secondServer)},
		{"invalid.json", []byte(invalidPayment)},
		{"canary.pem", s.canary.chain},
		{"canary.key", s.canary.key},
		{"plan.yaml", plan},
	} {
		err := os.WriteFile(s.path(file.name), file.content, 0o600)
		if err != nil {
			return fmt.Errorf("write %s: %w", file.name, err)
		}
	}
	return nil
}

type planPoint struct {
	Name, URL, Revocation, Header, Addresses, IdentityHeaders, Scopes string
	DPoP, Archive, Quota                                              bool
}

func (s *Sandbox) planYAML(now time.Time) ([]byte, error) {
	const day = "2006-01-02"
	digest, err := s.main.MetadataDigest()
	if err != nil {
		return nil, err
	}
	headers := strings.Join([]string{api.ClientID, api.Org, api.Scopes, api.Via}, ", ")
	softwareKeys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{s.software.Public()}})
	if err != nil {
		return nil, fmt.Errorf("encode the software's public key: %w", err)
	}
	values := map[string]any{
		"SoftwareKeys":   string(softwareKeys),
		"Main":           s.url(mainAS),
		"Digest":         digest,
		"Other":          s.url(otherAS),
		"API":            s.url(theAPI),
		"Management":     s.url(management),
		"ResourceServer": resourceServerID,
		"SecondServer":   secondServerID,
		"SecondServes":   s.resource(legacyOne),
		"Canary":         s.canary.address,
		"KeyHost":        s.keyHost(),
		"Directory":      s.trust.Issuer(),
		"Assertions":     s.vouches.Issuer(),
		"Elsewhere":      elsewhereID,
		"Until":          now.AddDate(0, 1, 0).Format(day),
		"ValidUntil":     now.AddDate(1, 0, 0).Format(day),
		"Ended":          now.AddDate(0, 0, -60).Format(day),
		"Reviewed":       now.AddDate(0, 0, -30).Format(day),
		"TokenLifetime":  s.cfg.Timing.TokenLife + time.Second,
		"Expiry":         s.cfg.Timing.TokenLife + 6*time.Second,
		"Points": []planPoint{
			{Name: edgePoint, Scopes: strings.Join(scopesOf(edgePoint), ", "), DPoP: takesProofs(edgePoint), URL: s.url(edgePoint), Revocation: "push", IdentityHeaders: headers, Addresses: s.addresses[nodeA] + ", " + s.addresses[nodeB]},
			{Name: gatewayOne, Quota: true, Scopes: strings.Join(scopesOf(gatewayOne), ", "), DPoP: takesProofs(gatewayOne), Addresses: s.addresses[gatewayOne], URL: s.url(gatewayOne), Revocation: "introspect", IdentityHeaders: headers},
			{Name: legacyOne, Scopes: strings.Join(scopesOf(legacyOne), ", "), Addresses: s.addresses[legacyOne], URL: s.url(legacyOne), Revocation: "introspect", IdentityHeaders: headers, Header: legacy.APIKey, Archive: true},
		},
	}
	t, err := template.New("plan.yaml").Option("missingkey=error").Parse(planText)
	if err != nil {
		return nil, fmt.Errorf("read the template of the plan: %w", err)
	}
	var out bytes.Buffer
	err = t.Execute(&out, values)
	if err != nil {
		return nil, fmt.Errorf("write the plan: %w", err)
	}
	return out.Bytes(), nil
}
