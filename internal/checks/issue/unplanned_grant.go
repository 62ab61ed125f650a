package issue

import (
	"context"
	"slices"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// UnplannedGrant lets the partner, rightly authenticated, ask for tokens by every grant that the plan does not name: with
// a user, a code, a refresh token and an assertion that nobody gave it, and with its own token for an exchange. It was
// registered for none of them, or had them switched on long ago and forgotten.
//
// RFC 6749 §5.2: "unauthorized_client" of a grant that the client may not use, "unsupported_grant_type" of one that the
// server does not know. Where it says invalid_grant it has looked at what was shown: for the password grant that means that
// whoever has a user's password gets the user's tokens by this client, and RFC 9700 §2.4 says that this grant MUST NOT be
// used; for the others it only may be the wrong code that was refused, which is told.
var UnplannedGrant = &check.Check{
	ID:       "issue.unplanned-grant",
	Title:    "the partner gets no token by a grant that the plan does not name",
	Broken:   "the partner gets a token by a grant that the plan does not name",
	Why:      "a grant that nobody agreed upon is one that nobody watches: it gives tokens of users, or of what somebody else was given",
	Fix:      "allow each client the grants that were agreed with the partner, and switch off at the server what no client needs",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "5.2"), frameworks.RFC(9700, "2.4"), frameworks.ASVS("10.4.4"), frameworks.NHI(5), frameworks.SP80053("CM-7"), frameworks.House()},
	Rows:     []string{"L-TK-09"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Besides:  []*logbook.Breach{passwordsTaken},
	Twin:     defect.Set{RefreshTokenIgnored: true},
	Also:     []defect.Set{{PasswordGrantAlive: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, token, err := p.HomeToken(ctx)
		if err != nil {
			return err
		}
		login := p.AtToken(partner, partner.Usual())
		err = p.Opens(ctx, login)
		if err != nil {
			return err
		}
		planned := p.Stack.Plan.GrantTypes()
		for _, one := range grantsTried(p, token) {
			if slices.Contains(planned, any(one.grant)) {
				continue
			}
			request, err := login.Make()
			if err != nil {
				return err
			}
			request = request.SetForm("grant_type", one.grant)
			for _, field := range one.fields {
				request = request.SetForm(field[0], field[1])
			}
			if one.shown.Name != "" {
				request = request.WithCredential(one.shown)
			}
			got, err := p.Brings(ctx, partner, partner.Usual(), request)
			if err != nil {
				return err
			}
			one.judge(p, got)
		}
		return p.Opens(ctx, login)
	},
}

// passwordsTaken is a grant that is alive, and gave nothing since the user was none.
var passwordsTaken = &logbook.Breach{
	Broken:   "the partner may ask for tokens of users by their passwords, which the plan does not name",
	Why:      "whoever runs or robs the partner tries users' passwords by it, past every second factor",
	Fix:      "switch the password grant off: for this client, and better for all",
	Severity: logbook.Medium,
}

// grantTried is a token request by a grant, with what nobody was given.
type grantTried struct {
	grant  string
	fields [][2]string
	shown  wire.Credential
}

func grantsTried(p *check.Pass, own oauth.Token) []grantTried {
	shown := func(name string, text secret.Text) wire.Credential {
		return wire.Credential{In: wire.InForm, Name: name, Text: text}
	}
	garbage := p.Stack.Keeper.Keep("garbage", "checkride-no-credential-of-anybody")
	return []grantTried{
		{"password", [][2]string{{"username", "checkride-nobody"}}, shown("password", garbage)},
		{"authorization_code", [][2]string{{"redirect_uri", "https://partner.checkride.invalid/callback"}}, shown("code", garbage)},
		{"refresh_token", nil, shown("refresh_token", garbage)},
		{"urn:ietf:params:oauth:grant-type:device_code", nil, shown("device_code", garbage)}, // RFC 8628 §3.4
		{plan.GrantJWTBearer, nil, shown("assertion", p.Stack.Keeper.Keep("garbage", "e30.e30.e30"))},
		{plan.GrantTokenExchange, [][2]string{{"subject_token_type", oauth.AccessTokenType}}, shown(oauth.SubjectMember, own.Text)},
	}
}

func (g grantTried) judge(p *check.Pass, got check.Issued) {
	const expected = "unauthorized_client or unsupported_grant_type"
	name, differs := "grant "+g.grant, "form grant_type: "+g.grant
	looked := false
	if refusal := oauth.ReadError(got.Exchange); refusal != nil {
		looked = refusal.Code == "invalid_grant"
	}
	switch {
	case got.Decision == wire.Unknown:
		p.Case(name, logbook.Inconclusive, expected, "", differs, got.Why)
	case got.Decision == wire.Accepted:
		p.Case(name, logbook.Fail, expected, "a token", differs, "")
	case looked && g.grant == "password":
		defer p.Besides(passwordsTaken)()
		p.Case(name, logbook.Fail, expected, got.Why+", so the grant is alive", differs, "")
	case looked:
		p.Note("%s is answered %s: whether the partner may use it cannot be seen without what it takes", name, got.Why)
		p.Case(name, logbook.NotApplicable, expected, got.Why, differs, "")
	default:
		p.Case(name, logbook.Pass, expected, got.Why, differs, "")
	}
}
