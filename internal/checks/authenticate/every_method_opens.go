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

// EveryMethodOpens plays honest clients, one by each method that the server offers and the ride has means for, and each
// writes its login in other ways that mean the same: with every character of Basic escaped, its scheme in small letters,
// without the client_id that an assertion makes unnecessary, with a parameter that no server knows, and with an empty one.
//
// RFC 6749 §2.3.1 and appendix B: id and secret are form-encoded before they are joined, so a server decodes them, or one
// day a secret with a plus or a percent sign does not fit. §3.2: unknown parameters MUST be ignored, and those without a
// value count as omitted. RFC 7521 §4.2: client_id is unnecessary beside an assertion.
var EveryMethodOpens = &check.Check{
	ID:       "authenticate.every-method-opens",
	Title:    "an honest client gets in by each method that the server offers, however it lawfully writes its login",
	Broken:   "an honest client is refused for the way in which it lawfully writes its login",
	Why:      "a partner that works today is locked out by its next secret, or by its next library, and somebody loosens a rule to help",
	Fix:      "form-decode id and secret of Basic, compare the scheme in any case, and ignore parameters that are unknown or empty",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "2.3.1"), frameworks.RFC(6749, "B"), frameworks.RFC(6749, "3.2"), frameworks.RFC(7521, "4.2"), frameworks.RFC(7523, "2.2"), frameworks.RFC(8705, "2.1"), frameworks.RFC(8705, "2.2"), frameworks.RFC(9110, "11.1"), frameworks.SP80053("IA-9")},
	Rows:     []string{"L-CA-01", "L-CA-20", "L-CA-50", "L-CA-58"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Takes:    check.FailAuth,
	Besides:  []*logbook.Breach{methodFails},
	Twin:     defect.Set{BasicNotDecoded: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		methods, err := p.Methods(ctx)
		if err != nil {
			return err
		}
		described, _ := p.Cast.Client(cast.Partner)
		played := 0
		for _, method := range methods {
			partner, err := p.By(ctx, cast.Partner, method)
			if err != nil && string(method) != described.Auth {
				p.Note("%s is not tested: %v", method, err)
				continue
			}
			if err != nil {
				return err
			}
			login := p.Login(partner)
			login.Name = string(method)
			titled := p.Besides(methodFails)
			accepted, err := p.Accepts(ctx, login, "a token by each method")
			titled()
			if err != nil {
				return err
			}
			if !accepted {
				continue
			}
			err = p.TakesAll(ctx, login, otherwiseWritten(p, method)...)
			if err != nil {
				return err
			}
			played++
		}
		if played == 0 {
			return check.CannotTell("no client of this ride gets in by any method")
		}
		return nil
	},
}

var methodFails = &logbook.Breach{
	Broken:   "an honest client is refused by a method that the server offers",
	Why:      "a partner builds on a method that fails, and gets a weaker one in haste",
	Fix:      "offer what this deployment takes, and look why a client that is registered for the method is refused",
	Severity: logbook.Medium,
}

// otherwiseWritten are ways to write a login that mean the same.
func otherwiseWritten(p *check.Pass, method oauth.Method) []wire.Change {
	named := func(what string, apply func(wire.Request) wire.Request) wire.Change {
		return wire.Change{Name: string(method) + ": " + what, Apply: func(r wire.Request) (wire.Request, error) { return apply(r), nil }}
	}
	changes := []wire.Change{
		named("with a parameter that no server knows", func(r wire.Request) wire.Request { return r.AddForm("checkride_unknown", "1") }),
		named("with a parameter without a value", func(r wire.Request) wire.Request { return r.AddForm("username", "") }),
	}
	switch method {
	case oauth.ClientSecretBasic:
		escaped := forge.BasicEscaped(p.Stack.Keeper)
		escaped.Name = string(method) + ": " + escaped.Name
		return append(changes, escaped, named("the scheme in small letters", func(r wire.Request) wire.Request {
			r.Credentials[0].Prefix = "basic "
			return r
		}))
	case oauth.PrivateKeyJWT:
		return append(changes, named("without client_id", func(r wire.Request) wire.Request { return r.WithoutForm("client_id") }))
	}
	return changes
}
