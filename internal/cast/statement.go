package cast

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// directoryKey reads the key with which the ride signs software statements; none where a hook makes them, or nobody does.
func directoryKey(resolver plan.Resolver, described *plan.SoftwareStatement) (oauth.Key, error) {
	if described == nil || described.Key.Empty() {
		return oauth.Key{}, nil
	}
	return signingKey(resolver, described.Key, described.Alg, described.KeyID)
}

// signingKey reads a key with which the ride signs for somebody whom the stack trusts. The plan may say for what algorithm
// it is and what it is called.
func signingKey(resolver plan.Resolver, key plan.Reference, alg, id string) (oauth.Key, error) {
	text, err := resolver.Text(key)
	if err != nil {
		return oauth.Key{}, err
	}
	resolver.Keeper.Keep("key", text)
	read, err := oauth.ParseKey(text)
	if err != nil {
		return oauth.Key{}, err
	}
	read.Alg, read.ID = cmp.Or(alg, read.Alg), cmp.Or(id, read.ID)
	return read, nil
}

// vouchers gives a member what its registration presents: the initial access token, and the software statement where
// the plan has them. A statement of the directory's key is made anew at each sending, one of a hook is what it is.
func (c *Cast) vouchers(ctx context.Context, member *Member, claims map[string]any) error {
	var err error
	member.access, err = c.initialAccessToken(ctx, member)
	if err != nil {
		return err
	}
	described := c.plan.Registration.Statement
	switch {
	case described == nil:
		return nil
	case described.Key.Empty():
		member.statement, err = c.hookStatement(ctx, member)
		return err
	}
	all := map[string]any{}
	replace := c.placeholders(member)
	for _, more := range []map[string]any{described.Claims, claims} {
		for name, value := range more {
			all[name] = filled(value, replace)
		}
	}
	made := oauth.Vouch(c.directory, described.Issuer, all, described.Lifetime.D(), member.Server.Clock)
	member.statement = &made
	return nil
}

// sign gives a member what makes a JWT of its registration, where the plan demands one, or it is wished.
func (c *Cast) sign(member *Member, wished bool) error {
	described := c.plan.Registration.SignedRequest
	if described == nil || !described.Required && !wished {
		return nil
	}
	software := ""
	if statement := member.statement; statement != nil && statement.JWT != nil {
		software, _ = statement.JWT.Claims["software_id"].(string)
	}
	if software == "" && strings.Contains(described.Issuer, "{software_id}") {
		return errors.New("registration.signed_request.issuer: no software statement that the ride signs has the claim software_id; write the software's id itself")
	}
	issuer := c.placeholders(member).Replace(strings.ReplaceAll(described.Issuer, "{software_id}", software))
	made := oauth.SignRequest(described.ContentType, c.software, issuer, cmp.Or(described.Audience, member.Server.Issuer), described.Lifetime.D(), member.Server.Clock)
	member.signing = &made
	return nil
}

// signed has a member's request signed as a whole, where its registration is.
func (m *Member) signed(request wire.Request) wire.Request {
	if m.signing == nil {
		return request
	}
	by := *m.signing
	by.JWT = by.JWT.Clone()
	return oauth.Signed(request, by)
}

func (c *Cast) placeholders(member *Member) *strings.Replacer {
	subject := ""
	for _, certificate := range []*tls.Certificate{member.client.RegistrationCertificate, member.client.Certificate} {
		if certificate != nil {
			subject = oauth.SubjectDN(certificate.Leaf)
			break
		}
	}
	scope, _ := member.metadata["scope"].(string)
	return strings.NewReplacer(
		"{name}", strings.ReplaceAll(strings.TrimPrefix(member.name, "checkride "), " ", "-"), "{client_name}", member.name,
		"{organization}", member.Plan.Organization, "{scope}", scope, "{subject_dn}", subject,
	)
}

// filled puts values for placeholders in all texts of a claim.
func filled(value any, replace *strings.Replacer) any {
	switch value := value.(type) {
	case string:
		return replace.Replace(value)
	case []any:
		all := make([]any, len(value))
		for i := range value {
			all[i] = filled(value[i], replace)
		}
		return all
	case map[string]any:
		all := make(map[string]any, len(value))
		for name := range value {
			all[name] = filled(value[name], replace)
		}
		return all
	}
	return value
}

