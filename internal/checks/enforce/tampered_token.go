package enforce

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// TamperedToken changes the partner's own good token: one bit of the signature, or what the signature covers.
//
// RFC 8725 §3.3 has the whole JWT rejected if any cryptographic operation fails; RFC 9068 §4 has the signature validated
// with the keys that the authorization server publishes.
var TamperedToken = &check.Check{
	ID:       "enforce.tampered-token",
	Title:    "a token that was changed under its signature is refused",
	Broken:   "a token that was changed under its signature is accepted",
	Why:      "whoever holds any token can write into it who he is and what he may",
	Fix:      "verify the signature before anything in the token is believed; a decode function of a library is no verification",
	Refs:     []frameworks.Ref{frameworks.RFC(8725, "3.3"), frameworks.RFC(9068, "4"), frameworks.ASVS("9.1.1"), frameworks.API(2), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-GW-02", "A-TF-01", "A-TF-02"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Twin:     defect.Set{SignatureIgnored: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, forger, err := p.Forged(ctx)
		if err != nil {
			return err
		}
		return p.Refuses(ctx, call, forger.Tampered()...)
	},
}
