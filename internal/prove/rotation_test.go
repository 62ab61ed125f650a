package prove

import (
	"slices"
	"testing"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// What a partner proves itself with is rotated by the operator's hook where the plan has one, else by an update of the
// registration (RFC 7592 §2.2). Both tell at each point how soon the new credential opens it, and both see the old one
// live on.
func TestRotationsByHookAndByUpdate(t *testing.T) {
	rows := []struct {
		check, hook, credential string
		twin                    defect.Set
	}{
		{"rotate.old-secret", plan.RotateSecret, "secret", defect.Set{OldSecretWorks: true}},
		{"rotate.removed-key", plan.RotateKey, "key", defect.Set{OldKeyWorks: true}},
		{"rotate.retired-certificate", plan.RotateCertificate, "certificate", defect.Set{OldCertificateWorks: true}},
	}
	for _, row := range rows {
		for _, hooked := range []bool{true, false} {
			if !hooked && row.hook == plan.RotateSecret {
				continue // the sandbox's updates give no new secret, as they need not
			}
			for want, defects := range map[logbook.Outcome]defect.Set{logbook.Pass: {}, logbook.Fail: row.twin} {
				name := row.credential + " by update, " + want.String()
				if hooked {
					name = row.credential + " by hook, " + want.String()
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					setup := Setup{Catalogue: checks.Catalogue(), Only: []string{row.check}, Defects: defects, Edit: func(p *plan.Plan) {
						if !hooked {
							delete(p.Hooks, row.hook)
						}
					}}
					ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
						played := slices.ContainsFunc(entries, func(e logbook.Entry) bool { return e.Exchange != nil && e.Exchange.Point == "hook "+row.hook })
						if played != hooked {
							t.Errorf("hook %s played: %v, want %v", row.hook, played, hooked)
						}
						i := slices.IndexFunc(entries, func(e logbook.Entry) bool { return e.Observation != nil })
						if i < 0 {
							t.Fatalf("%s did not run", row.check)
						}
						told := entries[i].Observation
						if told.Outcome != want {
							t.Errorf("%v, want %v; observed %s; because %s; notes %v", told.Outcome, want, told.Observed, told.Because, told.Notes)
						}
						for _, point := range []string{"edge", "gateway", "legacy"} {
							opened := slices.ContainsFunc(told.Openings, func(o logbook.Opening) bool {
								return o.What == "the new "+row.credential && o.At == point && !o.Never
							})
							if !opened {
								t.Errorf("no time for %s: %+v", point, told.Openings)
							}
						}
					})
				})
			}
		}
	}
}
