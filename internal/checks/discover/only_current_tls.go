package discover

import (
	"context"
	"crypto/tls"
	"fmt"
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
	Broken:        "a host takes a version or suite of TLS that must not be used",
	Why:           "whoever stands between partner and server can talk both down to what is broken, and then read credentials and tokens",
	Fix:           "switch TLS 1.0, TLS 1.1 and RC4 off at whatever ends TLS, the load balancer or CDN as well as the server",
	Refs:          []frameworks.Ref{frameworks.RFC(9325, "3.1.1"), frameworks.RFC(9325, "4.1"), frameworks.RFC(9325, "4.2"), frameworks.FAPI2("5.2.1"), frameworks.FAPI2("5.2.2"), frameworks.ASVS("12.1.1"), frameworks.ASVS("12.1.2"), frameworks.SP80053("SC-8(1)"), frameworks.CSF("PR.DS-02")},
	Rows:          []string{"L-MD-16"},
	Severity:      logbook.High,
	At:            check.WholeStack,
	AnyCredential: true,
	Besides:       []*logbook.Breach{withoutTLS, untrusted},
	Twin:          defect.Set{OldTLS: true},
	Also:          []defect.Set{{RC4: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		hosts, plain, err := p.Hosts(ctx)
		if err != nil {
			return err
		}
		withTLS(p, plain)
		for _, host := range hosts {
			err = handshakes(ctx, p, host)
			if err != nil {
				return err
			}
		}
		if len(hosts) == 0 && len(plain) > 0 {
			return check.NotApplicable("no host of the plan is reached by TLS")
		}
		return nil
	},
}

// withoutTLS is worse than any version of it, and another thing.
var withoutTLS = &logbook.Breach{
	Broken:   "a host is reached without TLS",
	Why:      "whoever stands between partner and server reads credentials and tokens, and writes what the partner is told",
	Fix:      "serve it by https alone, and write the https address into the plan",
	Severity: logbook.High,
}

var untrusted = &logbook.Breach{
	Broken:   "a host shows a certificate that leads to no root of the plan, that is over, or that is for another name",
	Why:      "a partner must not connect; one that switches verification off to get going gives its credentials to whoever answers",
	Fix:      "serve the whole chain of a certificate for this name that is in its time, or name its root in the plan",
	Severity: logbook.Medium,
}

// withTLS tells of what is reached without.
func withTLS(p *check.Pass, plain []check.Host) {
	defer p.Besides(withoutTLS)()
	for _, host := range plain {
		if loopback(host.Name) {
			p.Note("%s is reached without TLS, on this machine", host.Name)
			continue
		}
		p.Case(host.Name, logbook.Fail, "TLS", "plain HTTP", "", "")
		p.Where(host.Place)
	}
}

// handshakes offers a host what is good, and between that what is not. What is answered to the request behind the handshake
// is of no interest.
func handshakes(ctx context.Context, p *check.Pass, host check.Host) error {
	good, err := agreed(ctx, p, host, wire.Offer{})
	if err != nil {
		return err
	}
	switch {
	case good.Failure == wire.Untrusted:
		defer p.Besides(untrusted)()
		p.Case(host.Name+" shows a certificate that is trusted", logbook.Fail, "a chain to the roots of the plan, for this name", good.Detail, "", "")
		p.Where(host.Place)
		return nil
	case good.TLS == "":
		p.Case(host.Name, logbook.Inconclusive, "", "", "", fmt.Sprintf("no connection to %s could be made: %s %s", host.Name, good.Failure, good.Detail))
		return nil
	}
	for _, bad := range []struct {
		name  string
		offer wire.Offer
	}{
		{host.Name + " is offered TLS 1.0 and 1.1", wire.Offer{Min: tls.VersionTLS10, Max: tls.VersionTLS11, Suites: old()}},
		{host.Name + " is offered RC4", wire.Offer{Min: tls.VersionTLS12, Max: tls.VersionTLS12, Suites: rc4()}},
	} {
		x, err := agreed(ctx, p, host, bad.offer)
		if err != nil {
			return err
		}
		after, err := agreed(ctx, p, host, wire.Offer{})
		if err != nil {
			return err
		}
		differs := "TLS offer: " + wire.Offer{}.String() + " -> " + bad.offer.String()
		switch {
		case x.TLS != "":
			p.Case(bad.name, logbook.Fail, "the handshake is refused", "agreed on "+x.TLS+" with "+x.Suite, differs, "")
			p.Where(host.Place)
		case after.TLS == "":
			p.Case(bad.name, logbook.Inconclusive, "", "", differs, fmt.Sprintf("the good handshake with %s after it failed: %s %s", host.Name, after.Failure, after.Detail))
		case x.Failure == wire.Alert || x.Failure == wire.Reset:
			p.Case(bad.name, logbook.Pass, "the handshake is refused", string(x.Failure)+" "+x.Detail, differs, "")
		default:
			p.Case(bad.name, logbook.Inconclusive, "", "", differs, fmt.Sprintf("%s: %s %s", bad.name, x.Failure, x.Detail))
		}
	}
	x, err := agreed(ctx, p, host, wire.Offer{Min: tls.VersionTLS12, Max: tls.VersionTLS12, Suites: weak()})
	if err != nil {
		return err
	}
	if x.TLS != "" {
		p.Note("%s agrees on %s, with a client that offers nothing better; RFC 9325 §4.1 says that it SHOULD NOT", host.Name, x.Suite)
	}
	return nil
}

// agreed opens a connection with an offer. A reset may be the network's, so it counts if it comes three times (rule 5).
func agreed(ctx context.Context, p *check.Pass, host check.Host, offer wire.Offer) (wire.Exchange, error) {
	request := host.Request.Clone()
	request.Over.Offer = offer
	purpose := wire.Baseline
	if offer.Min != 0 {
		purpose = wire.Altered
	}
	for attempt := 1; ; attempt++ {
		x, err := p.Send(ctx, purpose, request)
		if err != nil || x.TLS != "" || x.Failure != wire.Reset || attempt == 3 {
			return x, err
		}
	}
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
