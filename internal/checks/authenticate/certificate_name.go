package authenticate

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// CertificateName shows certificates by the right CA in which a name of the partner stands where it does not count: its
// subject in the certificate of a client that is registered by a DNS name, its DNS name in that of a client that is
// registered by the subject, and names that only begin as the registered one does.
//
// RFC 8705 §2.1: the client is known by one subject, which is compared with that of the certificate; §2.1.2: by exactly
// one of five members. A CA that vouches for one kind of name has not vouched for the other. (Seen: verifiers of host
// names that fall back to the common name.)
var CertificateName = &check.Check{
	ID:       "authenticate.certificate-name",
	Title:    "a client certificate counts by the one name that is registered for the client",
	Broken:   "a client certificate counts by a name that is not the registered one",
	Why:      "whoever gets a certificate with the partner's name in a field that the CA checks less is that partner",
	Fix:      "compare the registered kind of name with that field of the certificate, whole, and look at no other",
	Refs:     []frameworks.Ref{frameworks.RFC(8705, "2.1"), frameworks.RFC(8705, "2.1.2"), frameworks.RFC(8705, "7.4"), frameworks.NHI(4), frameworks.ASVS("12.1.3"), frameworks.SP80053("IA-9")},
	Rows:     []string{"L-CA-57"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.CertificateLogin, check.TestCA},
	Takes:    check.FailAuth,
	Twin:     defect.Set{CommonNameForSAN: true},
	Also:     []defect.Set{{AnyTrustedCertificate: true}},
	Follows:  []string{"authenticate.neighbours-certificate"},
	Run: func(ctx context.Context, p *check.Pass) error {
		bySubject, err := p.By(ctx, cast.Partner, oauth.TLSClientAuth)
		if err != nil {
			return err
		}
		show := func(subject, dns, label string) (wire.Change, error) {
			shown, err := p.Cast.Issue(cast.Partner, subject, cast.Fault{DNS: dns})
			return forge.WithCertificate(shown, label), err
		}
		_, byDN := bySubject.Metadata()["tls_client_auth_subject_dn"]
		if byDN {
			name := bySubject.Client().Certificate.Leaf.Subject.CommonName
			wrong, err := show("other."+name, name, "the registered subject's name as DNS name, another subject")
			if err != nil {
				return err
			}
			longer, err := show(name+".example", "", "a subject that begins as the registered one")
			if err != nil {
				return err
			}
			err = p.Refuses(ctx, p.Login(bySubject), wrong, longer)
			if err != nil {
				return err
			}
		}
		if !p.Cast.Makes(cast.Partner) {
			return check.NotApplicable("by which name of its certificate the given partner is registered is not known here")
		}
		byDNS, err := p.Cast.MemberWith(ctx, cast.Partner, cast.Wish{Auth: oauth.TLSClientAuth, ByDNS: true})
		if err != nil && byDN {
			p.Note("a client that is registered by a DNS name is not tested: %v", err)
			return nil
		}
		if err != nil {
			return err
		}
		name := byDNS.Client().Certificate.Leaf.DNSNames[0]
		wrong, err := show(name, "other."+name, "the registered name as subject, another DNS name")
		if err != nil {
			return err
		}
		longer, err := show("other."+name, name+".example", "a DNS name that begins as the registered one")
		if err != nil {
			return err
		}
		return p.Refuses(ctx, p.Login(byDNS), wrong, longer)
	},
}
