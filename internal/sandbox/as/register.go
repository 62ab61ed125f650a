package as

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// register is the client registration endpoint (RFC 7591 §3), protected by an initial access token and, with a trust
// framework, by client certificates and software statements.
func (s *Server) register(c *call) answer {
	admitted, ok := s.admit(c)
	if !ok {
		return invalidToken(c)
	}
	cl := &client{id: newID(), registered: c.now, registrationToken: newCredential(), byOperator: admitted.operator}
	if !cl.byOperator {
		refused := s.certified(c)
		if refused != nil {
			return *refused
		}
	}
	members, err := c.object()
	if err != nil {
		return c.badMetadata(err)
	}
	c.event.ClientName = asWritten(members["client_name"])
	members, vouched, refused := s.vouched(c, members, cl)
	if refused != nil {
		return *refused
	}
	refused = s.signed(c, vouched)
	if refused != nil {
		return *refused
	}
	name, err := text(members, "client_name")
	if err != nil {
		return invalidMetadata(c, err)
	}
	cl.allowed = union(s.cfg.Grantable, s.cfg.Privileged(name))
	r, err := readRegistration(c, members, cl)
	if err != nil {
		return c.badMetadata(err)
	}
	if !admitted.permits(c, r.organization) {
		return invalidToken(c)
	}
	if former := s.formerly(c, r); former != nil {
		s.revive(former)
		cl = former
	}
	cl.registration = r
	if usesSecret(r.method) || c.defects.SecretForEveryMethod {
		cl.giveSecret(c)
		if c.defects.SecretFromClock {
			cl.secret = secretOfDay(c)
		}
	}
	s.adopt(cl, vouched)
	if admitted.minted != nil {
		admitted.minted.used = true
	}
	cl.roles = usualRoles()
	s.clients[cl.id] = cl
	c.event.ClientID, c.event.Org = cl.id, cl.org()
	return reply(http.StatusCreated, s.information(cl))
}

// configured finds the client of a call to the client configuration endpoint (RFC 7592 §2): the token must be that
// client's own. An unknown client gets the same 401 as a bad token.
func (s *Server) configured(c *call) (*client, *answer) {
	id := c.r.PathValue("client_id")
	c.event.ClientID = bounded(id)
	cl := s.clients[id]
	reading := c.r.Method == http.MethodGet
	if cl == nil || (reading && s.lags(c, cl)) || (cl.deleted && !(reading && c.defects.RegistrationTokenSurvives)) {
		a := invalidToken(c)
		return nil, &a
	}
	shown := bearer(c.r)
	former := c.defects.OldRegistrationTokenWorks && slices.Contains(cl.formerTokens, shown)
	open := reading && c.defects.ConfigurationOpen && !cl.deleted && c.r.Header.Get("Authorization") == ""
	if !open && !former && !same(shown, cl.registrationToken) && !(c.defects.AccessTokenManages && s.accessTokenOf(c, cl, shown)) && !(c.defects.AnyRegistrationToken && s.liveRegistrationToken(shown)) {
		a := invalidToken(c)
		return nil, &a
	}
	c.event.Org = cl.org()
	if !cl.byOperator {
		refused := s.certified(c)
		if refused != nil {
			return nil, refused
		}
		if !ofOrganization(c.certificate, cl.org()) && s.cfg.Trust != nil {
			a := refuse(http.StatusForbidden, "access_denied", "the client certificate is another organisation's")
			return nil, &a
		}
	}
	return cl, nil
}

func (s *Server) liveRegistrationToken(shown string) bool {
	for _, cl := range s.clients {
		if !cl.deleted && same(shown, cl.registrationToken) {
			return true
		}
	}
	return false
}

// read is RFC 7592 §2.1. It rotates nothing.
func (s *Server) read(c *call) answer {
	cl, refused := s.configured(c)
	if refused != nil {
		return *refused
	}
	return reply(http.StatusOK, s.information(cl))
}

