package as

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Trust is a directory whose software statements a server believes and without which it registers nobody.
type Trust struct {
	Issuer string
	Keys   func() jose.JSONWebKeySet // its published keys; fetched by configuration, never on a statement's word
	Oldest time.Duration             // that a statement may be, by its iat; 0: 10 min
}

const (
	statementMember = "software_statement"
	oldestStatement = 10 * time.Minute
	issuedLeeway    = 10 * time.Second // clocks differ
)

func statementAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256, jose.PS256}
}

// A statement is a software statement that was believed.
type statement struct {
	text         string
	id           string // jti
	organization string
	claims       map[string]json.RawMessage
}

// RFC 7591 §3.2.2.
func invalidStatement(reason string) *answer {
	return refused(http.StatusBadRequest, "invalid_software_statement", reason)
}

func unapprovedStatement(reason string) *answer {
	return refused(http.StatusBadRequest, "unapproved_software_statement", reason)
}

// certified says why a call to the registration and client configuration endpoints may not be made over this connection,
// or nothing. With a trust framework they want a client certificate of the partners' CA.
func (s *Server) certified(c *call) *answer {
	if s.cfg.Trust == nil {
		return nil
	}
	if c.certificate == nil {
		if c.defects.RegistrationCertificateOptional {
			return nil
		}
		return refused(http.StatusForbidden, "access_denied", "registration needs a client certificate")
	}
	err := s.untrusted(c)
	if err != nil {
		return refused(http.StatusForbidden, "access_denied", "the client certificate is not trusted here")
	}
	return nil
}

// ofOrganization says whether the certificate that was shown is one of the organisation's.
func ofOrganization(certificate *x509.Certificate, organization string) bool {
	return certificate == nil || slices.Contains(certificate.Subject.Organization, organization)
}

// vouched takes the software statement of a registration or an update and gives the metadata with its claims in them. RFC
// 7591 §2: values of a statement that is trusted take precedence over the JSON ones.
func (s *Server) vouched(c *call, members map[string]json.RawMessage, cl *client) (map[string]json.RawMessage, *statement, *answer) {
	if s.cfg.Trust == nil || cl.byOperator {
		return members, nil, nil
	}
	updates := c.r.Method == http.MethodPut
	line, err := textUpTo(members, statementMember, maxBody)
	if err != nil {
		return nil, nil, invalidStatement(err.Error())
	}
	if line == "" {
		if c.defects.StatementOptional && !updates || c.defects.StatementSkippedOnUpdate && updates {
			return members, nil, nil
		}
		return nil, nil, invalidStatement("a software statement of the directory is needed")
	}
	st, refusal := s.readStatement(c, line, updates)
	if refusal != nil {
		return nil, nil, refusal
	}
	refusal = s.belongs(c, st, cl)
	if refusal != nil {
		return nil, nil, refusal
	}
	merged := map[string]json.RawMessage{}
	for name, value := range members {
		merged[name] = value
	}
	for name, value := range st.claims {
		if _, there := merged[name]; there && c.defects.StatementClaimsLose || slices.Contains(statementOnly(), name) {
			continue
		}
		merged[name] = value
	}
	return merged, st, nil
}

// statementOnly are claims that speak of the statement itself and of the certificate beside it, and not of the client.
func statementOnly() []string {
	return []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", statementMember, "client_id", "client_secret", "certificate_subject", softwareKeys}
}

// belongs says why a statement that is good by itself is not good here: somebody else used it, or the client certificate
// is another's. RFC 7591 §5: the whole registration request is to be considered.
func (s *Server) belongs(c *call, st *statement, cl *client) *answer {
	if owner, used := s.statements[st.id]; used && owner != cl.id && !c.defects.StatementReused {
		return unapprovedStatement("the software statement was used before")
	}
	if c.defects.StatementOfAnyone {
		return nil
	}
	if !ofOrganization(c.certificate, st.organization) {
		return unapprovedStatement("the software statement is of another organisation than the client certificate")
	}
	subject, err := text(st.claims, "certificate_subject")
	if err != nil || subject != "" && c.certificate != nil && !isSubject(c.certificate, subject) {
		return unapprovedStatement("the software statement names another certificate than the one that is shown")
	}
	return nil
}

func isSubject(certificate *x509.Certificate, dn string) bool {
	wanted, err := newSubject("tls_client_auth_subject_dn", dn)
	return err == nil && wanted.matches(certificate)
}

