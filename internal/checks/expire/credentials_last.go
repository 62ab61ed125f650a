package expire

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// CredentialsLast reads the end of what the path rests on: server certificates and their chains, the given certificates of
// clients, certificates in the key set, software statements and initial access tokens. Whatever ends unseen takes
// the partner down with it, and what is renewed in haste is renewed badly.
//
// NHI policy, no standard: the plan says how long each must still last (limits.expiry_warning), and no more than a third of
// its life is asked of any. Client secrets that were
// given, and registration tokens, do not tell their end; that of a secret which a registration brings is noted.
var CredentialsLast = &check.Check{
	ID:            "expire.credentials-last",
	Title:         "certificates, keys and statements last longer than the agreed warning",
	Broken:        "a certificate, key or statement ends within the agreed warning",
	Why:           "on the day after, every partner is out, and what is put in its place in haste is often a shared secret without an end",
	Fix:           "renew what the report names, let renewals be automatic, and alert well before the end",
	Refs:          []frameworks.Ref{frameworks.House(), frameworks.NHI(7), frameworks.ASVS("13.3.4"), frameworks.CSF("PR.AA-01"), frameworks.CSF("ID.AM-08"), frameworks.SP80053("SC-17")},
	Rows:          []string{"L-JW-10"},
	Severity:      logbook.Medium,
	At:            check.WholeStack,
	AnyCredential: true,
	Promise:       func(*plan.Point) string { return "limits.expiry_warning" },
	Twin:          defect.Set{CertificateEndsSoon: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		hosts, _, err := p.Hosts(ctx)
		if err != nil {
			return err
		}
		for _, host := range hosts {
			x, err := p.Send(ctx, wire.Baseline, host.Request)
			if err != nil {
				return err
			}
			if len(x.Chain) == 0 {
				p.Case("the certificate of "+host.Name, logbook.Inconclusive, "", "", "", "the certificate of "+host.Name+" could not be seen: "+x.Detail)
				continue
			}
			lasts(p, "the chain of "+host.Name, x.Chain)
		}
		err = keySetLasts(ctx, p)
		if err != nil {
			return err
		}
		for _, client := range p.Stack.Plan.Clients {
			err = clientLasts(ctx, p, client)
			if err != nil {
				return err
			}
		}
		registration := p.Stack.Plan.Registration
		statementLasts(p, "the software statement (registration.metadata)", registration.Metadata["software_statement"])
		if !registration.InitialAccessToken.Empty() {
			text, err := p.Stack.Resolver.Text(registration.InitialAccessToken)
			if err == nil {
				p.Stack.Keeper.Keep("initial access token", text)
				statementLasts(p, "the initial access token", text)
			}
		}
		return nil
	},
}

// ends decides about one credential.
// What is made to live shorter than the warning is renewed by a machine, when a third of its life is left: such as
// certificates of six days, or of a mesh. Begun is zero where nobody tells.
func ends(p *check.Pass, name string, begun, end time.Time) {
	warning := p.Limits.ExpiryWarning.D()
	if life := end.Sub(begun); !begun.IsZero() && life > 0 && life/3 < warning {
		warning = (life / 3).Truncate(time.Minute)
	}
	left := time.Until(end)
	outcome := logbook.Pass
	if left < warning {
		outcome = logbook.Fail
	}
	p.Case(name, outcome, "lasts for "+plan.Duration(warning).String()+" and more", fmt.Sprintf("ends %s, in %d days", end.UTC().Format(time.DateOnly), int(left.Hours()/24)), "", "")
}

// lasts judges a chain by its first end.
func lasts(p *check.Pass, name string, chain []*x509.Certificate) {
	first := chain[0]
	for _, certificate := range chain {
		if certificate.NotAfter.Before(first.NotAfter) {
			first = certificate
		}
	}
	ends(p, fmt.Sprintf("%s (%s)", name, first.Subject.CommonName), first.NotBefore, first.NotAfter)
}

func keySetLasts(ctx context.Context, p *check.Pass) error {
	server, err := p.Cast.Server(ctx, p.Cast.HomeServer())
	if err != nil || server.Endpoints.JWKS == "" {
		return err
	}
	x, err := p.Send(ctx, wire.Setup, server.JWKSRequest())
	if err != nil {
		return err
	}
	set, err := oauth.ReadJWKS(x)
	if err != nil {
		return err
	}
	for i, key := range oauth.Keys(set) {
		kid, _ := key["kid"].(string)
		name := fmt.Sprintf("key %d of %s (%s)", i+1, server.Name, kid)
		if end, told := oauth.Date(key["exp"]); told {
			ends(p, name, time.Time{}, end)
		}
		chain := oauth.Strings(key["x5c"])
		if len(chain) == 0 {
			continue
		}
		der, err := base64.StdEncoding.DecodeString(chain[0]) // RFC 7517 §4.7: not base64url
		if err != nil {
			continue
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			continue
		}
		ends(p, "the certificate of "+name, certificate.NotBefore, certificate.NotAfter)
	}
	return nil
}

func clientLasts(ctx context.Context, p *check.Pass, client plan.Client) error {
	statementLasts(p, "the software statement of "+client.Name, client.Metadata["software_statement"])
	given := client.Certificate != nil && !client.Certificate.OfTestCA()
	if !given && !p.Cast.Makes(client.Name) {
		return nil
	}
	member, err := p.Cast.Member(ctx, client.Name)
	if err != nil {
		return err
	}
	if certificate := member.Client().Certificate; given && certificate != nil && certificate.Leaf != nil {
		ends(p, "the certificate of "+client.Name, certificate.Leaf.NotBefore, certificate.Leaf.NotAfter)
	}
	if end, told := oauth.Date(member.Client().Registered["client_secret_expires_at"]); told && end.Unix() > 0 {
		p.Note("a secret that is registered for %s ends by itself after %v", client.Name, time.Until(end).Round(time.Minute))
	}
	return nil
}

// statementLasts judges a JWT by its exp. What is none, or has no exp, says nothing.
func statementLasts(p *check.Pass, name string, value any) {
	text, _ := value.(string)
	if text == "" {
		return
	}
	statement, err := oauth.Decode(text)
	if err != nil {
		return
	}
	if end, told := oauth.Date(statement.Claims["exp"]); told {
		begun, _ := oauth.Date(statement.Claims["iat"])
		ends(p, name, begun, end)
	}
}