// update is RFC 7592 §2.2: the metadata is replaced, not merged, and the registration access token is rotated. A secret
// stays as long as the method uses one.
func (s *Server) update(c *call) answer {
	cl, refused := s.configured(c)
	if refused != nil {
		return *refused
	}
	members, err := c.object()
	if err != nil {
		return invalidMetadata(c, err)
	}
	if c.defects.UpdateByBody {
		cl = s.named(members, cl)
	}
	err = mayUpdate(members, cl, c.defects.UpdateTakesSecret)
	if err != nil {
		return invalidMetadata(c, err)
	}
	members, vouched, refused := s.vouched(c, members, cl)
	if refused != nil {
		return *refused
	}
	refused = s.signed(c, vouched)
	if refused != nil {
		return *refused
	}
	if c.defects.UpdateUnfiltered {
		c.defects.GrantsUnfiltered, c.defects.RegisteredScopeUnfiltered, c.defects.PublicClients = true, true, true
	}
	r, err := readRegistration(c, members, cl)
	if err != nil {
		return invalidMetadata(c, err)
	}
	if c.defects.UpdateForgotten {
		return s.pretend(cl, r)
	}
	cl.setRegistration(r)
	s.adopt(cl, vouched)
	cl.generation++
	cl.formerTokens = append(cl.formerTokens, cl.registrationToken)
	cl.registrationToken = newCredential()
	switch chosen, _ := text(members, "client_secret"); {
	case !usesSecret(r.method):
		cl.leaveSecret()
	case chosen != "" && c.defects.UpdateTakesSecret:
		cl.secret = chosen
	case cl.secret == "":
		cl.giveSecret(c)
	}
	c.event.Org = cl.org()
	return reply(http.StatusOK, s.information(cl))
}

// RFC 7592 §2.2: the request must name its client, must not carry what only the server gives, and must not choose a
// new secret.
func mayUpdate(members map[string]json.RawMessage, cl *client, anySecret bool) error {
	id, err := text(members, "client_id")
	if err != nil {
		return err
	}
	if id != cl.id {
		return errors.New("client_id must be present and that of the client")
	}
	for _, name := range []string{"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"} {
		if _, there := members[name]; there {
			return fmt.Errorf("%s must not be sent", name)
		}
	}
	secret, err := text(members, "client_secret")
	if err != nil {
		return err
	}
	if secret != "" && !same(secret, cl.secret) && !anySecret {
		return errors.New("client_secret must be the current one or absent")
	}
	return nil
}

// delete is RFC 7592 §2.3: it ends the client, its secret, its registration token and all its tokens at once.
func (s *Server) delete(c *call) answer {
	cl, refused := s.configured(c)
	if refused != nil {
		return *refused
	}
	if c.defects.DeleteUnsupported {
		return refuse(http.StatusNotImplemented, "not_implemented", "clients are not deleted here")
	}
	if !s.cfg.Situation.DeleteLies {
		s.remove(c, cl)
	}
	return reply(http.StatusNoContent, nil)
}

func (s *Server) remove(c *call, cl *client) {
	cl.deleted = true
	d := c.defects
	if d.DeleteKeepsTokens {
		return
	}
	forgotten := false
	for _, t := range s.tokensOf(cl) {
		if d.DeleteForgetsOldTokens && t.generation < cl.generation {
			forgotten = true
			continue
		}
		s.kill(t, deadByDeletion)
	}
	// A point that reads this refuses all tokens of the client, so it must not stand where some stay good.
	if !forgotten && !d.DeletedClientLives {
		s.feed.gone(cl.id)
	}
}

// RFC 7591 §3.2.2.
func invalidMetadata(c *call, err error) answer {
	if c.defects.ErrorsTellInternals {
		return refuse(http.StatusBadRequest, "invalid_client_metadata", asException(err))
	}
	return refuse(http.StatusBadRequest, "invalid_client_metadata", err.Error())
}

// readRegistration judges metadata for a client that is entitled to cl.allowed. Members that are not understood are
// ignored (RFC 7591 §2).
func readRegistration(c *call, members map[string]json.RawMessage, cl *client) (registration, error) {
	r := registration{plain: map[string]any{}}
	for _, read := range []func() error{
		func() error { return r.readNames(members) },
		func() error { return r.readMethod(members, c.defects.PublicClients) },
		func() error { return r.readSecretLife(members) },
		func() error { return r.readQuota(members) },
		func() error { return r.readKeys(c, members) },
		func() error { return r.readProofs(members) },
		func() error { return r.readSubject(members, c.defects.SubjectsUnchecked) },
		func() error { return r.readGrants(members, c.server.grants(), c.defects.GrantsUnfiltered) },
		func() error { return r.readScope(members, cl, c.defects.RegisteredScopeUnfiltered) },
	} {
		err := read()
		if err != nil {
			return registration{}, err
		}
	}
	return r, nil
}

