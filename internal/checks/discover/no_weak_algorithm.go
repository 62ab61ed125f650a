package discover

import (
	"context"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
)

// NoWeakAlgorithm reads what the server says it takes as client authentication, and whether that is what was agreed.
//
// RFC 8414 §2: the lists of signing algorithms for client authentication MUST NOT hold none, and MUST be there where a
// method with a JWT is listed. Without token_endpoint_auth_methods_supported the method is client_secret_basic; without
// grant_types_supported the grants are authorization_code and implicit, which is common neglect and noted only.
// That the agreed method is listed is our demand.
var NoWeakAlgorithm = &check.Check{
	ID:       "discover.no-weak-algorithm",
	Title:    "the metadata offers no unsigned client assertions, and offers what the partner was promised",
	Broken:   "the metadata offers unsigned client assertions",
	Why:      "a server that lists none says that it takes a login which everybody can write; whether it does, authenticate.assertion-algorithm tries",
	Fix:      "take none out of the *_auth_signing_alg_values_supported lists, and refuse unsigned assertions",
	Refs:     []frameworks.Ref{frameworks.RFC(8414, "2"), frameworks.RFC(8725, "3.2"), frameworks.ASVS("9.1.2"), frameworks.NHI(4), frameworks.House()},
	Rows:     []string{"L-MD-05", "L-MD-06", "L-MD-07", "A-RG-10"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Besides:  []*logbook.Breach{unoffered, algorithmsUntold},
	Twin:     defect.Set{NoneAdvertised: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		server, err := p.Discovered(ctx)
		if err != nil {
			return err
		}
		var unsigned []string
		for name, value := range server.Metadata {
			isNone := func(alg string) bool { return strings.EqualFold(alg, "none") }
			if strings.HasSuffix(name, "_auth_signing_alg_values_supported") && slices.ContainsFunc(oauth.Strings(value), isNone) {
				unsigned = append(unsigned, name)
			}
		}
		slices.Sort(unsigned)
		p.Holds("no list of signing algorithms for client authentication holds none", len(unsigned) == 0, "lists that hold none: "+strings.Join(unsigned, ", "))

		titled := p.Besides(unoffered)
		methods := oauth.Strings(server.Metadata["token_endpoint_auth_methods_supported"])
		if methods == nil {
			methods = []string{string(oauth.ClientSecretBasic)}
		}
		for _, client := range p.Stack.Plan.Clients {
			if client.Name != "resource_server" && client.Auth != "" {
				p.Holds("the method of "+client.Name+", "+client.Auth+", is offered", slices.Contains(methods, client.Auth), strings.Join(methods, ", "))
			}
		}
		titled()
		withJWT := slices.Contains(methods, string(oauth.PrivateKeyJWT)) || slices.Contains(methods, "client_secret_jwt")
		algorithms := oauth.Strings(server.Metadata["token_endpoint_auth_signing_alg_values_supported"])
		titled = p.Besides(algorithmsUntold)
		p.Holds("the algorithms of client assertions are listed where they are offered", !withJWT || len(algorithms) > 0, "token_endpoint_auth_signing_alg_values_supported: "+strings.Join(algorithms, ", "))
		titled()

		grants, told := server.Metadata["grant_types_supported"]
		if !told {
			p.Note("grant_types_supported is missing, which means authorization_code and implicit (RFC 8414 §2)")
			return nil
		}
		defer p.Besides(unoffered)()
		p.Holds("the grant client_credentials is offered", slices.Contains(oauth.Strings(grants), "client_credentials"), strings.Join(oauth.Strings(grants), ", "))
		return nil
	},
}

// unoffered is what partners use and do not find in the document.
var unoffered = &logbook.Breach{
	Broken:   "the metadata does not offer what the partner was promised",
	Why:      "a partner that does not find its method or its grant falls back to a weaker one; that it is listed is our demand",
	Fix:      "list the methods and grants that partners use",
	Severity: logbook.Medium,
}

// algorithmsUntold breaks a MUST of RFC 8414 §2, and endangers nobody by itself.
var algorithmsUntold = &logbook.Breach{
	Broken:   "the metadata offers client assertions and does not say with which algorithms",
	Why:      "partners guess an algorithm, and take the one that works instead of the one that was agreed",
	Fix:      "list the algorithms in token_endpoint_auth_signing_alg_values_supported",
	Severity: logbook.Low,
}
