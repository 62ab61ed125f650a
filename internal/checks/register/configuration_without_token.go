package register

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// ConfigurationWithoutToken plays the stranger who knows a client's configuration URL, which holds little more than its
// client_id.
//
// RFC 7592 §2: all calls carry the registration access token. §2.1: a bad one is refused as RFC 6750 has it.
var ConfigurationWithoutToken = &check.Check{
	ID:       "register.configuration-without-token",
	Title:    "a client's configuration is not shown without its registration token",
	Broken:   "a client's configuration is shown without its registration token",
	Why:      "the configuration holds the client's secret and the token that changes or deletes it",
	Fix:      "ask for the registration access token on every method of the client configuration endpoint",
	Refs:     []frameworks.Ref{frameworks.RFC(7592, "2.1"), frameworks.RFC(7592, "2"), frameworks.NHI(2), frameworks.API(2), frameworks.SP80053("AC-3")},
	Rows:     []string{"L-RM-02"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Twin:     defect.Set{ConfigurationOpen: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		err = p.Manageable(partner)
		if err != nil {
			return err
		}
		return p.Refuses(ctx, p.AtConfiguration(partner), forge.WithoutToken(), forge.New(p.Stack.Keeper, nil).GarbageToken())
	},
}