func (r *registration) readNames(members map[string]json.RawMessage) error {
	for _, name := range []string{"client_name", "organization", "software_id", "software_version"} {
		value, err := text(members, name)
		if err != nil {
			return err
		}
		switch {
		case value == "":
		case name == "client_name":
			r.name = value
		case name == "organization":
			r.organization = value
		default:
			r.plain[name] = value
		}
	}
	for _, name := range []string{"client_uri", "logo_uri", "tos_uri", "policy_uri"} {
		value, err := text(members, name)
		if err != nil {
			return err
		}
		if value == "" {
			continue
		}
		u, err := url.Parse(value)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("%s must be an https URL", name)
		}
		r.plain[name] = value
	}
	contacts, err := texts(members, "contacts")
	if err != nil {
		return err
	}
	if len(contacts) > 0 {
		r.plain["contacts"] = contacts
	}
	return nil
}

func (r *registration) readMethod(members map[string]json.RawMessage, publicToo bool) error {
	method, err := text(members, "token_endpoint_auth_method")
	if err != nil {
		return err
	}
	if method == "" {
		method = clientSecretBasic // RFC 7591 §2: the default
	}
	known := []string{clientSecretBasic, clientSecretPost, privateKeyJWT, tlsClientAuth, selfSignedTLSClientAuth}
	if publicToo {
		known = append(known, publicClient)
	}
	if !slices.Contains(known, method) {
		return errors.New("token_endpoint_auth_method is not supported here")
	}
	r.method = method
	alg, err := text(members, "token_endpoint_auth_signing_alg")
	if err != nil {
		return err
	}
	if alg != "" && !slices.Contains(assertionAlgorithmNames(), alg) {
		return errors.New("token_endpoint_auth_signing_alg is not supported here")
	}
	r.signingAlg = alg
	if raw, there := members["tls_client_certificate_bound_access_tokens"]; there {
		err := json.Unmarshal(raw, &r.bound)
		if err != nil {
			return errors.New("tls_client_certificate_bound_access_tokens must be true or false")
		}
	}
	return nil
}

// A client uses the client credentials grant and, if it asks, the others that are offered; what it asked beyond is left
// out, and it is told (RFC 7591 §2, §3.2.1).
func (r *registration) readGrants(members map[string]json.RawMessage, offered []string, unfiltered bool) error {
	asked, err := texts(members, "grant_types")
	if err != nil {
		return err
	}
	r.grants = within(asked, offered)
	if !slices.Contains(r.grants, clientCredentials) {
		r.grants = append([]string{clientCredentials}, r.grants...)
	}
	if unfiltered && len(asked) > 0 {
		r.grants = asked
	}
	return nil
}

func (r *registration) readScope(members map[string]json.RawMessage, cl *client, unfiltered bool) error {
	line, err := text(members, "scope")
	if err != nil {
		return err
	}
	asked := strings.Fields(line)
	if len(asked) == 0 {
		r.scope = slices.Clone(cl.allowed)
		return nil
	}
	if unfiltered {
		cl.allowed = union(cl.allowed, asked)
	}
	r.scope = within(asked, cl.allowed)
	if len(r.scope) == 0 {
		return errors.New("the client is entitled to none of the scopes")
	}
	return nil
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	return within(all, all)
}

// text reads an optional member that is a string. Control characters have no place in any of them.
func text(members map[string]json.RawMessage, name string) (string, error) {
	return textUpTo(members, name, 2048)
}

func textUpTo(members map[string]json.RawMessage, name string, longest int) (string, error) {
	raw, there := members[name]
	if !there {
		return "", nil
	}
	var value *string
	err := json.Unmarshal(raw, &value)
	if err != nil {
		return "", &wrongType{name, "a string"}
	}
	if value == nil {
		return "", nil
	}
	if len(*value) > longest || strings.ContainsFunc(*value, unicode.IsControl) {
		return "", fmt.Errorf("%s is too long or holds control characters", name)
	}
	return *value, nil
}

// texts reads an optional member that is an array of strings.
func texts(members map[string]json.RawMessage, name string) ([]string, error) {
	raw, there := members[name]
	if !there {
		return nil, nil
	}
	var value []string
	err := json.Unmarshal(raw, &value)
	if err != nil {
		return nil, &wrongType{name, "an array of strings"}
	}
	return value, nil
}
