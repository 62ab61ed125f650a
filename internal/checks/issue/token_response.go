package issue

import (
	"context"
	"fmt"
	"mime"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// TokenResponse reads the answer of the good token request. Seen: expires_in as a text, which clients read as no lifetime
// at all.
//
// RFC 6749 §5.1: status 200, application/json, access_token and token_type; expires_in is RECOMMENDED, and numbers are
// JSON numbers. What has neither token nor type is told by every other check: there is no partner then.
var TokenResponse = &check.Check{
	ID:       "issue.token-response",
	Title:    "a token answer is as the standard has it: 200, JSON, a known token_type, a number of seconds",
	Broken:   "a token answer is not as the standard has it",
	Why:      "clients that read it strictly do not work, and others guess: a lifetime that cannot be read is taken for none",
	Fix:      "answer 200 with application/json, token_type Bearer or DPoP, and expires_in as a number",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "5.1"), frameworks.RFC(6749, "4.4.3"), frameworks.SP80053("IA-13(3)")},
	Rows:     []string{"L-TK-01"},
	Severity: logbook.Low,
	At:       check.HomeServer,
	Twin:     defect.Set{LifetimeAsText: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		_, got, err := p.JustIssued(ctx)
		if err != nil {
			return err
		}
		x := got.Exchange
		p.Holds("status 200", x.Status == 200, fmt.Sprintf("status %d", x.Status))
		kind, _, err := mime.ParseMediaType(x.Header.Get("Content-Type"))
		p.Holds("Content-Type: application/json", err == nil && kind == "application/json", fmt.Sprintf("Content-Type: %q", x.Header.Get("Content-Type")))
		known := strings.EqualFold(got.Token.Type, "Bearer") || strings.EqualFold(got.Token.Type, "DPoP")
		p.Holds("token_type is Bearer or DPoP", known, fmt.Sprintf("token_type is %q", got.Token.Type))
		switch life, told := x.JSON("/expires_in"); life.(type) {
		case float64:
			p.Holds("expires_in is a number of seconds", life.(float64) > 0, fmt.Sprintf("expires_in is %v", life))
		default:
			if !told {
				p.Note("the answer has no expires_in, which RFC 6749 §5.1 recommends")
				return nil
			}
			p.Holds("expires_in is a number of seconds", false, fmt.Sprintf("expires_in is %#v, no JSON number", life))
		}
		return nil
	},
}
