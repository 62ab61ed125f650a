package cast

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

// Calibration is what is found out about an authorization server before anything rests on it (rule 11).
type Calibration struct {
	SameToken bool          // it gives the same token until expiry
	Clock     time.Duration // its clock minus ours
	TokenLife time.Duration
	Opaque    bool // tokens are no JWTs
}

// Calibrate finds out how an authorization server treats tokens, once (rule 11).
func (c *Cast) Calibrate(ctx context.Context, name string) (Calibration, error) {
	return c.calibrated.Get(ctx, name, func(ctx context.Context) (Calibration, error) {
		if c.cfg.Rules.NoCalibration {
			return Calibration{}, nil
		}
		server, err := c.Server(ctx, name)
		if err != nil {
			return Calibration{}, err
		}
		member, err := c.Member(ctx, Partner)
		if err != nil {
			return Calibration{}, err
		}
		point := c.firstPoint(name)
		first, err := c.mint(ctx, member, member.optionsFor(point))
		if err != nil {
			return Calibration{}, err
		}
		second, err := c.mint(ctx, member, member.optionsFor(point))
		if err != nil {
			return Calibration{}, err
		}
		found := Calibration{
			SameToken: first.Text == second.Text,
			Clock:     server.Clock, TokenLife: first.Lifetime, Opaque: first.JWT == nil,
		}
		c.cfg.Note(logbook.Note{About: "calibration", Point: name, Text: found.describe()})
		return found, nil
	})
}

func (f Calibration) describe() string {
	words := []string{"tokens live " + f.TokenLife.String()}
	if f.Opaque {
		words = append(words, "are opaque")
	} else {
		words = append(words, "are JWTs")
	}
	if f.SameToken {
		words = append(words, "the same one is given until it expires")
	} else {
		words = append(words, "each request gives another one")
	}
	if f.Clock != 0 {
		words = append(words, fmt.Sprintf("its clock is %v off ours", f.Clock.Round(time.Second)))
	}
	return strings.Join(words, ", ")
}
