package register

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// StatementOfAnotherIssuer registers with statements of a directory that nobody trusts: signed by its own key, and signed
// by the key of the trusted one. The second is how a server looks that has the keys of several directories in one set.
//
// RFC 7591 §3.2.2: invalid_software_statement or unapproved_software_statement. RFC 8725 §3.8: the keys that are used must
// belong to the issuer.
var StatementOfAnotherIssuer = &check.Check{
	ID:       "register.statement-of-another-issuer",
	Title:    "a software statement of a directory that is not trusted registers nobody",
	Broken:   "a software statement of a directory that is not trusted registers a client",
	Why:      "whoever runs any directory, or one for another purpose, decides who becomes a partner here",
	Fix:      "compare iss with the trusted directories as a whole, and verify with the keys of that one alone",
	Refs:     []frameworks.Ref{frameworks.RFC(7591, "3.2.2"), frameworks.RFC(7591, "2.3"), frameworks.RFC(8725, "3.8"), frameworks.CSF("PR.AA-04"), frameworks.SP80053("IA-5")},
	Rows:     []string{"L-SS-07"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.DirectoryKey},
	Twin:     defect.Set{StatementIssuerIgnored: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		return p.RefusesRegistrations(ctx, p.AtRegistration(ctx, cast.Partner, cast.Wish{}), nil, forge.StatementsOfAnotherIssuer()...)
	},
}