func (c *Cast) hookStatement(ctx context.Context, member *Member) (*wire.Credential, error) {
	text, err := c.named(ctx, plan.MakeStatement, member, oauth.StatementMember)
	if err != nil {
		return nil, err
	}
	made := oauth.Statement(text)
	return &made, nil
}

// MintInitialAccessToken has the operator's hook mint an initial access token for a member's organisation. What it
// permits nobody but the one who registers with it needs to know.
func (c *Cast) MintInitialAccessToken(ctx context.Context, member *Member) (secret.Text, error) {
	return c.named(ctx, plan.MintInitialAccessToken, member, "initial_access_token")
}

// named plays a hook for a member and gives the text that its answer names.
func (c *Cast) named(ctx context.Context, hook string, member *Member, name string) (secret.Text, error) {
	scope, _ := member.metadata["scope"].(string)
	exchange, err := c.Hook(ctx, hook, member, map[string]string{"scope": scope, "organization": member.Plan.Organization})
	if err != nil {
		return secret.Text{}, err
	}
	value, _ := exchange.JSON("/" + name)
	text, _ := value.(string)
	if text == "" {
		return secret.Text{}, &FactError{Fact: "hook " + hook, Err: fmt.Errorf("its answer has no member %s; let it answer {%q: \"...\"}", name, name)}
	}
	return c.cfg.Keeper.Keep("token", text), nil
}

// initialAccessToken gives what permits a member's registration: the plan's token, else one that the hook mints for it;
// empty where neither is there.
func (c *Cast) initialAccessToken(ctx context.Context, member *Member) (secret.Text, error) {
	if c.plan.Registration.InitialAccessToken.Text != "" {
		return c.cfg.Resolver.Secret(c.plan.Registration.InitialAccessToken, "initial access token")
	}
	if !c.HasHook(plan.MintInitialAccessToken) {
		return secret.Text{}, nil
	}
	return c.MintInitialAccessToken(ctx, member)
}

// Statement gives a copy of the software statement that a member's registration carries, or nil. One with a JWT is signed
// anew at each sending.
func (m *Member) Statement() *wire.Credential {
	if m.statement == nil {
		return nil
	}
	made := *m.statement
	if made.JWT != nil {
		made.JWT = made.JWT.Clone()
	}
	return &made
}

// UpdateRequest is the update of a member to these metadata (RFC 7592 §2.2), with a fresh software statement where it was
// registered with one.
func (c *Cast) UpdateRequest(member *Member, metadata map[string]any) (wire.Request, error) {
	if member.statement != nil {
		delete(metadata, oauth.StatementMember)
	}
	request, err := member.Client().UpdateRequest(*member.Server, metadata)
	if err != nil {
		return request, err
	}
	request = member.signed(request)
	if member.statement == nil {
		return request, nil
	}
	return request.WithCredential(*member.Statement()), nil
}

// registrationCertificate gives the certificate that a client shows at registration, where the plan says that one is
// shown: its own, if a CA issued it.
func (c *Cast) registrationCertificate(ctx context.Context, role, name string, client oauth.Client) (*tls.Certificate, error) {
	if said := c.plan.Registration.ClientCertificate; said == "" || said == "none" {
		return nil, nil
	}
	if client.Certificate != nil && client.Auth != oauth.SelfSignedTLSClientAuth {
		return client.Certificate, nil
	}
	return c.certificate(ctx, role, name)
}

// ManagementCertificate gives a certificate with which a client that an earlier ride left can be managed, by its name:
// nil where the plan asks for none. The cast needs no members for it; its hooks issue the certificate where the plan says
// so.
func (c *Cast) ManagementCertificate(ctx context.Context, p *plan.Plan, clientName string) (*tls.Certificate, error) {
	if said := p.Registration.ClientCertificate; said == "" || said == "none" {
		return nil, nil
	}
	for _, client := range p.Clients {
		if !strings.Contains(clientName, " "+client.Name+" ") {
			continue
		}
		made, err := newIssuer(c.cfg.Resolver, client)
		if err != nil {
			return nil, fmt.Errorf("clients.%s.certificate: %w", client.Name, err)
		}
		if made == nil {
			return nil, fmt.Errorf("clients.%s needs a certificate; name one under certificate", client.Name)
		}
		alone := &Cast{cfg: c.cfg, plan: c.plan, issuers: map[string]*issuer{client.Name: made}}
		return alone.certificate(ctx, client.Name, client.Name)
	}
	return nil, errors.New("no client of the plan has this name, so no certificate can be shown")
}
