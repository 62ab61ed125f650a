package discover

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// PublishedKeysArePublic reads the server's key set as everybody can.
//
// RFC 7517 §9.2: private and symmetric keys MUST be protected from disclosure. RFC 7518 §3.3: RSA keys have at least
// 2048 bits. RFC 8414 §2: where keys for signing and for encryption are published, use is REQUIRED for all; that
// endangers nobody and is noted only, as is that kids are distinct, a SHOULD (RFC 7517 §4.5).
var PublishedKeysArePublic = &check.Check{
	ID:       "discover.published-keys-are-public",
	Title:    "the server's key set holds public keys alone, of sound size",
	Broken:   "the server publishes a private key",
	Why:      "with a private part anybody mints tokens as any partner, and no log will ever show it",
	Fix:      "publish the public members only, and withdraw every key that was shown",
	Refs:     []frameworks.Ref{frameworks.RFC(7517, "9.2"), frameworks.RFC(7517, "4.5"), frameworks.RFC(7518, "3.3"), frameworks.RFC(8414, "2"), frameworks.NHI(2), frameworks.ASVS("11.6.1"), frameworks.SP80053("IA-13(1)")},
	Rows:     []string{"L-JW-01", "A-RG-10"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Besides:  []*logbook.Breach{small},
	Twin:     defect.Set{PrivateKeyInJWKS: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		server, err := p.Cast.Server(ctx, p.Name)
		if err != nil {
			return err
		}
		if server.Endpoints.JWKS == "" {
			return check.NotApplicable("%s publishes no keys", p.Name)
		}
		x, err := p.Send(ctx, wire.Setup, server.JWKSRequest())
		if err != nil {
			return err
		}
		set, err := oauth.ReadJWKS(x)
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		encrypting, silent := "", ""
		for i, key := range oauth.Keys(set) {
			kind, _ := key["kty"].(string)
			kid, _ := key["kid"].(string)
			name := fmt.Sprintf("key %d (%s %s)", i+1, kind, kid)
			if kid == "" || seen[kind+" "+kid] {
				p.Note("%s has no kid of its own", name)
			}
			seen[kind+" "+kid] = true
			switch use, _ := key["use"].(string); use {
			case "enc":
				encrypting = name
			case "":
				silent = name
			}

			private := privateParts(key)
			observed := "public members alone"
			if len(private) > 0 {
				observed = "it shows " + strings.Join(private, ", ")
			}
			if p.Holds(name+" has no private part", len(private) == 0, observed) {
				soundSize(p, name, kind, key)
			}
		}
		if encrypting != "" && silent != "" {
			p.Note("%s does not say its use, though %s is for encryption: RFC 8414 §2 requires use for all keys then", silent, encrypting)
		}
		if len(seen) == 0 {
			return check.NotApplicable("the key set of %s is empty", p.Name)
		}
		return nil
	},
}

var small = &logbook.Breach{
	Broken:   "the server publishes a key that is too small",
	Why:      "a small key can be computed from its public part: whoever does mints tokens as any partner, and no log will ever show it",
	Fix:      "use RSA of 2048 bits or EC of 256 bits and more, and withdraw the small key",
	Severity: logbook.High,
}

// privateParts are the members by which a key gives itself away. An empty one, as some libraries write, tells nothing.
func privateParts(key map[string]any) []string {
	var private []string
	for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		switch key[member] {
		case nil, "":
		default:
			private = append(private, member)
		}
	}
	return private
}

// soundSize asks RSA keys for 2048 bits (RFC 7518 §3.3) and EC keys for 256, which the length of a coordinate tells
// (§6.2.1.2), whatever the curve's name. Some libraries leave its leading zero octets out.
func soundSize(p *check.Pass, name, kind string, key map[string]any) {
	defer p.Besides(small)()
	least, member := 2048, "n"
	switch kind {
	case "RSA":
	case "EC":
		least, member = 256, "x"
	default:
		return
	}
	expected := fmt.Sprintf("%s has at least %d bits", name, least)
	text, _ := key[member].(string)
	number, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(number) == 0 {
		p.Case(expected, logbook.Inconclusive, "", "", "", fmt.Sprintf("the member %s of %s cannot be read", member, name))
		return
	}
	bits := (len(number) + 3) / 4 * 32
	if kind == "RSA" {
		bits = new(big.Int).SetBytes(number).BitLen()
	}
	p.Holds(expected, bits >= least, fmt.Sprintf("%d bits", bits))
}
