package discover

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// OnlyCurrentTLS offers each host what it must not take: TLS 1.0 and 1.1, and RC4. The handshake that is refused stands
// between two that the same host takes, whose certificate chains to the roots of the plan.
//
// RFC 9325 §3.1.1: TLS 1.0 and 1.1 MUST NOT be negotiated. §4.1: nor MUST RC4; suites with RSA key transport and with
// less than 128 bits SHOULD NOT, and are noted only.
var OnlyCurrentTLS = &check.Check{
	ID:            "discover.only-current-tls",
	Title:         "every host takes TLS 1.2 and later alone, with sound suites and a chain that is trusted",
	Broken:        "a host takes a version or suite of TLS that must not be used, or shows a certificate that is not trusted",
	Why:           "who stands between partner and server can talk both down to what is broken, and then read credentials and tokens",
	Fix:           "switch TLS 1.0, TLS 1.1 and RC4 off at whatever ends TLS: the load balancer or CDN as well as the server",
	Refs:          []frameworks.Ref{frameworks.RFC(9325, "3.1.1"), frameworks.RFC(9325, "4.1"), frameworks.RFC(9325, "4.2"), frameworks.FAPI2("5.2.1"), frameworks.FAPI2("5.2.2"), frameworks.ASVS("12.1.1"), frameworks.ASVS("12.1.2"), frameworks.SP80053("SC-8(1)"), frameworks.CSF("PR.DS-02")},
	Rows:          []string{"L-MD-16"},
	Severity:      logbook.High,
	At:            check.WholeStack,
	AnyCredential: true,
	Twin:          defect.Set{OldTLS: true},
	Also:          []defect.Set{{RC4: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		hosts, plain, err := p.Hosts(ctx)
		if err != nil {
			return err
		}
		for _, address := range plain {
			if loopback(address) {
				p.Note("%s is reached without TLS, on this machine", address)
				continue
			}
			p.Case(address, logbook.Fail, "TLS", "plain HTTP", "", "")
		}
		for _, host := range hosts {
			x, answer, err := p.Do(ctx, wire.Control, host.Call)
			if err != nil {
				return err
			}
			switch {
			case x.Failure == wire.Untrusted:
				p.Case(host.Name+" shows a certificate that is trusted", logbook.Fail, "a chain to the roots of the plan, for this name", x.Detail, "", "")
				continue
			case answer.Decision != wire.Accepted:
				p.Case(host.Name, logbook.Inconclusive, "", "", "", host.Call.Name+" could not be made: "+answer.Why)
				continue
			}
			err = p.Refuses(ctx, host.Call, offering(host.Name+" is offered TLS 1.0 and 1.1", wire.Offer{Min: tls.VersionTLS10, Max: tls.VersionTLS11, Suites: old()}), offering(host.Name+" is offered RC4", wire.Offer{Min: tls.VersionTLS12, Max: tls.VersionTLS12, Suites: rc4()}))
			if err != nil {
				return err
			}
			_, answer, err = p.Do(ctx, wire.Baseline, host.Call.With(func(r *wire.Request) {
				r.Over.Offer = wire.Offer{Min: tls.VersionTLS12, Max: tls.VersionTLS12, Suites: weak()}
			}))
			if err != nil {
				return err
			}
			if answer.Decision == wire.Accepted {
				p.Note("%s takes suites with RSA key transport or 3DES, which RFC 9325 §4.1 says it SHOULD NOT: %s", host.Name, answer.Why)
			}
		}
		if len(hosts) == 0 && len(plain) > 0 {
			return check.NotApplicable("no host of the plan is reached by TLS")
		}
		return nil
	},
}

func offering(name string, offer wire.Offer) wire.Change {
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		r.Over.Offer = offer
		return r, nil
	}}
}

// rc4 are the suites that MUST NOT be negotiated (RFC 9325 §4.1) and that crypto/tls can offer.
func rc4() []uint16 {
	return []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA, tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA, tls.TLS_RSA_WITH_RC4_128_SHA}
}

// weak are those that SHOULD NOT be.
func weak() []uint16 {
	return []uint16{
		tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_RSA_WITH_AES_128_CBC_SHA256, tls.TLS_RSA_WITH_AES_128_CBC_SHA,
		tls.TLS_RSA_WITH_AES_256_CBC_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA,
	}
}

// old are the suites of TLS 1.0 and 1.1, good and bad: only the version is asked about.
func old() []uint16 {
	return append([]uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA,
	}, rc4()...)
}

func loopback(address string) bool {
	parsed, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(parsed.Hostname())
	return ip != nil && ip.IsLoopback() || strings.EqualFold(parsed.Hostname(), "localhost")
}