// readStatement verifies a statement: its algorithm by our list, its issuer by our configuration, its signature by that
// issuer's keys, and its times (RFC 7591 §2.3, RFC 8725 §3.1, §3.8).
func (s *Server) readStatement(c *call, line string, updates bool) (*statement, *answer) {
	if c.defects.StatementUnverified && !updates || c.defects.StatementSkippedOnUpdate && updates {
		return s.readUnverified(c, line)
	}
	token, err := jwt.ParseSigned(line, statementAlgorithms())
	if err != nil || !canonical(line) {
		return nil, invalidStatement("the software statement is malformed or its algorithm is not allowed")
	}
	var issuer jwt.Claims
	err = token.UnsafeClaimsWithoutVerification(&issuer)
	if err != nil {
		return nil, invalidStatement("the claims of the software statement are malformed")
	}
	if issuer.Issuer != s.cfg.Trust.Issuer && !c.defects.StatementIssuerIgnored {
		return nil, unapprovedStatement("the issuer of the software statement is not trusted here")
	}
	if !slices.ContainsFunc(s.cfg.Trust.Keys().Keys, func(key jose.JSONWebKey) bool { return verifies(line, token, key) }) {
		return nil, invalidStatement("the software statement is not signed by its issuer")
	}
	payload, err := decoded(line)
	if err != nil {
		return nil, invalidStatement(err.Error())
	}
	return s.believed(c, line, payload)
}

// readUnverified is the bug of a library's decode that does not verify: only what the statement says of its issuer is
// looked at.
func (s *Server) readUnverified(c *call, line string) (*statement, *answer) {
	payload, err := decoded(line)
	if err != nil {
		return nil, invalidStatement(err.Error())
	}
	var claims jwt.Claims
	err = json.Unmarshal(payload, &claims)
	if err != nil || claims.Issuer != s.cfg.Trust.Issuer {
		return nil, unapprovedStatement("the issuer of the software statement is not trusted here")
	}
	return s.believed(c, line, payload)
}

// decoded gives the payload of a JWT without a look at its signature.
func decoded(line string) ([]byte, error) {
	parts := strings.Split(line, ".")
	if len(parts) < 2 {
		return nil, errors.New("the software statement is malformed")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, errors.New("the software statement is malformed")
	}
	return payload, nil
}

// believed judges the claims of a statement whose signature is good.
func (s *Server) believed(c *call, line string, payload []byte) (*statement, *answer) {
	st := &statement{text: line}
	err := json.NewDecoder(bytes.NewReader(payload)).Decode(&st.claims)
	if err != nil {
		return nil, invalidStatement("the claims of the software statement are malformed")
	}
	var claims jwt.Claims
	err = json.Unmarshal(payload, &claims)
	if err != nil {
		return nil, invalidStatement("the claims of the software statement are malformed")
	}
	if reason := s.outOfTime(c, claims); reason != "" {
		return nil, invalidStatement(reason)
	}
	if claims.ID == "" || len(claims.ID) > 256 {
		return nil, invalidStatement("the software statement has no jti")
	}
	st.id = claims.ID
	st.organization, err = text(st.claims, "organization")
	if err != nil || st.organization == "" {
		return nil, invalidStatement("the software statement names no organization")
	}
	return st, nil
}

func (s *Server) outOfTime(c *call, claims jwt.Claims) string {
	if c.defects.StatementTimesIgnored {
		return ""
	}
	oldest := s.cfg.Trust.Oldest
	if oldest == 0 {
		oldest = oldestStatement
	}
	switch {
	case claims.Expiry == nil || !c.now.Before(claims.Expiry.Time()):
		return "the software statement has expired"
	case claims.IssuedAt == nil || claims.IssuedAt.Time().After(c.now.Add(issuedLeeway)):
		return "the software statement has no iat or is from the future"
	case c.now.Sub(claims.IssuedAt.Time()) > oldest:
		return "the software statement is too old"
	case claims.NotBefore != nil && claims.NotBefore.Time().After(c.now.Add(issuedLeeway)):
		return "the software statement is not good yet"
	}
	return ""
}

// adopt keeps a statement as a client's.
func (s *Server) adopt(cl *client, st *statement) {
	if st == nil {
		return
	}
	s.statements[st.id] = cl.id
	cl.statement = st.text
}

// formerly gives the deleted client of the same software, which a defect brings back to life with all that it had.
func (s *Server) formerly(c *call, r registration) *client {
	software, named := r.plain["software_id"].(string)
	if !c.defects.ReregistrationRevives || !named {
		return nil
	}
	for _, cl := range s.clients {
		if cl.deleted && cl.registration.plain["software_id"] == software {
			return cl
		}
	}
	return nil
}

// revive undoes a deletion.
func (s *Server) revive(cl *client) {
	cl.deleted = false
	for _, t := range s.tokensOf(cl) {
		if t.dead == deadByDeletion {
			t.dead = ""
		}
	}
}
