package authenticate

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// MalformedRequests sends some requests that no program of good will sends, each once, as nobody: broken headers, forms,
// assertions and metadata at the token, introspection, revocation and registration endpoints. Each is to be answered by
// the server's own decision and not by its fall, and no answer may tell what is inside. An honest login ends it.
//
// No RFC has a word on it; a server that falls over what a stranger sends has not looked at it before it was used.
// ASVS 5.0 V16.5.1: an unexpected error shows the caller nothing of stack traces, queries, keys and tokens.
var MalformedRequests = &check.Check{
	ID:       "authenticate.malformed-requests",
	Title:    "a malformed request ends in no internal error, and the answer tells nothing from inside",
	Broken:   "a malformed request ends in an internal error",
	Why:      "a stranger who needs no credential finds out which input is used before it is checked",
	Fix:      "check what comes in before it is used",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(6749, "5.2"), frameworks.ASVS("16.5.1"), frameworks.ASVS("16.5.3"), frameworks.API(8), frameworks.NHI(2)},
	Rows:     []string{"L-ER-03", "L-ER-04"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Besides:  []*logbook.Breach{tellsInside},
	Twin:     defect.Set{MalformedCrashes: true},
	Also:     []defect.Set{{BadMetadataCrashes: true}, {ErrorsTellInternals: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Cast.Member(ctx, cast.Partner)
		if err != nil {
			return err
		}
		known, err := p.Cast.Plan().Hosts()
		if err != nil {
			return err
		}
		known = append(known, partner.Server.Issuer)
		for _, each := range malformed(p, partner) {
			err = tellMalformed(ctx, p, each.name, known, func(ctx context.Context) (wire.Exchange, error) {
				return p.Send(ctx, wire.Probe, each.request)
			})
			if err != nil {
				return err
			}
		}
		if p.Cast.Registers() && partner.Server.Endpoints.Registration != "" {
			for _, each := range []struct{ name, body string }{
				{"a registration that ends in the middle", `{"client_name":`},
				{"a registration that is a list", `[]`},
				{"a registration that is nested deeply", strings.Repeat(`{"jwks":`, 200) + "1" + strings.Repeat("}", 200)},
			} {
				err = tellMalformed(ctx, p, each.name, known, func(ctx context.Context) (wire.Exchange, error) {
					return p.RegisterRaw(ctx, cast.Partner, []byte(each.body))
				})
				if err != nil {
					return err
				}
			}
			noKeys := map[string]any{"keys": []any{map[string]any{"kty": "EC", "crv": "P-256", "x": "", "y": "AA"}}}
			for _, each := range []struct {
				name string
				wish cast.Wish
			}{
				{"a registration whose client_name is a number", cast.Wish{Metadata: map[string]any{"client_name": 17}}},
				{"a registration whose keys are none", cast.Wish{Auth: oauth.PrivateKeyJWT, Metadata: map[string]any{"jwks": noKeys}}},
			} {
				err = tellMalformed(ctx, p, each.name, known, func(ctx context.Context) (wire.Exchange, error) {
					registered, err := p.Register(ctx, wire.Probe, cast.Partner, each.wish)
					return registered.Exchange, err
				})
				if err != nil {
					return err
				}
			}
		}
		return p.Opens(ctx, p.Login(partner))
	},
}

var tellsInside = &logbook.Breach{
	Broken:   "the answer to a malformed request tells what is inside",
	Why:      "a stranger who needs no credential learns what runs where",
	Fix:      "answer what goes wrong with a fixed text; the details belong in the log",
	Severity: logbook.Medium,
}

// tellMalformed judges one answer. A 5xx counts if it comes twice: 502 can be a bad moment, 503 says so itself.
func tellMalformed(ctx context.Context, p *check.Pass, name string, known []string, send func(context.Context) (wire.Exchange, error)) error {
	const expected = "no internal error, and nothing from inside"
	x, err := send(ctx)
	if err != nil {
		return err
	}
	internal := func() bool { return x.Failure == wire.None && x.Status >= 500 && x.Status != 503 && x.Status != 501 }
	if internal() {
		x, err = send(ctx)
		if err != nil {
			return err
		}
	}
	leaks := check.Leaks(x.Body, known, []string{shownSecret})
	switch {
	case x.Failure == wire.Timeout, x.Failure == wire.Refused, x.Failure == wire.Proxied:
		p.Case(name, logbook.Inconclusive, expected, "", "", name+": "+string(x.Failure))
	case x.Failure != wire.None:
		p.Case(name, logbook.Pass, expected, string(x.Failure), "", "")
	case internal() && len(leaks) > 0:
		p.Case(name, logbook.Fail, expected, fmt.Sprintf("%d twice, and the answer holds %s", x.Status, strings.Join(leaks, ", ")), "", "")
	case internal():
		p.Case(name, logbook.Fail, expected, fmt.Sprintf("%d twice", x.Status), "", "")
	case len(leaks) > 0:
		defer p.Besides(tellsInside)()
		p.Case(name, logbook.Fail, expected, fmt.Sprintf("%d whose answer holds %s", x.Status, strings.Join(leaks, ", ")), "", "")
	default:
		p.Case(name, logbook.Pass, expected, fmt.Sprintf("%d %s", x.Status, x.Text("/error")), "", "")
	}
	return nil
}

type malformedRequest struct {
	name    string
	request wire.Request
}

// malformed are requests to the endpoints that take forms.
func malformed(p *check.Pass, partner *cast.Member) []malformedRequest {
	usual := strange(partner.TokenRequest(partner.Usual()))
	header := func(value string) wire.Request { return usual.AddHeader("Authorization", value) }
	basic := func(pair string) wire.Request {
		return header("Basic " + base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	body := func(kind, text string) wire.Request {
		r := usual.SetHeader("Content-Type", kind)
		r.Form, r.Credentials, r.Body = nil, nil, []byte(text)
		return r
	}
	const form = "application/x-www-form-urlencoded"
	assertion := func(text string) wire.Request {
		r := usual.SetForm("client_assertion_type", oauth.AssertionType)
		return r.WithCredential(wire.Credential{In: wire.InForm, Name: "client_assertion", Text: p.Stack.Keeper.Keep("assertion", text)})
	}
	all := []malformedRequest{
		{"a secret of nobody", asNobody(p, usual)},
		{"Basic that is no base64", header("Basic %%%")},
		{"Basic without a colon", basic(nobody)},
		{"Basic with an escape that is none", basic("%zz%:%")},
		{"Basic with nothing", header("Basic")},
		{"an unknown scheme", header("Checkride x")},
		{"a body of JSON", body("application/json", `{"grant_type":"client_credentials"}`)},
		{"no body", body(form, "")},
		{"a form with an escape that is none", body(form, "grant_type=%&client_id="+nobody)},
		{"a form with bytes that are no UTF-8", body(form, "grant_type=client_credentials&client_id=%00%ff%fe")},
		{"a client_id with quotes", usual.SetForm("client_id", `'"`+"`"+`;--<checkride>`)},
		{"a very long client_id", usual.SetForm("client_id", strings.Repeat("9", 6000))},
		{"an assertion that is no JWT", assertion("a.b.c")},
		{"an assertion whose parts are not objects", assertion("W10.W10.AA")},
		{"an assertion of empty objects", assertion("e30.e30.")},
	}
	garbage := p.Stack.Keeper.Keep("token", "checkride'.\"garbage.%00")
	if partner.Server.Endpoints.Introspection != "" {
		all = append(all, malformedRequest{"introspection of garbage as nobody", asNobody(p, partner.Server.IntrospectRequest(partner.Client(), garbage))})
	}
	if partner.Server.Endpoints.Revocation != "" {
		all = append(all, malformedRequest{"revocation of garbage", partner.Server.RevokeRequest(partner.Client(), garbage, "checkride")})
	}
	return all
}
